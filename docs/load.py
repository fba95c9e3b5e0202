"""How long visitors of the app wait: ``python -m docs.load``, kept with the results of the weights."""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from docs import app
from sdae import weights
from sdae.measuring.results import Results
from sdae.pictures import reading

MOVES, STEP = 3, 10
"""So often all quality sliders move, so far down."""


def load(count: int) -> dict:
    """What visitors of the Compress page wait for who move their quality sliders together.

    Each has a picture of a size of its own, about 768×512, which must still show after each move.
    Their browsers run on the same machine and take their share of its processor.

    Args:
        count: of visitors.

    Returns:
        ``bytes_seconds`` and ``picture_seconds``, until the last visitor had the exact bytes and
        the picture of that file, the worst of all moves; ``slowest``, the largest ratio of a
        visitor's wait to the median of a move; ``peak_mb`` of the app's memory, on Linux; and
        ``faults``, what went wrong.
    """
    waits, faults, pages = [], [], {}
    with app.server() as (address, process), app.browser() as chromium:
        for number in range(count):
            page = app.visit(chromium, f"{address}/?quality=75&left=Original")
            png = reading.png(_waves(768 + number, 512))
            file = {"name": "picture.png", "mimeType": "image/png", "buffer": png}
            page.locator("input[type=file]").first.set_input_files([file])
            pages[page] = page.locator(".compare .scale", has_text=f"{768 + number} × 512 ")
            pages[page].wait_for()
        _waited(pages, 0)
        for move in range(1, 1 + MOVES):
            counted, shown = _waited(pages, STEP)
            waits += [counted, shown]
            faults += ["a visitor sees another picture"] * sum(
                not own.count() for own in pages.values()
            )
            print(
                f"move {move}: bytes {max(counted):.1f} s, pictures {max(shown):.1f} s",
                flush=True,
            )
        status = Path(f"/proc/{process}/status").read_text()
    return {
        "bytes_seconds": round(max(map(max, waits[::2])), 1),
        "picture_seconds": round(max(map(max, waits[1::2])), 1),
        "slowest": round(max(max(seconds) / statistics.median(seconds) for seconds in waits), 2),
        "peak_mb": int(status.split("VmHWM:")[1].split()[0]) // 1024,
        "faults": faults,
    }


_MOVE = """(box, [step, time]) => {
    const [slider, size, label] = ['input', '[data-bytes]', '.chip-right span'].map(
        name => box.querySelector(name));
    const seconds = box.seconds = [];
    const look = () => {
        const counted = box.dataset.counted === slider.value;
        const shown = counted && label.textContent.startsWith(`${size.textContent} bytes`);
        [counted, shown].forEach((there, i) => {
            if (there) seconds[i] ??= Math.max(0, Date.now() - time) / 1000;
        });
        if (shown) watcher.disconnect();
    };
    const watcher = new MutationObserver(look);
    setTimeout(() => {
        slider.stepDown(step);
        if (step) slider.dispatchEvent(new Event('input'));
        watcher.observe(
            box, {subtree: true, childList: true, characterData: true, attributes: true});
        look();
    }, time - Date.now());
}"""
# Moves the slider at a time that is the same for all visitors. Notes when the bytes of the file at
# this quality show, and when its picture does; to ask the page for that would take the processor
# from the app.


def _waited(pages, step: int) -> tuple[list[float], list[float]]:
    """Seconds from a move of all sliders until the bytes show, and until the picture does, for each
    page."""
    boxes = [page.locator(".compare").first for page in pages]
    begun = time.time() + 2
    for box in boxes:
        box.evaluate(_MOVE, [step, 1000 * begun])
    seconds = {}
    while len(seconds) < len(boxes):
        if time.time() - begun > app.PATIENCE:
            raise app.AppError(f"A visitor had no answer after {app.PATIENCE} seconds.")
        time.sleep(1)
        for number, box in enumerate(boxes):
            noted = number not in seconds and box.evaluate("box => box.seconds")
            if noted and len(noted) == 2:
                seconds[number] = noted
    counted, shown = zip(*seconds.values())
    return list(counted), list(shown)


def _waves(width: int, height: int) -> np.ndarray:
    """Waves and some grain, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / a + y / b) for a, b in ((20, 50), (30, 15), (45, 25))], -1)
    grain = np.random.default_rng(width).normal(0, 4, waves.shape)
    return np.clip(128 + 80 * waves + grain, 0, 255).astype("uint8")


def main(arguments=None) -> int:
    """Measure one visitor and ten, print it and keep it. 1 if a visitor saw what is not theirs."""
    parser = argparse.ArgumentParser(prog="python -m docs.load", description=__doc__)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 10])
    figures = {}
    try:
        for count in parser.parse_args(arguments).visitors:
            figures[str(count)] = row = load(count)
            print(f"{count} visitors: {row}", flush=True)
    except app.AppError as error:
        parser.error(str(error))
    Results.of(weights.folder()).store_bench("load", figures)
    return int(any(row["faults"] for row in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
