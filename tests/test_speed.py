"""Benchmarks of the command line: what they print and keep."""

import argparse

import numpy as np
import pytest

from sdae.cli import bench
from sdae.measuring import app, speed, visitors, waiting
from sdae.measuring.results import Results


def run(*argv):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return bench.run(parser.parse_args(argv))


def test_codecs_take_turns_and_the_table_compares_them(capsys):
    assert run("codec", "--sizes", "40x24", "--rounds", "1") == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("40×24, medians of 1")
    assert [row.split()[0] for row in rows] == list(speed.CODECS)
    ours = rows[0].split()
    assert ours[3] == ours[6] == ours[9] == "1.00"
    assert all(10 < float(row.split()[-2]) < 500 for row in rows)


def test_without_a_name_whole_files_are_measured_at_three_sizes(monkeypatch, capsys):
    asked = []

    def measure(size, rounds, *_):
        asked.append((size, rounds))
        return {
            "SDAE": [speed.Turn(1, 2, 3, 4000, 50), speed.Turn(3, 2, 3, 4000, 60)],
            "JPEG": [speed.Turn(0.5, 1, 2, 5000, 40), speed.Turn(1, 1, 2, 5000, 41)],
        }

    monkeypatch.setattr(speed, "measure", measure)
    assert run() == 0
    assert asked == [((128, 128), 3), ((768, 512), 3), ((4000, 3000), 3)]
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:4]]
    assert rows[0][1:] == "2,000.0 ms 1.00 2,000.0 ms 1.00 3,000.0 ms 1.00 4,000 60 MB".split()
    assert rows[1][1:] == "750.0 ms 2.50 1,000.0 ms 2.00 2,000.0 ms 1.50 5,000 41 MB".split()


@pytest.mark.parametrize("size", [(700, 500), (30, 20), (1300, 900)])
def test_the_picture_has_the_size_and_its_detail(size):
    picture = speed.picture(size)
    assert picture.size == size
    assert len(picture.resize((40, 40), 0).getcolors(1600)) > 100


class Server:
    """The app, as far as the benchmarks ask."""

    address, log = "http://nowhere", []

    def memory(self, field):
        return {"VmRSS": 300, "VmHWM": 400}[field]

    def stop(self):
        return self.log


class Page:
    """A page of a visitor, whose answers come at once."""

    keyboard = first = last = property(lambda self: self)

    def __getattr__(self, name):
        return lambda *args, **options: self


@pytest.fixture
def pages(monkeypatch):
    """Visitors whose answers take 1, 2 … seconds to their bytes, and twice that to their picture."""
    monkeypatch.setattr(app, "App", Server)
    monkeypatch.setattr(app, "visit", lambda *_: Page())
    monkeypatch.setattr(app, "upload", lambda *_: None)

    class Browser:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(app, "browser", Browser)
    waits = lambda pages, begun: [(k + 1.0, 2 * k + 2.0) for k in range(len(pages))]  # noqa: E731
    monkeypatch.setattr(app, "answered", waits)
    monkeypatch.setattr(app, "waves", lambda *_: np.zeros((8, 8, 3), "uint8"))


def test_visitors_are_compared_with_the_median_and_faults_fail(
    pages, monkeypatch, tmp_path, capsys
):
    kept = []
    monkeypatch.setattr(Results, "store_bench", lambda self, *figures: kept.append(figures))
    monkeypatch.setattr(visitors, "_faults", lambda page, rgb: [])
    assert run("load", "--visitors", "3", "--moves", "2", "--size", "8x8", "--store") == 0
    ((name, figures),) = kept
    assert name == "load" and figures["visitors"] == 3 and figures["size"] == [8, 8]
    assert (figures["bytes_seconds"], figures["picture_seconds"]) == (3, 6)
    assert (figures["slowest"], figures["peak_mb"], figures["faults"]) == (1.5, 400, [])
    monkeypatch.setattr(visitors, "_faults", lambda page, rgb: ["an error shows"])
    assert run("load", "--visitors", "1", "--moves", "1") == 1
    assert "visitor 0: an error shows" in capsys.readouterr().err


def test_what_is_missing_for_a_browser_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(app, "App", Server)
    monkeypatch.setitem(__import__("sys").modules, "playwright.sync_api", None)
    assert run("first-screen") == 2
    assert "needs playwright" in capsys.readouterr().err


def test_every_question_to_the_first_screen_has_what_was_wanted(pages, monkeypatch):
    monkeypatch.setattr(waiting, "_further", lambda page, number: (1.0, 2.0))
    monkeypatch.setattr(waiting, "_six", lambda *_: (3.0, 4.0))
    found = waiting.first_screen(2, lambda line: None)
    assert found.keys() == waiting.WANTED.keys()
    assert found["one arrow"] == [1, 2] and found["six files: table, last row"] == [3, 4]
