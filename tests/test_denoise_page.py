"""The Denoise page, without a browser."""

import csv
import io
import json
import re
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.denoise import versions
from pages.shared import engine
from pages.shared.background import Dropped, Queue
from pages.shared.figures import table_csv
from sdae.measuring import metrics
from sdae.pictures import noise, reading

ROOT = Path(__file__).parents[1]


def page(**params) -> AppTest:
    """The page as the browser finds it under these URL parameters, small unless told otherwise."""
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.switch_page("pages/denoise/page.py")
    at.query_params.update({"size": "128×128"} | params)
    return settle(at.run())


def settle(at: AppTest) -> AppTest:
    """Run again, as the browser does by itself, until nothing is at work any more."""
    end = time.monotonic() + 90
    while any("at work" in html.body for html in at.get("html")) or any(
        "Making" in info.value for info in at.info
    ):
        assert time.monotonic() < end
        time.sleep(0.1)
        at.run()
    return at


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    at.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return settle(at.run())


def png(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def picture(width=70, height=50) -> np.ndarray:
    """A smooth picture, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.uint8(128 + 90 * np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1))


def sample(name: str) -> np.ndarray:
    from skimage import data

    return reading.thumb(reading.read(Path(data.__file__).parent / name).rgb)


def split(at: AppTest) -> dict:
    """What the browser is sent for the split: labels, and the PNG files as arrays."""
    (element,) = at.get("bidi_component")
    data = element.proto.bytes
    (length,) = struct.unpack_from("<I", data)
    message, rest = json.loads(data[4 : 4 + length]), data[4 + length :]
    for side in (message["left"], message["right"]):
        side["rgb"] = reading.read(rest[: side["bytes"]]).rgb
        rest = rest[side["bytes"] :]
    return message


def table(at: AppTest) -> dict[str, list[str]]:
    """The table of denoisers as {label: its cells}."""
    (html,) = [h.body for h in at.get("html") if "<table class='sdae-denoisers'" in h.body]
    rows = re.findall(r"<tr[^>]*><th scope='row'>([^<]*)</th>(.*?)</tr>", html)
    return {label: re.findall(r"<td[^>]*>([^<]*)</td>", cells) for label, cells in rows}


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.get("download_button")]


def fine(at: AppTest) -> bool:
    return not at.exception and not at.error


def test_a_first_visit_adds_noise_and_takes_it_away(codec):
    at = page()
    assert fine(at)
    clean = sample("coffee.png")
    noisy = noise.add(clean, 0.1)
    estimate = noise.estimate_sigma(noisy)
    latent = codec.encode(noisy, 75, estimate)
    restored = np.asarray(codec.decode(latent))
    shown = split(at)
    assert np.array_equal(shown["left"]["rgb"], noisy)
    assert np.array_equal(shown["right"]["rgb"], restored)
    assert shown["right"]["label"] == "SDAE"
    assert shown["right"]["figures"] == f"{metrics.psnr(clean, restored):.2f} dB"

    figures = {metric.label: metric.value for metric in at.metric}
    assert list(figures) == ["Noise level, measured", "PSNR", "SSIM", "Processor time"]
    assert figures["Noise level, measured"] == f"{estimate:.3f}"
    assert figures["SSIM"] == f"{metrics.ssim(clean, restored):.4f}"
    size = f"{len(codec.pack(latent)):,} <small>bytes"
    assert any(size in html.body for html in at.get("html"))
    assert buttons(at) == [
        "Download .sdae",
        "Restored PNG",
        "Noisy PNG",
        "Table as CSV",
        "Histogram as CSV",
    ]

    rows = table(at)
    assert list(rows) == [
        "Noisy",
        "SDAE",
        "Non-local means",
        "Total variation",
        "Gaussian blur",
        "Median",
    ]
    assert float(rows["Noisy"][0]) == pytest.approx(metrics.psnr(clean, noisy), abs=0.01)
    for label in list(rows)[1:]:
        assert float(rows[label][0]) > float(rows["Noisy"][0]) + 3


def test_the_cleaned_picture_shows_until_the_file_is_made(codec, monkeypatch):
    gate, coded = threading.Event(), versions._coded
    monkeypatch.setattr(versions, "_coded", lambda *given: gate.wait(60) and coded(*given))
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.switch_page("pages/denoise/page.py")
    at.query_params.update({"size": "128×128", "sample": "Cat", "level": "0.23", "detail": "40"})
    at.run()
    noisy = noise.add(sample("chelsea.png"), 0.23)
    cleaned, _ = codec.clean(noisy, noise.estimate_sigma(noisy))
    assert np.array_equal(split(at)["right"]["rgb"], cleaned)
    assert any("Making the .sdae file" in info.value for info in at.info)
    assert "Download .sdae" not in buttons(at)
    gate.set()
    settle(at)
    expected = codec.decode(codec.encode(cleaned, 40))
    assert np.array_equal(split(at)["right"]["rgb"], np.asarray(expected))
    assert "Download .sdae" in buttons(at)


def test_every_setting_comes_from_the_url(codec):
    at = page(
        sample="Cat",
        noise="Speckle",
        level="0.2",
        seed="7",
        auto="false",
        strength="0.15",
        detail="50",
        left="Clean",
    )
    assert fine(at)
    clean = sample("chelsea.png")
    noisy = noise.add(clean, 0.2, "speckle", 7)
    shown = split(at)
    assert np.array_equal(shown["left"]["rgb"], clean)
    expected = codec.decode(codec.encode(noisy, 50, 0.15))
    assert np.array_equal(shown["right"]["rgb"], np.asarray(expected))


def test_nonsense_in_the_url_falls_back_to_the_defaults():
    at = page(noise="Fog", level="9", seed="-1", auto="perhaps", detail="all", right="Magic")
    assert fine(at)
    assert at.slider(key="level").value == 0.1
    assert split(at)["right"]["label"] == "SDAE"


@pytest.mark.parametrize("kind", ["Shot (Poisson)", "Salt and pepper", "JPEG artefacts"])
def test_every_kind_of_noise_can_be_added(kind):
    at = page(noise=kind, level="0.1")
    assert fine(at)
    name = {"Shot (Poisson)": "shot", "JPEG artefacts": "jpeg"}.get(kind, kind.lower())
    expected = noise.add(sample("coffee.png"), 0.1, name)
    assert np.array_equal(split(at)["left"]["rgb"], expected)


def test_where_no_noise_is_measured_the_page_says_what_to_do(codec):
    at = page(noise="JPEG artefacts", level="0.05", sample="Cat")
    assert fine(at)
    (said,) = [info.value for info in at.info]
    assert "not measured as noise" in said and at.toggle(key="auto").label in said
    at.toggle(key="auto").set_value(False).run()
    at.slider(key="strength").set_value(0.06).run()
    assert fine(settle(at)) and not at.info


def test_moving_the_level_moves_the_estimate_and_the_strength():
    at = page(level="0.05")
    assert at.slider(key="estimate").value == pytest.approx(0.05, abs=0.004)
    at.slider(key="level").set_value(0.2).run()
    settle(at)
    assert fine(at)
    assert at.slider(key="estimate").value == pytest.approx(0.2, abs=0.02)
    assert at.slider(key="estimate").disabled
    at.toggle(key="auto").set_value(False).run()
    settle(at)
    assert at.slider(key="strength").value == pytest.approx(0.2, abs=0.02)


def test_without_noise_to_add_the_upload_is_restored_as_it_is(codec):
    given = noise.add(picture(), 0.1)
    at = upload(
        page(size="Original", noise="None: it is noisy already"), "high iso.png", png(given)
    )
    assert fine(at)
    shown = split(at)
    assert shown["left"]["label"] == "Noisy"
    assert np.array_equal(shown["left"]["rgb"], given)
    expected = codec.decode(codec.encode(given, 75, noise.estimate_sigma(given)))
    assert np.array_equal(shown["right"]["rgb"], np.asarray(expected))
    assert [metric.label for metric in at.metric] == ["Noise level, measured", "Processor time"]
    assert set(map(len, table(at).values())) == {1}
    assert buttons(at) == ["Download .sdae", "Restored PNG", "Table as CSV", "Histogram as CSV"]
    assert not [button for button in at.button if button.label == "Measure"]


def test_a_classical_denoiser_can_stand_right_of_the_split():
    at = page(right="Gaussian blur")
    assert fine(at)
    psnr = table(at)["Gaussian blur"][0]
    shown = split(at)["right"]
    assert (shown["label"], shown["figures"]) == ("Gaussian blur", f"{psnr} dB")
    clean = sample("coffee.png")
    assert metrics.psnr(clean, shown["rgb"]) == pytest.approx(float(psnr), abs=0.01)
    assert "Gaussian blur PNG" in buttons(at)


def test_a_sdae_file_is_denoised_as_the_picture_it_holds(codec):
    data = codec.compress(picture(90, 37), quality=60)
    at = upload(page(size="Original", left="Clean"), "holiday.sdae", data)
    assert fine(at)
    assert np.array_equal(split(at)["left"]["rgb"], np.asarray(codec.decompress(data)))


def test_a_clean_picture_is_hardly_touched():
    at = page(level="0")
    assert fine(at)
    assert {m.label: m.value for m in at.metric}["Noise level, measured"] <= "0.010"
    assert float(table(at)["SDAE"][0]) > 32
    assert table(at)["Noisy"][0] == "∞"


def test_the_curve_is_measured_when_asked_for(monkeypatch):
    monkeypatch.setattr(versions, "LEVELS", (0.0, 0.1, 0.3))
    monkeypatch.setattr(versions, "CURVE_SIDE", 64)
    at = page(sample="Cat")
    assert "Curve as CSV" not in buttons(at)
    (measure,) = [button for button in at.button if button.label == "Measure"]
    settle(measure.click().run())
    assert fine(at)
    assert "Curve as CSV" in buttons(at)
    (_, rows) = at.session_state["curve"]
    assert [row[0] for row in rows] == [0, 0.1, 0.3]
    assert np.isinf(rows[0][1])
    for _, before, estimated, known in rows[1:]:
        assert before + 3 < estimated == pytest.approx(known, abs=0.5)
    at.slider(key="detail").set_value(40).run()
    assert "Curve as CSV" not in buttons(settle(at))


@pytest.mark.parametrize(
    "name, data",
    [("empty.jpg", b""), ("words.png", b"These are only words. " * 20), ("words.sdae", b"words")],
)
def test_a_bad_file_gets_one_sentence(name, data):
    at = upload(page(), name, data)
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith(f"`{name}`: ") and error.value.endswith(".")
    at.file_uploader[0].clear()
    at.run()
    assert fine(settle(at))


def test_a_large_picture_is_scaled_down_with_a_notice(monkeypatch):
    monkeypatch.setattr(engine, "LIVE_PIXELS", 5_000)
    at = upload(page(size="Original"), "large.png", png(picture(200, 101)))
    assert fine(at)
    assert any("scaled down" in info.value for info in at.info)


def test_rows_become_a_csv_file():
    data = table_csv(["name", "psnr_db"], [("a, b", 20.5), ("clean", float("inf")), ("c", None)])
    assert list(csv.reader(io.StringIO(data.decode()))) == [
        ["name", "psnr_db"],
        ["a, b", "20.5"],
        ["clean", "inf"],
        ["c", ""],
    ]


def test_a_histogram_counts_every_sample():
    differences = {"Noise": np.int16([[-255, 0], [0, 3]]), "Residual": np.int16([[0, 0], [1, 255]])}
    rows = list(
        csv.reader(io.StringIO(versions.histogram_csv(versions.shares(differences)).decode()))
    )
    assert rows[0] == ["difference", "noise_percent", "residual_percent"]
    assert len(rows) == 1 + 511
    assert rows[1] == ["-255", "25.0", "0.0"] and rows[-1] == ["255", "0.0", "25.0"]
    assert rows[1 + 255] == ["0", "50.0", "50.0"] and rows[1 + 258] == ["3", "25.0", "0.0"]


def test_slow_answers_come_the_first_one_first_and_are_remembered():
    queue, order = Queue("test first"), []

    def task(name):
        return lambda wanted: order.append(name) or name.upper()

    tasks = {("a",): task("a"), ("b",): task("b")}
    assert ("b",) in queue.collect(tasks, first=("b",), patience=30)
    end = time.monotonic() + 30
    while len(found := queue.collect(tasks)) < 2:
        assert time.monotonic() < end
    assert found == {("a",): "A", ("b",): "B"}
    assert order == ["b", "a"]


def test_a_new_question_drops_what_has_not_begun():
    queue, gate, done = Queue("test drop"), threading.Event(), []
    blocked = {"held": lambda _: gate.wait(30), "dropped": lambda _: done.append("dropped")}
    queue.collect(blocked)
    queue.collect({"new": lambda _: done.append("new")})
    gate.set()
    assert "new" in queue.collect({"new": None}, first="new", patience=30)
    assert done == ["new"]
    st.session_state.clear()


def test_what_runs_sees_that_it_is_not_wanted_any_more():
    queue, begun, seen = Queue("test stop"), threading.Event(), threading.Event()

    def task(wanted):
        begun.set()
        while wanted():
            time.sleep(0.01)
        seen.set()
        raise Dropped

    assert queue.collect({"long": task}) == {} and begun.wait(30)
    queue.collect({})
    assert seen.wait(30)
    # Whoever asks for it again gets a new start, not the end of the old one.
    assert queue.collect({"long": lambda _: "new"}, "long", 30) == {"long": "new"}
    st.session_state.clear()


def test_what_a_task_raises_is_told_once_and_the_task_begun_anew():
    queue = Queue("test failure")

    def fails(wanted):
        raise MemoryError("Too large.")

    with pytest.raises(MemoryError):
        queue.collect({"task": fails}, "task", 30)
    assert queue.collect({"task": lambda _: 1}, "task", 30) == {"task": 1}
    st.session_state.clear()
