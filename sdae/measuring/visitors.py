"""Many people at once: visitors who move their quality sliders together, ``sdae bench load``.

Each has a picture of its own. After each move every visitor must be shown its own picture, and the
restored one must be that of its own file.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from sdae.measuring import app
from sdae.measuring.metrics import psnr
from sdae.pictures import reading


def measure(count: int, moves: int, size: tuple[int, int], say: Callable[[str], None]) -> dict:
    """What `count` visitors wait for.

    Args:
        count: of visitors.
        moves: of all sliders, three to five steps each.
        size: width and height of the pictures.
        say: called with a line of progress.

    Returns:
        ``size``; ``first_picture_mb``, resident memory when the first visitor has an answer;
        ``bytes_seconds`` and ``picture_seconds``, until the last visitor had them, the worst of
        all moves; ``slowest``, the largest ratio of a visitor's wait to the median of a move;
        ``peak_mb``; and ``faults``, what went wrong.
    """
    server, rounds, faults = app.App(), [], []
    try:
        with app.browser() as chromium:
            pictures = [app.waves(number, *size) for number in range(count)]
            pages, first = [], 0
            for rgb in pictures:
                page = app.visit(chromium, f"{server.address}/?left=Original&quality=75")
                app.upload(page, "picture", rgb)
                page.locator(".compare .scale", has_text=f"{size[0]} × {size[1]}").wait_for()
                pages.append(page)
                if len(pages) == 1:
                    app.answered(pages, time.monotonic())
                    first = server.memory("VmRSS")
            app.answered(pages, time.monotonic())
            for move in range(moves):
                begun = time.monotonic()
                for number, page in enumerate(pages):
                    app.quality(page).focus()
                    for _ in range(3 + number % 3):
                        page.keyboard.press("ArrowLeft")
                rounds.append(app.answered(pages, begun))
                faults += [
                    f"visitor {number}: {fault}"
                    for number, pair in enumerate(zip(pages, pictures))
                    for fault in _faults(*pair)
                ]
                counted, shown = (max(seconds) for seconds in zip(*rounds[-1]))
                say(
                    f"move {move + 1}: all bytes {counted:.1f} s, all pictures {shown:.1f} s, "
                    f"{server.memory('VmRSS')} MB"
                )
        peak = server.memory("VmHWM")
    finally:
        faults += server.stop()
    waits = [seconds for waits_of_move in rounds for seconds in zip(*waits_of_move)]
    return {
        "size": list(size),
        "first_picture_mb": first,
        "bytes_seconds": round(max(max(seconds) for seconds in waits[::2]), 1),
        "picture_seconds": round(max(max(seconds) for seconds in waits[1::2]), 1),
        "slowest": round(max(max(s) / statistics.median(s) for s in waits), 2),
        "peak_mb": peak,
        "faults": faults,
    }


def _faults(page, rgb) -> list[str]:
    """Whatever a visitor sees that is not its own, or is an error."""
    seen = []
    if not np.array_equal(_pixels(page, "left"), rgb):
        seen.append("another picture shows")
    elif psnr(_pixels(page, "right"), rgb) < 22:
        seen.append("another picture was restored")
    alarms = "[data-testid=stAlertContentError], [data-testid=stException]"
    if page.locator(alarms).count():
        seen.append("an error shows")
    return seen


def _pixels(page, side) -> np.ndarray:
    data = page.locator(f".compare img.{side}").evaluate(
        """async picture => {
            const answer = await fetch(picture.src);
            return Array.from(new Uint8Array(await answer.arrayBuffer()));
        }"""
    )
    return reading.read(bytes(data)).rgb
