"""The Denoise page in a real browser."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

# Fixtures, which pytest finds by these names.
from test_browser import (  # noqa: F401
    address,
    chromium,
    download,
    photograph,
    pixels,
    shown,
    tab,
    wait_for_another,
)

from sdae.coding import container


@pytest.fixture
def visit(tab):  # noqa: F811
    """A function: URL parameters → a tab on the page, nothing at work any more."""

    def visit(parameters, **options):
        page = tab(f"denoise?{parameters}", **options)
        if "Camera" not in parameters:
            settle(page)
        return page

    return visit


def settle(page):
    page.locator(".compare[data-shown]").wait_for()
    page.locator(".sdae-card").wait_for()
    page.get_by_role("button", name="Table as CSV").wait_for()


def test_the_level_moves_the_pictures_and_stays_in_the_url(visit):
    page = visit("size=128×128&level=0.1")
    before, noisy = shown(page), pixels(page, "left")
    slider = page.get_by_role("slider", name="Noise level")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    wait_for_another(page, before)
    page.wait_for_url("**level=0.15**")
    page.locator(".chip-left", has_text="17.").wait_for()
    settle(page)
    after = pixels(page, "left")
    page.get_by_label("Left picture").select_option("Clean")
    page.locator(".chip-left", has_not_text="dB").wait_for()
    page.wait_for_timeout(300)
    original = pixels(page, "left").astype(float)
    assert (after - original).std() > 1.3 * (noisy - original).std() > 0
    page.reload()
    settle(page)
    assert float(page.get_by_role("slider", name="Noise level").input_value()) == 0.15
    assert page.get_by_label("Left picture").input_value() == "Clean"


def test_an_upload_is_restored_and_everything_is_exported(visit, photograph):  # noqa: F811
    page = visit("source=Camera&size=Original&noise=None: it is noisy already")
    page.get_by_text("Take a picture with the camera.").wait_for()
    page.locator("input[type=file]").set_input_files(photograph)
    page.locator(".compare .scale", has_text="200 × 150").wait_for()
    settle(page)
    page.wait_for_timeout(500)
    assert np.array_equal(pixels(page, "left"), np.asarray(Image.open(photograph)))
    restored = np.asarray(Image.open(io.BytesIO(download(page, "Restored PNG"))))
    assert np.array_equal(restored, pixels(page, "right"))

    data = download(page, "Download .sdae")
    header, _ = container.read_header(data)
    assert (header.height, header.width) == restored.shape[:2]
    size = int(page.locator(".sdae-card .size").inner_text().split()[0].replace(",", ""))
    assert len(data) == size
    rows = list(csv.DictReader(io.StringIO(download(page, "Table as CSV").decode())))
    assert [row["denoiser"] for row in rows][:2] == ["Noisy", "SDAE"]
    assert page.locator(".js-plotly-plot").count() == 1


def test_a_classical_denoiser_stands_right_of_the_split_by_url(visit):
    page = visit("size=128×128&right=Total+variation&sample=Cat")
    assert page.get_by_label("Right picture").input_value() == "Total variation"
    settle(page)
    page.wait_for_timeout(500)
    png = Image.open(io.BytesIO(download(page, "Total variation PNG")))
    assert np.array_equal(np.asarray(png), pixels(page, "right"))


def test_a_phone_shows_the_page_without_scrolling_sideways(visit):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = visit("size=128×128", **phone)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
