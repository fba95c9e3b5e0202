"""The codec of all pages: loaded once for each server, its answers remembered within bounds.

Visitors get it in turn. What is worked out ahead makes way for them at once and begins again when
nobody waits, so it neither slows an answer down nor falsifies its time.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import sdae
from pages.shared import comparison
from pages.shared.background import Line, Queue, Remembered
from pages.shared.comparison import Counted, Result
from pages.shared.progress_bar import late_bar
from sdae import BitstreamError
from sdae.coding import container
from sdae.pictures import reading

LIVE_PIXELS = 1_000_000
"""Larger pictures are scaled down on the pages, so that a slider move answers in a few seconds."""

MAX_PIXELS = 50_000_000
"""Pictures beyond this are refused with a sentence: a small server has to hold them whole."""

MAX_RESTORED = 12_000_000
"""So many pixels a .sdae file may state to be opened on a page: they are restored at full size."""

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


def known(picture: Prepared, quality: float) -> Counted | Result | None:
    """What is there already: the picture's result, or only its file, or nothing."""
    question = picture.key, quality
    return _answers.get(("picture", *question)) or _answers.get(("file", *question))


def results(picture: Prepared) -> list[Result]:
    """All results of a picture that are there, by quality."""
    wanted = "picture", picture.key
    there = [answer for question, answer in _answers.items() if question[:2] == wanted]
    return sorted(there, key=lambda result: result.quality)


def count(picture: Prepared, quality: float) -> Counted | Result:
    """The file of a picture, made or recalled."""
    return known(picture, quality) or answer(
        ("file", picture.key, quality),
        "Compressing",
        lambda codec, report: comparison.count(codec, picture.rgb, quality, progress=report),
    )


def compress(picture: Prepared, quality: float) -> Result:
    """The picture compressed, restored and measured, or the answer recalled."""
    counted = count(picture, quality)
    if isinstance(counted, Result):
        return counted
    return answer(
        ("picture", picture.key, quality),
        "Restoring",
        lambda codec, report: comparison.restore(codec, picture.rgb, counted, report),
    )


def ahead(picture: Prepared, quality: float) -> Callable:
    """A task for a `Queue`: `compress` before anybody asks for it.

    The result states no times: those of work beside other work would mislead.
    """

    def work(codec, report):
        if not isinstance(known(picture, quality), Result):
            result = comparison.compress(codec, picture.rgb, quality, progress=report)
            result = replace(result, encode_seconds=None, decode_seconds=None)
            _answers.put(("picture", picture.key, quality), result)
        return True

    return aside(work)


def open_file(data: bytes) -> Result:
    """The picture of a .sdae file, restored or recalled.

    Raises `BitstreamError` with one sentence.
    """
    header, _ = container.read_header(data)
    if header.width * header.height > MAX_RESTORED:
        raise BitstreamError(
            f"This file holds {header.width} × {header.height} pixels, more than the page opens; "
            "use `python -m sdae decompress`."
        )
    return answer(
        ("opened", hashlib.sha256(data).hexdigest()),
        "Restoring the picture",
        lambda codec, report: comparison.open_file(codec, data, report),
    )


def recall(question: tuple):
    """What `answer` gave to a question, None where it is not known."""
    return _answers.get(question)


def answer(question: tuple, text: str, work: Callable):
    """What `work(codec, report)` gives, made in this visitor's turn, or recalled.

    The answer is the same for all sessions. `work` calls `report` with the share that is done; a
    bar shows `text` with it where this takes its time.
    """
    made = _answers.get(question)
    if made is not None:
        return made
    with late_bar() as report, line.turn(_waiting(report)):
        made = _answers.get(question)  # perhaps while this visitor waited
        if made is None:
            made = work(load(), lambda share: report(f"{text}, {share:.0%}", share))
            _answers.put(question, made)
    return made


@contextmanager
def turn():
    """The codec, for one visitor at a time: two pictures at once would need the memory twice."""
    with late_bar() as report, line.turn(_waiting(report)):
        yield load()


def _waiting(report: Callable) -> Callable:
    """A function that shows the visitor's place in line."""
    names = {1: "Next", 2: "Second", 3: "Third"}
    return lambda place: report(f"{names.get(place, f'{place}th')} in line")


def aside(work: Callable) -> Callable:
    """A task for a `Queue`: `work(codec, report)` in the moments in which nobody waits for the codec.

    It has to call `report` often. Where a visitor comes, it is broken off and begun again later.
    """

    def task(wanted):
        def report(share=0.0):
            if line.length > 1 or not wanted():
                raise _Interrupted

        while True:
            line.wait_until_free(wanted)
            with line.turn():
                try:
                    return work(load(), report)
                except _Interrupted:
                    pass

    return task


@st.cache_resource(show_spinner=False)
def load():
    """The codec, without TensorFlow; the same for all sessions."""
    return sdae.load()


@st.cache_resource(show_spinner=False)
def queue() -> Queue:
    """What is worked out for visitors who can do without for a while; the same for all sessions."""
    return Queue()


class _Interrupted(Exception):
    """Raised in work aside, which has to make way."""


line = Line()
"""Of the visitors who wait for the codec."""

_answers = Remembered()
# By all bytes of the picture, quality and whatever else they hang on; the same for all sessions.
