import argparse
import csv
import json

import numpy as np
import pytest
from PIL import Image

import sdae
from sdae import weights
from sdae.__main__ import main
from sdae.training import autoencoder, buckets, loop
from tests.test_network import SMALL


def options(photos, output, *extra):
    parser = argparse.ArgumentParser()
    loop.add_arguments(parser)
    return parser.parse_args([str(photos), "--output", str(output), *extra])


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee", "chelsea"):
        picture = Image.fromarray(getattr(data, name)())
        for k in range(4):
            box = (k * 30, k * 20, k * 30 + 160, k * 20 + 160)
            picture.crop(box).save(folder / f"{name}-{k}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xffno more")  # is passed over
    return folder


def test_defaults_are_those_of_the_original_work(tmp_path):
    args = options(tmp_path, tmp_path)
    assert (args.batch, args.epochs) == (32, 100) and args.ssim_weight > 0


def test_batches_hold_noisy_input_and_clean_target():
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (64, 8, 8, 3), dtype="uint8")
    inputs, target = loop.make_batch(clean, rng, 0.5, 0.35)
    np.testing.assert_allclose(target * 255, clean, atol=1e-4)
    noisy = inputs["sigma"] > 0
    assert 16 < noisy.sum() < 48
    assert (inputs["image"][~noisy] == target[~noisy]).all()
    spread = (inputs["image"] - target)[noisy].std(axis=(1, 2, 3))
    assert np.corrcoef(spread, inputs["sigma"][noisy])[0, 1] > 0.9
    assert 0 <= inputs["t"].min() and inputs["t"].max() <= 1


def test_similarity_is_one_for_equal_pictures_and_falls_with_noise():
    rng = np.random.default_rng(0)
    a = rng.random((2, 32, 32, 3), "float32")
    noisy = a + rng.normal(0, 0.2, a.shape).astype("float32")
    equal, less = np.asarray(loop.similarity(a, a)), np.asarray(loop.similarity(a, noisy))
    np.testing.assert_allclose(equal, 1, atol=1e-4)
    assert (less < 0.95).all()


def test_training_learns_saves_and_resumes(photos, tmp_path, monkeypatch):
    """Two runs leave what one would; the last third of a training is on larger crops."""
    monkeypatch.setattr(autoencoder, "Config", lambda: SMALL)
    monkeypatch.setattr(buckets, "_ALPHABETS", (2, 3, 8))  # quick to try
    common = "--crop 32 --late-crop 64 --batch 4 --steps 3 --float32 --epochs 4".split()
    common += "--context-crops 32 --context-seconds 1".split()
    args = options(photos, tmp_path, *common, "--stop-after", "0")
    assert loop.run(args) == 0
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["epochs"] == 1 and card["training"]["batch"] == 4
    args.stop_after = None
    assert loop.run(args) == 0
    rows = list(csv.DictReader((tmp_path / "loss.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [int(row["images"]) for row in rows] == [12, 24, 36, 39]
    assert float(rows[3]["validation_loss"]) < 1.2 * float(rows[0]["validation_loss"])
    codec = sdae.load(tmp_path)
    picture = np.full((20, 30, 3), 90, "uint8")
    assert codec.decompress(codec.compress(picture)).size == (30, 20)
    assert loop.run(args) == 0
    assert len(list(csv.DictReader((tmp_path / "loss.csv").open()))) == 4

    further = options(photos, tmp_path / "further", *common, "--start", str(tmp_path))
    further.stop_after, further.parts = 0, ["synthesis"]
    assert loop.run(further) == 0
    assert (tmp_path / "further/history.csv").read_text() == (tmp_path / "loss.csv").read_text()
    card = json.loads((tmp_path / "further/card.json").read_text())
    assert card["all_runs"]["runs"] == 2 and card["all_runs"]["images"] == 39 + 12
    found, begun = (weights.read(place)[0] for place in (tmp_path / "further", tmp_path))
    for name in (name for name in begun if name.startswith(("analysis/", "gains/"))):
        np.testing.assert_array_equal(found[name], begun[name])
    assert not np.array_equal(found["synthesis/stem/kernel"], begun["synthesis/stem/kernel"])


def test_no_photographs_is_one_sentence(tmp_path, capsys):
    assert loop.run(options(tmp_path, tmp_path)) == 2
    assert "No photographs" in capsys.readouterr().err


def test_the_bench_sets_training_beside_its_convolutions(capsys):
    options = "--batch 2 --crop 32 --rounds 2".split()
    assert main(["bench", "training", *options]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert "2 crops of 32×32" in head
    step, alone, share = (float(row.split()[-2 if "%" in row else -4]) for row in rows)
    assert 0 < step < alone and share == pytest.approx(100 * step / alone, rel=0.05)
