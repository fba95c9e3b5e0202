"""The Inside page, without a browser: every screen shows what the codec gives."""

import base64
import io
import json
import re
import urllib.parse
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.inside import (
    blind,
    diagrams,
    experiments,
    facts,
    limits,
    projector,
    questions,
    screens,
    touch,
    training,
    views,
)
from pages.inside.keras_model import keras_model
from pages.inside.texts import STEPS
from pages.shared import engine, figures
from sdae.measuring import bit_allocation, comparison, metrics
from sdae.measuring.peers import PEERS
from sdae.pictures import noise, reading

ROOT = Path(__file__).parents[1]
NAMES = [step.name for step in STEPS]
VIEWS = {step: views or (None,) for step, views in views.VIEWS.items()}
SCREENS = [(step, view) for step, views in VIEWS.items() for view in views]
QUALITY = 40


def picture(width=64, height=48) -> np.ndarray:
    """A smooth picture, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.uint8(128 + 90 * np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1))


def png(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def page(**params) -> AppTest:
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.switch_page("pages/inside/page.py")
    at.query_params.update({"quality": str(QUALITY), "source": "Camera"} | params)
    return at.run()


def upload(at: AppTest, data: bytes, name="own.png") -> AppTest:
    at.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return at.run()


@pytest.fixture(scope="module")
def at():
    """The page with a photograph of one's own; tests share it and go where they want."""
    return upload(page(), png(picture()))


def show(at: AppTest, step: str, view: str | None = None, **widgets) -> AppTest:
    for key in VIEWS:
        at.query_params.pop(key.lower(), None)  # where a screen was left
    wanted = {"step": step, **widgets} | ({step.lower(): view} if view else {})
    for key, value in wanted.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception and not at.error
    return at


def drawings(at: AppTest) -> list[str]:
    """The SVG pictures of the screen."""
    found = [element.proto.json for element in at.get("bidi_component")]
    found = [json.loads(text) for text in found]
    return [d["svg"] if isinstance(d, dict) and "svg" in d else d for d in found]


def plates(at: AppTest) -> list[tuple[np.ndarray, str, str]]:
    """The pictures of the screen: pixels, alt text and caption."""
    found = []
    for html in at.get("html"):
        for data, alt, caption in re.findall(
            r"base64,([^']+)' alt='([^']*)'><figcaption>([^<]*)</figcaption>", html.body
        ):
            found.append((reading.read(base64.b64decode(data)).rgb, alt, caption))
    return found


def charts(at: AppTest) -> list:
    return [chart.proto for chart in at.get("plotly_chart")]


def words(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.header))


def test_the_seven_steps_have_their_texts():
    assert NAMES == list(VIEWS) and len(screens.SCREENS) == len(STEPS) == 7
    for step in STEPS:
        assert "$$" in step.formula and step.sources and len(step.exercises) == 3
        assert all(e.question.endswith(("?", ".")) and len(e.answer) > 40 for e in step.exercises)


@pytest.mark.parametrize("step, view", SCREENS)
def test_every_screen_is_told_to_those_who_cannot_see_it_and_can_be_taken_home(at, step, view):
    show(at, step, view)
    number = NAMES.index(step)
    assert at.header[0].value == f"{number + 1} · {STEPS[number].title}"
    assert STEPS[number].lead in words(at)
    groups = sum(
        "sdae-plates'" in h.body or 'class="sdae-plates"' in h.body for h in at.get("html")
    )
    tables = sum("sdae-ledger'" in h.body for h in at.get("html"))
    figures = (
        sum(isinstance(drawn, str) for drawn in drawings(at)) + len(charts(at)) + groups + tables
    )
    assert figures == len(at.get("download_button")) >= 1
    for svg in filter(lambda drawn: isinstance(drawn, str), drawings(at)):
        assert re.match(r'<svg [^>]*role="img" aria-label="[^"]{20,}"', svg)
    for _, alt, caption in plates(at):
        assert len(alt) > 8 and caption
    for chart in charts(at):
        assert len(chart.alt) > 30


@pytest.mark.parametrize("step", NAMES)
def test_the_answers_of_the_exercises_are_hidden(at, step):
    show(at, step)
    folded = {box.label: box for box in at.expander}
    assert list(folded) == [
        "Formula and sources",
        "Teacher's notes: three exercises",
        "Answer 1",
        "Answer 2",
        "Answer 3",
    ]
    assert not any(box.proto.expanded for box in at.expander)
    found = STEPS[NAMES.index(step)]
    for number, exercise in enumerate(found.exercises, 1):
        assert [m.value for m in folded[f"Answer {number}"].markdown] == [exercise.answer]
    assert found.formula.strip() in folded["Formula and sources"].markdown[0].value


def test_a_link_opens_the_screen_it_names_and_wrong_ones_the_first():
    at = page(step="Units", units="Sub-pixel", source="Samples", sample="Cat")
    assert not at.exception and at.header[0].value.startswith("2 · ")
    assert len(drawings(at)) == 2 and "Upper left" in drawings(at)[0]
    at = page(step="Nothing")
    assert at.header[0].value.startswith("1 · ") and "camera" in at.info[0].value


@pytest.mark.parametrize(
    "number, guess",
    [
        (0, 10.0),
        (3, 4.0),
    ],
)
def test_the_answer_comes_after_the_guess_and_a_click(codec, number, guess):
    at = show(upload(page(), png(picture())), NAMES[number])
    assert not any(m.value.startswith("### ") for m in at.markdown)
    at.slider(key=f"guess-{number}").set_value(guess).run()
    assert not any(m.value.startswith("### ") for m in at.markdown)
    at.button(key=f"show-{number}").click().run()
    (answer,) = [m.value for m in at.markdown if m.value.startswith("### ")]
    size = len(codec.compress(picture(), QUALITY))
    value = {0: 100 * size / picture().nbytes, 3: 8 * size / (48 * codec.tables.channels)}[number]
    assert f"{size:,} bytes" in answer and f"{value:.1f}" in answer
    (verdict,) = [c.value for c in at.caption if c.value.startswith("Your guess")]
    assert f"{abs(guess - value):.3g} too {'high' if guess > value else 'low'}" in verdict


@pytest.mark.parametrize("number", range(7))
def test_every_question_has_a_measured_answer(codec, number):
    rgb = picture()
    result = comparison.compress(codec, rgb, QUALITY)
    prepared = engine.Prepared(rgb, result.png, f"question {number}", (64, 48), ())
    shown = experiments.Subject(codec, prepared, QUALITY, result, codec.unpack(result.data))
    question = questions.QUESTIONS[number]
    found = question.answer(shown)
    assert question.text(shown).endswith("?") and found.sentence.endswith(".")
    if question.choices:
        assert found.value in question.choices
        assert questions.verdict(question, found.value, found).endswith("Right.")
    else:
        assert question.low <= found.value and any(c.isdigit() for c in found.sentence)
        assert "as the slider" in questions.verdict(question, found.value, found)
        assert "too high" in questions.verdict(question, found.value + 9, found)
    assert questions.verdict(question, None, found) == "Nothing was guessed."


def test_a_changed_pixel_reaches_its_own_square_and_not_the_whole_picture(codec):
    rgb = picture(160, 160)
    changed = facts.reach(codec, rgb, 75)
    assert changed[10, 10] > 0 and 1 < np.count_nonzero(changed) < changed.size / 2


def test_arrow_keys_walk_through_every_view_of_every_step():
    place, seen = ("Pipeline", "The whole way"), []
    while not seen or place != seen[-1]:
        seen.append(place)
        place = projector.neighbour(*place, 1)
    assert seen == SCREENS
    assert projector.neighbour("Pipeline", "The whole way", -1) == ("Pipeline", "The whole way")
    assert projector.neighbour("Noise", None, -1) == ("Bytes", "Huffman")


def test_the_link_of_a_view_keeps_its_state_and_the_code_can_be_drawn():
    said = projector.link(
        "http://host/inside?a=b", {"step": "Latent", "square": "3,4", "projector": "true"}
    )
    assert said == "http://host/inside?step=Latent&square=3%2C4"
    drawn = np.asarray(Image.open(io.BytesIO(projector.code(said))).convert("L"))
    assert drawn.shape[0] == drawn.shape[1] and set(np.unique(drawn)) == {0, 255}
    assert (drawn[:24] == 255).all()  # the quiet zone of four modules
    assert projector.link("http://host/inside", {"x": "y" * 5000}) == "http://host/inside"


def test_the_projector_shows_the_same_view_in_large_type(at):
    show(at, "Latent", "Channels")
    before = len(plates(at))
    at.toggle(key="projector").set_value(True).run()
    assert not at.exception and len(plates(at)) == before
    assert any("font-size: 150%" in html.body for html in at.get("html"))
    at.toggle(key="projector").set_value(False).run()
    assert not any("font-size: 150%" in html.body for html in at.get("html"))


def test_next_and_back_walk_through_the_steps(at):
    show(at, NAMES[0])
    seen = []
    while True:
        seen.append(at.header[0].value[0])
        back, forth = (next(b for b in at.button if b.label == name) for name in ("Back", "Next"))
        assert back.disabled == (len(seen) == 1)
        if forth.disabled:
            break
        forth.click().run()
        assert not at.exception
    assert seen == list("1234567")
    next(b for b in at.button if b.label == "Back").click().run()
    assert at.header[0].value.startswith("6")


def test_the_pipeline_says_the_bytes_of_this_picture(at, codec):
    show(at, "Pipeline", "The whole way")
    rgb = picture()
    data = codec.compress(rgb, QUALITY)
    (svg,) = drawings(at)
    header = experiments.header_bytes(data)
    c = codec.tables.channels
    for said in (
        f"{rgb.nbytes:,} bytes",
        f"{len(data):,} bytes",
        f"48 × 64 × 3 → 6 × 8 × {c}",
        f"{48 * c:,} → {len(data) - header:,} bytes",
    ):
        assert said in svg
    restored = np.asarray(codec.decompress(data))
    assert np.array_equal(plates(at)[0][0], rgb)
    assert any(np.array_equal(found, restored) for found, _, _ in plates(at))


def test_each_box_of_the_pipeline_has_its_sentence_and_its_bytes(at, codec):
    show(at, "Pipeline", "The whole way")
    (sent,) = [json.loads(element.proto.json) for element in at.get("bidi_component")]
    boxes = re.findall(r'<g data-station="(\d)">(.*?)</g>', sent["svg"])
    assert [int(number) for number, _ in boxes] == list(range(len(sent["sentences"])))
    for (_, box), (name, sentence, size) in zip(boxes, sent["sentences"]):
        assert f">{name}</text>" in box and f">{size}</text>" in box and sentence.endswith(".")


def test_ten_picks_are_counted_against_both_measures(at):
    show(at, "Pipeline", "Which is which?")
    names = []
    for number in range(1, blind.ROUNDS + 1):
        assert any(f"Round {number} of {blind.ROUNDS}" in m.value for m in at.markdown)
        state = at.session_state["blind"]
        names.append(blind.drawn(state["seed"], number - 1))
        captions = [caption for _, _, caption in plates(at)]
        assert captions == ["A", "Original", "B"]
        at.button(key="blind-A").click().run()
        assert not at.exception and not at.error
    picks = at.session_state["blind"]["picks"]
    assert [pick.ours for pick in picks] == [lot.left for lot in names]
    assert blind.tally(picks) in words(at)
    at.button(key="blind-again").click().run()
    assert not at.session_state["blind"]["picks"]


def test_a_pick_names_what_was_closer():
    picks = [
        blind.Pick(True, True, False),
        blind.Pick(True, False, False),
        blind.Pick(False, False, True),
    ]
    assert blind.tally(picks) == (
        "SDAE was picked 2 of 3 times. PSNR agrees with 2 of the picks, SSIM with 0."
    )
    lots = [blind.drawn(7, number) for number in range(200)]
    assert lots == [blind.drawn(7, number) for number in range(200)]
    assert {lot.peer for lot in lots} == set(PEERS) and 60 < sum(lot.left for lot in lots) < 140


def test_the_architecture_has_every_layer_of_the_keras_model(at, codec):
    show(at, "Pipeline", "The two networks")
    (svg,) = drawings(at)
    for transform in (keras_model(codec).analysis, keras_model(codec).synthesis):
        names = [layer.name for layer in transform.units]
        for kind, count in Counter(name.split("_")[0] for name in names).items():
            run = f">{kind} × {count}</text>" in svg
            assert run or all(f">{n}</text>" in svg for n in names if n.startswith(kind))
    trained = keras_model(codec).parameters()
    assert f"{trained:,} trained parameters" in words(at)


def test_units_are_drawn_with_their_parameters(at, codec):
    show(at, "Units", "Units", encoder_layer="down_1", decoder_layer="block_0")
    down = facts.units(keras_model(codec).analysis)[1]
    assert all(f"{part.parameters:,} parameters" in drawings(at)[0] for part in down.parts)
    assert "added to the result" in drawings(at)[1]


def test_channels_are_kept_and_switched_off_by_the_sliders(at, codec):
    rgb = picture()
    latent = codec.encode(rgb, QUALITY)
    order = facts.order(codec, latent)
    show(at, "Latent", "First channels only", kept=2)
    part = np.asarray(codec.decode(facts.only(latent, order[:2])))
    found, _, caption = plates(at)[0]
    assert np.array_equal(found, part) and f"{metrics.psnr(rgb, part):.2f} dB" in caption
    show(at, "Latent", "One channel off", off=3)
    part = np.asarray(codec.decode(facts.without(latent, int(order[2]))))
    assert np.array_equal(plates(at)[0][0], part)
    show(at, "Latent", "Coarser or finer", rounding=8.0)
    _, part = facts.requantised(codec, rgb, QUALITY, 8.0)
    assert np.array_equal(plates(at)[1][0], part)


def maps(at: AppTest) -> dict:
    """What the component of the map of squares is sent."""
    (found,) = [d for d in drawings(at) if isinstance(d, dict) and "panels" in d]
    return found


def test_a_square_is_touched_in_the_link(at, codec):
    rgb, latent = picture(), codec.encode(picture(), QUALITY)
    account = bit_allocation.of_latent(codec, latent)
    at.query_params["square"] = "5,2"
    show(at, "Latent", "Touch a square")
    assert maps(at)["square"] == [5, 2]
    bits, used = account.squares[2, 5], np.count_nonzero(latent.values[2, 5])
    said = words(at)
    assert f"Square 6 across, 3 down: {used} of {codec.tables.channels} integers" in said
    assert f"all take {bits:.0f} bits" in said
    restored = np.asarray(codec.decode(latent))
    apart = rgb[16:24, 40:48].astype(float) - restored[16:24, 40:48]
    last = plates(at)[-1]
    assert last[2] == f"All {codec.tables.channels} · error {np.sqrt((apart**2).mean()):.1f}"
    shown = json.loads(charts(at)[0].spec)["data"]
    assert [sum(map(abs, trace["y"])) for trace in shown] == pytest.approx(
        [np.abs(latent.values[2, 5]).sum(), bits]
    )


@pytest.mark.parametrize("link", ["99,0", "0,99", "a,b", "9" * 30 + ",0"])
def test_a_link_to_no_square_shows_the_costliest(at, codec, link):
    account = bit_allocation.of_latent(codec, codec.encode(picture(), QUALITY))
    at.query_params["square"] = link
    show(at, "Latent", "Touch a square")
    row, column = np.unravel_index(account.squares.argmax(), account.squares.shape)
    assert maps(at)["square"] == [column, row]


def test_the_compress_page_leads_to_the_squares_of_its_picture(codec):
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.query_params["quality"] = str(QUALITY)
    at = upload(at.run(), png(picture()))
    link = dict(urllib.parse.parse_qsl(at.get("page_link")[0].proto.query_string))
    assert link == {
        "step": "Latent",
        "latent": "Touch a square",
        "quality": f"{QUALITY}",
        "carried": "1",
    }
    kept = at.session_state["carried"]
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.session_state["carried"] = kept
    at.switch_page("pages/inside/page.py")
    at.query_params.update(link)
    at.run()
    assert not at.exception and not at.error
    size = len(codec.compress(picture(), QUALITY))
    assert maps(at)["panels"][1]["label"].startswith(f"SDAE · {size:,} bytes")
    next(b for b in at.button if b.label == "Take another picture").click().run()
    assert not at.exception and maps(at)["width"] > 64


def test_both_maps_stand_on_one_scale_and_black_is_nothing():
    rgb = np.full((20, 20, 3), 255, "uint8")
    found = touch.heat(np.array([[0.0, 10, 99], [5, 10, 0], [0, 0, 10]]), 10, rgb)
    assert found.shape == rgb.shape and found[0, 0].max() < 5
    assert (found[0, 8] == found[0, 16]).all() and found[0, 8].sum() > found[8, 0].sum()
    assert touch.busiest(np.r_[np.ones(90), 9 * np.ones(10)]) == 50


def test_a_framed_square_keeps_its_pixels_at_every_edge():
    rgb = np.random.default_rng(3).integers(0, 255, (40, 52, 3)).astype("uint8")
    for column, row in ((0, 0), (6, 4), (3, 2), (6, 0)):
        found = touch.framed(rgb, column, row)
        inner = rgb[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        large = inner.repeat(6, 0).repeat(6, 1)
        views = np.lib.stride_tricks.sliding_window_view(found, large.shape)
        assert (views == large).all((-1, -2, -3)).any()


def test_the_ledger_ends_in_the_file(at, codec):
    show(at, "Bytes", "The ledger")
    (body,) = [h.body for h in at.get("html") if "<table class='sdae-ledger'" in h.body]
    sizes = [int(n.replace(",", "")) for n in re.findall(r"<td>([\d,]+) B</td>", body)]
    data = codec.compress(picture(), QUALITY)
    ideal = facts.entropy(codec.unpack(data).values).sum()
    assert sizes[0] == picture().nbytes and sizes[-1] == len(data)
    assert sizes[-1] - sizes[-2] == experiments.header_bytes(data)
    assert sizes[3] == round(ideal)


def test_the_bytes_of_the_channels_add_up_to_the_file(at, codec):
    show(at, "Bytes", "Channel by channel")
    data = codec.compress(picture(), QUALITY)
    said = at.caption[-1].value
    assert f"{len(data):,} bytes in all" in said
    figures = [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d(?= bytes|[,:])", said)]
    assert sum(figures[:-1]) == pytest.approx(len(data), abs=2)


def test_another_line_can_be_chosen_for_the_worked_example(at, codec):
    show(at, "Bytes", "Huffman")
    channel, row = at.number_input
    channel.set_value(0)
    row.set_value(1).run()
    values = codec.encode(picture(), QUALITY).values[1, :, 0]
    assert "  ".join(map(str, values.tolist())) in words(at)
    line = facts.line(codec.encode(picture(), QUALITY), 0, 1)
    for value, code in line.code.items():
        assert f"has code {code}" in drawings(at)[0] and f">{value}</text>" in drawings(at)[0]


def test_noise_goes_through_the_network_with_and_without_a_word(at, codec):
    show(at, "Noise", sigma=0.2)
    noisy = noise.add(picture(), 0.2)
    blind, told = codec.encode(noisy, QUALITY), codec.encode(noisy, QUALITY, 0.2)
    found = plates(at)
    assert np.array_equal(found[0][0], noisy)
    assert np.array_equal(found[1][0], np.asarray(codec.decode(blind)))
    assert np.array_equal(found[2][0], np.asarray(codec.decode(told)))
    assert f"{len(codec.pack(told)):,} bytes" in found[2][2]


def test_the_plane_has_the_price_of_the_chosen_quality(at, codec):
    show(at, "Training", "The price λ")
    (chart,) = charts(at)
    names = [trace["name"] for trace in json.loads(chart.spec)["data"]]
    price = keras_model(codec).config.lagrangian((QUALITY - 1) / 99)
    assert f"R + λD, λ = {price:.4g}" in names
    data = codec.compress(picture(), QUALITY)
    assert f"{8 * len(data) / picture().shape[0] / picture().shape[1]:.2f} bits" in chart.alt


def test_mean_curves_average_bits_and_squared_errors():
    rows = {
        "a": [{"setting": 10, "bytes": 100, "pixels": 800, "psnr": 20.0}],
        "b": [{"setting": 10, "bytes": 300, "pixels": 800, "psnr": 30.0}],
    }
    ((quality, rate, error),) = training.mean_curve(rows)
    assert (quality, rate) == (10, 2.0)
    assert error == pytest.approx((650.25 + 65.025) / 2)
    assert training.mean_curve({}) == []


def test_tiny_squares_are_whole_files(at, codec):
    show(at, "Limits", "Tiny sizes")
    middle = picture()[20:28, 28:36]
    size = len(codec.compress(np.ascontiguousarray(middle), QUALITY))
    assert at.table[0].value.iloc[0][".sdae file"] == f"{size:,} B"


def test_the_worst_part_is_where_the_error_is():
    original = np.zeros((100, 200, 3), "uint8")
    restored = original.copy()
    restored[70, 150] = 255
    rows, columns = limits.worst_part(original, restored)
    assert rows.start <= 70 < rows.stop and columns.start <= 150 < columns.stop


def test_a_single_pixel_can_be_looked_into():
    at = upload(page(), png(np.full((1, 1, 3), 9, "uint8")))
    for step, view in SCREENS:
        if view not in facts.EXAMPLES:
            show(at, step, view)


def test_a_black_picture_can_be_looked_into():
    at = upload(page(), png(np.zeros((24, 16, 3), "uint8")))
    for step, view in (
        ("Latent", "Channels"),
        ("Latent", "First channels only"),
        ("Bytes", "Channel by channel"),
        ("Bytes", "Huffman"),
        ("Noise", None),
    ):
        show(at, step, view)


def test_a_large_photograph_is_scaled_down_and_says_so():
    at = upload(page(), png(np.repeat(np.repeat(picture(), 16, 0), 8, 1)))
    assert not at.exception
    assert "scaled down from 512 × 768" in words(at)
    width, height = map(int, re.search(r"(\d+) × (\d+) pixels", words(at)).groups())
    assert width * height <= experiments.PIXELS


def test_a_sdae_file_can_be_looked_into_and_rubbish_is_refused_in_a_sentence(codec):
    data = codec.compress(picture(), 50)
    at = upload(page(), data, "own.sdae")
    assert not at.exception and not at.error
    assert np.array_equal(plates(at)[0][0], np.asarray(codec.decompress(data)))
    at = upload(page(), b"no picture at all", "bad.png")
    assert not at.exception
    assert at.error[0].value.startswith("bad.png: ") and at.error[0].value.endswith(".")


def test_drawings_hold_no_markup_from_outside():
    boxes = diagrams.Box("<script>", '"&', 1), diagrams.Box("b", ("a", "b"), (1, 2))
    svg = diagrams.pipeline(list(boxes))
    assert "<script>" not in svg and "&lt;script&gt;" in svg


def test_signed_maps_are_pale_at_zero_blue_below_and_brown_above():
    low, zero, high = figures.signed(np.array([[-2.0, 0.0, 2.0]]))[0].astype(int)
    assert low[2] > low[0] and high[0] > high[2] and zero.min() > 220


def test_a_sheet_holds_every_picture():
    pictures = [np.full((4 + k, 9, 3), 20 * k, "uint8") for k in range(5)]
    whole = figures.sheet(pictures)
    for k, rgb in enumerate(pictures):
        assert (whole == 20 * k).all(2).sum() == rgb.shape[0] * rgb.shape[1]
