"""What only a browser shows of the Compress and Denoise pages."""

import io
import re

import in_a_browser
import numpy as np
import pytest
from in_a_browser import PHONE, download
from PIL import Image

from sdae.coding import container

address, chromium = in_a_browser.address, in_a_browser.chromium
photograph, tab = in_a_browser.photograph, in_a_browser.tab


@pytest.fixture
def page(tab):
    """The Compress page on a desktop at 128×128, ready when the picture is."""
    page = tab("?size=128×128&left=Original&quality=50")
    picture_shown(page)
    return page


def file_bytes(page) -> int:
    """What the bar states once the file is counted."""
    page.locator(".compare[data-counted]:not([data-counted=''])").wait_for()
    return int(page.locator(".compare [data-bytes]").inner_text().replace(",", ""))


def picture_shown(page):
    """Wait until the right side is the picture of the file that the bar counts."""
    size = re.compile(f"^{file_bytes(page):,} bytes")
    page.locator(".chip-right span", has_text=size).wait_for()
    page.wait_for_timeout(300)  # the label changes at once, the picture when it is decoded


def slider(page):
    return page.get_by_role("slider", name="Quality", exact=True).first


def move_quality(page, quality):
    """Step the slider down to `quality` by the keyboard, and wait for the answer."""
    slider(page).focus()
    for _ in range(int(slider(page).input_value()) - quality):
        slider(page).press("ArrowLeft")
    page.locator(f".compare[data-counted='{quality}']").wait_for()
    picture_shown(page)


def handle(page):
    return page.get_by_role("slider", name=re.compile("Split between"))


def split(page) -> int:
    return int(handle(page).get_attribute("aria-valuenow"))


_PIXELS = """picture => {
    const width = picture.naturalWidth || picture.width;
    const height = picture.naturalHeight || picture.height;
    const sheet = Object.assign(document.createElement('canvas'), {width, height});
    const context = sheet.getContext('2d');
    context.drawImage(picture, 0, 0);
    return [width, height, [...context.getImageData(0, 0, width, height).data]];
}"""


def pixels(page, selector) -> np.ndarray:
    """A picture as the browser decoded it: uint8 (H, W, 3)."""
    width, height, values = page.locator(f".compare {selector}").evaluate(_PIXELS)
    return np.array(values, "uint8").reshape(height, width, 4)[..., :3]


_PALE = """() => {
    // Texts whose contrast with what lies behind them is below 4.5:1 (WCAG 2.2).
    const sheet = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const colour = text => {
        sheet.clearRect(0, 0, 1, 1);
        sheet.fillStyle = text;
        sheet.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = sheet.getImageData(0, 0, 1, 1).data;
        return [[red, green, blue], alpha / 255];
    };
    const over = ([top, share], below) => top.map((x, k) => x * share + below[k] * (1 - share));
    const light = rgb => rgb.map(x => x / 255)
        .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
        .reduce((sum, x, k) => sum + x * [0.2126, 0.7152, 0.0722][k], 0);
    const found = [];
    const walk = (node, behind, opacity) => {
        const style = getComputedStyle(node);
        if (node.disabled || style.display === 'none' || style.visibility === 'hidden') return;
        opacity *= style.opacity;
        behind = over(colour(style.backgroundColor), behind);
        for (const child of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) {
            if (child.nodeType === 1) walk(child, behind, opacity);
            if (child.nodeType !== 3 || !child.data.trim() || !node.getClientRects().length) continue;
            const [ink, share] = colour(style.color);
            const lights = [light(over([ink, share * opacity], behind)), light(behind)];
            const contrast = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
            if (opacity && contrast < 4.5) found.push(`${child.data.trim()}: ${contrast}`);
        }
    };
    walk(document.body, [255, 255, 255], 1);
    return found;
}"""


def touch(page, moves):
    """Fingers on the screen: places at each moment, the last none."""
    session = page.context.new_cdp_session(page)
    for number, points in enumerate([*moves, []]):
        kind = "touchEnd" if not points else "touchMove" if number else "touchStart"
        places = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


def middle(place) -> tuple[float, float]:
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def test_upload_quality_download_and_open_again(page, photograph, tmp_path):
    page.get_by_role("radio", name="Original").click()
    page.locator(".compare .scale", has_text="600 × 400").wait_for()
    page.locator("input[type=file]").first.set_input_files(photograph)
    page.locator(".compare .scale", has_text="200 × 150").wait_for()
    picture_shown(page)
    original = np.asarray(Image.open(photograph))
    assert np.array_equal(pixels(page, "img.left"), original)

    more = file_bytes(page)
    move_quality(page, 45)
    fewer = file_bytes(page)
    assert fewer < more and "quality=45" in page.url
    data = download(page, "Download .sdae")
    assert len(data) == fewer
    restored = pixels(page, "img.right")
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(download(page, "Restored PNG")))), restored
    )
    assert restored.shape == original.shape and not np.array_equal(restored, original)

    kept = tmp_path / "photograph.sdae"
    kept.write_bytes(data)
    page.reload()
    page.locator("input[type=file]").first.set_input_files(kept)
    page.get_by_text("What the file says of itself").wait_for()
    page.locator(".compare.single[data-shown]").wait_for()
    assert np.array_equal(pixels(page, "img.right"), restored)
    page.get_by_role("button", name="Remove photograph.sdae").click()
    page.locator(".compare .chip-left", has_text="Original").wait_for()
    assert slider(page).input_value() == "45"


def test_the_split_follows_mouse_and_keys_and_outlives_a_quality_move(page):
    assert split(page) == 50
    x, y = middle(handle(page).bounding_box())
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=5)
    page.mouse.up()
    width = page.locator(".compare .stage").bounding_box()["width"]
    assert split(page) == pytest.approx(50 + 100 * 100 / width, abs=1)
    handle(page).focus()
    keys = {"Home": 0, "ArrowRight": 1, "Shift+ArrowRight": 11, "End": 100, "PageDown": 90}
    for key, place in keys.items():
        page.keyboard.press(key)
        assert split(page) == place
    page.get_by_role("button", name="2:1").click()
    page.get_by_role("button", name="Error map").click()
    move_quality(page, 48)
    assert split(page) == 90
    assert page.get_by_role("button", name="2:1").get_attribute("aria-pressed") == "true"
    assert page.locator(".compare .stage").bounding_box()["width"] == 256


def test_the_error_map_shows_each_half_against_the_original(page):
    page.get_by_role("button", name="Error map").click()
    page.locator("canvas.error-right").wait_for()
    assert not pixels(page, "canvas.error-left")[..., :2].any()  # the original has no error
    drawn = pixels(page, "canvas.error-right").astype(int)
    left, right = (pixels(page, f"img.{side}").astype(int) for side in ("left", "right"))
    worst = np.minimum(np.abs(left - right).max(-1), 32)
    # One colour for each difference, and brighter for larger ones.
    colours = {level: drawn[worst == level] for level in np.unique(worst)}
    assert len(colours) > 5
    assert all((rows == rows[0]).all() for rows in colours.values())
    brightness = [rows[0].sum() for _, rows in sorted(colours.items())]
    assert brightness == sorted(brightness)


def test_zoom_is_by_nearest_neighbour_pans_and_follows_the_wheel(page):
    page.get_by_role("button", name="8:1").click()
    stage, scroll = page.locator(".compare .stage"), page.locator(".compare .scroll")
    assert stage.evaluate("node => node.style.width") == "1024px"
    rendering = "node => getComputedStyle(node).imageRendering"
    assert page.locator(".compare img.right").evaluate(rendering) == "pixelated"
    x, y = middle(scroll.bounding_box())
    before = scroll.evaluate("node => node.scrollTop")
    assert before > 0  # zooming keeps the middle in the middle
    page.mouse.move(x - 90, y)
    page.mouse.down()
    page.mouse.move(x - 90, y - 60, steps=4)
    page.mouse.up()
    assert scroll.evaluate("node => node.scrollTop") == before + 60
    assert split(page) == 50
    page.mouse.wheel(0, 9000)
    page.locator("[data-zoom=fit][aria-pressed=true]").wait_for()
    scroll.scroll_into_view_if_needed()
    x, y = middle(scroll.bounding_box())
    page.mouse.move(x - 60, y)
    page.mouse.wheel(0, -9000)
    page.locator(".compare .scale", has_text="800 %").wait_for()


def test_any_codec_can_stand_on_either_side_and_the_url_keeps_it(page):
    page.get_by_label("Right picture").select_option("JPEG")
    page.get_by_label("Left picture").select_option("SDAE")
    page.locator(".chip-left", has_text="dB").wait_for()
    page.wait_for_url(re.compile("left=SDAE"))
    assert "right=JPEG" in page.url
    page.locator(".compare .point", has_text="JPEG").wait_for()
    page.reload()
    page.locator(".chip-left", has_text="dB").wait_for()
    assert page.get_by_label("Right picture").input_value() == "JPEG"


def test_the_slider_shows_estimates_and_never_jumps_back(page):
    """Each move rests long enough to be asked for, and the next comes before it is answered."""
    page.locator(".sdae-table", has_text="AVIF").get_by_text("searching").first.wait_for(
        state="detached"
    )
    moves = [30, 41, 52, 63, 74, 85, 33, 66]
    slider(page).evaluate(
        """async (input, moves) => {
            const bytes = input.getRootNode().querySelector('[data-bytes]');
            Object.assign(window, {jumps: [], texts: []});
            let wanted = Number(input.value);
            const watch = () => {
                if (Number(input.value) !== wanted) jumps.push([wanted, Number(input.value)]);
                requestAnimationFrame(watch);
            };
            watch();
            for (wanted of moves) {
                input.value = wanted;
                input.dispatchEvent(new Event('input', {bubbles: true}));
                texts.push(bytes.textContent);
                await new Promise(done => setTimeout(done, 250));
            } }""",
        moves,
    )
    page.locator(f".compare[data-counted='{moves[-1]}']").wait_for()
    assert page.evaluate("jumps") == []
    assert all(text.startswith("≈ ") for text in page.evaluate("texts"))
    assert slider(page).input_value() == str(moves[-1])


@pytest.mark.parametrize("path", ["?left=Original&", "denoise?"])
def test_a_phone_shows_pictures_and_labels_without_overlap_or_scrolling_sideways(tab, path):
    page = tab(f"{path}size=128×128", **PHONE)
    page.locator(".chip-right", has_text="dB").wait_for()
    left, right = (page.locator(f".chip-{side}").bounding_box() for side in ("left", "right"))
    assert left["x"] + left["width"] <= right["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("Compress", "Denoise", "Kodak", "Inside"):
        place = page.get_by_role("link", name=name, exact=True).bounding_box()
        assert place["y"] < 60 and place["x"] + place["width"] <= 350
    upload, metric = page.get_by_test_id("stFileUploader"), page.get_by_test_id("stMetric")
    assert upload.first.bounding_box()["y"] < metric.first.bounding_box()["y"]
    if path.startswith("?"):
        for part in (".compare .bar", ".compare .view"):
            place = page.locator(part).bounding_box()
            assert place["y"] >= 0 and place["y"] + place["height"] <= 844


def test_a_guess_gives_the_halves_their_names_and_the_slider_is_soon_reached(tab):
    page = tab("?size=128×128")
    half = page.get_by_role("button", name="The left half")
    half.wait_for()
    page.locator(".compare .point", has_text="Which half is the file of").wait_for()
    assert page.get_by_role("button", name="Error map").count() == 0
    for _ in range(12):
        page.keyboard.press("Tab")
        if slider(page).evaluate("node => node.getRootNode().activeElement === node"):
            break
    else:
        pytest.fail("The slider is not among the first twelve stops.")
    half.click()
    page.locator(".compare .point", has_text=re.compile("^(Right|No): the (left|right)")).wait_for()
    names = {page.get_by_label(f"{side} picture").input_value() for side in ("Left", "Right")}
    assert names == {"Original", "SDAE"}
    page.locator(".psnr", has_text="errors").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_of_the_first_screen_can_be_read(tab, scheme):
    page = tab("?size=128×128&left=Original", color_scheme=scheme)
    picture_shown(page)
    assert page.evaluate(_PALE) == []


def test_two_fingers_zoom_and_one_moves_the_split_on_a_phone(tab):
    page = tab("?size=128×128&left=Original", **PHONE)
    page.locator(".chip-right", has_text="dB").wait_for()
    stage = page.locator(".compare .stage")
    handle(page).scroll_into_view_if_needed()
    width = stage.bounding_box()["width"]
    x, y = middle(handle(page).bounding_box())
    touch(page, [[(x, y)], [(x - 20, y)], [(x - 60, y)]])
    assert split(page) == pytest.approx(50 - 60 * 100 / width, abs=1)
    x, y = middle(page.locator(".compare .scroll").bounding_box())
    touch(page, [[(x - gap, y), (x + gap, y)] for gap in (30, 40, 60)])
    page.locator(".compare.pannable").wait_for()
    assert stage.bounding_box()["width"] == pytest.approx(2 * width, rel=0.05)


def test_an_upload_is_denoised_and_everything_is_saved(tab, photograph):
    page = tab("denoise?source=Camera&size=Original&level=0.1")
    page.get_by_text("Take a picture with the camera.").wait_for()
    page.locator("input[type=file]").set_input_files(photograph)
    page.locator(".compare .scale", has_text="200 × 150").wait_for()
    page.get_by_role("button", name="Table as CSV").wait_for()
    noisy = pixels(page, "img.left")
    denoised = np.asarray(Image.open(io.BytesIO(download(page, "Denoised PNG"))))
    assert np.array_equal(denoised, pixels(page, "img.right"))
    header, _ = container.read_header(download(page, "Download .sdae"))
    assert (header.height, header.width) == denoised.shape[:2]
    level = page.get_by_role("slider", name="Noise level")
    level.focus()
    level.press("ArrowRight")
    page.wait_for_url("**level=0.11**")

    def changed(_):
        page.wait_for_timeout(300)
        return not np.array_equal(noisy, pixels(page, "img.left"))

    assert any(map(changed, range(2000)))
    page.get_by_role("button", name="Table as CSV").wait_for()
    page.locator("[data-stale=true]").first.wait_for(state="detached")
