from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from sdae.__main__ import main
from sdae.coding import predictor
from sdae.network import encoder_effort
from sdae.network.config import quality_position
from sdae.network.gradients import ContextsAdjoint, SynthesisAdjoint
from sdae.network.numpy_network import laplacian_bits
from sdae.training.context_model import ContextModel

PICTURE = samples.astronaut()[60:124, 180:276].astype("float32") / 255
CODE = 4500
T = quality_position(CODE / 100)


@pytest.fixture(scope="module")
def network(codec):
    return codec.network


@pytest.fixture(scope="module")
def tables(codec):
    return codec.tables


@pytest.fixture(scope="module")
def latent(network):
    return network.analysis(PICTURE, 0.0, T) * network.gains(T)[0]


@pytest.fixture(scope="module")
def integers(network, tables, latent):
    return encoder_effort.round_for_rate(network, tables, latent, CODE)


def bits(tables, integers):
    expected = predictor.expectations(integers, CODE, tables)
    return laplacian_bits(integers, *expected).sum(dtype="float64")


def cost(network, tables, integers, image):
    """Bits + λ·squared error on the 0–255 scale, a third of it since λ is for the mean of RGB."""
    picture = network.synthesis(integers * network.gains(T)[1], T)
    error = np.square(255 * (picture - image)).sum(dtype="float64")
    return bits(tables, integers) + network.config.lagrangian(T) * error / 3


def slope(function, at, direction, step):
    return (function(at + step * direction) - function(at - step * direction)) / (2 * step)


def some_of(gradient, rng):
    """A direction that goes up in half of the values, by chance, steeply enough to be measured."""
    direction = gradient * (rng.random(gradient.shape) < 0.5)
    return direction / np.abs(direction).max()


def test_gradient_of_the_squared_error_is_its_slope(network, integers):
    adjoint, rng = SynthesisAdjoint(network), np.random.default_rng(0)
    error, gradient = adjoint.look(integers, PICTURE, T)
    assert adjoint.squared_error(integers, PICTURE, T) == pytest.approx(error, rel=1e-4)
    picture = network.synthesis(integers * network.gains(T)[1], T)
    assert error == pytest.approx(np.square(picture - PICTURE).sum(), rel=1e-4)
    assert gradient.shape == integers.shape and gradient.dtype == np.float32
    for _ in range(4):
        direction = some_of(gradient, rng)
        found = slope(lambda v: adjoint.squared_error(v, PICTURE, T), integers, direction, 0.005)
        assert np.sum(gradient * direction) == pytest.approx(found, rel=0.02)


def test_gradient_along_the_linear_path_points_the_same_way(network, integers):
    adjoint = SynthesisAdjoint(network)
    _, whole = adjoint.look(integers, PICTURE, T)
    bands, strips = [integers[:3], integers[3:]], [PICTURE[:11], PICTURE[11:]]
    linear = np.concatenate(list(adjoint.quick_looks(bands, strips, T)))
    (same,) = adjoint.quick_looks([integers], [PICTURE], T)
    np.testing.assert_allclose(linear, same, rtol=0, atol=1e-5 * np.abs(same).max())
    size = np.linalg.norm(whole) * np.linalg.norm(linear)
    assert np.sum(whole * linear) > 0.5 * size


def test_gradient_through_the_contexts_is_the_slope_of_the_bits(codec, tables, integers):
    """Of the linear predictions, which are all that there is where hidden units say nothing."""
    tables = replace(tables, hidden_out=0 * tables.hidden_out)
    contexts = ContextModel(codec.network.config.groups, np.ones(tables.bias.shape))
    t = np.float32([T])
    contexts(integers[None], t)
    contexts.resume(tables)

    def expected(values):
        return [np.asarray(found)[0] for found in contexts(values[None], t)]

    def through_contexts(values):
        """Bits of the integers as they are, expected by contexts that see ``values``."""
        return laplacian_bits(integers, *expected(values)).sum(dtype="float64")

    gradient = ContextsAdjoint(tables).later_bits(integers, *expected(integers))
    rng = np.random.default_rng(1)
    for _ in range(4):
        direction = some_of(gradient, rng)
        found = slope(through_contexts, integers, direction, 0.002)
        assert np.sum(gradient * direction) == pytest.approx(found, rel=0.03)


def test_costs_fall_with_every_kind_of_care(network, tables):
    """On average over pictures: one alone may be lucky."""
    costs = np.zeros(4)
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        image = getattr(samples, name)()[96:224, 128:256].astype("float32") / 255
        y = network.analysis(image, 0.0, T) * network.gains(T)[0]
        found = [np.rint(y), encoder_effort.round_for_rate(network, tables, y, CODE)]
        found += encoder_effort.fit_bands(network, tables, [image], [y], CODE)
        found += [encoder_effort.fit_picture(network, tables, image, y, CODE, 4)]
        costs += [cost(network, tables, values, image) for values in found]
        for values in found:
            assert values.dtype == np.float32 and values.shape == y.shape
            np.testing.assert_array_equal(values, np.rint(values))
    assert (np.diff(costs) < 0).all()


def test_the_same_picture_gives_the_same_integers(network, tables, latent):
    seen = []
    given = network, tables, PICTURE, latent, CODE, 1
    first = encoder_effort.fit_picture(*given, seen.append)
    np.testing.assert_array_equal(encoder_effort.fit_picture(*given), first)
    assert seen == sorted(set(seen)) and 0 < seen[0] and seen[-1] < 1
    assert len(seen) == encoder_effort.STEPS_PER_EFFORT + 1


# At the low quality nothing is gained on this picture with the present weights.
@pytest.mark.parametrize("code, share", [(1700, 1), (6000, 0.995)])
def test_more_effort_never_takes_more_bits_nor_a_picture_further_away(network, tables, code, share):
    t = quality_position(code / 100)
    gain, inverse = network.gains(t)
    y = network.analysis(PICTURE, 0.0, t) * gain
    given = network, tables, PICTURE, y, code
    (quick,) = encoder_effort.fit_bands(network, tables, [PICTURE], [y], code)
    found = [quick, *(encoder_effort.fit_picture(*given, effort) for effort in (1, 3, 6))]
    counts, errors = [], []
    for values in found:
        expected = predictor.expectations(values, code, tables)
        counts.append(laplacian_bits(values, *expected).sum(dtype="float64"))
        errors.append(np.square(network.synthesis(values * inverse, t) - PICTURE).sum())
    assert counts == sorted(counts, reverse=True) and counts[-1] <= share * counts[0]
    assert max(errors) <= errors[0] * 1.0001


def test_an_even_picture_stays_cheap(network, tables):
    even = np.full((16, 24, 3), 0.25, "float32")
    y = network.analysis(even, 0.0, T) * network.gains(T)[0]
    values = encoder_effort.fit_picture(network, tables, even, y, CODE, 1)
    picture = network.synthesis(values * network.gains(T)[1], T)
    assert np.abs(picture - even).max() < 0.05
    assert bits(tables, values) <= bits(tables, np.rint(y))


def test_the_bench_tells_bytes_and_time_of_each_effort(tmp_path, capsys):
    for number, photo in enumerate((samples.astronaut(), samples.coffee(), samples.chelsea())):
        Image.fromarray(photo).save(tmp_path / f"{number}.png")
    assert (
        main(
            [
                "bench",
                "effort",
                str(tmp_path),
                "--pictures",
                "2",
                "--side",
                "64",
                "--efforts",
                "0",
                "1",
                "--qualities",
                "20",
                "35",
                "50",
                "65",
            ]
        )
        == 0
    )
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["BD-rate", "seconds"]
    names = [row[:20].strip() for row in rows]
    assert names == ["nearest integers", "rounded for rate", "effort 0", "effort 1"]
    changes, seconds = zip(*((float(row[20:29]), float(row[31:])) for row in rows))
    assert changes[0] == 0 and changes[2] < 0 and changes[3] < 0
    assert 0 < seconds[2] < seconds[3]
