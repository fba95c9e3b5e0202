"""The Inside page, without a browser: every view shows what the codec gives, and none needs Keras."""

import base64
import html
import io
import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import numpy as np
import on_pages
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.inside import (
    bits,
    experiments,
    facts,
    questions,
    screens,
    share,
    touch,
    training,
    worksheet,
)
from pages.inside.squares import cut, framed, squared_error
from pages.inside.texts import NAMES, STEPS
from pages.shared import comparison, engine
from sdae.measuring import metrics
from sdae.pictures import noise, reading

codec = on_pages.codec
pytestmark = pytest.mark.usefixtures("codec")
ROOT = Path(__file__).parents[1]
VIEWS = [(step, view) for step, views in screens.SCREENS.items() for view in views]
QUALITY = 40


def picture(width=64, height=48) -> np.ndarray:
    """A smooth picture, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.uint8(128 + 90 * np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1))


def png(rgb: np.ndarray) -> bytes:
    return on_pages.encoded("PNG", rgb)


def page(**params) -> AppTest:
    return on_pages.app("inside", **{"quality": str(QUALITY), "source": "Camera"} | params)


def upload(at: AppTest, data: bytes, name="own.png") -> AppTest:
    at.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return at.run()


@pytest.fixture(scope="module")
def shown(codec):
    """The picture of a lesson, as the page has it."""
    rgb = picture()
    result = comparison.compress(codec, rgb, quality=QUALITY)
    prepared = engine.Prepared(rgb, result.png, "shown", (64, 48), ())
    return experiments.Subject(codec, prepared, QUALITY, result, codec.unpack(result.data))


@pytest.fixture(scope="module")
def at(codec):
    """The page with a photograph of one's own; tests share it and go where they want."""
    return upload(page(), png(picture()))


def show(at: AppTest, step: str, view: str = "", **widgets) -> AppTest:
    for name in NAMES:
        at.query_params.pop(name.lower(), None)  # where a screen was left
    wanted = {"step": step, f"answered-{NAMES.index(step)}": (), **widgets}
    for key, value in (wanted | ({step.lower(): view} if view else {})).items():
        at.session_state[key] = value
    at.run()
    assert not at.exception and not at.error
    return at


def components(at: AppTest) -> list:
    """What the components of the screen are sent: SVG pictures, and maps of squares."""
    return [json.loads(element.proto.json) for element in at.get("bidi_component")]


def drawings(at: AppTest) -> list[str]:
    return [sent for sent in components(at) if isinstance(sent, str)]


def plates(at: AppTest) -> list[tuple[np.ndarray, str, str]]:
    """The pictures of the screen: pixels, alt text and caption."""
    form = r"base64,([^']+)' alt='([^']*)'><figcaption>([^<]*)</figcaption>"
    return [
        (reading.read(base64.b64decode(data)).rgb, alt, caption)
        for element in at.get("html")
        for data, alt, caption in re.findall(form, element.body)
    ]


def words(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.header))


def test_the_seven_steps_have_their_texts_and_views():
    assert list(NAMES) == list(screens.SCREENS) and len(questions.QUESTIONS) == len(STEPS) == 7
    for step in STEPS:
        assert "$$" in step.formula and step.sources.startswith("- ")
        assert len(step.exercises) == 3 and all(len(answer) > 40 for _, answer in step.exercises)


@pytest.mark.parametrize("step, view", VIEWS)
def test_every_view_has_words_for_its_pictures_and_things_to_take_home(at, step, view):
    show(at, step, view)
    found = STEPS[NAMES.index(step)]
    assert at.header[0].value == f"{NAMES.index(step) + 1} · {found.title}"
    assert found.lead in words(at) and at.get("download_button")
    for svg in drawings(at):
        assert re.match(r'<svg [^>]*role="img" aria-label="[^"]{20,}"', svg)
    for _, alt, caption in plates(at):
        assert len(alt) > 8 and caption
    for chart in at.get("plotly_chart"):
        assert len(chart.proto.alt) > 30


def test_the_whole_lesson_is_walked_without_tensorflow():
    walk = (
        "import sys; sys.path[:0] = ['tests', '.']\n"
        "from test_inside import page, picture, png, show, upload, VIEWS, training\n"
        "training.PAUSE, training.FRAMES = 0, 2\n"
        "at = upload(page(), png(picture()))\n"
        "for step, view in VIEWS: show(at, step, view)\n"
        "show(at, 'Training').button(key='train').click().run()\n"
        "assert not at.exception\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", walk], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("rgb", [np.full((1, 1, 3), 9, "uint8"), np.zeros((24, 16, 3), "uint8")])
def test_a_single_pixel_and_a_black_picture_can_be_looked_into(rgb):
    at = upload(page(), png(rgb))
    for step, view in VIEWS:
        if step != "Limits":  # which does not look at it
            show(at, step, view)


def test_the_views_of_a_step_wait_for_a_guess(codec):
    at = upload(page(), png(picture()))
    assert not plates(at) and any("How much of that" in m.value for m in at.markdown)
    at.slider(key="guess-0").set_value(10.0).run()
    at.button(key="show-0").click().run()
    size = len(codec.compress(picture(), quality=QUALITY))
    share = 100 * size / picture().nbytes
    assert f"{share:.1f} %: {size:,} bytes" in at.success[0].value
    assert f"{abs(10 - share):.3g} too {'high' if share < 10 else 'low'}" in at.success[0].value
    assert plates(at)
    at.button(key="next").click().run()
    at.button(key="skip-1").click().run()
    assert not at.success and drawings(at)


@pytest.mark.parametrize("number", range(7))
def test_every_question_has_a_measured_answer(shown, number):
    question = questions.QUESTIONS[number]
    value, sentence = question.answer(shown)
    assert question.text.format(shown=shown).endswith("?") and sentence.endswith(".")
    assert value >= 0 and any(c.isdigit() for c in sentence)
    assert "as the slider" in questions.verdict(question, value, value)
    assert "too high" in questions.verdict(question, value + 9, value)


def test_a_link_opens_the_view_it_names_and_wrong_ones_the_first():
    at = page(step="Units", units="The two networks", source="Samples", sample="Cat")
    assert not at.exception and "The network from" in drawings(at)[0]
    at = page(step="Nothing")
    assert at.header[0].value.startswith("1 · ") and "camera" in at.info[0].value


def test_the_worksheet_asks_about_the_square_and_answers_nothing(shown):
    sheet = worksheet.page(shown).decode()
    assert sheet.count("<section>") == len(STEPS) and "8 × 8 pixels" in sheet
    first, square = re.findall(r"base64,([^']+)'", sheet)
    assert np.array_equal(
        reading.read(base64.b64decode(square)).rgb, cut(shown.picture.rgb, *shown.square)
    )
    for step, question in zip(STEPS, questions.QUESTIONS):
        assert html.escape(question.text.format(shown=shown)) in sheet
        assert html.escape(step.exercises[0][0]) in sheet
        assert html.escape(step.exercises[0][1]) not in sheet
        assert question.answer(shown)[1] not in sheet


def test_the_link_of_a_view_keeps_its_state_and_the_code_can_be_drawn():
    said = share.link("http://host/inside?a=b", {"step": "Latent", "square": "3,4", "carried": "1"})
    assert said == "http://host/inside?step=Latent&square=3%2C4"
    drawn = np.asarray(Image.open(io.BytesIO(share.code(said))).convert("L"))
    assert drawn.shape[0] == drawn.shape[1] and (drawn[:24] == 255).all()  # the quiet zone
    assert share.link("http://host/inside", {"x": "y" * 5000}) == "http://host/inside"


def test_one_square_is_followed_through_the_steps(codec):
    rgb, latent = picture(), codec.encode(picture(), quality=QUALITY)
    spent = bits.spent(codec, latent)
    restored = np.asarray(codec.decode(latent))
    at = upload(page(square="5,2"), png(rgb))
    show(at, "Pipeline")
    assert components(at)[0]["square"] == [5, 2]
    pixels, _, _, again = (found for found, _, _ in plates(at))
    assert np.array_equal(pixels, rgb[16:24, 40:48])
    assert np.array_equal(again, restored[16:24, 40:48])
    taken, used = spent[2, 5].sum(), np.count_nonzero(latent.values[2, 5])
    captions = " ".join(caption for _, _, caption in plates(at))
    assert f"{taken:.0f} bits" in captions and f"{used} of them not zero" in captions
    show(at, "Latent", "Touch a square")
    assert f"Square 6 across, 3 down: {used} of {codec.tables.channels} integers" in words(at)
    traces = json.loads(at.get("plotly_chart")[0].proto.spec)["data"]
    totals = [sum(map(abs, trace["y"])) for trace in traces if trace["type"] == "bar"]
    assert totals == pytest.approx([np.abs(latent.values[2, 5]).sum(), taken])
    show(at, "Bytes", "Deflate")
    line = facts.line(latent, at.number_input[0].value - 1, 2)
    assert all(f"has code {code}" in drawings(at)[0] for code in line.code.values())


@pytest.mark.parametrize("link", ["99,0", "0,99", "a,b", "9" * 30 + ",0"])
def test_a_link_to_no_square_shows_the_one_with_most_integers(codec, link):
    at = show(upload(page(square=link), png(picture())), "Pipeline")
    used = np.count_nonzero(codec.encode(picture(), quality=QUALITY).values, axis=2)
    row, column = np.unravel_index(used.argmax(), used.shape)
    assert components(at)[0]["square"] == [column, row]


def test_the_compress_page_leads_to_the_squares_of_its_picture(codec):
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=600)
    at.query_params["quality"] = str(QUALITY)
    at = upload(at.run(), png(picture()))
    link = dict(urllib.parse.parse_qsl(at.get("page_link")[-1].proto.query_string))
    view = {"step": "Latent", "latent": "Touch a square"}
    assert link == view | {"quality": f"{QUALITY}", "carried": "1"}
    kept = at.session_state["carried"]
    at = AppTest.from_file(str(ROOT / "pages" / "inside" / "page.py"), default_timeout=600)
    at.session_state["carried"] = kept
    at.query_params.update(link)
    at.run()
    assert not at.exception and components(at)[0]["width"] == 64
    next(b for b in at.button if b.label == "Take another picture").click().run()
    assert not at.exception and components(at)[0]["width"] > 64


def test_a_filter_of_the_first_convolution_is_its_sum_of_products(at, codec):
    at.query_params["square"] = "2,1"
    show(at, "Units", "A convolution", filter=3)
    first = facts.first_convolution(codec, picture(), QUALITY)
    value = first.maps[11, 19, 2]
    whole = (first.window(11, 19) * first.kernel[..., 2]).sum() + first.bias[2]
    assert whole == pytest.approx(value, abs=1e-4)
    assert f"together **{value:.2f}**" in words(at) and "Weights" in drawings(at)[0]


def test_the_networks_are_drawn(at, codec):
    show(at, "Units", "The two networks")
    assert "latent with" in drawings(at)[0]
    assert f"{codec.card['parameters']:,} trained parameters" in words(at)


def test_channels_are_kept_by_the_slider(at, codec):
    rgb, latent = picture(), codec.encode(picture(), quality=QUALITY)
    show(at, "Latent", "Channels", kept=2)
    part = np.asarray(codec.decode(facts.only(latent, facts.order(codec, latent)[:2])))
    assert f"First 2 · {metrics.psnr(rgb, part):.2f} dB" in plates(at)[0][2]


def test_the_ledger_ends_in_the_file(shown):
    sizes = [row.values[0] for row in screens.ledger_rows(shown)]
    assert sizes[0] == picture().nbytes and sizes[1] == shown.latent.values.size
    assert sizes[3] == round(facts.entropy(shown.latent.values).sum())
    assert sizes[5] == shown.result.file_bytes
    assert sizes[5] - sizes[4] == experiments.header_bytes(shown.result.data)


def test_noise_is_kept_by_one_file_and_removed_before_the_other(at, codec):
    show(at, "Noise", sigma=0.2)
    noisy = noise.add(picture(), 0.2)
    for plate, level in zip(plates(at)[1:3], (0.0, 0.2)):
        data = codec.pack(codec.encode(noisy, quality=QUALITY, sigma=level))
        assert f"{len(data):,} bytes" in plate[2]


def test_a_visitor_trains_an_autoencoder_that_stays(at, monkeypatch):
    monkeypatch.setattr(training, "PAUSE", 0)
    monkeypatch.setattr(training, "FRAMES", 3)
    show(at, "Training", numbers=4)
    at.button(key="train").click().run()
    assert not at.exception
    _, model = at.session_state["trained"]
    assert len(model.losses) == 4 and model.losses[-1] < model.losses[0]
    show(at, "Training")
    assert f"4 numbers a square, {3 * training.STEPS} steps" in plates(at)[-1][2]


def test_a_large_photograph_is_scaled_down_and_says_so():
    at = upload(page(), png(np.repeat(np.repeat(picture(), 16, 0), 8, 1)))
    assert not at.exception and "scaled down from 512 × 768" in words(at)
    width, height = map(int, re.search(r"(\d+) × (\d+) pixels", words(at)).groups())
    assert width * height <= experiments.PIXELS


def test_a_sdae_file_opens_and_rubbish_is_refused_in_a_sentence(codec):
    data = codec.compress(picture(), quality=50)
    at = show(upload(page(), data, "own.sdae"), "Pipeline")
    assert components(at)[0]["width"] == 64
    at = upload(page(), b"no picture at all", "**bad**.png")
    assert not at.exception
    assert at.error[0].value.startswith("`**bad**.png`: ") and at.error[0].value.endswith(".")


def test_squares_are_cut_and_framed_at_every_edge():
    rgb = np.random.default_rng(3).integers(0, 255, (40, 52, 3)).astype("uint8")
    for column, row in ((0, 0), (6, 4), (3, 2), (6, 0)):
        place = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8)
        assert np.array_equal(cut(rgb, column, row), rgb[place])
        assert np.array_equal(framed(rgb, column, row)[place], rgb[place])
        assert (framed(rgb, column, row) != rgb).any()
    assert squared_error(rgb, rgb, 3, 2) == 0 < squared_error(rgb, 255 - rgb, 3, 2)
    heat = touch.heat(np.array([[0.0, 10, 99], [5, 10, 0], [0, 0, 10]]), 10, rgb[:20, :20])
    assert heat.shape == (20, 20, 3) and heat[0, 0].max() < 5
    assert touch.busiest(np.r_[np.ones(90), 9 * np.ones(10)]) == 50
