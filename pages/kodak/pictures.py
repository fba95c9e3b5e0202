"""The view of single pictures: all of them, then one with its curves."""

import streamlit as st

from pages.kodak import charts, display, findings, tables
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
    "jpeg_bytes": ("JPEG at equal PSNR, bytes", ",d"),
    "plain_bytes": ("zlib alone, bytes", ",d"),
    "accuracy": ("Accuracy", ".3f"),
    "encode_seconds": ("Compression, s", ".3f"),
    "decode_seconds": ("Decompression, s", ".3f"),
}


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    name = display.choose_set(stored)
    if name is None:
        return
    rows = tables.summary(stored, name).pictures
    settings = sorted({results.setting(row) for picture in rows[OURS].values() for row in picture})
    quality = st.select_slider(
        "Quality",
        settings,
        value=settings[len(settings) // 3],
        key="setting",
        format_func=lambda value: f"{value:g}",
    )
    table = results.per_picture(rows[OURS], rows.get("jpeg", {}), quality)
    display.finding(findings.pictures(table))
    chosen = gallery(list(rows[OURS]))
    if chosen is None:
        st.caption("Click a picture to see its curves.")
    else:
        _one(name, chosen, rows, table, quality)
    st.subheader("Closeness against reduction in size", anchor=False)
    for column, key in zip(st.columns(2, gap="large"), ("psnr", "ssim")):
        with column:
            display.figure(
                charts.pictures(table, key),
                f"pictures-{key}",
                "Further right is smaller, higher is closer to the original. Click a mark to see "
                "its picture.",
                height=360,
                on_select=_clicked,
            )
    st.subheader(f"Every picture at quality {quality:g}", anchor=False)
    shown = {key: value for key, value in COLUMNS.items() if key in table[0]}
    display.table(
        [label for label, _ in shown.values()],
        [
            tuple(
                None if row[key] is None else format(row[key], form)
                for key, (_, form) in shown.items()
            )
            for row in table
        ],
        f"{name}-pictures",
        "Times are processor time. JPEG's file is the smallest that has the PSNR of ours; zlib "
        "packs our integers one byte each.",
    )


def _one(set_name: str, picture: str, rows: dict, table: list[dict], quality: float) -> None:
    """One picture: its figures, its curves, and the way to the Compress page with it."""
    file = kodak.file_name(picture)
    tiles = [other for other in rows[OURS] if kodak.file_name(other) == file]
    with st.container(border=True):
        if len(tiles) > 1:
            picture = st.selectbox("Tile", tiles, tiles.index(picture))
            choose(picture)
        (row,) = (row for row in table if row["picture"] == picture)
        st.markdown(display.whole_numbers(findings.picture(row)))
        display.figure(
            charts.rates(
                {codec: results.curve({picture: found[picture]}) for codec, found in rows.items()},
                "PSNR",
                {},
            ),
            "picture-rates",
            "The curves of this picture alone.",
            height=360,
        )
        if file in kodak.available():
            size = {"size": "128×128"} if set_name == "kodak-thumb" else {}
            st.page_link(
                "pages/compress/page.py",
                label=f"Open {file} on the Compress page",
                icon=":material/compress:",
                query_params={
                    "source": "Kodak",
                    "kodak": file,
                    "quality": f"{quality:.0f}",
                    **size,
                },
            )
        else:
            _fetch(file)


def _fetch(file: str) -> None:
    """A button that brings a picture to this server."""
    st.caption(
        f"{file} is not on this server yet. It can be fetched from its public home, {kodak.HOME}, "
        "about 0.7 MB; its checksum is verified. All figures here do without it."
    )
    if st.button(f"Fetch {file}", icon=":material/download:", key="fetch"):
        try:
            with st.spinner(f"Fetching {file} …"):
                kodak.fetch(file, home=kodak.HOME, timeout=10)
        except kodak.KodakError as error:
            st.error(str(error), icon=":material/cloud_off:")
        else:
            st.rerun()


def _clicked(key: str) -> None:
    points = st.session_state[key].selection.points
    if points and "text" in points[0]:
        choose(points[0]["text"])
