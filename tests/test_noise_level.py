"""The estimate of how much noise a picture holds, through the formats that pictures come in."""

import io

import numpy as np
import pytest
from PIL import Image

from sdae.pictures.noise import add, estimate_sigma


@pytest.fixture(scope="module")
def scene():
    """A made photograph, uint8 (256, 384, 3): slopes, edges, fine texture, deep shadow."""
    y, x = np.mgrid[0:256, 0:384] / 256
    light = 0.3 + 0.25 * x + 0.15 * np.sin(5 * y)
    light[:, 300:] = 0.45 + 0.3 * np.sin(80 * x + 50 * y)[:, 300:] * (y > 0.5)[:, 300:]
    light[180:, :120] = 0.02
    colours = light[..., None] * [1, 0.9, 0.8] + [0, 0.02, 0.05]
    return np.uint8(np.rint(colours.clip(0, 1) * 255))


def saved(picture, kind, **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 75, "subsampling": 2}),
        ("JPEG", {"quality": 92, "subsampling": 2}),
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("WEBP", {"quality": 90}),
        ("AVIF", {"quality": 90, "speed": 10}),
    ],
)
def test_noise_is_measured_in_every_format(scene, kind, options, sigma):
    noisy = saved(add(scene, sigma, seed=3), kind, **options)
    assert estimate_sigma(noisy) == pytest.approx(sigma, rel=0.2)


def test_weak_noise_and_noise_that_is_not_clipped_are_measured(scene):
    assert estimate_sigma(add(scene, 0.02)) == pytest.approx(0.02, rel=0.2)
    for sigma in (0.1, 0.5):
        noisy = add(scene, sigma, clipped=False)
        assert estimate_sigma(noisy) == pytest.approx(sigma, rel=0.2)
    grey = add(scene, 0.1)[..., :1].repeat(3, axis=2)
    assert estimate_sigma(grey) == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("quality", [None, 60, 90])
def test_a_clean_picture_has_no_noise_whatever_coding_did_to_it(scene, quality):
    clean = saved(scene, "JPEG", quality=quality) if quality else scene
    assert estimate_sigma(clean) < 0.01


@pytest.mark.parametrize("shape", [(1, 1), (7, 60), (8, 8), (9, 700), (30, 30)])
def test_small_pictures_and_pure_noise_get_an_answer(shape):
    random = np.random.default_rng(0).integers(0, 2, (*shape, 3), "uint8") * 255
    assert 0 <= estimate_sigma(random) <= 1
    assert estimate_sigma(random) == estimate_sigma(random)
    assert estimate_sigma(np.full((*shape, 3), 77, "uint8")) == 0


def test_large_pictures_are_judged_by_some_of_their_blocks():
    large = np.tile(add(np.full((128, 128, 3), 120, "uint8"), 0.1), (12, 12, 1))
    assert estimate_sigma(large) == pytest.approx(0.1, rel=0.1)
