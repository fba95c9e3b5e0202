"""Noise on the way into a file."""

import numpy as np
import pytest

from sdae.measuring import metrics
from sdae.pictures import noise, reading

SIGMA = 0.15


@pytest.fixture(scope="module")
def photographs():
    """(clean, noisy) of two samples at 128×128."""
    from skimage import data

    clean = [reading.thumb(getattr(data, name)()) for name in ("astronaut", "chelsea")]
    return [(rgb, noise.add(rgb, SIGMA, seed=3)) for rgb in clean]


def restored(codec, noisy, quality=90, sigma=SIGMA, effort=0):
    return np.asarray(codec.decode(codec.encode(noisy, quality, sigma, effort)))


def test_noise_is_not_worth_its_bytes(codec, photographs):
    for clean, noisy in photographs:
        told, untold = (codec.encode(noisy, 75, sigma) for sigma in (SIGMA, 0))
        assert len(codec.pack(told)) < 0.75 * len(codec.pack(untold))
        closeness = [metrics.psnr(clean, np.asarray(codec.decode(x))) for x in (told, untold)]
        assert closeness[0] > closeness[1] + 3


def test_effort_comes_closer_to_the_clean_picture(codec, photographs):
    def closeness(effort):
        return np.mean(
            [
                metrics.psnr(clean, restored(codec, noisy, effort=effort))
                for clean, noisy in photographs
            ]
        )

    assert closeness(1) > closeness(0) + 0.05


def test_effort_treats_all_directions_alike(codec, photographs):
    _, noisy = photographs[0]
    noisy = noisy[:96, :64]
    codec_turned = np.rot90(restored(codec, np.rot90(noisy), 100, effort=1), -1)
    assert metrics.psnr(restored(codec, noisy, 100, effort=1), codec_turned) > 36


def test_more_strength_leaves_less_detail(codec, photographs):
    _, noisy = photographs[0]
    roughness = [
        np.abs(np.diff(restored(codec, noisy, sigma=sigma).astype(int), axis=1)).mean()
        for sigma in (0, 0.05, 0.15)
    ]
    assert roughness == sorted(roughness, reverse=True)


def test_more_strength_than_noise_keeps_the_colours(codec, photographs):
    for clean, noisy in photographs:
        soft = restored(codec, noisy, sigma=2.5 * SIGMA)
        assert np.abs(soft.mean((0, 1)) - clean.mean((0, 1))).max() < 8
        assert metrics.psnr(clean, soft) > metrics.psnr(clean, noisy) + 2


@pytest.mark.parametrize("sigma, effort", [(0.01, 0), (0.1, 0), (0.1, 1)])
def test_progress_rises_to_the_end(codec, photographs, sigma, effort):
    seen = []
    codec.encode(photographs[0][1][:40, :56], 75, sigma, effort, seen.append)
    assert seen == sorted(seen) and seen[-1] == pytest.approx(1)


def test_noise_beyond_the_range_of_a_file_is_taken_away(codec, photographs):
    clean, _ = photographs[0]
    free = noise.add(clean, SIGMA, clipped=False)
    before = metrics.psnr(clean, noise.to_8_bits(free))
    assert metrics.psnr(clean, restored(codec, free)) > before + 4


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (17, 8)])
def test_tiny_noisy_pictures_keep_their_shape(codec, shape):
    noisy = np.random.default_rng(0).integers(0, 256, (*shape, 3), "uint8")
    assert restored(codec, noisy, sigma=0.2, effort=1).shape == noisy.shape


@pytest.mark.parametrize("sigma", [0.015, SIGMA])
def test_what_is_cleaned_beforehand_gives_the_same_file(codec, photographs, sigma):
    _, noisy = photographs[1]
    cleaned, left = codec.clean(noisy, sigma)
    assert (left, cleaned is noisy) == ((0.0, False) if sigma == SIGMA else (sigma, True))
    files = [
        codec.pack(codec.encode(*given)) for given in ((noisy, 60, sigma), (cleaned, 60, left))
    ]
    assert files[0] == files[1]
