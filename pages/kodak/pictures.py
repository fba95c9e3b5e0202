"""The dashboard of single pictures: all of them, then one with its curves and its worst square."""

import streamlit as st

from pages.kodak import charts, findings, live, parts, tables
from pages.kodak.gallery import choose, gallery
from sdae.measuring import kodak, results
from sdae.measuring.results import OURS, Results

COLUMNS = {
    "picture": ("Picture", ""),
    "png_bytes": ("PNG, bytes", ",d"),
    "bytes": (".sdae, bytes", ",d"),
    "saved": ("Reduction, %", ".2f"),
    "psnr": ("PSNR, dB", ".2f"),
    "ssim": ("SSIM", ".4f"),
    "jpeg_bytes": ("JPEG at equal PSNR", ",d"),
    "plain_bytes": ("zlib alone", ",d"),
    "accuracy": ("Accuracy", ".3f"),
    "encode_seconds": ("Compression, s", ".3f"),
    "decode_seconds": ("Decompression, s", ".3f"),
}


def view(found: Results, card: dict) -> None:
    name = parts.choose_set(found)
    if name is None:
        return
    rows = tables.common(found, name)
    settings = sorted({results.setting(row) for picture in rows[OURS].values() for row in picture})
    quality = st.select_slider(
        "Quality",
        settings,
        value=settings[len(settings) // 3],
        key="setting",
        format_func=lambda value: f"{value:g}",
    )
    table = results.per_picture(rows[OURS], rows.get("jpeg", {}), quality)
    parts.finding(findings.pictures(table))
    chosen = gallery(list(rows[OURS]))
    if chosen is None:
        st.caption("Click a picture to see its curves, its worst square and both versions.")
    else:
        _one(found, name, chosen, rows, quality)
    st.markdown("**Closeness against reduction in size**")
    for column, key in zip(st.columns(2, gap="large"), ("psnr", "ssim")):
        with column:
            parts.figure(
                charts.pictures(table, key),
                f"pictures-{key}",
                "Further right is smaller, higher is closer to the original. Click a mark to see "
                "its picture.",
                height=360,
                on_select=_clicked,
            )
    st.markdown(f"**Every picture at quality {quality:g}**")
    shown = {key: value for key, value in COLUMNS.items() if key in table[0]}
    parts.table(
        [label for label, _ in shown.values()],
        [
            tuple(
                None if row[key] is None else format(row[key], form)
                for key, (_, form) in shown.items()
            )
            for row in table
        ],
        f"{name}-pictures",
    )
    st.caption(
        "Times are processor time. JPEG's file is the smallest that has the PSNR of ours; zlib "
        "packs our integers one byte each."
    )


def _one(found: Results, name: str, picture: str, rows: dict, quality: float) -> None:
    """One picture: its curves, and what is worked out anew."""
    tiles = [other for other in rows[OURS] if kodak.file_name(other) == kodak.file_name(picture)]
    if len(tiles) > 1:
        picked = st.selectbox("Tile", tiles, tiles.index(picture))
        if picked != picture:
            choose(picked)
            picture = picked
    with st.container(border=True):
        st.markdown(f"**{picture}** at quality {quality:g}")
        curves = {codec: results.curve({picture: found[picture]}) for codec, found in rows.items()}
        parts.figure(
            charts.rates(curves, "PSNR", {}),
            "picture-rates",
            "The curves of this picture alone.",
            height=360,
        )
        live.live(name, picture, rows[OURS][picture], quality, worst=True)


def _clicked(key: str) -> None:
    points = st.session_state[key].selection.points
    if points and "text" in points[0]:
        choose(points[0]["text"])
