"""The Kodak page in a real browser, on a server that has no Kodak pictures."""

import csv
import io

import pytest

# Fixtures, which pytest finds by these names.
from test_browser import address, chromium, download, tab  # noqa: F401

from sdae import weights
from sdae.measuring import results


@pytest.fixture(scope="module", autouse=True)
def no_pictures(tmp_path_factory):
    """The server finds an empty folder where the pictures would be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDAE_KODAK", str(tmp_path_factory.mktemp("kodak")))
        yield


def settle(page):
    page.get_by_text("Where these figures come from").wait_for()
    page.locator("[data-stale=true]").first.wait_for(state="detached")
    return page


def test_the_first_visit_of_a_server_has_the_whole_app(tab):  # noqa: F811
    """This must stay the first test: only a server that has shown no page yet can get it wrong."""
    page = tab("denoise?source=Camera")
    page.get_by_text("Take a picture with the camera.").wait_for()
    for name in ("Compress", "Denoise", "Kodak", "Inside"):
        page.get_by_role("link", name=name, exact=True).wait_for()
    assert page.title() == "SDAE"
    assert page.get_by_test_id("stSidebar").count() == 0
    page.get_by_role("link", name="Kodak", exact=True).click()
    settle(page)
    assert page.url.split("?")[0].endswith("/kodak")


def test_the_curve_shows_its_numbers_and_saves_them(tab):  # noqa: F811
    page = settle(tab("kodak"))
    mark = page.locator(".js-plotly-plot .scatterlayer .trace .points path").nth(5)
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".hoverlayer .hovertext").first.wait_for()

    place = weights.folder()
    stored = results.Results(place, weights.read_card(place)["sha256"])
    wanted = results.curve(results.common(stored, "kodak")["sdae"])
    rows = list(csv.DictReader(io.StringIO(download(page, "Figures as CSV").decode())))
    ours = [row for row in rows if row["codec"] == "SDAE"]
    assert [float(row["PSNR"]) for row in ours] == wanted["psnr"]
    assert [float(row["bits per pixel"]) for row in ours] == wanted["bpp"]

    page.locator(".js-plotly-plot").hover()
    page.get_by_role("button", name="Fullscreen").first.click()
    page.get_by_role("button", name="Close fullscreen").first.wait_for()
    assert page.locator(".js-plotly-plot").bounding_box()["height"] > 800


def test_a_mark_and_a_thumbnail_lead_to_the_picture(tab):  # noqa: F811
    page = settle(tab("kodak?section=Pictures"))
    mark = page.locator(".js-plotly-plot").first.locator(".points path").nth(2)
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text("kodim03.png is not on this server yet").wait_for()
    page.wait_for_url("**shown=kodim03**")

    page.get_by_role("button", name="kodim07", exact=True).click()
    page.get_by_text("kodim07.png is not on this server yet").wait_for()
    page.get_by_role("button", name="Fetch kodim07.png").wait_for()
    assert (
        page.get_by_role("button", name="kodim07", exact=True).get_attribute("aria-pressed")
        == "true"
    )


@pytest.mark.parametrize("section", ["Rate and distortion", "Methods", "Claims"])
def test_a_phone_shows_a_dashboard_without_scrolling_sideways(tab, section):  # noqa: F811
    page = settle(
        tab(
            f"kodak?section={section.replace(' ', '+')}",
            viewport={"width": 390, "height": 844},
            has_touch=True,
            is_mobile=True,
        )
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
