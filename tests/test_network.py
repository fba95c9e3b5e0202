from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from sdae.coding.coding_order import FINE, LAST, SPACING, lattice, lattice_neighbours
from sdae.training import autoencoder
from sdae.training.autoencoder import Autoencoder, Config, initialise
from sdae.training.context_model import ContextModel, laplacian_bits

SMALL = Config(
    latent_channels=12,
    overlapped=4,
    widths=(8, 8, 16),
    analysis_blocks=1,
    synthesis_blocks=1,
    analysis_depthwise=1,
    synthesis_depthwise=1,
    fine_blocks=1,
    groups=(3, 3, 6),
)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(4000, 192)).cumsum(1) * 0.02
    basis, spread = autoencoder.karhunen_loeve(smooth, 12)
    return initialise(Autoencoder(SMALL, basis, spread, name="autoencoder"))


def array(x):
    return np.asarray(x)


def test_depth_to_space_undoes_space_to_depth():
    x = np.random.default_rng(0).normal(size=(2, 16, 24, 3)).astype("float32")
    deep = autoencoder.space_to_depth(x, 8)
    assert tuple(deep.shape) == (2, 2, 3, 192)
    np.testing.assert_array_equal(array(deep)[0, 1, 2], x[0, 8:16, 16:24].reshape(-1))
    np.testing.assert_array_equal(array(autoencoder.depth_to_space(deep, 8)), x)


def test_karhunen_loeve_is_orthonormal_and_ordered():
    rng = np.random.default_rng(0)
    blocks = rng.normal(size=(2000, 192)) * np.linspace(2, 0.1, 192)
    basis, spread = autoencoder.karhunen_loeve(blocks, 20)
    np.testing.assert_allclose(basis.T @ basis, np.eye(20), atol=1e-5)
    assert (np.diff(spread) <= 0).all() and spread[0] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (64, 24)])
def test_transforms_keep_their_promised_shapes(small, size):
    image = np.random.default_rng(0).random((2, *size, 3), "float32")
    sigma, t = np.float32([0, 0.1]), np.float32([0, 1])
    y = small.analysis(image, sigma, t)
    assert tuple(y.shape) == (2, size[0] // 8, size[1] // 8, 12)
    assert tuple(small.synthesis(y, t).shape) == image.shape


def test_untrained_network_is_the_linear_transform(small):
    image = np.random.default_rng(0).random((1, 16, 16, 3), "float32")
    level = np.zeros(1, "float32")
    y = array(small.analysis(image, level, level))
    kernel = array(small.analysis.linear.kernel) / 30
    expected = array(autoencoder.space_to_depth(image - 0.5, 8)) @ kernel
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
