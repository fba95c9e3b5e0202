"""How long visitors of the app wait: ``sdae bench load``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from sdae.measuring import app
from sdae.pictures import reading

MOVES = 5
"""Steps of all quality sliders."""


def load(count: int, say: Callable[[str], None]) -> dict:
    """What visitors of the Compress page wait for who move their quality sliders together.

    Each has a picture of its own of 768×512 pixels, which must still show after each move.

    Args:
        count: of visitors.
        say: called with a line of progress.

    Returns:
        ``bytes_seconds`` and ``picture_seconds``, until the last visitor had the exact bytes and
        the picture of that file, the worst of all moves; ``slowest``, the largest ratio of a
        visitor's wait to the median of a move; ``peak_mb`` of the app's memory; and ``faults``,
        what went wrong.
    """
    waits, faults, pages = [], [], {}
    with app.App() as server, app.browser() as chromium:
        for number in range(count):
            page = app.visit(chromium, f"{server.address}/?left=Original&quality=75")
            pages[page] = app.waves(number, 768, 512)
            app.upload(page, pages[page])
            page.locator(".compare .scale", has_text="768 × 512").wait_for()
        app.answered(pages, time.monotonic())
        for move in range(MOVES):
            begun = time.monotonic()
            for page in pages:
                app.quality(page).press("PageDown")
            counted, shown = zip(*app.answered(pages, begun))
            waits += [counted, shown]
            faults += ["a visitor sees another picture"] * sum(
                not np.array_equal(_original(page), rgb) for page, rgb in pages.items()
            )
            say(f"move {move + 1}: bytes {max(counted):.1f} s, pictures {max(shown):.1f} s")
        peak = server.peak_memory()
    return {
        "bytes_seconds": round(max(map(max, waits[::2])), 1),
        "picture_seconds": round(max(map(max, waits[1::2])), 1),
        "slowest": round(max(max(seconds) / statistics.median(seconds) for seconds in waits), 2),
        "peak_mb": peak,
        "faults": faults + server.errors,
    }


def _original(page) -> np.ndarray:
    data = page.locator(".compare img.left").evaluate(
        """async picture => {
            const answer = await fetch(picture.src);
            return Array.from(new Uint8Array(await answer.arrayBuffer()));
        }"""
    )
    return reading.read(bytes(data)).rgb
