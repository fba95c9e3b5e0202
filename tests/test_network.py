"""The network: its layers, its contexts, and that Keras and NumPy compute the same."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage import data

from sdae.coding.coding_order import FINE, LAST, SPACING, lattice, lattice_neighbours
from sdae.network import denoising, rounding, rows, transform_coding
from sdae.network import transforms as numpy_transforms
from sdae.network.config import Config, quality_condition, quality_position
from sdae.network.layers import Convolution
from sdae.network.transforms import Network, Transforms
from sdae.training import autoencoder, layers, transforms
from sdae.training.autoencoder import Autoencoder, initialise, variables
from sdae.training.context_model import ContextModel, laplacian_bits
from sdae.training.denoiser import Denoiser
from sdae.weights import WeightsError
from tests.small_tables import bits, expectations

SMALL = Config(
    latent_channels=12,
    overlapped=4,
    widths=(8, 12, 16),
    analysis_blocks=1,
    synthesis_blocks=2,
    analysis_depthwise=2,
    synthesis_depthwise=1,
    fine_blocks=1,
    groups=(3, 3, 6),
)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(4000, 192)).cumsum(1) * 0.02
    basis, spread = transforms.karhunen_loeve(smooth, 12)
    return initialise(Autoencoder(SMALL, basis, spread, name="autoencoder"))


def shaken(model):
    """The model with weights every one of which counts."""
    rng = np.random.default_rng(4)
    for variable in variables(model).values():
        variable.assign(rng.normal(0, 0.1, variable.shape))
    return model


@pytest.fixture(scope="module", params=["shipped", "random"])
def pair(request, codec):
    """A model in Keras, and the same in NumPy."""
    if request.param == "random":
        model = shaken(initialise(Autoencoder(SMALL, name="autoencoder")))
        return model, Network(model.stored(), SMALL)
    model = initialise(Autoencoder(codec.network.config, name="autoencoder"))
    model.restore(codec.trained.arrays)
    return model, codec.network


def array(x):
    return np.asarray(x)


def close(theirs, ours):
    theirs = np.asarray(theirs)[0]
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5 * max(1, np.abs(theirs).max()))


def test_depth_to_space_undoes_space_to_depth():
    x = np.random.default_rng(0).normal(size=(2, 16, 24, 3)).astype("float32")
    deep = layers.space_to_depth(x, 8)
    assert tuple(deep.shape) == (2, 2, 3, 192)
    np.testing.assert_array_equal(array(deep)[0, 1, 2], x[0, 8:16, 16:24].reshape(-1))
    np.testing.assert_array_equal(array(layers.depth_to_space(deep, 8)), x)


def test_karhunen_loeve_is_orthonormal_and_ordered():
    rng = np.random.default_rng(0)
    blocks = rng.normal(size=(2000, 192)) * np.linspace(2, 0.1, 192)
    basis, spread = transforms.karhunen_loeve(blocks, 20)
    np.testing.assert_allclose(basis.T @ basis, np.eye(20), atol=1e-5)
    assert (np.diff(spread) <= 0).all() and spread[0] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (64, 24)])
def test_transforms_keep_their_promised_shapes(small, size):
    image = np.random.default_rng(0).random((2, *size, 3), "float32")
    t = np.float32([0, 1])
    y = small.analysis(image, t)
    assert tuple(y.shape) == (2, size[0] // 8, size[1] // 8, 12)
    assert tuple(small.synthesis(y, t).shape) == image.shape


def test_untrained_network_is_the_linear_transform(small):
    image = np.random.default_rng(0).random((1, 16, 16, 3), "float32")
    y = array(small.analysis(image, np.zeros(1, "float32")))
    kernel = array(small.analysis.linear.kernel) / 30
    expected = array(layers.space_to_depth(image - 0.5, 8)) @ kernel
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_gains_interpolate_exponentially(small):
    levels = SMALL.levels
    at = np.float32([0, 0.5 / (levels - 1), 1 / (levels - 1)])
    gain, inverse = (array(g)[:, 0, 0, 0] for g in small.gains(at))
    assert gain[1] == pytest.approx(np.sqrt(gain[0] * gain[2]), rel=1e-4)
    np.testing.assert_allclose(gain * inverse, 1, rtol=1e-4)


def test_lattice_neighbours_are_always_filled_before():
    level = lattice(20, 24)
    assert level.min() == 0 and level.max() == LAST
    assert (np.argwhere(level == 0) % SPACING == 0).all()
    for k in range(1, LAST + 1):
        for y, x in np.argwhere(level == k):
            for dy, dx in lattice_neighbours(k):
                if 0 <= y + dy < 20 and 0 <= x + dx < 24:
                    assert level[y + dy, x + dx] < k


def test_contexts_look_only_at_what_is_decoded_before():
    """Changing one integer may change predictions only of integers that are coded later."""
    contexts = ContextModel(SMALL.groups, np.ones((SMALL.levels, 12)))
    rng = np.random.default_rng(0)
    values = rng.integers(-5, 6, (1, 8, 8, 12)).astype("float32")
    t = np.float32([0.5])
    contexts(values, t)
    for variable in contexts.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.3)
    group = np.repeat(np.arange(3), SMALL.groups)
    level = lattice(8, 8)[:, :, None]
    level = np.where(group < FINE, level, level // LAST * LAST)
    stage = level + (LAST + 1) * group
    before = [array(p)[0] for p in contexts(values, t)]
    for y, x, c in [(0, 0, 0), (2, 2, 1), (1, 2, 0), (3, 3, 4), (4, 3, 3), (5, 5, 11)]:
        other = values.copy()
        other[0, y, x, c] += 3
        for old, new in zip(before, (array(p)[0] for p in contexts(other, t))):
            changed = np.abs(old - new) > 1e-6
            assert (stage[changed] > stage[y, x, c]).all()
            if c < 6:
                assert changed.any()


def test_laplacian_bits_are_those_of_a_distribution():
    values = np.arange(-400, 401, dtype="float32")
    for mean, scale in [(0.0, 0.05), (0.3, 1.0), (-1.5, 20.0)]:
        bits = array(laplacian_bits(values, np.float32(mean), np.float32(scale)))
        assert np.isfinite(bits).all()
        assert (2.0 ** -bits.astype("float64")).sum() == pytest.approx(1, abs=1e-3)


def test_channel_groups_must_fit_the_latent():
    with pytest.raises(ValueError, match="add up"):
        Config(latent_channels=10)


@pytest.mark.parametrize("height, width", [(8, 8), (40, 104)])
@pytest.mark.parametrize("t", [0.0, 0.37])
def test_every_transform_is_that_of_keras(pair, height, width, t):
    model, ours = pair
    rng = np.random.default_rng(height)
    image = rng.random((height, width, 3), "float32")
    one, condition = np.float32([t]), quality_condition(t)
    close(model.analysis(image[None], np.float32([condition])), ours.analysis(image, condition))
    shape = height // 8, width // 8, model.config.latent_channels
    latent = np.rint(rng.laplace(scale=4, size=shape)).astype("float32") / 30
    theirs = model.synthesis(latent[None], np.float32([condition]))
    close(theirs, ours.synthesis(latent, condition))
    for theirs, mine in zip(model.gains(one), ours.gains(t)):
        close(np.reshape(theirs, (1, -1)), mine)


def test_the_denoiser_is_that_of_keras(monkeypatch):
    monkeypatch.setattr(rows, "_STRIP", 10)  # several strips
    model = shaken(initialise(Denoiser(SMALL), "sigma"))
    ours = Transforms({k: np.asarray(v) for k, v in variables(model).items()}, SMALL)
    image = np.random.default_rng(1).integers(0, 256, (48, 40, 3), "uint8")
    both = np.stack([image, image[:, ::-1]]).astype("float32") / 255
    one, other = np.asarray(model({"image": both, "sigma": np.float32([0.2, 0.2])}))
    theirs = np.clip((one + other[:, ::-1]) / 2, 0, 1) * 255
    np.testing.assert_allclose(denoising.cleaned(ours, image, 0.2), theirs, atol=0.51)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 40))
def test_strips_of_any_height_give_the_whole(monkeypatch, small, heights, positions):
    monkeypatch.setattr(rows, "_STRIP", positions)
    ours = Network(small.stored(), SMALL)
    rng, (h, w) = np.random.default_rng(positions), (sum(heights), 7)
    ends = np.cumsum(heights)[:-1]
    image = rng.random((8 * h, 8 * w, 3), "float32")
    latent = np.rint(rng.laplace(scale=4, size=(h, w, 12))).astype("float32") / 30
    for by_rows, whole, x, unit in (
        (ours.analysis_rows, ours.analysis, image, 8),
        (ours.synthesis_rows, ours.synthesis, latent, 1),
    ):
        strips = list(by_rows(iter(np.split(x, unit * ends)), 0.3))
        assert all(map(len, strips))
        expected = whole(x, 0.3)
        np.testing.assert_allclose(
            np.concatenate(strips), expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max())
        )


@pytest.mark.parametrize("marked", [None, 3, 150])
def test_what_zeros_give_is_computed_once(monkeypatch, small, marked):
    monkeypatch.setattr(rows, "_STRIP", 64)
    network = Network(shaken(small).stored(), SMALL)
    latent, black = np.zeros((400, 8, 12), "float32"), np.zeros((1200, 16, 3), "float32")
    if marked:
        latent[marked, 2] = black[marked, 3] = 1
    whole, analysed = network.synthesis(latent, 0.3), network.analysis(black, 0.3)
    count, convolved = [], Convolution._convolved

    def counted(*args):
        count.append(args)
        return convolved(*args)

    monkeypatch.setattr(Convolution, "_convolved", counted)
    np.testing.assert_array_equal(network.synthesis(latent, 0.3), whole)
    few = len(count)
    monkeypatch.setattr(numpy_transforms, "_REACH", 10**6)
    np.testing.assert_array_equal(network.synthesis(latent, 0.3), whole)
    np.testing.assert_array_equal(network.analysis(black, 0.3), analysed)
    assert few < 0.4 * (len(count) - few)


def test_rows_are_taken_in_other_strips_than_they_came():
    values = np.arange(24).reshape(8, 3)
    strips = list(rows.regrouped(np.split(values, [1, 1, 6]), [2, 0, 5, 1]))
    assert [len(strip) for strip in strips] == [2, 0, 5, 1]
    np.testing.assert_array_equal(np.concatenate(strips), values)


def test_bits_are_those_of_keras():
    rng = np.random.default_rng(5)
    values = np.rint(rng.laplace(0, 4, 1000)), rng.normal(size=1000), rng.exponential(2, 1000)
    values, mean, scale = (x.astype("float32") for x in values)
    theirs = array(laplacian_bits(values, mean, scale + np.float32(0.01)))
    ours = rounding.laplacian_bits(values, mean, scale + np.float32(0.01))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_training_sees_about_the_integers_that_an_encoder_chooses(codec):
    # Large enough that the few ties which fall otherwise in floating point weigh little.
    samples, code = data.astronaut()[60:316, 120:376], 4000
    image, ours, tables = samples.astype("float32") / 255, codec.network, codec.tables
    model = initialise(Autoencoder(ours.config, name="autoencoder"))
    model.restore(codec.trained.arrays)
    t = quality_position(code / 100)
    y = np.concatenate(list(ours.latent_rows([image], t)))
    predicted = model({"image": image[None], "t": np.float32([t])})
    picture, found = np.asarray(predicted["picture"])[0], float(predicted["bits"][0])

    def restored(integers):
        return np.concatenate(list(ours.picture_rows([integers], t)))

    def apart(one, other):
        return np.abs(one - other).mean()

    def a_pixel(integers):
        return bits(integers, code, tables) / image[..., 0].size

    # By the cost of each value, as contexts see it that know the nearest integers.
    nearest = np.rint(y)
    mean, scale = expectations(nearest, code, tables)
    price = autoencoder._CAUTION * rounding._weight(ours, t)

    def cost(integers):
        return rounding.laplacian_bits(integers, mean, scale) + price * (y - integers) ** 2

    closer = nearest - np.sign(nearest - mean)
    values = np.where(cost(closer) < cost(nearest), closer, nearest)
    assert apart(picture, restored(values)) < 0.1 * apart(picture, restored(nearest))
    assert found == pytest.approx(a_pixel(values), rel=0.01)
    # The encoder's own come after a look at the picture.
    chosen = np.concatenate(list(transform_coding.quantised(ours, tables, samples, code)))
    assert apart(picture, restored(chosen)) < 0.85 * apart(restored(nearest), restored(chosen))
    saved = a_pixel(nearest) - a_pixel(chosen)
    assert 0.7 * saved < a_pixel(nearest) - found < 1.3 * saved


def test_missing_and_misshapen_arrays_are_refused(codec):
    arrays = dict(codec.trained.arrays)
    with pytest.raises(WeightsError, match="do not fit"):
        Network(arrays, SMALL)
    del arrays["synthesis/head/bias"]
    with pytest.raises(WeightsError, match="synthesis/head/bias is missing"):
        Network(arrays, codec.network.config)


def test_errors_on_the_way_to_a_model_are_raised(monkeypatch):
    """Keras passes over them and leaves variables without values, see `initialise`."""
    start, calls, failing = keras.initializers.Constant.__call__, [], None

    def counted(*args, **options):
        calls.append(args)
        if len(calls) == failing:
            raise ArithmeticError("no more memory")
        return start(*args, **options)

    def build():
        initialise(Autoencoder(SMALL))

    monkeypatch.setattr(keras.initializers.Constant, "__call__", counted)
    with ThreadPoolExecutor(1) as pool:  # what Keras remembers of errors goes with its thread
        pool.submit(build).result()
        failing, calls = len(calls), []
        with pytest.raises(ArithmeticError):
            pool.submit(build).result()
