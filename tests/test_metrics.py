"""The measures agree with scikit-image, with TensorFlow's numbers and with known answers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.metrics import structural_similarity

from sdae.measuring.metrics import MS_SSIM_SIDE, accuracy, ms_ssim, psnr, ssim

MEASURES = (psnr, ssim, ms_ssim, accuracy)


def noisy(rgb, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def flat(value, height=16, width=16):
    return np.full((height, width, 3), value, np.uint8)


pairs = st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(
    lambda size: st.tuples(*[arrays(np.uint8, (*size, 3))] * 2)
)


def test_psnr_known_answers():
    assert psnr(flat(0), flat(255)) == 0
    assert psnr(flat(100), flat(101)) == pytest.approx(20 * math.log10(255))
    assert psnr(flat(7), flat(7)) == math.inf
    one_channel = flat(100)
    one_channel[..., 1] += 3
    assert psnr(flat(100), one_channel) == pytest.approx(10 * math.log10(255**2 / 3))


@pytest.mark.parametrize("sigma, size", [(10, (300, 451)), (2, (64, 128)), (60, (11, 11))])
def test_ssim_is_scikit_images(sigma, size):
    rgb = np.ascontiguousarray(data.chelsea()[: size[0], : size[1]])
    other = noisy(rgb, sigma)
    expected = structural_similarity(
        rgb,
        other,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(rgb, other) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25)
@given(pairs)
def test_measures_are_symmetric_and_know_identity(pair):
    a, b = pair
    assert (psnr(a, a), accuracy(a, a), ssim(a, a)) == (math.inf, 1, pytest.approx(1))
    assert psnr(a, b) == psnr(b, a) and accuracy(a, b) == accuracy(b, a)
    assert -1 <= ssim(a, b) <= 1 + 1e-12
    assert ssim(a, b) == pytest.approx(ssim(b, a))


# tf.image.ssim_multiscale of TensorFlow 2.21 on the same pairs, in float32.
@pytest.mark.parametrize(
    ("picture", "size", "sigma", "expected"),
    [
        ("chelsea", (300, 451), 10, 0.947499),
        ("coffee", (161, 163), 10, 0.929960),
        ("coffee", (161, 163), 60, 0.511114),
    ],
)
def test_ms_ssim_is_tensorflows(picture, size, sigma, expected):
    rgb = np.ascontiguousarray(getattr(data, picture)()[: size[0], : size[1]])
    assert ms_ssim(rgb, noisy(rgb, sigma)) == pytest.approx(expected, abs=1e-5)


def test_ms_ssim_limits():
    rgb = np.ascontiguousarray(data.astronaut()[:MS_SSIM_SIDE, :MS_SSIM_SIDE])
    assert ms_ssim(rgb, rgb) == pytest.approx(1)
    assert ms_ssim(rgb, 255 - rgb) == pytest.approx(0, abs=0.05)
    with pytest.raises(ValueError, match="at least 161 pixels a side and these have 161 × 160"):
        ms_ssim(rgb[1:], rgb[1:])


def test_accuracy_is_the_share_of_equal_largest_channels():
    a = np.array([[[9, 1, 1], [1, 9, 1], [1, 1, 9], [5, 5, 5]]], np.uint8)
    b = np.array([[[2, 1, 0], [9, 8, 1], [0, 0, 1], [0, 0, 0]]], np.uint8)
    assert accuracy(a, b) == 0.75
    # Of equal channels the first counts, as in Keras.
    tie = np.array([[[7, 7, 0]]], np.uint8)
    assert accuracy(tie, np.array([[[9, 0, 0]]], np.uint8)) == 1
    assert accuracy(tie, np.array([[[0, 9, 0]]], np.uint8)) == 0


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "other",
    [
        flat(0, 16, 17),
        flat(0).astype(float),
        flat(0)[..., 0],
        flat(0, 0, 16),
    ],
)
def test_pictures_must_be_alike(measure, other):
    with pytest.raises(ValueError, match="A picture to measure|must have one size"):
        measure(flat(0), other)
