"""Figures with everything they need: a text for those who cannot see them, and a download."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from sdae.pictures import reading

_STYLE = """
<style>
.sdae-plates { display: grid; gap: 0.75rem; margin: 0; }
.sdae-plates figure { margin: 0; min-width: 0; }
.sdae-plates img { width: 100%; display: block; border-radius: 0.25rem; }
.sdae-plates .blocks { image-rendering: pixelated; }
.sdae-plates figcaption { font-size: 0.8125rem; padding-top: 0.25rem; opacity: 0.85;
  font-variant-numeric: tabular-nums; }
</style>
"""
_ALONE = """<style>svg { color: #1B2530; background: #FFFFFF; font-family: sans-serif; }
@media (prefers-color-scheme: dark) { svg { color: #E8EDF1; background: #12171C; } }</style>"""


# Streamlit takes SVG out of HTML; a component may hold it and so follows the theme.
_drawing = st.components.v2.component(
    "sdae_drawing",
    html="<div class='drawing'></div>",
    css="""
.drawing { overflow-x: auto; font-family: var(--st-font); color: var(--st-text-color); }
.drawing svg { display: block; width: 100%; min-width: 40rem; height: auto; }
""",
    js="""
export default ({ data, parentElement }) => {
  parentElement.querySelector(".drawing").innerHTML = data;
};
""",
)


@dataclass(frozen=True)
class Plate:
    """One picture of a row: uint8 (H, W, 3), a caption, and a description for screen readers."""

    rgb: np.ndarray
    caption: str
    alt: str


def drawing(svg: str, name: str) -> None:
    """Show an SVG picture in the colours of the theme; saved, it has colours of its own."""
    _drawing(key=f"{name}-drawing", data=svg)
    alone = svg.replace(">", f">{_ALONE}", 1)
    download("Picture as SVG", alone.encode(), f"{name}.svg", "image/svg+xml")


def plates(rows: list[Plate], name: str, width: int = 220, blocks: bool = False) -> None:
    """Show pictures side by side, each at least ``width`` pixels wide where there is room.

    With ``blocks`` each value is a sharp square. The download holds all of them in one PNG file.
    """
    kind = " class='blocks'" if blocks else ""
    cells = "".join(
        f"<figure><img{kind} src='data:image/png;base64,{_text(plate.rgb)}' "
        f"alt='{escape(plate.alt, quote=True)}'>"
        f"<figcaption>{escape(plate.caption)}</figcaption></figure>"
        for plate in rows
    )
    columns = f"grid-template-columns: repeat(auto-fill, minmax(min({width}px, 100%), 1fr))"
    st.html(f'{_STYLE}<div class="sdae-plates" style="{columns}">{cells}</div>')
    download(
        "Pictures as PNG", reading.png(sheet([p.rgb for p in rows])), f"{name}.png", "image/png"
    )


def chart(
    figure, alt: str, name: str, heads: list[str], rows: list[tuple], height=320, how: str = ""
) -> None:
    """Show a Plotly figure and ``how`` to read it; the download is what it shows, as a CSV file of
    ``rows``. The legend stands below, where a phone has room for it."""
    legible(figure)
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "xref": "container", "x": 0}
        | {"yref": "container", "y": 0, "yanchor": "bottom"},
    )
    st.plotly_chart(figure, key=f"{name}-chart", config={"displayModeBar": False}, alt=alt)
    if how:
        st.caption(how)
    download("Figures as CSV", table_csv(heads, rows), f"{name}.csv", "text/csv")


def legible(figure) -> None:
    """Give the axes of a Plotly figure a contrast of 4.5:1 and more; Streamlit's own grey has 3.7."""
    ink = "#A3ACB4" if st.context.theme.type == "dark" else "#545E67"
    figure.update_xaxes(tickfont_color=ink, title_font_color=ink)
    figure.update_yaxes(tickfont_color=ink, title_font_color=ink)


def sheet(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of any size, (H, W, 3) uint8, laid out on one about square sheet."""
    columns = int(np.ceil(np.sqrt(len(pictures))))
    gap = 4
    height, width = (max(p.shape[axis] for p in pictures) + gap for axis in (0, 1))
    whole = np.full((-(-len(pictures) // columns) * height, columns * width, 3), 255, "uint8")
    for number, picture in enumerate(pictures):
        top, left = number // columns * height, number % columns * width
        whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


_ENDS = np.array([[0, 60, 110], [236, 236, 232], [150, 85, 0]], "float32")


def signed(plane: np.ndarray, most: float | None = None) -> np.ndarray:
    """(h, w) numbers as colours: blue below zero, pale at zero, brown above; (h, w, 3) uint8.

    ``most`` is the magnitude that gets the full colour, by default the largest there is.
    """
    most = most or float(np.abs(plane).max()) or 1.0
    share = np.clip(plane / most, -1, 1)[..., None]
    ends = np.where(share < 0, _ENDS[0], _ENDS[2])
    mixed = _ENDS[1] + np.sqrt(np.abs(share)) * (ends - _ENDS[1])
    return mixed.astype("uint8")


def _text(rgb: np.ndarray) -> str:
    return base64.b64encode(reading.png(rgb)).decode()


def table_csv(heads: list[str], rows: list[tuple]) -> bytes:
    """Rows as a CSV file (UTF-8 with a mark, by which Excel knows it); None is an empty cell.

    A text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (heads, *rows):
        texts = (isinstance(x, str) and x.startswith(("=", "+", "-", "@", "\t", "\r")) for x in row)
        writer.writerow([f"'{x}" if formula else x for x, formula in zip(row, texts)])
    return text.getvalue().encode("utf-8-sig")


def download(
    label: str,
    data: bytes | Callable[[], bytes],
    name: str,
    kind: str,
    importance: str = "tertiary",
) -> None:
    """A button that saves ``data`` as file ``name`` of MIME type ``kind``; without data it waits.

    A function is called when the button is clicked.

    ``importance``: tertiary is quiet; secondary and primary are Streamlit's other types.
    """
    st.download_button(
        label,
        data,
        name,
        kind,
        icon=":material/download:",
        on_click="ignore",
        key=f"{name}-download",
        type=importance,
        disabled=not data,
    )
