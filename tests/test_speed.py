"""Benchmarks of the command line: what they print and keep."""

import argparse

import numpy as np
import pytest

from sdae.cli import bench
from sdae.measuring import app, speed, waiting
from sdae.measuring.results import Results


def run(*argv):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return bench.run(parser.parse_args(argv))


def test_without_a_name_whole_files_are_measured_and_kept(monkeypatch, capsys):
    kept = []
    monkeypatch.setattr(Results, "store_bench", lambda self, *figures: kept.append(figures))
    monkeypatch.setattr(speed, "SIZES", ((40, 24), (64, 64)))
    assert run("--store") == 0
    ((name, figures),) = kept
    assert name == "codec" and list(figures) == ["40×24", "64×64"]
    for measured in figures.values():
        assert list(measured) == list(speed.CODECS)
        assert all(0 < value for row in measured.values() for value in row.values())
    assert "64×64, medians of 3" in capsys.readouterr().out


@pytest.mark.parametrize("size", [(700, 500), (30, 20), (1300, 900)])
def test_the_picture_has_the_size_and_its_detail(size):
    picture = speed.picture(size)
    assert picture.size == size
    assert len(picture.resize((40, 40), 0).getcolors(1600)) > 100


class Server:
    """The app, as far as the benchmarks ask; also its browser."""

    address, errors = "http://nowhere", ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.errors = []

    def peak_memory(self):
        return 400


class Page:
    """A page of a visitor, whose answers come at once."""

    def __getattr__(self, name):
        return lambda *args, **options: self


def test_visitors_are_compared_with_the_median_and_faults_fail(monkeypatch, capsys):
    rgb = np.zeros((8, 8, 3), "uint8")
    monkeypatch.setattr(app, "App", Server)
    monkeypatch.setattr(app, "browser", Server)
    monkeypatch.setattr(app, "visit", lambda *_: Page())
    monkeypatch.setattr(app, "upload", lambda *_: None)
    monkeypatch.setattr(app, "quality", lambda page: page)
    monkeypatch.setattr(app, "waves", lambda *_: rgb)
    waits = lambda pages, begun: [(k + 1.0, 2 * k + 2.0) for k in range(len(pages))]  # noqa: E731
    monkeypatch.setattr(app, "answered", waits)
    monkeypatch.setattr(waiting, "_original", lambda page: rgb)
    figures = waiting.load(3, print)
    assert (figures["bytes_seconds"], figures["picture_seconds"]) == (3, 6)
    assert (figures["slowest"], figures["peak_mb"], figures["faults"]) == (1.5, 400, [])
    monkeypatch.setattr(waiting, "_original", lambda page: rgb + 1)
    assert run("load", "--visitors", "1") == 1
    assert "a visitor sees another picture" in capsys.readouterr().err


def test_what_is_missing_for_a_browser_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(app, "App", Server)
    monkeypatch.setitem(__import__("sys").modules, "playwright.sync_api", None)
    assert run("load") == 2
    assert "needs playwright" in capsys.readouterr().err
