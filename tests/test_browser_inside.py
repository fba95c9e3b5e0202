"""The Inside page in a real browser."""

import csv
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

# Fixtures, which pytest finds by these names.
from test_browser import (  # noqa: F401
    address,
    chromium,
    download,
    photograph,
    tab,
)

from pages.inside.texts import STEPS

FIGURES = ".sdae-plates img, .sdae-ledger, .js-plotly-plot, svg[role=img]"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def visit(tab):  # noqa: F811
    """A function: URL parameters → a tab on the page."""

    def visit(parameters, **options):
        page = tab(f"inside?{parameters}", **options)
        page.get_by_text("Teacher's notes").wait_for(state="attached")
        return page

    return visit


def test_a_newcomer_walks_the_seven_steps_with_a_photo(visit, photograph):  # noqa: F811
    page = visit("source=Camera&quality=60")
    page.locator("input[type=file]").set_input_files(photograph)
    page.get_by_text("200 × 150 pixels").wait_for()
    for number, step in enumerate(STEPS, 1):
        page.get_by_role("heading", name=f"{number} · {step.title}").wait_for()
        page.locator(FIGURES).first.wait_for()
        page.locator("[data-testid=stDownloadButton]").first.wait_for()
        assert page.get_by_test_id("stAlert").count() == 0
        assert page.locator("img:not([alt])").count() == 0
        if number > 1:
            page.wait_for_url(f"**step={step.name}**")
        if number < len(STEPS):
            page.get_by_role("button", name="Next").click()
    assert page.get_by_role("button", name="Next").is_disabled()


def test_a_link_opens_a_part_of_a_step_and_the_answers_stay_hidden(visit):
    page = visit("sample=Cat&step=Bytes&bytes=Huffman")
    tree = page.get_by_role("img", name="Huffman tree")
    tree.wait_for()
    assert " has code " in tree.get_attribute("aria-label")
    drawn = ElementTree.fromstring(download(page, "Picture as SVG"))
    assert drawn.attrib["aria-label"] == tree.get_attribute("aria-label")

    answer = page.get_by_text(STEPS[3].exercises[0].answer[:40])
    assert not answer.is_visible()
    page.get_by_text("Teacher's notes").click()
    page.get_by_text(STEPS[3].exercises[0].question[:40]).wait_for()
    assert not answer.is_visible()
    page.get_by_text("Answer 1").click()
    answer.wait_for()
    page.get_by_text("Formula and sources").click()
    page.locator(".katex-display").wait_for()

    page.get_by_role("tab", name="Channel by channel").click()
    page.wait_for_url("**bytes=Channel+by+channel**")
    page.locator(".js-plotly-plot .bars").first.wait_for()
    rows = list(csv.DictReader(io.StringIO(download(page, "Figures as CSV").decode())))
    said = page.get_by_text("bytes in all").inner_text()
    spent = float(re.search(r"([\d,]+) bytes together", said)[1].replace(",", ""))
    assert sum(float(row["bytes_in_file"]) for row in rows) == pytest.approx(spent, abs=1)

    page.get_by_role("radio", name="Pipeline").click()
    page.get_by_role("heading", name=STEPS[0].title).wait_for()
    page.get_by_role("tab", name="The two networks").click()
    page.get_by_role("img", name="The network from left to right").wait_for()
    page.get_by_role("tab", name="The whole way").click()
    page.get_by_role("img", name="The pipeline").wait_for()


def test_fewer_channels_give_another_picture_and_the_link_keeps_them(visit):
    page = visit("sample=Cat&step=Latent&latent=First+channels+only&kept=4")
    caption = page.locator(".sdae-plates figcaption").first
    caption.get_by_text("First 4 ·").wait_for()
    slider = page.get_by_role("slider", name="Channels kept")
    slider.focus()
    slider.press("ArrowLeft")
    page.locator(".sdae-plates figcaption", has_text="First 3 ·").wait_for()
    page.wait_for_url("**kept=3**")
    sheet = np.asarray(Image.open(io.BytesIO(download(page, "Pictures as PNG"))))
    assert sheet.shape[2] == 3 and len(np.unique(sheet)) > 100


def test_a_click_and_an_arrow_key_choose_a_square(visit):
    page = visit("sample=Cat&step=Latent&quality=40")
    plane = page.locator(".squares .plane").nth(1)
    plane.wait_for()
    box = plane.bounding_box()
    page.mouse.click(box["x"] + 4.5 * box["width"] / 48, box["y"] + 3.5 * 8 * box["width"] / 384)
    page.get_by_text("Square 5 across, 4 down:").wait_for()
    page.wait_for_url("**square=4%2C3**")
    plane.press("ArrowRight")
    page.get_by_text("Square 6 across, 4 down:").wait_for()
    assert plane.get_attribute("aria-valuetext") == "6 across, 4 down"


def test_a_box_and_its_sentence_mark_each_other(visit):
    page = visit("sample=Cat&quality=40")
    sentence = page.locator("li[data-station='4']")
    sentence.wait_for()
    page.locator("g[data-station='4'] text").first.hover()
    page.locator("li.marked").get_by_text("File").wait_for()
    page.locator("li[data-station='2']").hover()
    page.locator("g.marked").get_by_text("Latent").wait_for()
    assert page.locator(".marked").count() == 2


def test_the_arrow_keys_of_a_projector_go_from_view_to_view(visit):
    page = visit("sample=Cat&step=Noise&quality=40&projector=true")
    page.locator(".js-plotly-plot").first.wait_for()
    page.locator("[data-listening]").wait_for(state="attached")
    page.locator("[data-stale=true]").first.wait_for(state="detached")
    assert not page.get_by_text("Or take").is_visible()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("img", name="Huffman tree").wait_for()
    page.wait_for_url("**step=Bytes**")
    page.keyboard.press("PageDown")
    page.get_by_role("heading", name="5 · ").wait_for()
    page.get_by_role("button", name="Share this view").click()
    said = page.get_by_test_id("stPopoverBody").locator("code")
    said.get_by_text("step=Noise").wait_for()
    assert "projector" not in said.inner_text() and "sample=Cat" in said.inner_text()


def test_a_phone_shows_every_step_without_scrolling_sideways(visit):
    page = visit("source=Camera", **PHONE)
    page.get_by_text("Take a picture with the camera.").wait_for()
    for step in STEPS[1:]:
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name=step.title).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(page.url.split("?")[0] + "?sample=Cat&step=Pipeline")
    page.get_by_role("img", name="The pipeline").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
