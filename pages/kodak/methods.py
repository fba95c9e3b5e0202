"""The dashboard of methods: every codec at equal bytes, and at equal SSIM."""

import streamlit as st

from pages.kodak import charts, findings, parts, tables
from pages.shared import figures
from pages.shared.figures import table_csv
from sdae.measuring import results
from sdae.measuring.results import Results

TIMES = [
    ("encode_seconds", "Compression, ms of processor time", ",.0f"),
    ("decode_seconds", "Decompression, ms of processor time", ",.0f"),
]
TARGETS = 0.7, 0.75, 0.8, 0.82, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96


def view(found: Results, card: dict) -> None:
    name = parts.choose_set(found)
    if name is None:
        return
    rows = tables.common(found, name)
    bits = st.select_slider("Bits per pixel", tables.BITS, value=1.0, key="bits")
    at_bits = results.methods(rows, lambda picture: bits * picture[0]["pixels"] / 8)
    parts.finding(findings.at_bits(at_bits, bits))
    _panel(
        at_bits,
        [("psnr", "PSNR, dB", ".2f"), ("ssim", "SSIM", ".3f"), *TIMES],
        "equal-bytes-methods",
        "Every picture takes the bits per pixel that are set above.",
    )
    target = st.select_slider("SSIM", TARGETS, value=0.9, key="target")
    at_ssim = results.methods(rows, lambda picture: results.at_quality(picture, target, "ssim"))
    parts.finding(findings.at_ssim(at_ssim, target))
    _panel(
        at_ssim,
        [("bytes", "Bytes", ",.0f"), ("psnr", "PSNR, dB", ".2f"), *TIMES],
        "equal-ssim-methods",
        f"Every codec takes as many bytes as SSIM {target:g} needs, picture by picture.",
    )


def _panel(table: dict, keys: list, name: str, how: str) -> None:
    missing = [results.label(codec) for codec, row in table.items() if row is None]
    present = {codec: row for codec, row in table.items() if row}
    keys = [key for key in keys if any(key[0] in row for row in present.values())]
    if not present:
        st.info("No codec reaches this on every picture.", icon=":material/info:")
        return
    for pair in (keys[:2], keys[2:]):
        for column, (key, title, form) in zip(st.columns(2, gap="large"), pair):
            figure = charts.methods(present, key, form)
            figures.legible(figure)
            figure.update_layout(
                height=60 + 34 * len(present),
                xaxis_title=title,
                margin={"l": 8, "r": 0, "t": 8, "b": 0},
            )
            column.plotly_chart(
                figure,
                key=f"{name}-{key}",
                alt=f"{title}, a line a codec.",
                config={"displayModeBar": False},
            )
    st.caption(
        how + " Bytes begin at zero; the other axes do not, and those of time are logarithmic. "
        "Times are of the nearest file, the network included."
        + (f" Out of reach on some picture: {', '.join(missing)}." if missing else "")
    )
    rows = charts.method_rows(present, [key for key, *_ in keys])
    figures.download(
        "Figures as CSV",
        table_csv(["codec", *(t for _, t, _ in keys)], rows),
        f"{name}.csv",
        "text/csv",
    )
