import argparse
import json
import time

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from sdae import weights
from sdae.cli import evaluate
from sdae.measuring import evaluation
from sdae.pictures import reading


def options(*extra):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return parser.parse_args(list(extra))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    place.mkdir()
    for name in ("astronaut", "chelsea"):
        small = reading.thumb(getattr(samples, name)(), 64)
        Image.fromarray(small).save(place / f"{name}.png")
    return place


def test_a_folder_is_measured_once_and_printed(folder, tmp_path, capsys, monkeypatch):
    args = ["--sets", str(folder), "--codecs", "sdae", "jpeg", "--results", str(tmp_path)]
    args += ["--qualities", "5", "30", "60", "90"]
    assert evaluate.run(options(*args, "--jobs", "1")) == 0
    printed = capsys.readouterr().out
    assert "2 pictures" in printed and "| BD-rate of SDAE, SSIM in dB, % | – |" in printed
    (thirds,) = {line.count(";") for line in printed.splitlines() if "by thirds" in line}
    assert thirds == 2

    stored = json.loads((tmp_path / "results" / "pictures" / "sdae.json").read_text())
    assert stored["weights_sha256"] == weights.read_card(weights.folder())["sha256"]
    rows = stored["pictures"]["astronaut"]
    assert [row["setting"] for row in rows] == [5, 30, 60, 90]
    assert all(row["pixels"] == 64 * 64 for row in rows)
    assert (np.diff([row["bytes"] for row in rows]) > 0).all()
    stored = json.loads((tmp_path / "results" / "pictures" / "jpeg.json").read_text())
    assert stored["weights_sha256"] is None
    variants = {row["variant"] for row in stored["pictures"]["astronaut"]}
    assert variants == {"4:2:0", "4:4:4", "4:2:0 progressive", "4:4:4 progressive"}

    monkeypatch.delattr(evaluation, "measure_ours")
    monkeypatch.delattr(evaluation, "measure_peer")
    assert evaluate.run(options(*args)) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--codecs", "mp3"], "no codec mp3"),
        (["--sets", "nowhere", "--codecs", "sdae"], "no folder"),
        (["--sets", "kodak", "--kodak", "nowhere"], "kodak"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(extra, sentence, tmp_path, capsys):
    assert evaluate.run(options(*extra, "--jobs", "1", "--results", str(tmp_path))) == 2
    assert sentence in capsys.readouterr().err


def test_what_nobody_waits_for_any_more_ends_at_once():
    found = evaluation.spread(time.sleep, [("short", 0), *[("long", 3600)] * 3], jobs=2)
    assert next(found) == ("short", None)
    found.close()  # would take an hour if it waited for the rest
