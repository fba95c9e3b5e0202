"""Noise that is added, and the classical ways to take it away."""

import numpy as np
import pytest

from sdae.measuring import classical_denoisers, metrics
from sdae.pictures import noise
from sdae.pictures.noise import add


@pytest.fixture(scope="module")
def photograph():
    """256×256 of a portrait that ships with scikit-image."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[100:356, 100:356])


def grey(level=128, side=200):
    return np.full((side, side, 3), level, "uint8")


@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_the_level_is_the_deviation_on_mid_grey(sigma):
    noisy = add(grey(), sigma, clipped=False)
    assert noisy.std() == pytest.approx(sigma, rel=0.03)
    assert noisy.mean() == pytest.approx(128 / 255, abs=0.01)


def test_noise_is_seeded_and_level_zero_changes_nothing(photograph):
    assert np.array_equal(add(photograph, 0), photograph)
    once, again, other = (add(photograph, 0.1, seed) for seed in (3, 3, 4))
    assert once.dtype == np.uint8 and np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_clipping_is_all_that_tells_the_two_variants_apart(photograph):
    free = add(photograph, 0.3, clipped=False)
    assert free.dtype == np.float32 and free.min() < -0.3 and free.max() > 1.3
    assert np.array_equal(add(photograph, 0.3), noise.to_8_bits(free))


def test_wrong_levels_are_refused_in_a_sentence():
    for sigma in (-0.1, 0.6, float("nan")):
        with pytest.raises(ValueError, match="must lie between 0 and 0.5"):
            add(grey(), sigma)


@pytest.mark.parametrize("name", classical_denoisers.DENOISERS)
def test_classical_denoisers_take_noise_away(photograph, name):
    clean = photograph[100:148, 100:148]
    slow = name == "bm3d"
    assert np.array_equal(classical_denoisers.denoise(name, clean, 0), clean)
    for sigma in (0.2,) if slow else (0.1, 0.3):
        for clipped in (True,) if slow else (True, False):
            noisy = add(clean, sigma, clipped=clipped)
            cleaned = classical_denoisers.denoise(name, noisy, sigma)
            assert cleaned.dtype == np.uint8 and cleaned.shape == noisy.shape
            before = metrics.psnr(clean, add(clean, sigma))
            assert metrics.psnr(clean, cleaned) > before + 2.5
