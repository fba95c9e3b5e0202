"""The measures agree with scikit-image, with TensorFlow's numbers and with known answers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.metrics import structural_similarity

from sdae.measuring.metrics import MS_SSIM_SIDE, accuracy, bd_rate, ms_ssim, psnr, ssim, within

MEASURES = (psnr, ssim, ms_ssim, accuracy, within)


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


@settings(deadline=None, max_examples=25)
@given(pairs)
def test_ssim_has_an_answer_for_any_size(pair):
    a, b = pair
    assert ssim(a, a) == pytest.approx(1)
    assert -1 <= ssim(a, b) <= 1 + 1e-12
    assert ssim(a, b) == pytest.approx(ssim(b, a))


def test_ssim_of_small_pictures_falls_with_the_difference():
    rgb = np.ascontiguousarray(data.chelsea()[100:108, 100:105])
    values = [ssim(rgb, noisy(rgb, sigma)) for sigma in (1, 5, 25, 100)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.9 > 0.5 > values[-1]


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


def test_within_counts_samples():
    a = flat(100, 1, 4)
    b = a.copy()
    b[0, :, 0] = [92, 91, 108, 109]
    assert within(a, b) == pytest.approx(10 / 12)
    assert within(a, b, tolerance=9) == 1
    assert within(flat(0), flat(255)) == 0


@settings(deadline=None, max_examples=25)
@given(pairs)
def test_measures_are_symmetric_and_know_identity(pair):
    a, b = pair
    for measure in (psnr, accuracy, within):
        assert measure(a, b) == measure(b, a)
    assert (psnr(a, a), accuracy(a, a), within(a, a)) == (math.inf, 1, 1)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "other",
    [
        flat(0, 16, 17),
        flat(0).astype(float),
        flat(0)[..., 0],
        [[[0, 0, 0]]],
        flat(0, 0, 16),
    ],
)
def test_pictures_must_be_alike(measure, other):
    with pytest.raises(ValueError, match="A picture to measure|must have one size"):
        measure(flat(0), other)


# --- BD-rate --------------------------------------------------------------------------------

RATES = np.array([1000, 1500, 2300, 3400, 5000, 8000])
QUALITY = np.array([27.1, 29.0, 31.2, 33.0, 35.1, 38.0])


@pytest.mark.parametrize("factor", [0.5, 1, 1.37])
def test_a_constant_factor_gives_exactly_its_percentage(factor):
    assert bd_rate(RATES * factor, QUALITY, RATES, QUALITY) == pytest.approx(100 * (factor - 1))


def test_exponential_curves_have_a_known_answer():
    # Both curves are straight in log rate, at different samples of quality.
    a_quality, b_quality = np.linspace(28, 40, 7), np.linspace(25, 37, 5)
    result = bd_rate(1.25 * np.exp(a_quality / 6), a_quality, np.exp(b_quality / 6), b_quality)
    assert result == pytest.approx(25)


def test_curves_of_different_slope():
    # The log of the ratio runs from 0 to log 4 along the shared range 30 … 40: its mean is log 2.
    quality = np.linspace(30, 40, 6)
    steep = 1000 * 4 ** ((quality - 30) / 10)
    assert bd_rate(steep, quality, np.full(6, 1000), quality) == pytest.approx(100)
    # In the lowest quarter it is log 4 / 8, in the upper half 3/4 log 4.
    for share, ratio in (((0, 0.25), 4 ** (1 / 8)), ((0.5, 1), 4 ** (3 / 4))):
        found = bd_rate(steep, quality, np.full(6, 1000), quality, share)
        assert found == pytest.approx(100 * (ratio - 1))


def test_only_the_shared_range_counts():
    quality = np.linspace(30, 40, 11)
    rates = np.exp(quality / 6)
    # The first point beyond the range lies on the line, which the cubic before it needs.
    wide_quality = np.append(quality, [41, 42, 43])
    wide_rates = np.append(2 * rates, [2 * np.exp(41 / 6), 1e9, 2e9])
    assert bd_rate(wide_rates, wide_quality, rates, quality) == pytest.approx(100)


def test_the_order_of_points_and_of_curves():
    order = np.array([3, 0, 5, 1, 4, 2])
    assert bd_rate(RATES[order], QUALITY[order], RATES, QUALITY) == pytest.approx(0)
    there = bd_rate(RATES * 1.6, QUALITY - 0.3, RATES, QUALITY)
    back = bd_rate(RATES, QUALITY, RATES * 1.6, QUALITY - 0.3)
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)


@pytest.mark.parametrize(
    ("rates", "quality", "sentence"),
    [
        (RATES[:3], QUALITY[:3], "at least four points"),
        (RATES, QUALITY[:5], "each with a rate and a quality"),
        (RATES * 0, QUALITY, "above zero"),
        (RATES, np.append(QUALITY[:5], np.inf), "finite"),
        (RATES, np.append(QUALITY[:5], np.nan), "finite"),
        (RATES, np.append(QUALITY[:5], QUALITY[0]), "same quality"),
        (RATES, QUALITY + 50, "share no range"),
    ],
)
def test_curves_that_cannot_be_compared(rates, quality, sentence):
    with pytest.raises(ValueError, match=sentence):
        bd_rate(rates, quality, RATES, QUALITY)
    with pytest.raises(ValueError, match=sentence):
        bd_rate(RATES, QUALITY, rates, quality)
