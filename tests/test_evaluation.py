import argparse
import json

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from sdae import weights
from sdae.__main__ import main
from sdae.cli import evaluate
from sdae.measuring import evaluation
from sdae.pictures import reading


def run(*extra):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args(list(map(str, extra))))


def test_a_folder_is_measured_once_and_printed(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("astronaut", "chelsea"):
        small = reading.thumb(getattr(samples, name)(), 64)
        Image.fromarray(small).save(folder / f"{name}.png")
    monkeypatch.setattr(evaluation, "QUALITIES", (5, 30, 60, 90))
    args = ["--sets", folder, "--codecs", "sdae", "jpeg", "--results", tmp_path]
    assert run(*args) == 0
    printed = capsys.readouterr().out
    assert "2 pictures" in printed and "| BD-rate of SDAE, SSIM in dB, % | – |" in printed

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

    monkeypatch.delattr(evaluation, "quality")  # nothing can be measured without
    assert run(*args) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--sets", "nowhere", "--codecs", "sdae"], "no folder"),
        (["--sets", "kodak"], "kodak"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(extra, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path / "nowhere"))
    assert main(["evaluate", *extra, "--results", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
