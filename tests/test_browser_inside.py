"""The Inside page in a real browser."""

import xml.etree.ElementTree as ElementTree

import in_a_browser
import pytest
from in_a_browser import PHONE, download

from pages.inside.texts import STEPS

address, chromium = in_a_browser.address, in_a_browser.chromium
photograph, tab = in_a_browser.photograph, in_a_browser.tab

FIGURES = ".sdae-plates img, .js-plotly-plot, svg[role=img], .squares img, tbody"


@pytest.fixture
def visit(tab):
    """A function: URL parameters → a tab on the page."""

    def visit(parameters, **options):
        page = tab(f"inside?{parameters}", **options)
        page.get_by_text("Share this view").wait_for()
        return page

    return visit


def test_a_newcomer_walks_the_seven_steps_with_a_photo(visit, photograph):
    page = visit("source=Camera&quality=60")
    page.get_by_role("button", name="Another picture").click()
    page.locator("input[type=file]").set_input_files(photograph)
    page.get_by_text("200 × 150 pixels").wait_for()
    page.keyboard.press("Escape")
    for number, step in enumerate(STEPS, 1):
        page.get_by_role("heading", name=f"{number} · {step.title}").wait_for()
        page.get_by_role("button", name="Show the answer").click()
        page.get_by_text("Your guess:").wait_for()
        page.locator(FIGURES).first.wait_for()
        page.locator("[data-testid=stDownloadButton]").first.wait_for()
        assert page.locator("img:not([alt])").count() == 0
        if number < len(STEPS):
            page.get_by_role("button", name="Next").click()
    assert page.get_by_role("button", name="Next").is_disabled()


def test_a_link_opens_a_view_and_the_answers_stay_hidden(visit):
    page = visit("sample=Cat&step=Bytes&bytes=Deflate")
    tree = page.get_by_role("img", name="Huffman tree")
    tree.wait_for()
    assert " has code " in tree.get_attribute("aria-label")
    drawn = ElementTree.fromstring(download(page, "Picture as SVG"))
    assert drawn.attrib["aria-label"] == tree.get_attribute("aria-label")

    question, answer = (page.get_by_text(text[:40]) for text in STEPS[3].exercises[0])
    assert not answer.is_visible()
    page.get_by_text("Formula and exercises").click()
    question.wait_for()
    assert not answer.is_visible()
    page.get_by_text("Answer 1").click()
    answer.wait_for()
    page.locator(".katex-display").first.wait_for()


def test_a_click_and_an_arrow_key_choose_a_square(visit):
    page = visit("sample=Cat&step=Latent&latent=Touch+a+square&quality=40")
    plane = page.locator(".squares .plane").nth(1)
    plane.wait_for()
    box = plane.bounding_box()
    page.mouse.click(box["x"] + 4.5 * box["width"] / 48, box["y"] + 3.5 * 8 * box["width"] / 384)
    page.get_by_text("Square 5 across, 4 down:").wait_for()
    page.wait_for_url("**square=4%2C3**")
    plane.press("ArrowRight")
    page.get_by_text("Square 6 across, 4 down:").wait_for()
    assert plane.get_attribute("aria-valuetext") == "6 across, 4 down"


def test_a_phone_shows_every_step_without_scrolling_sideways(visit):
    page = visit("sample=Cat&quality=40", **PHONE)
    for step in STEPS:
        page.get_by_role("heading", name=step.title).wait_for()
        page.get_by_role("button", name="Skip the question").click()
        page.locator(FIGURES).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        if step != STEPS[-1]:
            page.get_by_role("button", name="Next").click()
