from functools import partial

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from sdae import latents, refine
from sdae.__main__ import main
from sdae.adjoint import Adjoint
from sdae.inference import laplacian_bits

PICTURE = samples.astronaut()[60:124, 180:276].astype("float32") / 255
T = latents.quality_position(45)


@pytest.fixture(scope="module")
def network(codec):
    return codec.network


@pytest.fixture(scope="module")
def latent(network):
    return network.analysis(PICTURE, 0.0, T) * network.gains(T)[0]


@pytest.fixture(scope="module")
def integers(network, latent):
    return refine.round_for_rate(network, latent, T, expected(network))


def expected(network):
    return partial(network.contexts, t=T)


def bits(network, integers):
    return laplacian_bits(integers, *network.contexts(integers, T)).sum(dtype="float64")


def cost(network, integers, image):
    """Bits + λ·squared error on the 0–255 scale, a third of it since λ is for the mean of RGB."""
    picture = network.synthesis(integers * network.gains(T)[1], T)
    error = np.square(255 * (picture - image)).sum(dtype="float64")
    return bits(network, integers) + network.config.lagrangian(T) * error / 3


def slope(function, at, direction, step):
    return (function(at + step * direction) - function(at - step * direction)) / (2 * step)


def some_of(gradient, rng):
    """A direction that goes up in half of the values, by chance, steeply enough to be measured."""
    direction = gradient * (rng.random(gradient.shape) < 0.5)
    return direction / np.abs(direction).max()


def test_gradient_of_the_squared_error_is_its_slope(network, integers):
    adjoint, rng = Adjoint(network), np.random.default_rng(0)
    error, gradient = adjoint.squared_error(integers, PICTURE, T)
    picture = network.synthesis(integers * network.gains(T)[1], T)
    assert error == pytest.approx(np.square(picture - PICTURE).sum(), rel=1e-4)
    assert gradient.shape == integers.shape and gradient.dtype == np.float32
    for _ in range(4):
        direction = some_of(gradient, rng)
        found = slope(lambda v: adjoint.squared_error(v, PICTURE, T)[0], integers, direction, 0.02)
        assert np.sum(gradient * direction) == pytest.approx(found, rel=0.02)


def test_gradient_along_the_linear_path_points_the_same_way(network, integers):
    adjoint = Adjoint(network)
    (error, whole), (same, linear) = (
        adjoint.squared_error(integers, PICTURE, T, linear) for linear in (False, True)
    )
    assert same == pytest.approx(error, rel=1e-4)
    size = np.linalg.norm(whole) * np.linalg.norm(linear)
    assert np.sum(whole * linear) > 0.5 * size


def test_gradient_through_the_contexts_is_the_slope_of_the_bits(network, integers):
    gradient = Adjoint(network).later_bits(integers, *network.contexts(integers, T))

    def through_contexts(values):
        """Bits of the integers as they are, expected by contexts that see ``values``."""
        seen_mean, seen_scale = network.contexts(values, T)
        return laplacian_bits(integers, seen_mean, seen_scale).sum(dtype="float64")

    rng = np.random.default_rng(1)
    for _ in range(4):
        direction = some_of(gradient, rng)
        found = slope(through_contexts, integers, direction, 0.002)
        assert np.sum(gradient * direction) == pytest.approx(found, rel=0.03)


def test_costs_fall_with_every_kind_of_care(network):
    """On average over pictures: one alone may be lucky."""
    costs = np.zeros(4)
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        image = getattr(samples, name)()[96:224, 128:256].astype("float32") / 255
        y = network.analysis(image, 0.0, T) * network.gains(T)[0]
        found = [np.rint(y), refine.round_for_rate(network, y, T, expected(network))]
        found += [
            refine.fit_picture(network, image, y, T, expected(network), effort) for effort in (0, 4)
        ]
        costs += [cost(network, values, image) for values in found]
        for values in found:
            assert values.dtype == np.float32 and values.shape == y.shape
            np.testing.assert_array_equal(values, np.rint(values))
    assert (np.diff(costs) < 0).all()


def test_the_same_picture_gives_the_same_integers(network, latent):
    seen = []
    given = network, PICTURE, latent, T, expected(network), 1
    first = refine.fit_picture(*given, seen.append)
    np.testing.assert_array_equal(refine.fit_picture(*given), first)
    assert seen == sorted(set(seen)) and 0 < seen[0] and seen[-1] < 1
    assert len(seen) == refine.STEPS_PER_EFFORT - 1


def test_an_even_picture_stays_cheap(network):
    even = np.full((16, 24, 3), 0.25, "float32")
    y = network.analysis(even, 0.0, T) * network.gains(T)[0]
    values = refine.fit_picture(network, even, y, T, expected(network), 1)
    picture = network.synthesis(values * network.gains(T)[1], T)
    assert np.abs(picture - even).max() < 0.05
    assert bits(network, values) <= bits(network, np.rint(y))


def test_the_bench_tells_bytes_and_time_of_each_effort(tmp_path, capsys):
    for number, photo in enumerate((samples.astronaut(), samples.coffee(), samples.chelsea())):
        Image.fromarray(photo).save(tmp_path / f"{number}.png")
    assert main(["bench", "effort", str(tmp_path), "--pictures", "2", "--side", "64",
                 "--efforts", "0", "1", "--qualities", "20", "35", "50", "65"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["BD-rate", "seconds"]
    names = [row[:20].strip() for row in rows]
    assert names == ["nearest integers", "rounded for rate", "effort 0", "effort 1"]
    changes, seconds = zip(*((float(row[20:29]), float(row[31:])) for row in rows))
    assert changes[0] == 0 and changes[2] < 0 and changes[3] < 0
    assert 0 < seconds[2] < seconds[3]
