"""How long visitors of the app wait: ``sdae bench first-screen``, ``answers`` and ``load``."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable

import numpy as np

from sdae.measuring import app
from sdae.pictures import reading

AHEAD = 15  # seconds in which a page works ahead when all else is done
ROUNDS = 5

WANTED = {
    "one arrow": (0.25, 0.6),
    "ten steps": (0.8, 1.2),
    "3000×2000, ten steps": (1.5, 2.5),
}
"""What the Compress page is asked → seconds that were wanted until its two signs show."""


def first_screen(say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the Compress page lets its visitor wait for, each median of `ROUNDS`.

    Returns what was asked → seconds until the exact bytes show, and until the picture of that file
    does.

    say: called with the lines of a table.
    """
    with app.App() as server, app.browser() as chromium:
        page = app.visit(chromium, f"{server.address}/?sample=Coffee&quality=75")
        _settle(page)
        one = [_press(page, "ArrowRight") for _ in range(ROUNDS)]
        ten = [_press(page, "PageDown") for _ in range(ROUNDS)]
        page = app.visit(chromium, f"{server.address}/?quality=75")
        app.upload(page, app.waves(0, 3000, 2000))
        page.locator(".compare .scale", has_text=re.compile("3.?000")).wait_for()
        _settle(page)
        large = [_press(page, "PageDown") for _ in range(ROUNDS)]
    medians = {}
    for name, rows in zip(WANTED, (one, ten, large)):
        medians[name] = [round(statistics.median(column), 2) for column in zip(*rows)]
        say(f"{name:28}" + "".join(f"{seconds:8.2f} s" for seconds in medians[name]))
    return medians


def load(count: int, say: Callable[[str], None]) -> dict:
    """What visitors of the Compress page wait for who move their quality sliders together.

    Each has a picture of its own of 768×512 pixels, which must still show after each move.

    Args:
        count: of visitors.
        say: called with a line of progress.

    Returns:
        ``visitors``; ``bytes_seconds`` and ``picture_seconds``, until the last visitor had them,
        the worst of all moves; ``slowest``, the largest ratio of a visitor's wait to the median of
        a move; ``peak_mb`` of the app's memory; and ``faults``, what went wrong.
    """
    waits, faults, pages = [], [], {}
    with app.App() as server, app.browser() as chromium:
        for number in range(count):
            page = app.visit(chromium, f"{server.address}/?left=Original&quality=75")
            pages[page] = app.waves(number, 768, 512)
            app.upload(page, pages[page])
            page.locator(".compare .scale", has_text="768 × 512").wait_for()
        app.answered(pages, time.monotonic())
        for move in range(ROUNDS):
            begun = time.monotonic()
            for page in pages:
                app.quality(page).press("ArrowLeft")
            counted, shown = zip(*app.answered(pages, begun))
            waits += [counted, shown]
            faults += ["a visitor sees another picture"] * sum(
                not np.array_equal(_original(page), rgb) for page, rgb in pages.items()
            )
            say(f"move {move + 1}: bytes {max(counted):.1f} s, pictures {max(shown):.1f} s")
        peak = server.peak_memory()
    return {
        "visitors": count,
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


def _settle(page) -> None:
    """Wait until the answer shows and the page has had its time to work ahead."""
    app.answered([page], time.monotonic())
    page.wait_for_timeout(1000 * AHEAD)


def _press(page, key) -> tuple[float, float]:
    begun = time.monotonic()
    app.quality(page).press(key)
    (seconds,) = app.answered([page], begun)
    _settle(page)
    return seconds
