"""The pieces that pages share."""

import json
import threading
import time

import numpy as np
import pytest
import streamlit as st

from pages.shared import background, comparison, engine, progress_bar, split_view, table
from pages.shared.background import Dropped, Line, Queue, Remembered
from sdae.pictures import reading


@pytest.fixture
def sent(monkeypatch):
    """What the component of the split is given."""
    given = {}
    monkeypatch.setattr(split_view, "_component", lambda **arguments: given.update(arguments))
    return given


def header(sent) -> dict:
    length = int.from_bytes(sent["data"][:4], "little")
    assert b"Infinity" not in sent["data"][: 4 + length]
    return json.loads(sent["data"][4 : 4 + length]) | {"blobs": sent["data"][4 + length :]}


def test_the_split_sends_each_png_once_behind_a_header(sent):
    left = split_view.Side("Original", "Original of é.png", b"left bytes")
    right = split_view.Side("SDAE", "restored", b"right")
    split_view.compare(right, left, size=(7, 5), key="split", original=b"left bytes")
    said = header(sent)
    assert sent["key"] == "split" and said["bar"] is None
    assert (said["width"], said["height"]) == (7, 5)
    assert said["left"]["alt"] == "Original of é.png"
    assert said["left"]["id"] == said["original"]["id"] != said["right"]["id"]
    assert said["files"] == [[said["left"]["id"], 10], [said["right"]["id"], 5]]
    assert said["blobs"] == b"left bytesright"


def test_a_perfect_picture_has_a_number_that_json_knows(sent):
    bar = split_view.Bar(50, 100, "the original", 10, float("inf"))
    side = split_view.Side("SDAE", "restored", b"png")
    split_view.compare(side, size=(7, 5), key="split", bar=bar)
    assert header(sent)["bar"]["psnr"] >= 100  # drawn as ∞ from here


def test_what_the_visitor_chooses_in_the_split_is_passed_on(monkeypatch, sent):
    changes = []
    monkeypatch.setattr(st, "session_state", {"split": {"quality": 61, "left": "WebP"}})
    side = split_view.Side("SDAE", "restored", b"png")
    split_view.compare(side, size=(7, 5), key="split", on_change=lambda *new: changes.append(new))
    sent["on_quality_change"]()
    sent["on_left_change"]()
    assert changes == [("quality", 61), ("left", "WebP")]


def test_tables_escape_names_scale_bars_and_mark_the_best(monkeypatch):
    drawn = []
    monkeypatch.setattr(st, "html", drawn.append)
    table.draw_sizes([table.Row("<b>", (200,), "<script>"), table.Row("half", (100,), ours=True)])
    assert "<script>" not in drawn[0] and "&lt;script&gt;" in drawn[0]
    assert "width:100.000%" in drawn[0] and "width:50.000%" in drawn[0]
    assert drawn[0].count("class=ours") == 1
    columns = [table.Column("dB", "{:.1f}".format, best=True)]
    rows = [table.Row("one", (1.0,)), table.Row("two", (2.0,)), table.Row("three", "at work …")]
    table.draw_table("Codec", columns, rows)
    assert drawn[1].count("class='best'") == 1 and "class='best'>2.0" in drawn[1]
    assert "at work …" in drawn[1]


def test_prepare_tells_apart_pictures_that_differ_in_one_sample():
    rgb = np.zeros((900, 1000, 3), "uint8")
    other = rgb.copy()
    other[500, 500, 1] = 1
    one, two = (engine.prepare(reading.png(picture), small=False) for picture in (rgb, other))
    assert one.key != two.key
    assert two.rgb[500, 500, 1] == 1 and not one.rgb.any()


def test_answers_are_forgotten_by_size_the_longest_unused_first():
    answers = Remembered(100)
    for name in "abc":
        answers.put(name, np.zeros(40, "uint8"))
        answers.get("a")
    assert [question for question, _ in answers.items()] == ["c", "a"]
    assert answers.get("b") is None


def test_results_are_those_of_one_picture_by_quality(monkeypatch):
    rgb = np.zeros((1, 1, 3), "uint8")
    picture = engine.Prepared(rgb, b"", "one", (1, 1), ())
    monkeypatch.setattr(engine, "_answers", Remembered())
    made = [comparison.Result(b"", b"", 1, 1, quality, (1, 1, 1)) for quality in (60, 20)]
    for result in made:
        engine._answers.put(("picture", "one", result.quality), result)
    engine._answers.put(("picture", "other", 20), made[0])
    engine._answers.put(("a version of the Denoise page",), rgb)
    assert engine.results(picture) == made[::-1]
    assert engine.known(picture, 20) is made[1] and engine.known(picture, 30) is None


def test_the_line_goes_by_turn_and_says_who_is_third():
    line, order, places = Line(), [], []
    gate, threads = threading.Event(), []

    def visitor(name):
        with line.turn(lambda place: places.append((name, place))):
            order.append(name)
            gate.wait()

    for number, name in enumerate("abcd", 1):
        threads.append(threading.Thread(target=visitor, args=[name]))
        threads[-1].start()
        wait_for(lambda number=number: line.length == number)
    wait_for(lambda: ("d", 3) in places)
    gate.set()
    for thread in threads:
        thread.join()
    assert order == list("abcd") and line.length == 0


def test_an_outdated_question_leaves_the_line():
    line = Line()

    def moved_on(place):
        raise KeyError

    with line.turn():
        with pytest.raises(KeyError), line.turn(moved_on):
            pass
        assert line.length == 1


def test_work_aside_makes_way_for_a_visitor_and_begins_again(monkeypatch):
    monkeypatch.setattr(engine, "load", lambda: "codec")
    begun, ends, free = [], [], threading.Event()

    def work(codec, report):
        begun.append(codec)
        while not free.is_set():
            report()
            time.sleep(0.01)
        return "done"

    aside = threading.Thread(target=lambda: ends.append(engine.aside(work)(lambda: True)))
    aside.start()
    wait_for(lambda: begun)
    with engine.line.turn():  # would wait for ever otherwise
        assert not ends
        free.set()
    aside.join()
    assert ends == ["done"] and len(begun) == 2


def test_work_aside_that_nobody_wants_ends():
    with pytest.raises(Dropped):
        engine.aside(lambda codec, report: "done")(lambda: False)


@pytest.fixture
def visitor(monkeypatch):
    """A function that says whose page is running."""
    name = ["one"]
    monkeypatch.setattr(background, "_visitor", lambda: name[0])
    return lambda other: name.__setitem__(0, other)


def test_one_task_of_each_visitor_in_turn_in_its_order(visitor):
    queue, order, gate = Queue(), [], threading.Event()

    def task(name):
        return lambda wanted: gate.wait() and order.append(name) or name.upper()

    tasks = {name: task(name) for name in ("a1", "a2", "a3")}
    assert queue.ask(tasks) == {}
    visitor("two")
    queue.ask({"b1": task("b1"), "b2": task("b2")})
    gate.set()
    visitor("one")
    wait_for(lambda: len(queue.ask(tasks)) == 3)
    assert order == ["a1", "b1", "a2", "b2", "a3"]
    assert queue.ask(tasks) == {"a1": "A1", "a2": "A2", "a3": "A3"} and len(order) == 5


def test_a_new_question_drops_the_old_one(visitor):
    queue, begun, seen, done = Queue(), threading.Event(), threading.Event(), []

    def long(wanted):
        begun.set()
        while wanted():
            time.sleep(0.01)
        seen.set()
        raise Dropped

    queue.ask({"long": long, "dropped": lambda _: done.append("dropped")})
    begun.wait()
    queue.ask({"new": lambda _: done.append("new")})
    seen.wait()
    queue.wait("new", lambda: None)
    assert done == ["new"]
    # Whoever asks for it again gets a new start, not the end of the old one.
    queue.ask({"long": lambda _: "again"})
    queue.wait("long", lambda: None)
    assert queue.ask({"long": None}) == {"long": "again"}


def test_what_a_task_raises_is_raised_once_and_the_task_begun_anew(visitor):
    queue = Queue()

    def fails(wanted):
        raise MemoryError("Too large.")

    queue.ask({"task": fails})
    queue.wait("task", lambda: None)
    with pytest.raises(MemoryError):
        queue.ask({"task": fails})
    queue.ask({"task": lambda _: 1})
    queue.wait("task", lambda: None)
    assert queue.ask({"task": None}) == {"task": 1}


@pytest.fixture
def events(monkeypatch):
    """What a late bar does to the page."""
    seen = []

    class Place:
        def container(self, key):
            return self

        def html(self, style):
            assert "position: fixed" in style

        def progress(self, share, text=None):
            seen.append((share, text))
            return self

        def empty(self):
            seen.append("empty")

    monkeypatch.setattr(progress_bar.st, "empty", Place)
    return seen


def test_a_bar_shows_what_takes_its_time(monkeypatch, events):
    monkeypatch.setattr(progress_bar, "_PATIENCE", 0)
    monkeypatch.setattr(progress_bar, "_AGAIN", 0)
    with progress_bar.late_bar() as report:
        report("Working, 25%", 0.25)
        report("Working, 25%", 0.25)
        report("Working, 75%", 0.75)
    assert events == [(0, None), (0.25, "Working, 25%"), (0.75, "Working, 75%"), "empty"]


def test_no_bar_shows_what_is_quick_or_fails(monkeypatch, events):
    monkeypatch.setattr(progress_bar, "_PATIENCE", 1e9)
    with pytest.raises(ValueError, match="broken"), progress_bar.late_bar() as report:
        report("Working", 1)
        raise ValueError("broken")
    assert events == []


def wait_for(condition):
    while not condition():
        time.sleep(0.01)
