"""The twin of the network that noisy pictures pass: how it is trained, stored and used."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data
from PIL import Image

from sdae import weights
from sdae.__main__ import main
from sdae.network import denoising, numpy_network
from sdae.network.numpy_network import Network
from sdae.training import autoencoder, noise_removal
from tests.test_network import SMALL

TWIN = weights.FOR_NOISE + "analysis/head/bias"


@pytest.fixture(scope="module")
def model():
    return autoencoder.initialise(autoencoder.Autoencoder(SMALL, name="autoencoder"))


@pytest.fixture(scope="module")
def arrays(model):
    """Weights every one of which counts, with a twin that differs in some layers."""
    rng = np.random.default_rng(4)
    for variable in model.weights:
        if "seed" not in variable.path:
            variable.assign(rng.normal(0, 0.1, variable.shape))
    found = model.stored()
    names = [n for n in found if n.startswith(("analysis/depthwise", "analysis/head"))]
    noisy = {n: found[n] + rng.normal(0, 0.05, found[n].shape).astype("float32") for n in names}
    return found | weights.differences(found, noisy)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee"):
        Image.fromarray(getattr(skimage.data, name)()[:200, :250]).save(folder / f"{name}.png")
    return folder


def test_only_noisy_pictures_pass_the_twins(arrays):
    without, _ = weights.parted(arrays)
    ours, plain = Network(arrays, SMALL), Network(without, SMALL)
    assert plain.for_noise is plain and ours.for_noise is not ours
    image = np.random.default_rng(0).random((24, 40, 3), "float32")
    for sigma in (0.0, 0.2):
        y = ours.analysis(image, sigma, 0.5)
        np.testing.assert_array_equal(y, plain.analysis(image, sigma, 0.5))
    np.testing.assert_array_equal(ours.synthesis(y, 0.5), plain.synthesis(y, 0.5))
    noisy = (255 * image).astype("uint8")
    assert (denoising.cleaned(ours, noisy, 0.2) != denoising.cleaned(plain, noisy, 0.2)).any()


def test_differences_are_kept_to_a_hundredth():
    rng = np.random.default_rng(2)
    clean = {n: rng.normal(0, 1, (40, 30)).astype("float16") for n in "ab"}
    noisy = {n: v + rng.normal(0, 1e-3, v.shape).astype("float32") for n, v in clean.items()}
    noisy["b"] = clean["b"].astype("float32")  # no difference at all
    found = weights.for_noise(clean | weights.differences(clean, noisy))
    assert found.keys() == clean.keys()
    np.testing.assert_allclose(found["a"], noisy["a"], rtol=0, atol=2e-5)
    np.testing.assert_array_equal(found["b"], noisy["b"])


def test_twins_restore_what_keras_does(model, arrays, monkeypatch):
    monkeypatch.setattr(numpy_network, "_STRIP", 10)  # several strips
    model.restore(weights.for_noise(arrays))
    image = np.random.default_rng(1).random((48, 40, 3), "float32")
    inputs = {"image": image[None], "sigma": np.float32([0.2])}
    theirs = np.asarray(noise_removal.Restoring(model)(inputs))[0]
    ours = denoising._passed(Network(arrays, SMALL), image, 0.2, "float32", None)
    np.testing.assert_allclose(ours, np.clip(theirs, 0, 1), rtol=0, atol=4e-6)


def test_a_twin_is_taken_over_whatever_became_of_the_network(arrays):
    rng = np.random.default_rng(7)
    own, _ = weights.parted(arrays)
    later = {n: v + rng.normal(0, 0.02, v.shape).astype("float32") for n, v in own.items()}
    found = noise_removal.taken_over(later, arrays, SMALL.to_dict())
    assert weights.parted(found)[0].keys() == later.keys()
    image = rng.random((40, 48, 3), "float32")
    before, after, fresh = (
        denoising._passed(Network(a, SMALL).for_noise, image, 0.2, "float32", None)
        for a in (arrays, found, later)
    )
    assert np.abs(after - before).max() < 0.1 * np.abs(fresh - before).max()


def test_a_misshapen_twin_is_refused(arrays):
    with pytest.raises(weights.WeightsError, match="analysis/head/bias"):
        weights.for_noise(arrays | {TWIN: np.zeros(3, "int8")})


def test_crops_are_noisy_as_told():
    clean = np.full((64, 16, 16, 3), 0.5, "float32")
    inputs = noise_removal.noisy(clean, np.random.default_rng(0))
    low, high = noise_removal.LEVELS
    assert (inputs["sigma"] >= low).all() and (inputs["sigma"] <= high).all()
    spread = (inputs["image"] - clean).std(axis=(1, 2, 3))
    assert np.corrcoef(spread, inputs["sigma"])[0, 1] > 0.95
    beyond = [crop.min() < 0 or crop.max() > 1 for crop in inputs["image"]]
    steps = [np.allclose(crop * 255, np.rint(crop * 255), atol=1e-3) for crop in inputs["image"]]
    assert 4 < sum(beyond) < 28 and 16 < sum(steps) < 48


def test_command_adds_twins_and_changes_nothing_else(arrays, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(noise_removal, "_RISE", 1)  # quick to learn
    monkeypatch.setattr(noise_removal, "_AVERAGE", 0.2)
    # Minutes of the processor, however busy the machine is.
    monkeypatch.setattr(noise_removal, "time", SimpleNamespace(monotonic=time.process_time))
    begun, _ = weights.parted(arrays)
    weights.write(tmp_path, begun, {"config": SMALL.to_dict(), "note": "kept"})
    command = ["fit-denoising", str(photos), "--weights", str(tmp_path)]
    options = "--minutes 0.1 --batch 4 --crop 32 --rate 3e-4".split()
    assert main([*command, "--validation", str(photos), *options]) == 0
    found, card = weights.read(tmp_path)
    for name, value in begun.items():
        np.testing.assert_array_equal(found[name], value)
    twins = {name: found[name] for name in found.keys() - begun.keys()}
    assert TWIN in twins and all(name.startswith(weights.FOR_NOISE) for name in twins)
    assert card["note"] == "kept" and card["noise_removal"]["crops"] > 0
    assert card["noise_removal"]["parameters"] == sum(v.size for v in twins.values() if v.ndim)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for line in lines:
        before, now = (float(part.split(" dB")[0].split()[-1]) for part in line.split("before,"))
        assert now > before
    begin = tmp_path / "begin"
    weights.write(begin, begun, {"config": SMALL.to_dict()})
    start = "--validation", str(photos), "--start", str(tmp_path), *options
    assert main(["fit-denoising", str(photos), "--weights", str(begin), *start]) == 0
    again, its = weights.read(begin)
    assert again.keys() == found.keys() and its["noise_removal"]["minutes"] == 0.2
    assert (again[TWIN] != found[TWIN]).any()
    weights.write(begin, begun, {"config": SMALL.to_dict()})
    assert (
        main(["fit-denoising", str(photos), "--weights", str(begin), *start, "--minutes", "0"]) == 0
    )
    assert weights.read(begin)[1]["noise_removal"]["crops"] == card["noise_removal"]["crops"]
    assert main([*command, "--validation", str(tmp_path / "nowhere")]) == 2
    assert json.loads((tmp_path / "card.json").read_text()) == card
