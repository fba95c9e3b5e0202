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
    "six files: table, last row": (None, 4.5),
}
"""What the Compress page is asked → seconds that were wanted until its two signs show."""

SECTIONS = ("Rate and distortion", "Pictures", "Noise", "Training", "Claims")
"""Views of the Kodak page."""


def first_screen(say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the Compress page lets its visitor wait for, each median of `ROUNDS`.

    Returns what was asked → seconds until the exact bytes show, and until the picture of that file
    does. Of six files at once the first sign is their table, the second its last row.

    say: called with the lines of a table.
    """
    with app.App() as server, app.browser() as chromium:
        page = app.visit(chromium, f"{server.address}/?sample=Coffee&quality=75")
        _settle(page)
        one = [_press(page, "ArrowRight") for _ in range(ROUNDS)]
        ten = [_press(page, "PageDown") for _ in range(ROUNDS)]
        page = app.visit(chromium, f"{server.address}/?quality=75")
        app.upload(page, "large", app.waves(0, 3000, 2000))
        page.locator(".compare .scale", has_text=re.compile("3,?000")).wait_for()
        _settle(page)
        large = [_press(page, "PageDown") for _ in range(ROUNDS)]
        six = [_six(chromium, server.address) for _ in range(ROUNDS)]
    return _medians(dict(zip(WANTED, (one, ten, large, six))), say)


def answers(say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the other pages let their visitor wait for, each median of `ROUNDS`.

    Returns view of the Kodak page → seconds to its title and to its first figure or table, where
    "first visit" is that of a fresh server; slider of the Denoise page → seconds until another
    restored picture shows.

    say: called with the lines of a table.
    """
    with app.App() as server, app.browser() as chromium:
        waits = {"first visit": [_opening(chromium, server.address, SECTIONS[0])]}
        for section in SECTIONS:
            waits[section] = [_opening(chromium, server.address, section) for _ in range(ROUNDS)]
        page = app.visit(chromium, f"{server.address}/denoise?sample=Astronaut&level=0.1")
        for slider in "Noise level", "Quality":
            waits[slider] = [_moved(page, slider) for _ in range(ROUNDS)]
    return _medians(waits, say)


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
    waits, faults = [], []
    with app.App() as server, app.browser() as chromium:
        pictures = [app.waves(number, 768, 512) for number in range(count)]
        pages = []
        for rgb in pictures:
            page = app.visit(chromium, f"{server.address}/?left=Original&quality=75")
            app.upload(page, "picture", rgb)
            page.locator(".compare .scale", has_text="768 × 512").wait_for()
            pages.append(page)
        app.answered(pages, time.monotonic())
        for move in range(ROUNDS):
            begun = time.monotonic()
            for page in pages:
                app.quality(page).press("ArrowLeft")
            counted, shown = zip(*app.answered(pages, begun))
            waits += [counted, shown]
            faults += [
                f"visitor {number} sees another picture or an error"
                for number, (page, rgb) in enumerate(zip(pages, pictures))
                if not _is_right(page, rgb)
            ]
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


def _is_right(page, rgb) -> bool:
    """Whether a visitor's own picture shows, and no error."""
    data = page.locator(".compare img.left").evaluate(
        """async picture => {
            const answer = await fetch(picture.src);
            return Array.from(new Uint8Array(await answer.arrayBuffer()));
        }"""
    )
    alarms = "[data-testid=stAlertContentError], [data-testid=stException]"
    return np.array_equal(reading.read(bytes(data)).rgb, rgb) and not page.locator(alarms).count()


def _medians(waits, say) -> dict[str, list[float]]:
    """The medians of each column of seconds, said in a line each."""
    medians = {}
    for name, rows in waits.items():
        medians[name] = [round(statistics.median(column), 2) for column in zip(*rows)]
        say(f"{name:28}" + "".join(f"{seconds:8.2f} s" for seconds in medians[name]))
    return medians


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


def _six(chromium, address) -> tuple[float, float]:
    page = app.visit(chromium, f"{address}/?tab=Many+pictures")
    page.locator("[data-testid=stFileUploader] input").last.wait_for(state="attached")
    page.wait_for_timeout(3000)
    begun = time.monotonic()
    app.upload(page, "picture", *(app.waves(number, 600, 400) for number in range(6)))
    page.get_by_test_id("stDataFrame").wait_for()
    first = time.monotonic() - begun
    page.get_by_role("button", name="Download ZIP").wait_for()
    last = time.monotonic() - begun
    page.context.close()
    return first, last


def _opening(chromium, address, section) -> tuple[float, float]:
    begun = time.monotonic()
    page = app.visit(chromium, f"{address}/kodak?section={section.replace(' ', '+')}")
    page.get_by_role("heading", level=1).wait_for()
    title = time.monotonic() - begun
    page.locator(".js-plotly-plot .main-svg, [data-testid=stMain] table").first.wait_for()
    figure = time.monotonic() - begun
    page.context.close()
    return title, figure


def _moved(page, slider) -> tuple[float]:
    handle = page.get_by_role("slider", name=slider).first
    box = page.locator(".compare[data-shown]").first
    box.wait_for()
    page.wait_for_timeout(1000 * AHEAD)
    before = box.get_attribute("data-shown")
    begun = time.monotonic()
    handle.press("ArrowRight")
    page.locator(f".compare[data-shown]:not([data-shown='{before}'])").wait_for()
    return (time.monotonic() - begun,)
