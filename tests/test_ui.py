"""The pieces that pages share."""

import json
import threading
import time

import numpy as np
import pytest
import streamlit as st

from pages.shared import (
    background,
    engine,
    file_size,
    ledger,
    other_codecs,
    progress_bar,
    split_view,
)
from sdae.measuring import comparison
from sdae.pictures import reading


@pytest.mark.parametrize(
    "size, reference, words",
    [(10, 100, "10.0 %"), (103, 100, "103.0 %"), (1, 3, "33.3 %")],
)
def test_a_size_is_a_share_of_another(size, reference, words):
    assert file_size.share(size, reference) == words


def test_the_split_sends_exact_pngs_behind_a_header(monkeypatch):
    sent = {}
    monkeypatch.setattr(split_view, "_component", lambda **given: sent.update(given))
    left = split_view.Side("Original", "Original of é.png", b"left bytes")
    right = split_view.Side("SDAE", "restored", b"right")
    split_view.compare(right, left, size=(7, 5), key="split")
    length = int.from_bytes(sent["data"][:4], "little")
    header = json.loads(sent["data"][4 : 4 + length])
    assert sent["key"] == "split" and header["bar"] is None
    assert (header["width"], header["height"]) == (7, 5)
    assert header["left"]["alt"] == "Original of é.png"
    assert header["left"]["id"] != header["right"]["id"]
    assert sent["data"][4 + length :] == b"left bytesright"
    assert (header["left"]["bytes"], header["right"]["bytes"]) == (10, 5)


def test_a_perfect_picture_has_a_number_that_json_knows(monkeypatch):
    sent = {}
    monkeypatch.setattr(split_view, "_component", lambda **given: sent.update(given))
    side = split_view.Side("SDAE", "restored", b"png")
    bar = split_view.Bar(50, 100, "the original", 10, float("inf"))
    split_view.compare(side, size=(7, 5), key="split", bar=bar)
    length = int.from_bytes(sent["data"][:4], "little")
    assert b"Infinity" not in sent["data"][: 4 + length]
    assert json.loads(sent["data"][4 : 4 + length])["bar"]["psnr"] >= 100  # drawn as ∞ from here


def test_what_the_visitor_chooses_in_the_split_is_told(monkeypatch):
    given, told = {}, []
    monkeypatch.setattr(split_view, "_component", lambda **events: given.update(events))
    monkeypatch.setattr(st, "session_state", {"split": {"quality": 61, "left": "WebP"}})
    side = split_view.Side("SDAE", "restored", b"png")
    split_view.compare(side, size=(7, 5), key="split", on_change=lambda *news: told.append(news))
    given["on_quality_change"]()
    given["on_left_change"]()
    assert told == [("quality", 61), ("left", "WebP")]


def test_work_aside_makes_way_for_a_visitor_and_begins_again(codec):
    begun, ends, free = [], [], threading.Event()

    def work(codec, report):
        begun.append(codec)
        for _ in range(1 if free.is_set() else 3000):
            report()
            time.sleep(0.01)
        return "done"

    def run():
        ends.append(engine.aside(work)(lambda: True))

    aside = threading.Thread(target=run)
    aside.start()
    wait_for(lambda: begun)
    with engine.turn():  # would wait for half a minute otherwise
        assert not ends
        free.set()
    aside.join(30)
    assert ends == ["done"] and len(begun) == 2


def test_work_aside_that_nobody_wants_ends(codec):
    with pytest.raises(background.Dropped):
        engine.aside(lambda codec, report: "done")(lambda: False)


def test_answers_are_forgotten_by_size_the_longest_unused_first():
    answers = engine._Remembered(100)
    for name in "abc":
        answers.put(name, name.upper(), 40)
        answers.get("a")
    assert [question for question, _ in answers.items()] == ["c", "a"]
    assert answers.get("b") is None


def test_the_ledger_escapes_names_and_scales_to_the_largest(monkeypatch):
    drawn = []
    monkeypatch.setattr(st, "html", drawn.append)
    ledger.ledger([ledger.Row("<b>", 200, "<script>"), ledger.Row("half", 100, ours=True)])
    assert "<script>" not in drawn[0] and "&lt;script&gt;" in drawn[0]
    assert "width:100.000%" in drawn[0] and "width:50.000%" in drawn[0]
    assert drawn[0].count("class=ours") == 1


def test_prepare_tells_apart_pictures_that_differ_in_one_sample():
    rgb = np.zeros((900, 1000, 3), "uint8")
    other = rgb.copy()
    other[500, 500, 1] = 1
    one, two = (engine.prepare(reading.png(picture), small=False) for picture in (rgb, other))
    assert one.key != two.key
    assert two.rgb[500, 500, 1] == 1 and not one.rgb.any()


def prepared(seed: int) -> engine.Prepared:
    rgb = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), "uint8")
    return engine.Prepared(rgb, reading.png(rgb), f"picture {seed}", (8, 8), ())


@pytest.fixture
def searches(monkeypatch):
    """A queue of its own; the searches wait for `gate` and answer with their names."""
    begun, gate, asked = threading.Event(), threading.Event(), []

    def search(name, rgb, budget, pause):
        asked.append(name)
        begun.set()
        assert gate.wait(30)
        return name

    monkeypatch.setattr(comparison, "rival", search)
    queue = other_codecs.Queue("rivals", other_codecs._REMEMBERED)
    queue.begun, queue.gate, queue.asked = begun, gate, asked
    monkeypatch.setattr(other_codecs, "_searches", lambda: queue)
    st.session_state.pop("rivals jobs", None)
    return queue


NAMES = {"jpeg", "jpeg2000", "webp", "avif"}


def settled(picture, budget, first=None) -> dict:
    """The answers once all are there."""
    end = time.monotonic() + 30
    while len(answers := other_codecs.search(picture, budget, first)) < 4:
        assert time.monotonic() < end
        time.sleep(0.01)
    return answers


def test_answers_arrive_one_by_one_the_chosen_peer_first(searches):
    assert other_codecs.search(prepared(1), 100, "webp") == {}
    searches.gate.set()
    assert "webp" in other_codecs.search(prepared(1), 100, "webp", patience=30)
    assert settled(prepared(1), 100, "webp") == {name: name for name in NAMES}
    assert searches.asked == ["webp", "jpeg", "jpeg2000", "avif"]


def test_a_new_question_drops_what_has_not_begun(searches):
    other_codecs.search(prepared(1), 100)
    assert searches.begun.wait(30)
    other_codecs.search(prepared(1), 200)
    searches.gate.set()
    assert settled(prepared(1), 200).keys() == NAMES
    # One search of the old question had begun; the other three never ran.
    assert len(searches.asked) == 5


def test_another_peer_to_be_first_overtakes_the_rest(searches):
    other_codecs.search(prepared(1), 100, "webp")
    assert searches.begun.wait(30)
    other_codecs.search(prepared(1), 100, "avif")
    searches.gate.set()
    assert settled(prepared(1), 100, "avif").keys() == NAMES
    assert searches.asked[:2] == ["webp", "avif"]


def test_a_search_dropped_by_another_session_is_asked_again(searches):
    other_codecs.search(prepared(1), 100)
    for job in list(searches._jobs.values()):
        job.drop()
    searches.gate.set()
    assert settled(prepared(1), 100).keys() == NAMES


def test_remembered_answers_are_bounded(searches):
    searches.gate.set()
    for seed in range(20):
        settled(prepared(seed), 100)
    assert len(searches._jobs) == other_codecs._REMEMBERED
    before = len(searches.asked)
    settled(prepared(19), 100)
    assert len(searches.asked) == before


@pytest.fixture
def events(monkeypatch):
    """What a late bar does to the page."""
    found = []

    class Place:
        def container(self, key):
            return self

        def html(self, style):
            assert "position: fixed" in style

        def progress(self, share, text=None):
            found.append((share, text))
            return self

        def empty(self):
            found.append("gone")

    monkeypatch.setattr(progress_bar.st, "empty", Place)
    monkeypatch.setattr(progress_bar, "_TICK", 0.01)
    return found


def test_a_bar_shows_what_takes_its_time(monkeypatch, events):
    monkeypatch.setattr(progress_bar, "_PATIENCE", 0.05)
    with progress_bar.late_bar("Working") as report:
        report(0.25)
        wait_for(lambda: (0.25, "Working, 25%") in events)
        report(0.75)
        wait_for(lambda: (0.75, "Working, 75%") in events)
    assert events[-1] == "gone" and events.count("gone") == 1


def test_no_bar_shows_what_is_quick_or_fails(events):
    with pytest.raises(ValueError, match="broken"), progress_bar.late_bar("Working") as report:
        report(1)
        raise ValueError("broken")
    assert events == ["gone"]


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
