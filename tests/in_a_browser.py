"""The app in a real browser: a Chromium of the system, headless."""

import functools
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from on_pages import TINY, encoded, picture

from docs.app import PATIENCE, AppError, browser, server

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@functools.cache
def _held(config, begin, **settings):
    """What a context gives, until all tests have ended."""
    stack = ExitStack()
    config.add_cleanup(stack.close)
    return stack.enter_context(begin(**settings))


@pytest.fixture
def chromium(pytestconfig):
    """The browser of all tests."""
    try:
        return _held(pytestconfig, browser)
    except AppError as error:
        if os.environ.get("SDAE_REQUIRE_BROWSER"):
            pytest.fail(f"Browser tests are required: {error}")
        pytest.skip(f"BROWSER TESTS DID NOT RUN: {error}")


def app(config, weights: str) -> str:
    """The address of a server with these weights and without Kodak pictures."""
    return _held(config, server, SDAE_WEIGHTS=weights, SDAE_KODAK=str(TINY))[0]


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
        page.set_default_timeout(1000 * PATIENCE)
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
