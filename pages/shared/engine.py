"""The codec behind the pages: loaded once for each server, its answers remembered within bounds.

Whoever waits for the codec comes first. Work behind a page's back makes way for it at once and
begins again when nobody waits, so it neither slows an answer down nor falsifies its time.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import sdae
from pages.shared.background import Dropped
from pages.shared.progress_bar import late_bar
from sdae import BitstreamError
from sdae.coding import container
from sdae.measuring import comparison
from sdae.measuring.comparison import Counted, Result
from sdae.pictures import reading

LIVE_PIXELS = 1_000_000
"""Larger pictures are scaled down on the pages, so that a slider move answers in a few seconds."""

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


def known(picture: Prepared, quality: float, effort: int = 0) -> Counted | Result | None:
    """What is there already: the picture's result, or only its file, or nothing."""
    question = picture.key, quality, effort
    return _answers.get(question)


def results(picture: Prepared, effort: int = 0) -> list[Result]:
    """All results of a picture that are there, by quality."""
    found = [
        answer for (key, _, e), answer in _answers.items() if (key, e) == (picture.key, effort)
    ]
    found = [answer for answer in found if isinstance(answer, Result)]
    return sorted(found, key=lambda result: result.quality)


def count(picture: Prepared, quality: float, effort: int = 0) -> Counted | Result:
    """The file of a picture, made or recalled; a bar shows the progress where this takes its time."""
    if answer := known(picture, quality, effort):
        return answer
    text = "Compressing with care" if effort else "Compressing"
    with late_bar(text) as report, turn() as codec:
        if answer := known(picture, quality, effort):  # made while this one waited
            return answer
        answer = comparison.count(codec, picture.rgb, quality, effort, report)
        _answers.put((picture.key, quality, effort), answer, answer.file_bytes)
    return answer


def compress(picture: Prepared, quality: float, effort: int = 0) -> Result:
    """The picture compressed, restored and measured, or the answer recalled; a bar as in `count`."""
    answer = known(picture, quality, effort)
    if isinstance(answer, Result):
        return answer
    with (
        late_bar("Restoring" if answer else "Compressing and restoring") as report,
        turn() as codec,
    ):
        answer = known(picture, quality, effort)  # perhaps made while this one waited
        if not isinstance(answer, Result):
            if answer:
                answer = comparison.restore(codec, picture.rgb, answer, report)
            else:
                answer = comparison.compress(codec, picture.rgb, quality, effort, report)
            _remember(picture, quality, effort, answer)
    return answer


def ahead(picture: Prepared, quality: float) -> Callable:
    """A task for a `Queue`: `compress` before anybody asks for it.

    The result states no times: those of work beside other work would mislead.
    """

    def work(codec, report):
        if not isinstance(known(picture, quality), Result):
            result = comparison.compress(codec, picture.rgb, quality, progress=report)
            result = replace(result, encode_seconds=None, decode_seconds=None)
            _remember(picture, quality, 0, result)
        return True

    return aside(work)


def _remember(picture, quality, effort, result) -> None:
    _answers.put((picture.key, quality, effort), result, result.file_bytes + len(result.png))


def open_file(data: bytes) -> Result:
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


@st.cache_data(max_entries=32, max_size="200MB", show_spinner=False)
def _open_file(_codec, data: bytes, _progress) -> Result:
    return comparison.open_file(_codec, data, _progress)


@contextmanager
def turn():
    """The codec, for one picture at a time: two at once would need the memory twice.

    A slider that moves on leaves runs of the page waiting here whose answer nobody wants any
    more; looking at the session's state ends those.
    """
    codec, lock = load()
    with visitors, lock:
        st.session_state.get("quality")
        yield codec


def aside(work: Callable) -> Callable:
    """A task for a `Queue`: `work(codec, report)` in the moments in which nobody waits for the codec.

    It has to call `report` often. Where a visitor comes, it is broken off and begun again later.
    """
    codec, lock = load()

    def task(wanted):
        def report(share=0.0):
            if visitors.there or not wanted():
                raise _Interrupted

        while True:
            when_idle(wanted)
            with lock:
                try:
                    return work(codec, report)
                except _Interrupted:
                    pass

    return task


def when_idle(wanted: Callable) -> None:
    """Wait until nobody waits for the codec. Raises `Dropped` once the work is not `wanted`."""
    while wanted() and visitors.there:
        time.sleep(0.02)
    if not wanted():
        raise Dropped


@st.cache_resource(show_spinner=False)
def load():
    """The codec, without TensorFlow, and the lock of `turn`; the same for all sessions."""
    return sdae.load(), threading.Lock()


class _Interrupted(Exception):
    """Raised in work aside, which has to make way."""


class _Visitors:
    """A context: as long as somebody is in it, a visitor works with the codec or waits for it."""

    def __init__(self):
        self.there, self._lock = 0, threading.Lock()

    def __enter__(self):
        with self._lock:
            self.there += 1

    def __exit__(self, *_):
        with self._lock:
            self.there -= 1


class _Remembered:
    """Answers by question, the latest used, of `most` bytes together."""

    def __init__(self, most: int):
        self._most, self._lock = most, threading.Lock()
        self._answers = OrderedDict()

    def get(self, question):
        with self._lock:
            answer, size = self._answers.pop(question, (None, 0))
            if answer is not None:
                self._answers[question] = answer, size
            return answer

    def put(self, question, answer, size: int) -> None:
        with self._lock:
            self._answers.pop(question, None)
            self._answers[question] = answer, size
            while sum(size for _, size in self._answers.values()) > self._most:
                self._answers.popitem(last=False)

    def items(self) -> list:
        with self._lock:
            return [(question, answer) for question, (answer, _) in self._answers.items()]


visitors = _Visitors()
"""As a context, a visitor who works with the codec or waits for it; `turn` is one."""

_answers = _Remembered(200_000_000)
# By all bytes of the picture, quality and effort; the same for all sessions.
