"""The Compress page in a real browser: a Chromium of the system, driven headless."""

import csv
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 90_000  # milliseconds; the first answer waits for TensorFlow on a busy machine


@pytest.fixture(scope="module")
def chromium():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        notice = f"no Chromium was found (looked for {', '.join(BROWSERS)})"
        if os.environ.get("SDAE_REQUIRE_BROWSER"):
            pytest.fail(f"Browser tests are required and {notice}.")
        pytest.skip(f"BROWSER TESTS DID NOT RUN: {notice}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with log.open("w") as output:
        app = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                "streamlit_app.py",
                "--server.headless=true",
                "--server.address=127.0.0.1",
                f"--server.port={port}",
                "--server.fileWatcherType=none",
            ],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", app, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait(20)


def _wait_until_healthy(url, app, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and app.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text()}")


@pytest.fixture
def page(chromium, address):
    """The page on a desktop."""
    with visit(chromium, address, viewport={"width": 1280, "height": 1000}) as page:
        yield page


@contextmanager
def visit(chromium, address, **options):
    """A tab on the page at 128×128, ready when the split is; it may ask nobody but the app."""
    context = chromium.new_context(accept_downloads=True, **options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(f"{address}/?size=128×128&left=Original&quality=50")
    page.locator(".compare[data-shown]").wait_for()
    try:
        yield page
    finally:
        context.close()
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
    assert errors == []


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
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:150, :200]
    waves = np.stack([np.sin(x / 19), np.cos(y / 13), np.sin((x + y) / 23)], -1)
    path = tmp_path_factory.mktemp("upload") / "photograph.png"
    Image.fromarray(
        np.uint8(np.clip(128 + 90 * waves + rng.normal(0, 5, waves.shape), 0, 255))
    ).save(path)
    return path


def shown(page) -> str:
    return page.locator(".compare").get_attribute("data-shown")


def wait_for_another(page, before):
    page.locator(f".compare[data-shown]:not([data-shown='{before}'])").wait_for()


def file_bytes(page) -> int:
    """What the bar states once the file is counted."""
    page.locator(".compare[data-counted]:not([data-counted=''])").wait_for()
    return int(page.locator(".compare [data-bytes]").inner_text().replace(",", ""))


def handle(page):
    return page.get_by_role("slider", name=re.compile("Split between"))


def split(page) -> int:
    return int(handle(page).get_attribute("aria-valuenow"))


def pixels(page, side) -> np.ndarray:
    """A picture as the browser decoded it: uint8 (H, W, 3)."""
    width, height, values = page.locator(f".compare img.{side}").evaluate(
        """picture => {
            const {naturalWidth: width, naturalHeight: height} = picture;
            const sheet = Object.assign(document.createElement('canvas'), {width, height});
            const context = sheet.getContext('2d');
            context.drawImage(picture, 0, 0);
            return [width, height, [...context.getImageData(0, 0, width, height).data]];
        }"""
    )
    return np.array(values, "uint8").reshape(height, width, 4)[..., :3]


def download(page, name) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_bytes()


def slider(page):
    return page.get_by_role("slider", name="Quality", exact=True).first


def picture_shown(page):
    """Wait until the right side is the picture of the file that the bar counts."""
    size = re.compile(f"^{file_bytes(page):,} bytes")
    page.locator(".chip-right span", has_text=size).wait_for()


def move_quality(page, quality):
    """Step the slider down to `quality` by the keyboard, and wait for the answer."""
    slider(page).focus()
    for _ in range(int(slider(page).input_value()) - quality):
        slider(page).press("ArrowLeft")
    page.locator(f".compare[data-counted='{quality}']").wait_for()
    picture_shown(page)


def test_upload_quality_download_and_open_again(page, photograph, tmp_path):
    page.get_by_role("radio", name="Original").click()
    page.locator(".compare .scale", has_text="600 × 400").wait_for()
    page.locator("input[type=file]").first.set_input_files(photograph)
    page.locator(".compare .scale", has_text="200 × 150").wait_for()
    picture_shown(page)
    original = np.asarray(Image.open(photograph))
    assert np.array_equal(pixels(page, "left"), original)

    more = file_bytes(page)
    move_quality(page, 45)
    fewer = file_bytes(page)
    assert fewer < more
    assert "quality=45" in page.url

    data = download(page, "Download .sdae")
    assert len(data) == fewer
    restored = pixels(page, "right")
    png = np.asarray(Image.open(io.BytesIO(download(page, "Restored PNG"))))
    assert np.array_equal(png, restored)
    assert restored.shape == original.shape and not np.array_equal(restored, original)

    kept = tmp_path / "photograph.sdae"
    kept.write_bytes(data)
    page.reload()
    page.locator(".compare[data-shown]").wait_for()
    page.locator("input[type=file]").first.set_input_files(kept)
    page.get_by_text("What the file says of itself").wait_for()
    page.locator(".compare.single[data-shown]").wait_for()
    assert np.array_equal(pixels(page, "right"), restored)
    again = np.asarray(Image.open(io.BytesIO(download(page, "Restored PNG"))))
    assert np.array_equal(again, restored)

    page.get_by_role("button", name="Remove photograph.sdae").click()
    page.locator(".compare .chip-left", has_text="Original").wait_for()
    assert slider(page).input_value() == "45"


def test_many_pictures_to_a_zip_file(page, photograph, codec):
    page.get_by_role("tab", name="Many pictures").click()
    small = io.BytesIO()
    Image.open(photograph).crop((0, 0, 64, 48)).save(small, "JPEG")
    page.locator("input[type=file]").last.set_input_files(
        [
            {"name": photograph.name, "mimeType": "image/png", "buffer": photograph.read_bytes()},
            {"name": "photograph.jpg", "mimeType": "image/jpeg", "buffer": small.getvalue()},
        ]
    )
    page.get_by_test_id("stDataFrame").wait_for()
    whole = download(page, "Download ZIP")
    listing = download(page, "Table as CSV")
    assert "tab=Many" in page.url
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.namelist() == ["photograph.sdae", "photograph-2.sdae", "table.csv"]
        assert archive.read("photograph.sdae") == codec.compress(photograph)
        assert archive.read("photograph-2.sdae") == codec.compress(small.getvalue())
        assert archive.read("table.csv") == listing
    first, second = csv.DictReader(listing.decode().splitlines())
    assert (first["width"], second["width"]) == ("200", "64")
    assert int(second["upload_bytes"]) == len(small.getvalue())
    page.get_by_role("tab", name="One picture").click()
    page.locator(".compare[data-shown]").wait_for()


def test_the_split_follows_mouse_and_keys_and_outlives_a_quality_move(page):
    assert split(page) == 50
    grip = handle(page).bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=5)
    page.mouse.up()
    width = page.locator(".compare .stage").bounding_box()["width"]
    assert split(page) == pytest.approx(50 + 100 * 100 / width, abs=1)

    handle(page).focus()
    for key, place in [
        ("Home", 0),
        ("ArrowRight", 1),
        ("Shift+ArrowRight", 11),
        ("End", 100),
        ("ArrowLeft", 99),
        ("PageDown", 89),
    ]:
        page.keyboard.press(key)
        assert split(page) == place

    page.get_by_role("button", name="2:1").click()
    page.get_by_role("button", name="Error map").click()
    move_quality(page, 48)
    assert split(page) == 89
    assert page.get_by_role("button", name="2:1").get_attribute("aria-pressed") == "true"
    assert page.locator(".compare .stage").bounding_box()["width"] == 256
    assert page.locator("canvas.error").is_visible()


def test_zoom_is_by_nearest_neighbour_and_pans(page):
    page.get_by_role("radio", name="Original").click()
    page.locator(".compare .scale", has_text="600 × 400").wait_for()
    page.get_by_role("button", name="4:1").click()
    assert page.locator(".compare .stage").evaluate("node => node.style.width") == "2400px"
    assert (
        page.locator(".compare img.right").evaluate("node => getComputedStyle(node).imageRendering")
        == "pixelated"
    )
    box = page.locator(".compare .scroll").bounding_box()
    scroll = page.locator(".compare .scroll")
    before = scroll.evaluate("node => node.scrollLeft")
    assert before > 0  # zooming keeps the middle in the middle
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 80, steps=4)
    page.mouse.up()
    assert scroll.evaluate("node => node.scrollLeft") == before + 60
    assert split(page) == 50


def test_the_error_map_shows_the_largest_channel_difference(page):
    page.get_by_role("button", name="Error map").click()
    canvas = page.locator("canvas.error")
    canvas.wait_for()
    shape, values = canvas.evaluate(
        """sheet => {
            const {width, height} = sheet;
            const data = sheet.getContext('2d').getImageData(0, 0, width, height).data;
            return [[height, width, 4], [...data]];
        }"""
    )
    drawn = np.array(values).reshape(shape)[..., :3].astype(int)
    left, right = pixels(page, "left").astype(int), pixels(page, "right").astype(int)
    worst = np.minimum(np.abs(left - right).max(-1), 32)
    # One colour for each difference, and brighter for larger ones.
    colours = {level: drawn[worst == level] for level in np.unique(worst)}
    assert len(colours) > 5
    assert all((rows == rows[0]).all() for rows in colours.values())
    brightness = [rows[0].sum() for _, rows in sorted(colours.items())]
    assert brightness == sorted(brightness)
    page.get_by_role("button", name="Error map").click()
    canvas.wait_for(state="hidden")


def test_any_codec_can_stand_on_either_side_and_the_url_keeps_it(page):
    before = shown(page)
    page.get_by_label("Right picture").select_option("WebP")
    wait_for_another(page, before)
    page.get_by_label("Left picture").select_option("SDAE")
    page.locator(".chip-left", has_text="dB").wait_for()
    page.wait_for_url(re.compile("left=SDAE"))
    assert "right=WebP" in page.url
    assert "WebP reaches" in page.locator(".compare .point").inner_text()
    peer = shown(page)
    page.reload()
    page.locator(".compare[data-shown='" + peer + "']").wait_for()
    assert page.get_by_label("Left picture").input_value() == "SDAE"


def test_estimates_follow_the_thumb_and_the_count_follows_when_it_rests(page):
    """With the hand on the slider nothing is asked of the server, so nothing can be late."""
    box = page.locator(".compare")
    box.evaluate("""box => { window.seen = [];
        const bytes = box.querySelector('[data-bytes]'), input = box.querySelector('input');
        input.addEventListener('input', () => {
            const begun = performance.now(), quality = input.value;
            requestAnimationFrame(() => seen.push(
                [Number(quality), bytes.textContent, performance.now() - begun]));
        }); }""")
    page.wait_for_timeout(500)
    for _ in range(240):  # until the estimates are there
        slider(page).press("ArrowRight")
        if "≈" in page.locator("[data-bytes]").inner_text():
            break
        page.wait_for_timeout(500)
    page.evaluate("seen.length = 0")
    place = slider(page).bounding_box()
    y = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + 0.5 * place["width"], y)
    page.mouse.down()
    for share in (0.45, 0.4, 0.35, 0.3, 0.25):
        page.mouse.move(place["x"] + share * place["width"], y)
    rows = page.evaluate("seen")
    page.mouse.up()
    assert len(rows) >= 4
    sizes = [int(text.replace("≈ ", "").replace(",", "")) for _, text, _ in rows]
    assert all(text.startswith("≈ ") for _, text, _ in rows)
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1]
    quality = slider(page).input_value()
    page.locator(f".compare[data-counted='{quality}']").wait_for()
    assert file_bytes(page) == pytest.approx(sizes[-1], rel=0.15)


def test_an_answer_to_an_older_value_does_not_move_the_slider_back(page):
    """Each move rests long enough to be asked for, and the next comes before it is answered."""
    moves = [30, 41, 52, 63, 74, 85, 33, 66]
    slider(page).evaluate(
        """async (input, moves) => {
            window.jumps = [];
            let wanted = Number(input.value);
            const watch = () => {
                if (Number(input.value) !== wanted) jumps.push([wanted, Number(input.value)]);
                requestAnimationFrame(watch);
            };
            watch();
            for (wanted of moves) {
                input.value = wanted;
                input.dispatchEvent(new Event('input', {bubbles: true}));
                await new Promise(done => setTimeout(done, 250));
            } }""",
        moves,
    )
    page.locator(f".compare[data-counted='{moves[-1]}']").wait_for()
    assert page.evaluate("jumps") == []
    assert slider(page).input_value() == str(moves[-1])


def test_the_wheel_zooms_to_8_to_1_around_the_pointer(page):
    scroll = page.locator(".compare .scroll")
    box = scroll.bounding_box()
    x, y = box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    place = """(node, [x, y]) => { const {left, top, width, height} = node.getBoundingClientRect();
               return [(x - left) / width, (y - top) / height]; }"""
    stage = page.locator(".compare .stage")
    page.mouse.wheel(0, -300)
    page.locator(".compare .pannable, .compare.pannable").first.wait_for()
    before = stage.evaluate(place, [x, y])
    page.mouse.wheel(0, -3000)
    page.locator(".compare .scale", has_text="800 %").wait_for()
    assert stage.evaluate(place, [x, y]) == pytest.approx(before, abs=0.01)
    page.mouse.wheel(0, 9000)
    page.locator("[data-zoom=fit][aria-pressed=true]").wait_for()


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_slider_numbers_and_picture_are_in_sight_without_scrolling(tab, width, height):
    page = tab("", viewport={"width": width, "height": height})
    page.locator(".compare[data-shown]").wait_for()
    for part in (".compare .bar", ".compare .view"):
        place = page.locator(part).bounding_box()
        assert place["y"] >= 0 and place["y"] + place["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_two_fingers_zoom_on_a_phone(chromium, address):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with visit(chromium, address, **phone) as page:
        page.locator(".compare .scroll").scroll_into_view_if_needed()
        box = page.locator(".compare .scroll").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        width = page.locator(".compare .stage").bounding_box()["width"]
        touch = page.context.new_cdp_session(page)
        for kind, gap in [("Start", 30), ("Move", 40), ("Move", 60), ("End", None)]:
            points = [] if gap is None else [{"x": x + side * gap, "y": y} for side in (-1, 1)]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        page.locator(".compare .pannable, .compare.pannable").first.wait_for()
        zoomed = page.locator(".compare .stage").bounding_box()["width"]
        assert zoomed == pytest.approx(2 * width, rel=0.05)


def test_the_split_follows_a_finger_on_a_phone(chromium, address):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with visit(chromium, address, **phone) as page:
        handle(page).scroll_into_view_if_needed()
        grip = handle(page).bounding_box()
        x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
        touch = page.context.new_cdp_session(page)
        for kind, to in [("Start", x), ("Move", x - 20), ("Move", x - 60), ("End", None)]:
            points = [] if to is None else [{"x": to, "y": y}]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        width = page.locator(".compare .stage").bounding_box()["width"]
        assert split(page) == pytest.approx(50 - 60 * 100 / width, abs=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_bar_floats_over_the_page_while_a_large_picture_is_compressed(tab, tmp_path):
    """On a fast machine as well: this picture takes seconds on any."""
    page = tab("")
    page.locator(".compare[data-shown]").wait_for()
    seed = np.random.default_rng(3).integers(0, 256, (75, 100, 3), dtype="uint8")
    Image.fromarray(seed).resize((1100, 900), Image.Resampling.BICUBIC).save(tmp_path / "large.png")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "large.png")
    bar = page.locator(".st-key-late-bar")
    page.locator(".compare .scale", has_text="1100 × 900").wait_for()  # at once, before the answer
    bar.wait_for()
    split = page.locator(".compare .view").bounding_box()
    assert re.fullmatch(r"(Compressing|Restoring), \d+%", bar.inner_text().strip())
    assert bar.evaluate("e => getComputedStyle(e).position") == "fixed"
    picture_shown(page)
    bar.wait_for(state="detached")
    assert page.locator(".compare .view").bounding_box() == split
