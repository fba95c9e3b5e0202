"""How long a visitor of the Compress page waits, in a headless Chromium, on an idle machine.

    python tests/first_screen.py --repeats 5 [--store]

Starts the app and moves the quality slider as a hand does. Prints the median of the seconds until
the exact bytes show and until the picture of that file does, beside what is wanted:

- an arrow key, a step to where the page has worked ahead, and ten steps to where it has not;
- the same while other codecs are still searched, and on a picture of 3000×2000 pixels;
- a drag of 4.5 seconds: the longest wait for an estimate, and for the count after the hand rests;
- twenty arrow keys in 1.8 seconds, until the bytes of the last;
- six files at once, until their table and until its last row.
"""

import argparse
import io
import re
import statistics
import sys
import time

from load import free_port, launch, picture, start, store, wait_until_healthy
from PIL import Image
from playwright.sync_api import sync_playwright

AHEAD = 15  # seconds in which the page works ahead when all else is done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--patience", type=int, default=120, help="seconds for one answer")
    parser.add_argument("--store", action="store_true", help="keep the figures for the documents")
    args = parser.parse_args()
    figures = {}

    def report(what, pairs, *wanted):
        found = [statistics.median(v) for v in zip(*pairs) if None not in v]
        figures[what] = [[round(seconds, 2), most] for seconds, most in zip(found, wanted)]
        cells = "".join(f"{s:8.2f}{'' if most is None else most:>8}" for s, most in figures[what])
        print(f"{what:44}{cells}", flush=True)

    port = free_port()
    app, repeats = start(port), range(args.repeats)
    try:
        wait_until_healthy(port)
        with sync_playwright() as driver:
            browser = launch(driver)
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.set_default_timeout(1000 * args.patience)
            page.goto(f"http://127.0.0.1:{port}/?sample=Coffee")
            settle(page)
            print(f"{'':44}{'bytes':>8}{'wanted':>8}{'picture':>9}{'wanted':>8}")
            report("one arrow, worked ahead", [ahead(page) for _ in repeats], 0.4, 1.0)
            report("ten steps", [further(page, "PageUp") for _ in repeats], 0.4, 1.0)
            report("ten steps, codecs searched", [searched(page) for _ in repeats], 0.4, 1.0)
            report("drag of 4.5 s: estimate, count", [drag(page) for _ in repeats], 0.1, None)
            report("twenty arrows in 1.8 s", [arrows(page) for _ in repeats], 1.5, None)
            upload(page, "large.png", png(0, 3000, 2000))
            report("3000×2000, ten steps", [further(page, "PageUp") for _ in repeats], 1.5, 4.0)
            many = [six(browser, port, args) for _ in repeats]
            report("six files: table, last row", many, 1.0, None)
            browser.close()
        if args.store:
            store("first-screen", figures)
    finally:
        app.terminate()
    return 0


def slider(page):
    return page.get_by_role("slider", name="Quality", exact=True).first


def settle(page) -> None:
    """Wait until nothing is searched any more and the page has had its time to work ahead."""
    page.locator(".sdae-rivals .best").first.wait_for()
    page.locator(".sdae-rivals .wait", has_text="searching").first.wait_for(state="detached")
    page.wait_for_timeout(1000 * AHEAD)


def answer(page, begun) -> tuple[float, float]:
    """Seconds since then, until the bytes of the slider's quality show and until its picture does."""
    page.locator(f".compare[data-counted='{slider(page).input_value()}']").wait_for()
    counted = time.monotonic() - begun
    size = page.locator(".compare [data-bytes]").inner_text()
    page.locator(".chip-right span", has_text=re.compile(f"^{size} bytes")).wait_for()
    return counted, time.monotonic() - begun


def press(page, key) -> tuple[float, float]:
    slider(page).focus()
    begun = time.monotonic()
    page.keyboard.press(key)
    return answer(page, begun)


def ahead(page) -> tuple[float, float]:
    found = press(page, "ArrowRight")
    settle(page)
    return found


def further(page, key) -> tuple[float, float]:
    """To a quality that no answer is known for: one beside a multiple of the steps before."""
    slider(page).focus()
    if int(slider(page).input_value()) > 85:
        page.keyboard.press("Home")
        for _ in range(int(time.monotonic()) % 7 + 2):
            page.keyboard.press("ArrowRight")
        settle(page)
    found = press(page, key)
    settle(page)
    return found


def searched(page) -> tuple[float, float]:
    """Ten steps, as soon as the picture of the ten steps before shows: codecs are searched then."""
    press(page, "PageDown")
    found = press(page, "PageDown")
    settle(page)
    if int(slider(page).input_value()) < 25:
        press(page, "End")
        settle(page)
    return found


def drag(page) -> tuple[float, float]:
    """The longest time from a move of the thumb to a painted estimate; from rest to the count."""
    page.locator(".compare").evaluate("""box => {
        const [input, bytes] = [box.querySelector('input'), box.querySelector('[data-bytes]')];
        window.waits = [];
        window.watching?.abort();
        window.watching = new AbortController();
        input.addEventListener('input', () => {
            const begun = performance.now();
            const look = () => /\\d/.test(bytes.textContent)
                ? waits.push(performance.now() - begun) : requestAnimationFrame(look);
            requestAnimationFrame(look);
        }, {signal: watching.signal}); }""")
    place = slider(page).bounding_box()
    y = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + place["width"] / 2, y)
    page.mouse.down()
    for step in range(45):
        page.mouse.move(place["x"] + place["width"] * (0.5 + 0.008 * step), y)
        page.wait_for_timeout(100)
    begun = time.monotonic()
    page.mouse.up()
    counted, _ = answer(page, begun)
    settle(page)
    return max(page.evaluate("waits")) / 1000, counted


def arrows(page) -> tuple[float, None]:
    press(page, "Home")
    settle(page)
    slider(page).focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(90)
    counted, _ = answer(page, time.monotonic())
    settle(page)
    return counted, None


def six(browser, port, args) -> tuple[float, float]:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(1000 * args.patience)
    page.goto(f"http://127.0.0.1:{port}/?tab=Many+pictures")
    chooser = page.locator("[data-testid=stFileUploader] input").last
    chooser.wait_for(state="attached")
    page.wait_for_timeout(3000)
    files = [
        {"name": f"{n}.png", "mimeType": "image/png", "buffer": png(n, 600, 400)} for n in range(6)
    ]
    begun = time.monotonic()
    chooser.set_input_files(files)
    page.get_by_test_id("stDataFrame").wait_for()
    first = time.monotonic() - begun
    page.get_by_role("button", name="Download ZIP").wait_for()
    last = time.monotonic() - begun
    page.context.close()
    return first, last


def upload(page, name, data) -> None:
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": data}
    )
    page.locator(".compare .scale", has_text=re.compile("^(?!600)")).wait_for()
    settle(page)


def png(number, width, height) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(number, width, height)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
