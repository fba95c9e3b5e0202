"""The before/after split: two pictures, exact pixels, one handle; above it a slider and its bytes."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "sdae_compare",
    html=(_HERE / "split_view.html").read_text(encoding="utf-8"),
    css=(_HERE / "split_view.css").read_text(encoding="utf-8"),
    js=(_HERE / "split_view.js").read_text(encoding="utf-8"),
)

_PERFECT = 1000.0
# dB, in place of infinity, which JSON has no number for; shown as ∞.


@dataclass(frozen=True)
class Side:
    """One side of the split.

    label, figures: what stands on the picture: its name, and a few numbers.
    alt: a description for screen readers.
    png: the picture as a PNG file.
    choices: names that the visitor can have here instead, `label` among them; empty for none.
    dimmed: whether the picture only stands in for the one that is still made.
    """

    label: str
    alt: str
    png: bytes
    figures: str = ""
    choices: tuple[str, ...] = ()
    dimmed: bool = False


@dataclass(frozen=True)
class Bar:
    """What stands above the pictures while a quality slider moves.

    quality: 1 to 100, where the slider stands.
    original_bytes: what the bytes are a share of, and `original` what that is, in words.
    file_bytes, psnr: counted and measured, None as long as they are not.
    estimates: bytes and PSNR in dB at every whole quality from 1 to 100; None as long as they are
        not worked out.
    point: a sentence on what is to be seen.
    """

    quality: int
    original_bytes: int
    original: str
    file_bytes: int | None = None
    psnr: float | None = None
    estimates: tuple[list[int], list[float]] | None = None
    point: str = ""


def compare(
    right: Side,
    left: Side | None = None,
    *,
    size: tuple[int, int],
    key: str,
    bar: Bar | None = None,
    original: bytes | None = None,
    guess: bool | None = None,
    on_change: Callable | None = None,
) -> None:
    """Draw two pictures of `size` (width, height in pixels) under one split, or `right` alone.

    Split, zoom and error map are kept in the browser: they stay while `key` stays, whatever
    pictures follow. The pictures travel as PNG bytes, so that every pixel is exact.

    original: PNG file of the picture that both sides are to be close to. The error map shows how far
    each of them is from it; without it there is no such map.

    guess: whether the visitor is to guess: then the labels are buttons, and another button shows
    the names. Where it is False that button begins a guess, and with None there is none.

    on_change(name, value) is called where the visitor moves the slider ("quality"), chooses
    another picture ("left", "right") or guesses ("guess": "left", "right", "names", "again").
    """
    sides = {"left": left, "right": right}
    if bar and bar.psnr:
        bar = replace(bar, psnr=min(bar.psnr, _PERFECT))
    header = {"width": size[0], "height": size[1], "bar": bar and asdict(bar), "guess": guess}
    files = {}
    for name, side in sides.items():
        header[name] = side and {
            "label": side.label,
            "figures": side.figures,
            "alt": side.alt,
            "choices": side.choices,
            "dimmed": side.dimmed,
            "id": _add(files, side.png),
        }
    header["original"] = original and {"id": _add(files, original)}
    header["files"] = [(name, len(png)) for name, png in files.items()]
    text = json.dumps(header, allow_nan=False).encode()
    events = {}
    if on_change:
        events = {
            f"on_{name}_change": lambda name=name: on_change(name, st.session_state[key][name])
            for name in ("quality", "left", "right", "guess")
        }
    # Streamlit fades what a running page has yet to draw again; here that would be a flicker.
    st.html(f"<style>.st-key-{key}-frame [data-stale='true'] {{opacity: 1 !important}}</style>")
    with st.container(key=f"{key}-frame"):
        _component(
            key=key, data=b"".join([struct.pack("<I", len(text)), text, *files.values()]), **events
        )


def _add(files: dict[str, bytes], png: bytes) -> str:
    """Add a file that the browser is sent, once; the name it has there."""
    name = hashlib.sha256(png).hexdigest()
    files[name] = png
    return name
