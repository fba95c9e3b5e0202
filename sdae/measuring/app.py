"""The app in a process of its own and a headless Chromium that visits it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sdae.pictures import reading

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "--no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run".split()
PATIENCE = 600
"""Seconds that an answer may take."""


class AppError(RuntimeError):
    """The app or a browser cannot be started; the message says what to do."""


class App:
    """The app on a free port of this machine while a ``with`` lasts; needs a checkout.

    Attributes:
        address: where a browser finds it.
        errors: lines of errors that it wrote, once it has ended.
    """

    def __init__(self):
        if not (ROOT / "streamlit_app.py").exists():
            raise AppError("The pages are not here; run this in a checkout of the repository.")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = "headless=true", "address=127.0.0.1", f"port={port}", "fileWatcherType=none"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
            + [f"--server.{option}" for option in options],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address, self.errors = f"http://127.0.0.1:{port}", []

    def __enter__(self):
        while self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                    return self
            except OSError:
                time.sleep(0.1)
        raise AppError("The app did not start; install what requirements.txt lists.")

    def __exit__(self, *_):
        self.process.terminate()
        log = self.process.communicate()[1]
        self.errors = [line for line in log.splitlines() if "Traceback" in line or "Error" in line]

    def peak_memory(self) -> int:
        """The most resident memory so far in MB; Linux alone."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024


@contextmanager
def browser():
    """A headless Chromium of the system."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise AppError(
            "This benchmark needs playwright; install what requirements-test.txt lists."
        ) from error
    paths = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    if not any(paths):
        raise AppError("This benchmark needs Chromium; install it where the system finds it.")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=next(filter(None, paths)), args=FLAGS)
        yield chromium
        chromium.close()


def visit(chromium, address: str, **options):
    """A page of a new visitor, who has nothing cached; options as for Playwright's `new_context`."""
    page = chromium.new_context(viewport={"width": 1280, "height": 800}, **options).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(address)
    return page


def upload(page, rgb: np.ndarray) -> None:
    """Give the page a picture, (H, W, 3) uint8, as a PNG file."""
    file = {"name": "picture.png", "mimeType": "image/png", "buffer": reading.png(rgb)}
    page.locator("input[type=file]").first.set_input_files([file])


def quality(page):
    """The slider of the Compress page."""
    return page.get_by_role("slider", name="Quality", exact=True).first


_SIGNS = """box => ['input', '[data-bytes]', '.chip-right span'].map(
    name => box.querySelector(name)).map(part => part.value ?? part.textContent)
    .concat(box.dataset.counted)"""


def signs(page) -> tuple[bool, bool]:
    """Whether the bytes of the file at the slider's quality show, and whether its picture does."""
    asked, size, label, counted = page.locator(".compare").first.evaluate(_SIGNS)
    return counted == asked, counted == asked and label.startswith(f"{size} bytes")


def answered(pages, begun: float) -> list[tuple[float, float]]:
    """For each page of several visitors the seconds since `begun`, a `time.monotonic`, until its
    bytes show and until its picture does."""
    seconds = {page: {} for page in pages}
    while time.monotonic() - begun < PATIENCE:
        for page, own in seconds.items():
            for place, shown in enumerate(signs(page)):
                if shown:
                    own.setdefault(place, time.monotonic() - begun)
        if all(len(own) == 2 for own in seconds.values()):
            return [(own[0], own[1]) for own in seconds.values()]
        time.sleep(0.02)
    raise AppError(f"A visitor had no answer after {PATIENCE} seconds.")


def waves(number: int, width: int, height: int) -> np.ndarray:
    """Waves and some grain, other ones for each number: uint8 (height, width, 3)."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / a + y / b + c) for a, b, c in rng.uniform(10, 60, (3, 3))]
    grain = rng.normal(0, 4, (height, width, 3))
    return np.clip(128 + 80 * np.stack(waves, -1) + grain, 0, 255).astype("uint8")
