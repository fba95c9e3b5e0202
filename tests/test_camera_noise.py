"""Noise as cameras make it, and what the level of noise in a picture is."""

import numpy as np
import pytest

from sdae.pictures import noise
from sdae.pictures.camera_noise import FORMS, SENSORS, on_sensor, photographed, stored
from sdae.pictures.noise_level import true_sigma

GREY = np.full((96, 128, 3), 128, "uint8")


def slope():
    y, x = np.mgrid[0:97, 0:131] / 131
    return np.uint8(np.rint(255 * np.stack([0.2 + 0.6 * x, 0.5 + 0.3 * y, 0.6 - 0.4 * x], -1)))


def test_a_camera_without_noise_keeps_colours_and_the_seed_chooses_all():
    for seed in range(8):
        noisy, clean = photographed(slope(), 0, seed)
        assert clean.dtype == np.uint8 and np.array_equal(noisy, clean)
        assert np.abs(clean.astype(int) - slope()).mean() < 1
    once, again, other = (photographed(slope(), 3000, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(once, again) and not np.array_equal(once, other)


def test_noise_grows_with_the_sensitivity_and_neighbours_and_colours_share_it():
    noises = []
    for iso in (1000, 4000, 16_000):
        noisy, clean = photographed(GREY, iso, 5)
        noises.append(noisy.astype(float) - clean)
    levels = [n.std() / 255 for n in noises]
    assert 0.01 < levels[0] < levels[1] / 1.5 < levels[2] / 2.5 and levels[2] < 0.4
    red, green, blue = np.moveaxis(noises[0], -1, 0)
    assert np.corrcoef(green[:, 1:].ravel(), green[:, :-1].ravel())[0, 1] > 0.1
    assert abs(np.corrcoef(red.ravel(), green.ravel())[0, 1]) > 0.1
    dark = photographed(GREY // 16, 4000, 5)
    assert np.std(dark[0].astype(float) - dark[1]) < 0.8 * 255 * levels[1]


def test_noise_of_a_sensor_grows_with_light_and_with_the_level():
    spread = {
        (level, grey): (on_sensor(np.full_like(GREY, grey), level, 1) - grey / 255).std()
        for level in SENSORS
        for grey in (64, 160)
    }
    assert spread[1, 64] > 0.02 and spread[4, 160] > 3 * spread[1, 160]
    # In light the noise of the brighter grey is the larger one; the curve of sRGB is steep at the dark.
    assert spread[1, 64] / spread[1, 160] < 2


@pytest.mark.parametrize("form", FORMS)
def test_files_of_high_quality_keep_a_picture(form):
    kept = stored(slope(), form, 98)
    assert kept.shape == slope().shape and 0 < np.abs(kept.astype(int) - slope()).mean() < 4


@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_the_true_level_is_that_of_the_noise_before_it_was_clipped(sigma):
    assert true_sigma(noise.add(GREY, sigma), GREY) == pytest.approx(sigma, rel=0.03)
    bright = np.full_like(GREY, 240)
    assert true_sigma(noise.add(bright, sigma), bright) == pytest.approx(sigma, rel=0.1)
    grain = np.random.default_rng(0).standard_normal((96, 128, 1)) * sigma
    film = noise.to_8_bits(GREY / 255 + grain)
    assert true_sigma(film, GREY) == pytest.approx(sigma, rel=0.05)
