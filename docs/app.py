"""The app in a process of its own and a headless Chromium that visits it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600
"""Seconds that an answer may take."""

BROWSERS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


class AppError(RuntimeError):
    """The app or a browser cannot be started, or gives no answer; the message says what to do."""


@contextmanager
def server(**settings: str):
    """The app of a checkout on a free port of this machine; gives its address and process id.

    ``settings``: environment variables beside those of this process.
    """
    if not (ROOT / "streamlit_app.py").exists():
        raise AppError("The pages are not here; run this in a checkout of the repository.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"--server.port={port} --server.address=127.0.0.1 --server.headless=true"
    options += " --server.fileWatcherType=none --logger.level=error"
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options.split()],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address):
            if process.poll() is not None:
                raise AppError("The app did not start; install what requirements.txt lists.")
            time.sleep(0.1)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
            return True
    except OSError:
        return False


@contextmanager
def browser():
    """A headless Chromium of the system."""
    place = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not place:
        raise AppError("This needs Chromium; install it where the system finds it.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=place, args=FLAGS)
        yield chromium
        chromium.close()


def visit(chromium, address: str, **options):
    """A page of a new visitor, who has nothing cached; options as for Playwright's `new_context`."""
    page = chromium.new_context(viewport={"width": 1280, "height": 800}, **options).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(address)
    return page
