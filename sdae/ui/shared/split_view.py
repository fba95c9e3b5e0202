"""The before/after split: two pictures, exact pixels, one handle."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "sdae_compare",
    html=(_HERE / "split_view.html").read_text(encoding="utf-8"),
    css=(_HERE / "split_view.css").read_text(encoding="utf-8"),
    js=(_HERE / "split_view.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Side:
    """One side of the split: a short label, a description for screen readers, a PNG file."""

    label: str
    alt: str
    png: bytes


def compare(right: Side, left: Side | None = None, *, size: tuple[int, int], key: str) -> None:
    """Draw two pictures of `size` (width, height in pixels) under one split, or `right` alone.

    Split, zoom and error map are kept in the browser: they stay while `key` stays, whatever
    pictures follow. The pictures travel as PNG bytes, so that every pixel is exact.
    """
    sides = {"left": left, "right": right}
    header = {"width": size[0], "height": size[1]}
    for name, side in sides.items():
        header[name] = side and {
            "label": side.label,
            "alt": side.alt,
            "bytes": len(side.png),
            "id": hashlib.sha256(side.png).hexdigest(),
        }
    text = json.dumps(header).encode()
    blobs = [side.png for side in sides.values() if side]
    # Streamlit fades what a running page has yet to draw again; here that would be a flicker.
    st.html(f"<style>.st-key-{key}-frame [data-stale='true'] {{opacity: 1 !important}}</style>")
    with st.container(key=f"{key}-frame"):
        _component(key=key, data=b"".join([struct.pack("<I", len(text)), text, *blobs]))
