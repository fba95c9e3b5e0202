"""Training: what it learns from, writes, resumes and refuses."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import skimage.data
import tensorflow
from PIL import Image

import sdae
from sdae import weights
from sdae.__main__ import main
from sdae.training import (
    buckets,
    context_tables,
    denoiser,
    gather,
    loop,
    loss,
    photographs,
    training_record,
)
from sdae.training.autoencoder import Autoencoder
from sdae.training.optimisation import share_of_rate
from tests.test_network import SMALL

ROOT = Path(__file__).parents[1]

LEAST = replace(
    SMALL, latent_channels=6, groups=(3, 3), overlapped=3, analysis_depthwise=1, synthesis_blocks=1
)

OPTIONS = (
    "--crop 64 --batch 2 --steps 1 --crops 4 --context-crops 2 --context-steps 1 --decoder-steps 1"
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee", "chelsea"):
        picture = Image.fromarray(getattr(skimage.data, name)()[:180, :180])
        picture.save(folder / f"{name}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xffno more")  # is passed over
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A network of few layers, whose few steps need no graph."""
    monkeypatch.setattr(loop, "Config", lambda: LEAST)
    crops = photographs.crops
    monkeypatch.setattr(photographs, "crops", lambda p, n, *more: crops(p, min(n, 50), *more))
    tensorflow.config.run_functions_eagerly(True)
    monkeypatch.setattr(buckets, "_ALPHABETS", (2, 3, 8))  # quick to try
    monkeypatch.setattr(buckets, "COUNT", 4)
    monkeypatch.setattr(loss, "_VALIDATION_POSITIONS", (0.3,))
    monkeypatch.setattr(Autoencoder, "_shift", lambda self, y, *_: y * 0)  # half of a step
    yield
    tensorflow.config.run_functions_eagerly(False)


def train(photos, output, *extra):
    places = "--validation", photos, "--output", output
    return main(["train", *map(str, (photos, *places, *OPTIONS.split(), *extra))])


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "checkpoint.npz"}


def test_training_learns_saves_is_broken_resumes_and_ends_once(
    photos, tmp_path, capsys, monkeypatch
):
    assert train(photos, tmp_path, "--stop-after", "0") == 0
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["images"] == 2 and card["training"]["batch"] == 2 and "finished" not in card
    before, made = {p: p.read_bytes() for p in tmp_path.iterdir()}, loss.make_batch
    with monkeypatch.context() as patch:
        broken = lambda *given: (made(*given)[0], made(*given)[1] * np.nan)  # noqa: E731
        patch.setattr(loop, "make_batch", broken)
        assert train(photos, tmp_path) == 2
    assert "no number" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before
    # Ended between the weights and their card.
    with monkeypatch.context() as patch:
        patch.setattr(context_tables, "fit", Mock(side_effect=KeyboardInterrupt))
        assert train(photos, tmp_path) == 130
    (tmp_path / "weights.npz").write_bytes(b"half")
    assert train(photos, tmp_path) == 0
    rows = list(csv.DictReader((tmp_path / "loss.csv").open()))
    assert [int(row["images"]) for row in rows] == [2, 4]
    assert float(rows[1]["validation_loss"]) < 1.2 * float(rows[0]["validation_loss"])
    codec = sdae.load(tmp_path)
    picture = np.full((20, 30, 3), 90, "uint8")
    assert codec.decompress(codec.compress(picture)).size == (30, 20)
    before = contents(tmp_path)
    assert train(photos, tmp_path) == 0
    assert "finished" in capsys.readouterr().err and contents(tmp_path) == before
    # Weights that files may need are not written over by another training.
    (tmp_path / "checkpoint.npz").unlink()
    assert train(photos, tmp_path) == 2
    assert "--force" in capsys.readouterr().err and contents(tmp_path) == before
    further = tmp_path / "further"
    assert train(photos, further, "--start", tmp_path, "--stop-after", "0") == 0
    assert (further / "history.csv").read_text() == (tmp_path / "loss.csv").read_text()
    assert [row["all_images"] for row in training_record.read(further)] == [2, 4, 6]


@pytest.mark.parametrize("command", ["train", "train-denoiser"])
def test_shipped_weights_are_never_written_to(photos, command, capsys):
    place = weights.folder(weights.SHIPPED[-1])
    assert main([command, str(photos), "--output", str(place), "--force"]) == 2
    assert "ship" in capsys.readouterr().err


def test_crops_of_another_size_are_refused_in_a_sentence(photos, tmp_path, capsys):
    with pytest.raises(SystemExit):
        train(photos, tmp_path, "--crop", "100")
    assert "multiple of 64" in capsys.readouterr().err


def test_an_output_that_cannot_be_is_said_before_the_training(photos, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert train(photos, tmp_path / "file" / "w") == 1
    err = capsys.readouterr().err
    assert "Not a directory" in err and "reading" not in err


def test_no_photographs_is_one_sentence(tmp_path, capsys):
    assert train(tmp_path, tmp_path / "w") == 2
    assert "No photographs" in capsys.readouterr().err


def test_low_qualities_are_drawn_more_often():
    crops = np.zeros((4000, 8, 8, 3), "uint8")
    t = loss.make_batch(crops, np.random.default_rng(0))[0]["t"]
    assert 0 <= t.min() and t.max() <= 1
    assert np.mean((t > 0.05) & (t < 0.6)) == pytest.approx(0.6 + 0.4 * 0.55, abs=0.03)


def test_similarity_is_one_for_equal_pictures_and_falls_with_noise():
    rng = np.random.default_rng(0)
    a = rng.random((2, 32, 32, 3), "float32")
    noisy = a + rng.normal(0, 0.2, a.shape).astype("float32")
    np.testing.assert_allclose(np.asarray(loss.similarity(a, a)), 1, atol=1e-4)
    assert (np.asarray(loss.similarity(a, noisy)) < 0.95).all()


def test_the_rate_rises_stays_and_falls():
    shares = [share_of_rate(step, step / 100, 10, 0.5) for step in range(101)]
    assert shares[0] == pytest.approx(0.1) and shares[9:51] == [1.0] * 42
    assert shares[100] == pytest.approx(0.01) and (np.diff(shares[50:]) < 0).all()


def test_rows_are_gathered_and_their_gradient_goes_back():
    tf = tensorflow
    rng = np.random.default_rng(0)
    x, places = tf.constant(rng.normal(size=(2, 7, 3))), rng.integers(0, 8, (4, 5))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = gather.rows(x, places)
        theirs = tf.gather(tf.pad(x, [[0, 0], [0, 1], [0, 0]]), places, axis=1)
        losses = [tf.reduce_sum(y**3) for y in (ours, theirs)]
    np.testing.assert_array_equal(ours, theirs)
    one, other = (tf.convert_to_tensor(tape.gradient(value, x)) for value in losses)
    np.testing.assert_allclose(one, other)


def test_most_crops_are_as_noisy_as_the_denoiser_is_told():
    crops = np.full((200, 32, 32, 3), 120, "uint8")
    inputs, clean = denoiser.noisy(crops, np.random.default_rng(0))
    image, told = inputs["image"], inputs["sigma"]
    assert np.allclose(clean, 120 / 255, atol=0.02) and image.dtype == told.dtype == np.float32
    spread = (image - clean).std(axis=(1, 2, 3))
    assert np.corrcoef(spread, told)[0, 1] > 0.6
    right = np.isclose(spread, told, rtol=0.1)
    assert 60 < sum(right) < 140 and (told < 0.7 * spread).any() and (told > 1.4 * spread).any()
    low, high = denoiser.LEVELS
    assert (told[right] > 0.8 * low).all() and (told[right] < 1.2 * high).all()
    beyond = [crop.min() < 0 or crop.max() > 1 for crop in image]
    steps = [np.allclose(crop * 255, np.rint(crop * 255), atol=1e-3) for crop in image]
    assert 5 < sum(beyond) < 60 and 100 < sum(steps) < 190
    assert 2 < sum(np.ptp(crop, -1).max() == 0 for crop in image) < 25


def test_a_denoiser_is_trained_on_and_kept_where_that_is_broken_off(
    tiny_folder, photos, tmp_path, capsys, monkeypatch
):
    start = tiny_folder / "denoiser"
    places = "--validation", photos, "--output", tmp_path, "--start", start

    def train_denoiser(*options):
        command = "train-denoiser", photos, *places, "--batch", 4, "--crop", 64, *options
        return main([*map(str, command)])

    learned = denoiser.losses

    def interrupted(*args):
        yield next(learned(*args))
        raise KeyboardInterrupt

    monkeypatch.setattr(denoiser, "losses", interrupted)
    assert train_denoiser("--crops", 8) == 130
    before = weights.read(start)[1]["crops"]
    assert weights.read(tmp_path)[1]["crops"] == before + 4
    monkeypatch.setattr(denoiser, "losses", learned)
    assert train_denoiser("--crops", 8, "--force") == 0
    (arrays, card), (first, _) = weights.read(tmp_path), weights.read(start)
    assert len(card["psnr"]) == 9 and card["crops"] == before + 8
    assert "before" in capsys.readouterr().out
    kernel = "analysis/down_0/mix/kernel"
    assert 0 < np.abs(arrays[kernel] - first[kernel]).max() < 0.1
    assert train_denoiser("--crops", 99, "--minutes", 1e-9) == 2
    assert "say --force" in capsys.readouterr().err
    assert train_denoiser("--crops", 99, "--minutes", 1e-9, "--force") == 0
    assert weights.read(tmp_path)[1]["crops"] == before


def test_another_backend_of_keras_traces_the_network():
    """Accelerators are lent with JAX."""
    pytest.importorskip("jax")
    script = """
import keras
from sdae.network.config import Config
from sdae.training.autoencoder import Autoencoder

least = Config(6, (4, 4, 4), 1, 1, 1, 1, 1, (3, 3), 3)
assert keras.backend.backend() == "jax"
given = {"image": keras.KerasTensor((2, 64, 64, 3)), "t": keras.KerasTensor((2,))}
traced = Autoencoder(least).compute_output_spec(given)
assert traced["picture"].shape == (2, 64, 64, 3) and traced["bits"].shape == (2,)
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "JAX_PLATFORMS": "cpu",
        },
    )
    assert run.returncode == 0, run.stderr
