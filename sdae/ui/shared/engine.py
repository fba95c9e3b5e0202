"""The codec behind the pages: loaded once for each server, its answers remembered within bounds."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import streamlit as st

import sdae
from sdae import BitstreamError
from sdae.coding import container
from sdae.measuring import comparison
from sdae.pictures import reading
from sdae.ui.shared.progress_bar import late_bar

LIVE_PIXELS = 2_000_000
"""Larger pictures are scaled down on the pages, so that a slider move answers in seconds."""

MAX_PIXELS = 50_000_000
"""Pictures beyond this are refused with a sentence: a small server has to hold them whole."""

MAX_RESTORED = 12_000_000
"""So many pixels a .sdae file may state to be opened on a page: they are restored at full size."""

REFINED_PIXELS = 600_000
"""Larger pictures get no effort on the pages, where all visitors wait for one codec."""

_reading = threading.Lock()
# One file is decoded at a time, whoever sends it, so that many large ones do not fill the memory.


@dataclass(frozen=True)
class Prepared:
    """A picture as the codec gets it.

    `rgb` uint8 (H, W, 3) and `png` the same pixels; `key` names them; `full` is (width, height)
    of the file; `notices` are sentences on what was changed.
    """

    rgb: np.ndarray
    png: bytes
    key: str
    full: tuple[int, int]
    notices: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        return self.rgb.shape[1], self.rgb.shape[0]


@st.cache_data(max_entries=16, max_size="200MB", show_spinner=False)
def prepare(data: bytes, small: bool) -> Prepared:
    """Read any picture file; `small` takes its centre square at 128×128.

    Raises `ImageError` with one sentence for what is no picture.
    """
    with _reading:
        picture = reading.read(data, MAX_PIXELS)
    rgb, notices = picture.rgb, picture.notices
    height, width = rgb.shape[:2]
    if small:
        rgb = reading.thumb(rgb)
    elif width * height > LIVE_PIXELS:
        rgb = reading.shrink(rgb, LIVE_PIXELS)
        notices += (
            f"This picture has {width * height / 1e6:.1f} megapixels. Here it is scaled down to "
            f"{rgb.shape[1]} × {rgb.shape[0]}, so that the slider stays quick; "
            "`python -m sdae compress` takes it at full size.",
        )
    key = hashlib.sha256(data).hexdigest() + ("-128" if small else "")
    return Prepared(rgb, reading.png(rgb), key, (width, height), notices)


def compress(picture: Prepared, quality: float, effort: int = 0) -> comparison.Result:
    """Compress and restore, or recall the answer for the same pixels, quality and effort.

    A bar shows the progress where this takes its time.
    """
    text = "Choosing the integers with care" if effort else "Compressing and restoring"
    with late_bar(text) as report, turn() as codec:
        return _compress(codec, picture.key, picture.rgb, quality, effort, report)


def open_file(data: bytes) -> comparison.Result:
    """Restore the picture of a .sdae file, with a bar where this takes its time.

    Raises `BitstreamError` with one sentence.
    """
    header, _ = container.read_header(data)
    if header.width * header.height > MAX_RESTORED:
        raise BitstreamError(
            f"This file holds {header.width} × {header.height} pixels, more than the page opens; "
            "use `python -m sdae decompress`."
        )
    with late_bar("Restoring the picture") as report, turn() as codec:
        return _open_file(codec, data, report)


# What is remembered is keyed by all bytes of the picture: arguments with an underscore are not.


@st.cache_data(max_entries=128, max_size="200MB", show_spinner=False)
def _compress(
    _codec, key: str, _rgb: np.ndarray, quality: float, effort: int, _progress
) -> comparison.Result:
    return comparison.compress(_codec, _rgb, quality, effort, _progress)


@st.cache_data(max_entries=32, max_size="200MB", show_spinner=False)
def _open_file(_codec, data: bytes, _progress) -> comparison.Result:
    return comparison.open_file(_codec, data, _progress)


@contextmanager
def turn():
    """The codec, for one picture at a time: two at once would need the memory twice.

    A slider that moves on leaves runs of the page waiting here whose answer nobody wants any
    more; looking at the session's state ends those.
    """
    codec, lock = load()
    with lock:
        st.session_state.get("quality")
        yield codec


@st.cache_resource(show_spinner=False)
def load():
    """The codec, without TensorFlow, and the lock of `turn`; the same for all sessions."""
    return sdae.load(), threading.Lock()
