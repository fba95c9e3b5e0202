"""The app in a real browser: a Chromium of the system, headless."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
from on_pages import ROOT, TINY, encoded, picture

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 600_000  # milliseconds; all waited for here ends by itself, however busy the machine is
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@functools.cache
def _browser(config):
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        return None
    from playwright.sync_api import sync_playwright

    driver = sync_playwright().start()
    browser = driver.chromium.launch(executable_path=found, args=FLAGS)
    config.add_cleanup(driver.stop)
    config.add_cleanup(browser.close)
    return browser


@pytest.fixture
def chromium(pytestconfig):
    """The browser of all tests."""
    browser = _browser(pytestconfig)
    if browser is None:
        notice = f"no Chromium was found (looked for {', '.join(BROWSERS)})"
        if os.environ.get("SDAE_REQUIRE_BROWSER"):
            pytest.fail(f"Browser tests are required and {notice}.")
        pytest.skip(f"BROWSER TESTS DID NOT RUN: {notice}")
    return browser


@functools.cache
def app(config, weights: str) -> str:
    """The address of a server with these weights and without Kodak pictures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp()
    settings = {"headless": "true", "address": "127.0.0.1", "port": port, "fileWatcherType": "none"}
    log = Path(folder, "log.txt")
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
        + [f"--server.{name}={value}" for name, value in settings.items()],
        cwd=ROOT,
        env=os.environ | {"SDAE_KODAK": folder, "SDAE_WEIGHTS": weights},
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    config.add_cleanup(server.wait)
    config.add_cleanup(server.terminate)
    address = f"http://127.0.0.1:{port}"
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE / 1000):
                return address
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text()}")


@pytest.fixture
def address(chromium, pytestconfig) -> str:
    """The server with the tiny network, the same for all tests."""
    return app(pytestconfig, str(TINY))


@pytest.fixture
def tab(chromium, address):
    """A function: path and parameters → a tab; it may ask nobody but the app."""
    contexts, asked, errors = [], [], []

    def tab(path, **options):
        context = chromium.new_context(
            accept_downloads=True, **{"viewport": {"width": 1280, "height": 1000}} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(f"{address}/{path}")
        return page

    yield tab
    for context in contexts:
        context.close()
    assert list(map(str, errors)) == []
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    """A picture file to drop: 200×150, smooth with texture."""
    path = tmp_path_factory.mktemp("upload") / "photograph.png"
    path.write_bytes(encoded("PNG", picture(200, 150)))
    return path


def download(page, name) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_bytes()
