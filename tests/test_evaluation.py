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

OPTIONS = {"effort": "slow", "stride": 1, "jobs": 1}


def options(*extra):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return parser.parse_args(list(extra))


def logarithmic(scale, pixels=16384):
    """A picture whose PSNR grows by 6 dB when its bytes double."""
    sizes = [scale * 2**k for k in range(6)]
    return [
        {"pixels": pixels, "bytes": b, "psnr": 20 + 6 * k, "ssim": 0.5 + 0.05 * k}
        for k, b in enumerate(sizes)
    ]


def test_figures_at_equal_bytes_are_read_off_each_curve():
    rows = {"a": logarithmic(512), "b": logarithmic(1024)}
    tiny, found, large = evaluation.at_bits(rows, [0.3, 1.0, 100])
    assert found["psnr"] == pytest.approx((20 + 6 * 2 + 20 + 6 * 1) / 2)
    assert tiny is None
    assert large["psnr"] == pytest.approx(50)


def test_points_that_a_smaller_file_matches_do_not_count():
    rows = logarithmic(512)
    worse = {"pixels": 16384, "bytes": 3000, "psnr": 21.0, "ssim": 0.51}
    assert evaluation.at_bits({"a": [*rows[:3], worse, *rows[3:]]}, [1.0]) == evaluation.at_bits(
        {"a": rows}, [1.0]
    )


def test_bd_rate_of_twice_the_bytes_is_one_hundred_percent():
    ours = {name: logarithmic(1024) for name in "ab"}
    other = {name: logarithmic(512) for name in "ab"}
    assert evaluation.bd_rate(ours, other, "psnr") == pytest.approx(100, abs=0.01)
    assert evaluation.bd_rate(other, ours, "psnr") == pytest.approx(-50, abs=0.01)


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
    assert "2 pictures" in printed and "| BD-rate of SDAE, PSNR | – |" in printed

    stored = json.loads((tmp_path / "results" / "pictures" / "sdae.json").read_text())
    assert stored["weights_sha256"] == weights.read_card(weights.folder())["sha256"]
    assert "pillow" in {name.lower() for name in stored["versions"]}
    rows = stored["pictures"]["astronaut"]
    assert [row["setting"] for row in rows] == [5, 30, 60, 90]
    assert all(row["pixels"] == 64 * 64 for row in rows)
    assert (np.diff([row["bytes"] for row in rows]) > 0).all()

    def forbidden(*_):
        raise AssertionError("measured again")

    monkeypatch.setattr(evaluation, "measure_ours", forbidden)
    monkeypatch.setattr(evaluation, "measure_peer", forbidden)
    assert evaluate.run(options(*args)) == 0
    assert capsys.readouterr().out == printed


def test_results_of_other_weights_are_forgotten(tmp_path):
    row = {"setting": 5, "pixels": 64, "bytes": 10, "psnr": 30.0, "ssim": 0.9}
    first = evaluation.Results(tmp_path, "aa")
    for codec in ("sdae", "jpeg"):
        first.add("set", codec, "picture", [row], OPTIONS)
        first.finish("set", codec, OPTIONS)
    assert evaluation.Results(tmp_path, "aa").rows("set", "sdae") == {"picture": [row]}
    assert evaluation.Results(tmp_path, "bb").rows("set", "sdae") == {}
    assert evaluation.Results(tmp_path, "bb").rows("set", "jpeg") == {"picture": [row]}


def test_an_interrupted_run_keeps_what_it_measured(tmp_path):
    row = {"setting": 5, "pixels": 64, "bytes": 10, "psnr": 30.0, "ssim": 0.9}
    first = evaluation.Results(tmp_path, "aa")
    for k in range(9):
        first.add("set", "sdae", f"picture{k}", [row], OPTIONS)
    assert len(evaluation.Results(tmp_path, "aa").rows("set", "sdae")) == 8


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--codecs", "mp3"], "no codec mp3"),
        (["--sets", "nowhere", "--codecs", "sdae"], "no folder"),
        (["--sets", "kodak", "--kodak", "nowhere"], "kodak"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(extra, sentence, tmp_path, capsys):
    assert evaluate.run(options(*extra, "--results", str(tmp_path))) == 2
    assert sentence in capsys.readouterr().err


def test_what_nobody_waits_for_any_more_ends_at_once():
    found = evaluation.spread(time.sleep, [("short", 0), *[("long", 120)] * 3], jobs=2)
    assert next(found) == ("short", None)
    begun = time.monotonic()
    found.close()
    assert time.monotonic() - begun < 30
