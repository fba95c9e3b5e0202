"""The Kodak page in a real browser, on a server that has no Kodak pictures."""

import csv
import io

import in_a_browser
import pytest
import test_kodak_page
from in_a_browser import PHONE, download

from pages.kodak import tables
from sdae.measuring.results import OURS

chromium, tab, stored = in_a_browser.chromium, in_a_browser.tab, test_kodak_page.stored


@pytest.fixture
def address(chromium, pytestconfig, stored) -> str:
    """A server with made-up results."""
    return in_a_browser.app(pytestconfig, str(stored.folder.parent))


def settle(page):
    page.get_by_text("Where these figures come from").wait_for()
    page.locator("[data-stale=true]").first.wait_for(state="detached")
    return page


def test_the_first_visit_of_a_server_has_the_whole_app(tab):
    """This must stay the first test: only a server that has shown no page yet can get it wrong."""
    page = settle(tab("kodak?section=Claims"))
    assert page.title() == "SDAE" and "section=Claims" in page.url
    for name in ("Compress", "Denoise", "Kodak", "Inside"):
        page.get_by_role("link", name=name, exact=True).wait_for()
    assert page.get_by_role("dialog").count() == page.get_by_test_id("stSidebar").count() == 0


def test_the_curve_shows_its_numbers_and_saves_them(tab, stored):
    page = settle(tab("kodak"))
    mark = page.locator(".js-plotly-plot .scatterlayer .trace .points path").nth(2)
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".hoverlayer .hovertext").first.wait_for()

    wanted = tables.summary(stored, "kodak").curves["psnr"][OURS]
    rows = list(csv.DictReader(io.StringIO(download(page, "Figures as CSV").decode("utf-8-sig"))))
    ours = [row for row in rows if row["codec"] == "SDAE"]
    assert [float(row["PSNR, dB"]) for row in ours] == wanted["psnr"]
    assert [float(row["Bits per pixel"]) for row in ours] == wanted["bpp"]


def test_a_thumbnail_leads_to_its_picture(tab):
    page = settle(tab("kodak?section=Pictures"))
    page.get_by_role("button", name="kodim02", exact=True).click()
    page.get_by_text("kodim02.png itself is not on this server").wait_for()
    page.wait_for_url("**shown=kodim02**")
    chosen = page.get_by_role("button", name="kodim02", exact=True)
    assert chosen.get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("view", ["Rate and distortion", "Claims"])
def test_a_phone_shows_a_view_without_scrolling_sideways(tab, view):
    page = settle(tab(f"kodak?section={view.replace(' ', '+')}", **PHONE))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
