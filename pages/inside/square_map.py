"""Pictures side by side on which one square of 8×8 pixels is chosen, by a click or arrow keys."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from pages.inside.bits import SQUARE
from sdae.pictures import reading

PARAMETER = "square"
"""Name in the page's address: "column,row", counted from 0."""

_HERE = Path(__file__).parent
_KEY = "squares"

_component = st.components.v2.component(
    "sdae_square_map",
    html="<div class='squares'></div>",
    css=(_HERE / "square_map.css").read_text(encoding="utf-8"),
    js=(_HERE / "square_map.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Panel:
    """One picture: uint8 (H, W, 3), a line below it, a sentence for screen readers."""

    rgb: np.ndarray
    label: str
    alt: str


def square_map(panels: list[Panel], square: tuple[int, int]) -> None:
    """Draw pictures of one size with a square of column and row in a frame.

    The address of the page keeps the one that a visitor chooses, see `chosen`.
    """
    height, width = panels[0].rgb.shape[:2]
    pictures = [_data_url(panel.rgb) for panel in panels]
    _component(
        key=_KEY,
        on_square_change=_remember,
        data={
            "id": hashlib.sha256("".join(pictures).encode()).hexdigest(),
            "side": SQUARE,
            "width": width,
            "height": height,
            "square": square,
            "panels": [
                {"picture": picture, "label": panel.label, "alt": panel.alt}
                for picture, panel in zip(pictures, panels)
            ],
        },
    )


def chosen(width: int, height: int, usual: tuple[int, int]) -> tuple[int, int]:
    """Column and row of the address, where it names a square of the picture; else the usual."""
    stated = re.fullmatch(r"(\d{1,5}),(\d{1,5})", st.query_params.get(PARAMETER, ""))
    column, row = map(int, stated.groups()) if stated else usual
    inside = SQUARE * column < width and SQUARE * row < height
    return (column, row) if inside else usual


def _remember() -> None:
    st.query_params[PARAMETER] = st.session_state[_KEY]["square"]


def _data_url(rgb: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(reading.png(rgb)).decode()
