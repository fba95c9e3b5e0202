"""How long one visitor waits for a page, on an idle machine: ``sdae bench first-screen`` and
``sdae bench answers``."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable

from sdae.measuring import app

AHEAD = 15  # seconds in which a page works ahead when all else is done

WANTED = {
    "one arrow": (0.25, 0.6),
    "ten steps": (0.8, 1.2),
    "3000×2000, ten steps": (1.5, 2.5),
    "six files: table, last row": (None, 4.5),
}
"""What the Compress page is asked → seconds that were wanted until its two signs show."""

SECTIONS = ("Rate and distortion", "Pictures", "Noise", "Training", "Claims")
"""Views of the Kodak page."""


def first_screen(rounds: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the Compress page lets its visitor wait for, each median of so many rounds.

    Returns what was asked → seconds until the exact bytes show, and until the picture of that file
    does. Of six files at once the first sign is their table, the second its last row.

    say: called with the lines of a table.
    """
    server = app.App()
    try:
        with app.browser() as chromium:
            page = app.visit(chromium, f"{server.address}/?sample=Coffee")
            _settle(page)
            turns = range(rounds)
            one = [_press(page, "ArrowRight") for _ in turns]
            ten = [_further(page, number) for number in turns]
            app.upload(page, "large", app.waves(0, 3000, 2000))
            page.locator(".compare .scale", has_text=re.compile("^(?!600)")).wait_for()
            _settle(page)
            large = [_further(page, number) for number in turns]
            six = [_six(chromium, server.address) for _ in turns]
    finally:
        server.stop()
    return _medians(dict(zip(WANTED, (one, ten, large, six))), say)


def answers(rounds: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the other pages let their visitor wait for, each median of so many rounds.

    Returns view of the Kodak page → seconds to its title and to its first figure or table, where
    "first visit" is that of a fresh server; slider of the Denoise page → seconds until another
    restored picture shows.

    say: called with the lines of a table.
    """
    server = app.App()
    try:
        with app.browser() as chromium:
            waits = {"first visit": [_opening(chromium, server.address, SECTIONS[0])]}
            for section in SECTIONS:
                turns = range(rounds)
                waits[section] = [_opening(chromium, server.address, section) for _ in turns]
            page = app.visit(chromium, f"{server.address}/denoise?sample=Astronaut&level=0.1")
            for slider in "Noise level", "Quality":
                waits[slider] = [_moved(page, slider) for _ in range(rounds)]
    finally:
        server.stop()
    return _medians(waits, say)


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
    app.quality(page).focus()
    begun = time.monotonic()
    page.keyboard.press(key)
    (seconds,) = app.answered([page], begun)
    _settle(page)
    return seconds


def _further(page, number) -> tuple[float, float]:
    """Ten steps, to a quality that no answer is known for."""
    if int(app.quality(page).input_value()) > 85:
        _press(page, "Home")
        for _ in range(number % 7 + 2):
            _press(page, "ArrowRight")
    return _press(page, "PageUp")


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
    handle.focus()
    begun = time.monotonic()
    handle.press("ArrowRight")
    page.locator(f".compare[data-shown]:not([data-shown='{before}'])").wait_for()
    return (time.monotonic() - begun,)
