"""Benchmarks of the command line: what they print and keep."""

import argparse

import pytest

from sdae.cli import bench
from sdae.measuring import speed
from sdae.measuring.results import Results


def run(*argv):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return bench.run(parser.parse_args(argv))


def test_whole_files_are_measured_and_kept(monkeypatch, capsys):
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
