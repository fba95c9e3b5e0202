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


def restored(codec, noisy, quality=90, sigma=SIGMA):
    return np.asarray(codec.decode(codec.encode(noisy, quality=quality, sigma=sigma)))


def test_noise_is_not_worth_its_bytes(codec, photographs):
    for clean, noisy in photographs:
        denoised, plain = (codec.encode(noisy, quality=75, sigma=sigma) for sigma in (SIGMA, 0))
        assert len(codec.pack(denoised)) < 0.75 * len(codec.pack(plain))
        psnr = [metrics.psnr(clean, np.asarray(codec.decode(x))) for x in (denoised, plain)]
        assert psnr[0] > psnr[1] + 3


def test_more_strength_than_noise_keeps_the_colours(codec, photographs):
    for clean, noisy in photographs:
        soft = restored(codec, noisy, sigma=1.25 * SIGMA)
        assert np.abs(soft.mean((0, 1)) - clean.mean((0, 1))).max() < 8
        assert metrics.psnr(clean, soft) > metrics.psnr(clean, noisy) + 2


def test_noise_beyond_the_range_of_a_file_is_taken_away(codec, photographs):
    clean, _ = photographs[0]
    free = noise.add(clean, SIGMA, clipped=False)
    before = metrics.psnr(clean, noise.to_8_bits(free))
    assert metrics.psnr(clean, restored(codec, free)) > before + 4


def test_what_is_cleaned_beforehand_gives_the_same_file(codec, photographs):
    _, noisy = photographs[1]
    cleaned = codec.clean(noisy, sigma=SIGMA)
    one, two = codec.encode(noisy, quality=60, sigma=SIGMA), codec.encode(cleaned, quality=60)
    assert codec.pack(one) == codec.pack(two)
