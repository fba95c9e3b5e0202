"""The view of single pictures: all of them, then one with its curves."""

import pandas
import streamlit as st

from pages.kodak import beside_jpeg, charts, display, findings, tables
from pages.kodak.gallery import PARAMETER, gallery
from sdae.measuring import curves, kodak
from sdae.measuring.results import OURS, Results

COLUMNS = {
    "picture": ("Picture", None),
    "png_bytes": ("PNG, bytes", "localized"),
    "bytes": (".sdae, bytes", "localized"),
    "saved": ("Reduction, %", "%.2f"),
    "psnr": ("PSNR, dB", "%.2f"),
    "ssim": ("SSIM", "%.4f"),
    "jpeg_bytes": ("JPEG at equal PSNR, bytes", "localized"),
    "latent_bytes": ("Latent, bytes", "localized"),
    "plain_bytes": ("zlib alone, bytes", "localized"),
    "accuracy": ("Accuracy", "%.3f"),
    "encode_seconds": ("Compression, s", "%.3f"),
    "decode_seconds": ("Decompression, s", "%.3f"),
}
"""Key of a row → head and number format of its column."""


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    name = display.choose_measured(stored)
    if name is None:
        return
    rows = tables.summary(stored, name).pictures
    settings = sorted({curves.setting(row) for picture in rows[OURS].values() for row in picture})
    quality = st.select_slider(
        "Quality",
        settings,
        value=settings[len(settings) // 3],
        key="setting",
        format_func=lambda value: f"{value:g}",
    )
    table = beside_jpeg.per_picture(rows[OURS], rows.get("jpeg", {}), quality)
    display.finding(findings.pictures(table))
    chosen = gallery(list(rows[OURS]))
    if chosen is None:
        st.caption("Click a picture to see its curves.")
    else:
        _one(name, chosen, rows, quality)
    st.subheader(f"Every picture at quality {quality:g}", anchor=False)
    st.dataframe(
        pandas.DataFrame(table),
        column_order=list(COLUMNS),
        column_config={
            key: st.column_config.Column(head, pinned=True)
            if form is None
            else st.column_config.NumberColumn(head, format=form)
            for key, (head, form) in COLUMNS.items()
        },
        hide_index=True,
        height="content",
    )
    st.caption(
        "A click on a head sorts. Times are processor time. JPEG's file is the smallest that has "
        "the PSNR of ours; zlib packs our integers one byte each."
    )


def _one(set_name: str, picture: str, rows: dict, quality: float) -> None:
    """One picture: its curves, and the way to the Compress page with it."""
    file = kodak.file_name(picture)
    tiles = [other for other in rows[OURS] if kodak.file_name(other) == file]
    with st.container(border=True):
        if len(tiles) > 1:
            picture = st.selectbox("Tile", tiles, tiles.index(picture))
            st.query_params[PARAMETER] = picture
        st.subheader(picture, anchor=False)
        display.figure(
            charts.rates(
                {codec: curves.curve({picture: every[picture]}) for codec, every in rows.items()},
                "PSNR",
                {},
            ),
            "picture-rates",
            "The curves of this picture alone.",
            height=360,
        )
        if file in kodak.available():
            small = {"size": "128×128"} if set_name == "kodak-thumb" else {}
            st.page_link(
                "pages/compress/page.py",
                label=f"Compress {file} and compare",
                icon=":material/compress:",
                query_params={"source": "Kodak", "kodak": file, "quality": f"{quality:.0f}"}
                | small,
            )
        else:
            st.caption(f"{file} itself is not on this server; “sdae kodak” fetches it.")
