import numpy as np
import pytest

from sdae.noise import estimate_sigma


@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.1, 0.2])
def test_noise_on_a_smooth_picture_is_measured(sigma):
    rng = np.random.default_rng(0)
    ramp = np.linspace(90, 160, 128)[None, :, None] * np.ones((128, 1, 3))
    noisy = np.clip(np.rint(ramp + rng.normal(0, sigma * 255, ramp.shape)), 0, 255).astype("uint8")
    assert estimate_sigma(noisy) == pytest.approx(sigma, rel=0.1)


def test_flat_and_tiny_pictures_have_none():
    assert estimate_sigma(np.full((40, 40, 3), 77, "uint8")) == 0
    assert estimate_sigma(np.zeros((1, 5, 3), "uint8")) == 0
