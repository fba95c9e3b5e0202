"""How long one visitor waits, in a headless Chromium: for a page to open, for a slider to answer.

    python tests/answers.py [--store]

Starts the app. Opens the Kodak page at each section, once as the first visitor of the server and then
with nothing cached in the browser: seconds to the title and to the first figure. Then moves the
sliders of the Denoise page by a step at 512×512: seconds until another restored picture shows, and
until it is that of a file. Prints medians, and whether the app has loaded TensorFlow.
"""

import statistics
import sys
import time
from pathlib import Path

from load import free_port, launch, start, store, wait_until_healthy
from playwright.sync_api import sync_playwright

SECTIONS = ("Rate and distortion", "Pictures", "Methods", "Noise", "Training", "Claims")
FIGURES = dict.fromkeys(SECTIONS, ".js-plotly-plot .main-svg") | {
    "Claims": "[data-testid=stMain] table"
}
TURNS = 7


def main() -> int:
    port, figures = free_port(), {}
    app = start(port)

    def report(what, pairs):
        figures[what] = [round(statistics.median(seconds), 2) for seconds in zip(*pairs)]
        print(f"{what:20} {figures[what][0]:5.2f} s {figures[what][1]:5.2f} s", flush=True)

    try:
        wait_until_healthy(port)
        with sync_playwright() as driver:
            browser, address = launch(driver), f"http://127.0.0.1:{port}"
            report("first visit", [opening(browser, address, SECTIONS[0])])
            for section in SECTIONS:
                report(section, [opening(browser, address, section) for _ in range(3)])
            page = tab(browser, f"{address}/denoise?sample=Astronaut&level=0.1")
            settle(page)
            for slider in ("Noise level", "Quality"):
                report(slider, [move(page, slider) for _ in range(TURNS)])
            browser.close()
        loaded = "tensorflow" in Path(f"/proc/{app.pid}/maps").read_text()
        print(f"TensorFlow is {'' if loaded else 'not '}loaded")
        if "--store" in sys.argv[1:]:
            store("answers", figures)
    finally:
        app.terminate()
    return 0


def tab(browser, address):
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    return page


def opening(browser, address, section) -> tuple[float, float]:
    """Seconds to the title of the Kodak page and to the first figure of a section, or its table."""
    begun = time.monotonic()
    page = tab(browser, f"{address}/kodak?section={section.replace(' ', '+')}")
    page.get_by_role("heading", level=1).wait_for()
    title = time.monotonic() - begun
    page.locator(FIGURES[section]).first.wait_for()
    figure = time.monotonic() - begun
    page.context.close()
    return title, figure


def settle(page) -> None:
    page.locator(".sdae-card").wait_for()
    page.get_by_role("button", name="Table as CSV").wait_for()
    page.wait_for_timeout(1000)


def move(page, slider) -> tuple[float, float]:
    """Seconds from the key until another picture shows, and until the file of that one does."""
    handle = page.get_by_role("slider", name=slider).first
    handle.focus()
    before = page.locator(".compare").get_attribute("data-shown")
    begun = time.monotonic()
    handle.press("ArrowRight")
    page.locator(f".compare[data-shown]:not([data-shown='{before}'])").wait_for()
    picture = time.monotonic() - begun
    page.locator(".sdae-card").wait_for(state="detached")
    page.locator(".sdae-card").wait_for()
    file = time.monotonic() - begun
    settle(page)
    return picture, file


if __name__ == "__main__":
    sys.exit(main())
