"""Fitting of the context tables: the integers predict what the trained model predicts."""

import keras
import numpy as np
import pytest
from keras import ops

from sdae.coding.predictor import Predictor
from sdae.coding.units import FEATURE_UNIT, WIDTH_UNIT
from sdae.network.config import quality_position
from sdae.training import context_tables, decoder
from sdae.training.autoencoder import Autoencoder, initialise, variables
from sdae.training.context_model import ContextModel, laplacian_bits
from tests.test_network import SMALL


def built(*groups):
    channels = sum(groups)
    layer = ContextModel(groups, np.ones((SMALL.levels, channels)), name="contexts")
    layer(ops.zeros((1, 8, 8, channels)), ops.zeros(1))
    return layer


@pytest.fixture(scope="module")
def refined():
    """A context model all of whose weights matter."""
    rng = np.random.default_rng(0)
    layer = built(*SMALL.groups)
    for variable in layer.weights:
        if not variable.path.endswith("share"):
            variable.assign(rng.normal(0, 0.1, variable.shape))
    return layer


@pytest.mark.parametrize("shape", [(8, 8), (1, 3), (13, 22)])
@pytest.mark.parametrize("quality", [1, 37.5])
def test_integers_predict_what_the_model_predicts(refined, shape, quality):
    rng = np.random.default_rng(1)
    values = np.rint(rng.laplace(0, 3, (*shape, 12))).astype("int16")
    t = np.array([quality_position(quality)], "float32")
    mean, scale = refined(values[None].astype("float32"), t)
    mean, scale = ops.convert_to_numpy(mean)[0], ops.convert_to_numpy(scale)[0]
    tables = refined.tables()
    predictor = Predictor(*shape, round(100 * quality), tables, 12)
    rows = predictor.steps.order
    steps = 0
    for step in predictor.plan:
        group, start, stop, _ = step
        own = predictor.slices[group]
        part = rows[start:stop]
        expected, width, linear = predictor.predict(*step)
        predictor.fill(*step, values.reshape(-1, 12)[part, own].astype("int32"), linear)
        # Refined means move by shares of a spread that is told apart in steps of a few percent, by
        # what logarithms of rounded differences say.
        tolerance = 0.4 + 0.05 * np.abs(expected - linear) / FEATURE_UNIT
        assert (np.abs(expected / FEATURE_UNIT - mean.reshape(-1, 12)[part, own]) < tolerance).all()
        width = np.logaddexp(0, width / WIDTH_UNIT) + 0.01
        assert width == pytest.approx(scale.reshape(-1, 12)[part, own], rel=0.15, abs=0.05)
        steps += stop - start
    assert steps == 3 * len(rows)


def test_large_weights_are_kept_in_the_exact_range(refined):
    layer = built(*SMALL.groups)
    layer.set_weights(refined.get_weights())
    for kernel in (*layer.hidden[1:], *layer.hidden_own, layer.hidden_coarse):
        kernel.assign(kernel * 40)
    for kernel in (*layer.hidden_out, layer.mean, layer.mean_own, layer.mean_coarse):
        kernel.assign(kernel * 200)
    for kernel in (layer.width, layer.width_own, layer.width_coarse):
        kernel.assign(kernel * 5000)
    layer.hidden_bias.assign(layer.hidden_bias - 1500)
    assert layer.tables().channels == 12


def test_a_fit_goes_on_from_the_tables_that_it_left(refined):
    tables = refined.tables()
    layer = built(*SMALL.groups)
    layer.resume(tables)
    again = layer.tables()
    again, tables = again.to_arrays(), tables.to_arrays()
    assert again.keys() == tables.keys() and "tables/refined_second" in tables
    for name, expected in tables.items():
        found = again[name].astype("int64")
        assert np.abs(found - expected.astype("int64")).max() <= 1, name


def test_weights_that_can_never_act_are_counted():
    layer = built(*SMALL.groups)
    for variable in layer.weights:
        variable.assign(np.full(variable.shape, 0.1))
    tables = layer.tables().to_arrays()
    others = ("groups", "buckets", "costs", "words", "presets", "refined_spread")
    acting = sum(np.count_nonzero(v) for k, v in tables.items() if k.split("/")[1] not in others)
    assert layer.idle() == layer.count_params() - acting > 0


def test_refit_saves_bits():
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.05, 3, (64, 1, 1, 1)) * np.linspace(2, 0.2, 6)
    examples = np.rint(rng.laplace(0, scale, (64, 8, 8, 6))).astype("int16")
    start = built(3, 3).tables()

    def refitted(steps):
        layer = built(3, 3)
        layer.resume(start)
        rng = np.random.default_rng(1)
        context_tables.refit(layer, examples, np.full(64, 5050), steps, rng)
        return layer

    def bits(layer):
        values = examples.astype("float32")
        mean, width = layer(values, np.full(64, 0.5, "float32"))
        return float(ops.sum(laplacian_bits(values, mean, width)))

    layer = refitted(40)
    assert bits(layer) < 0.99 * bits(refitted(0))


def test_the_synthesis_alone_learns_from_integers_and_comes_closer(monkeypatch):
    monkeypatch.setattr(decoder, "_AVERAGE", 0.5)
    keras.utils.set_random_seed(3)
    model = initialise(Autoencoder(SMALL, name="autoencoder"))
    rng = np.random.default_rng(0)
    crops = np.repeat(rng.integers(0, 256, (16, 1, 1, 3)), 64, 1).repeat(64, 2).astype("uint8")
    codes = np.full(16, 5050)
    t = np.full(16, 0.5, "float32")
    gain, inverse = (ops.convert_to_numpy(x) for x in model.gains(t))
    latent = ops.convert_to_numpy(model.analysis(crops / np.float32(255), t * 0))
    examples = np.rint(latent * gain + 3).astype("int16")  # as an encoder with other ideas would
    before = {name: ops.convert_to_numpy(v) for name, v in variables(model).items()}

    def error():
        restored = model.synthesis(examples * inverse, t * 0)
        return float(ops.mean(ops.square(restored - crops / np.float32(255))))

    given = model, crops, examples, codes
    first = error()
    decoder.refit(*given, 0, 30.0, rng)
    assert error() == first
    decoder.refit(*given, 30, 30.0, rng, rate=0.1)
    assert error() < 0.99 * first
    for name, value in variables(model).items():
        moved = not np.array_equal(before[name], ops.convert_to_numpy(value))
        assert moved == (name.startswith("synthesis/") and not name.endswith("scale")), name
