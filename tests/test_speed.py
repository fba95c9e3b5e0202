"""Benchmarks of the command line: what they print and keep."""

import argparse
import os
import sys
from contextlib import contextmanager
from unittest.mock import Mock

import pytest

from sdae.__main__ import main
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


@contextmanager
def server():
    yield "http://nowhere", os.getpid()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is told by Linux alone")
def test_visitors_are_compared_with_the_median_and_faults_fail(monkeypatch, capsys):
    monkeypatch.setattr(app, "server", server)
    monkeypatch.setattr(app, "browser", server)
    shown = Mock(return_value=1)
    monkeypatch.setattr(app, "visit", lambda *_: Mock(**{"locator.return_value.count": shown}))
    waits = lambda pages: ([1.0, 2.0, 3.0][: len(pages)], [2.0, 4.0, 6.0][: len(pages)])  # noqa: E731
    monkeypatch.setattr(waiting, "_waited", waits)
    figures = waiting.load(3, print)
    assert (figures["bytes_seconds"], figures["picture_seconds"]) == (3, 6)
    assert (figures["slowest"], figures["faults"]) == (1.5, []) and figures["peak_mb"] > 10
    shown.return_value = 0
    assert run("load", "--visitors", "1") == 1
    assert "a visitor sees another picture" in capsys.readouterr().err


def test_what_is_missing_for_a_browser_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(app, "server", server)
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    assert main(["bench", "load"]) == 2
    assert "pip install 'playwright'" in capsys.readouterr().err
