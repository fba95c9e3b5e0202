"""The NumPy transforms are those of the Keras model, and need no Keras."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages.inside.keras_model import keras_model
from sdae.network.gradients import SynthesisAdjoint
from sdae.network.numpy_network import Network
from skimage import data

from sdae.coding import predictor
from sdae.network import encoder_effort, numpy_network
from sdae.network.config import Config, quality_position
from sdae.training import autoencoder
from sdae.training.context_model import laplacian_bits
from sdae.weights import WeightsError

SMALL = Config(
    latent_channels=12,
    overlapped=5,
    widths=(8, 12, 16),
    analysis_blocks=1,
    synthesis_blocks=2,
    analysis_depthwise=2,
    synthesis_depthwise=1,
    fine_blocks=1,
    groups=(2, 4, 6),
    levels=3,
)


@pytest.fixture(scope="module", params=["trained", "random"])
def pair(request, codec):
    """The Keras model and its NumPy twin: the shipped one, and one whose every weight counts."""
    if request.param == "trained":
        return keras_model(codec), codec.network
    model = autoencoder.initialise(autoencoder.Autoencoder(SMALL))
    rng = np.random.default_rng(4)
    for variable in model.weights:
        if "seed" not in variable.path:
            variable.assign(rng.normal(0, 0.1, variable.shape))
    return model, Network(model.stored(), SMALL)


def close(theirs, ours):
    theirs = np.asarray(theirs)[0]
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=4e-6 * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("height, width", [(8, 8), (40, 104)])
@pytest.mark.parametrize("t", [0.0, 0.37, 1.0])
def test_every_transform_is_that_of_keras(pair, height, width, t):
    model, ours = pair
    rng = np.random.default_rng(height)
    image = rng.random((height, width, 3), "float32")
    one = np.float32([t])
    close(model.analysis(image[None], np.float32([0.2]), one), ours.analysis(image, 0.2, t))
    shape = height // 8, width // 8, model.config.latent_channels
    integers = np.rint(rng.laplace(scale=4, size=shape)).astype("float32")
    close(model.synthesis(integers[None] / 30, one), ours.synthesis(integers / 30, t))
    for theirs, mine in zip(model.gains(one), ours.gains(t)):
        close(np.reshape(theirs, (1, -1)), mine)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 40))
def test_strips_of_any_height_give_the_whole(pair, monkeypatch, heights, positions):
    monkeypatch.setattr(numpy_network, "_STRIP", positions)
    _, ours = pair
    rng, (h, w, t) = np.random.default_rng(positions), (sum(heights), 7, 0.4)
    ends = np.cumsum(heights)[:-1]
    image = rng.random((8 * h, 8 * w, 3), "float32")
    latent = np.rint(rng.laplace(scale=4, size=(h, w, ours.config.latent_channels))) / 30
    for rows, whole, x, unit in (
        (ours.analysis_rows, ours.analysis, (image, 0.1, t), 8),
        (ours.synthesis_rows, ours.synthesis, (latent.astype("float32"), t), 1),
    ):
        parts = list(rows(iter(np.split(x[0], unit * ends)), *x[1:]))
        assert all(map(len, parts))
        expected = whole(*x)
        np.testing.assert_allclose(
            np.concatenate(parts), expected, rtol=0, atol=4e-6 * max(1, np.abs(expected).max())
        )


def test_rows_are_taken_in_other_parts_than_they_came():
    rows = np.arange(24).reshape(8, 3)
    parts = list(numpy_network.regrouped(np.split(rows, [1, 1, 6]), [2, 0, 5, 1]))
    assert [len(part) for part in parts] == [2, 0, 5, 1]
    np.testing.assert_array_equal(np.concatenate(parts), rows)


def test_bits_are_those_of_keras():
    rng = np.random.default_rng(5)
    given = [
        x.astype("float32")
        for x in (
            np.rint(rng.laplace(0, 4, 1000)),
            rng.normal(size=1000),
            rng.exponential(2, 1000) + 0.01,
        )
    ]
    theirs = np.asarray(laplacian_bits(*given))
    np.testing.assert_allclose(numpy_network.laplacian_bits(*given), theirs, rtol=1e-4, atol=1e-4)


def test_training_sees_the_integers_that_an_encoder_makes(codec):
    # Large enough that the few ties which fall otherwise in floating point weigh little.
    image, code = data.astronaut()[60:316, 120:376].astype("float32") / 255, 4000
    ours, t = codec.network, quality_position(code / 100)
    gain, inverse = ours.gains(t)
    y = ours.analysis(image, 0.0, t) * gain
    values = encoder_effort.round_for_rate(ours, codec.tables, y, code)
    inputs = {"image": image[None], "sigma": np.float32([0]), "t": np.float32([t])}
    seen = {name: np.asarray(found)[0] for name, found in keras_model(codec)(inputs).items()}

    def apart(integers):
        return np.abs(seen["picture"] - ours.synthesis(integers * inverse, t)).mean()

    assert apart(values) < 0.1 * apart(np.rint(y))
    expected = predictor.expectations(values, code, codec.tables)
    bits = numpy_network.laplacian_bits(values, *expected).sum() / image[..., 0].size
    assert seen["bits"] == pytest.approx(bits, rel=0.01)


def test_files_are_made_and_read_without_keras():
    script = """
import sys, numpy, sdae
codec = sdae.load()
codec.decompress(codec.compress(numpy.zeros((20, 30, 3), "uint8")))
codec.denoise(numpy.zeros((20, 30, 3), "uint8"))
heavy = {"tensorflow", "keras", "scipy", "skimage"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_missing_and_misshapen_arrays_are_refused(codec):
    arrays = dict(codec.trained.arrays)
    with pytest.raises(WeightsError, match="do not fit"):
        Network(arrays, SMALL)
    del arrays["synthesis/head/bias"]
    with pytest.raises(WeightsError, match="synthesis/head/bias is missing"):
        Network(arrays, codec.network.config)


def test_a_latent_of_another_resolution_can_be_trained_but_no_file_holds_it():
    config = Config(latent_channels=12, overlapped=5, widths=(8, 12), groups=(2, 4, 6), levels=3)
    model = autoencoder.initialise(autoencoder.Autoencoder(config))
    given = {"image": np.zeros((1, 32, 64, 3), "float32"), "sigma": np.zeros(1), "t": np.zeros(1)}
    assert model.analysis(*given.values()).shape == (1, 8, 16, 12)
    assert model(given)["picture"].shape == (1, 32, 64, 3)
    with pytest.raises(WeightsError, match="at 1/4"):
        Network(model.stored(), config)


def test_gradient_of_the_squared_error_is_its_slope(pair):
    _, ours = pair
    rng, t = np.random.default_rng(2), 0.4
    integers = rng.normal(0, 4, (2, 3, ours.config.latent_channels)).astype("float32")
    image = rng.random((16, 24, 3), "float32")
    adjoint = SynthesisAdjoint(ours)
    error, gradient = adjoint.look(integers, image, t)
    assert error == pytest.approx(adjoint.squared_error(integers, image, t), rel=1e-4)
    step = 0.002 * gradient / np.abs(gradient).max()
    up, down = (adjoint.squared_error(integers + s * step, image, t) for s in (1, -1))
    assert (up - down) / 2 == pytest.approx(np.sum(gradient * step), rel=0.02)
