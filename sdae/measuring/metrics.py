"""How much two pictures differ.

All picture measures take two arrays uint8 (H, W, 3) of the same shape and raise ValueError for
anything else. They are symmetric except in name: by custom the original comes first.

They are written here for reasons. PSNR comes part by part for pictures that fill the memory. SSIM
and MS-SSIM share their filters; scikit-image has only the first, TensorFlow's take 600 MB to load.
Tests hold SSIM to scikit-image and MS-SSIM to TensorFlow.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import correlate1d

# Wang et al. 2004: an 11×11 Gaussian window of σ 1.5, K1 = 0.01, K2 = 0.03, L = 255.
_RADIUS = 5
_WINDOW = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * 1.5**2))
_WINDOW /= _WINDOW.sum()
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

# Wang et al. 2003, table 1: the weights of the five scales, finest first.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

MS_SSIM_SIDE = 161
"""Shortest side that `ms_ssim` takes: its coarsest scale must hold one whole window."""


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, peak 255, from the mean squared error of all samples.

    Infinite for identical pictures.
    """
    _check(a, b)
    return psnr_by_parts(a, [b])


def psnr_by_parts(a: np.ndarray, parts) -> float:
    """`psnr` against a picture that comes in parts, rows from the top."""
    # Whole numbers, so the sum is the same however it is divided; rows spare memory.
    rows = (row for part in parts for row in part)
    error = (
        sum(int(np.square(row.astype(np.int32) - other).sum()) for row, other in zip(a, rows))
        / a.size
    )
    return math.inf if error == 0 else float(10 * np.log10(255**2 / error))


def decibels(psnr: float | None) -> str:
    """A PSNR as people read it: two decimals; ∞ where it is infinite or, from JSON, None."""
    return "∞" if psnr is None or math.isinf(psnr) else f"{psnr:.2f}"


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity, at most 1, the mean of the three channels.

    Wang, Bovik, Sheikh and Simoncelli 2004 with Gaussian weights of σ 1.5 and data range 255;
    the number is scikit-image's `structural_similarity` with `gaussian_weights=True` and
    `use_sample_covariance=False`. As there, only windows that lie wholly inside the picture
    count; along a side shorter than the 11 pixels of a window every window counts, the picture
    mirrored at that border, so that even a single pixel has an answer.
    """
    _check(a, b)
    return float(np.mean([_similarity(*planes)[0] for planes in _channels(a, b)]))


def ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Multi-scale structural similarity in [0, 1], the mean of the three channels.

    Wang, Simoncelli and Bovik 2003: five scales, each the mean of 2×2 pixels of the one before
    (an odd side is continued by its last pixel), contrast and structure from all of them,
    luminance from the coarsest. A negative term, which its power would not allow, counts as 0.

    Raises ValueError for a picture with a side shorter than MS_SSIM_SIDE.
    """
    _check(a, b)
    if min(a.shape[:2]) < MS_SSIM_SIDE:
        raise ValueError(
            f"MS-SSIM needs pictures of at least {MS_SSIM_SIDE} pixels a side and these have "
            f"{a.shape[1]} × {a.shape[0]}; use SSIM for them."
        )
    return float(np.mean([_multi_scale(*planes) for planes in _channels(a, b)]))


def accuracy(a: np.ndarray, b: np.ndarray) -> float:
    """The share of pixels, in [0, 1], whose largest channel is the same in both pictures.

    This is the "reconstruction accuracy" of the original work: Keras's categorical accuracy
    over the channel axis, where the first of equal channels counts as the largest.
    """
    _check(a, b)
    return float(np.mean(a.argmax(axis=-1) == b.argmax(axis=-1)))


def similarity_decibels(similarity: float) -> float:
    """SSIM or MS-SSIM on a scale of dB, −10·log10(1 − similarity); at most 60, for 1."""
    return -10 * math.log10(max(1 - similarity, 1e-6))


def _check(a, b) -> None:
    if a.shape != b.shape or a.ndim != 3 or a.shape[2] != 3 or not a.size:
        raise ValueError(
            f"Two pictures to compare must have one size, not {a.shape} and {b.shape}."
        )
    if a.dtype != np.uint8 or b.dtype != np.uint8:
        raise ValueError("A picture to measure must be a uint8 array of shape (H, W, 3).")


def _channels(a, b):
    for channel in range(3):
        yield a[..., channel].astype(np.float64), b[..., channel].astype(np.float64)


def _similarity(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """SSIM of two float64 planes, and its contrast–structure factor alone."""
    mean_a, mean_b = _smooth(a), _smooth(b)
    squares = mean_a * mean_a + mean_b * mean_b
    product = mean_a * mean_b
    # Only the sum of the two variances is needed, which saves one of five filters.
    variances = _smooth(a * a + b * b) - squares
    covariance = _smooth(a * b) - product
    structure = (2 * covariance + _C2) / (variances + _C2)
    luminance = (2 * product + _C1) / (squares + _C1)
    inside = tuple(
        slice(_RADIUS, -_RADIUS) if side > 2 * _RADIUS else slice(None) for side in a.shape
    )
    return float((luminance * structure)[inside].mean()), float(structure[inside].mean())


def _smooth(plane: np.ndarray) -> np.ndarray:
    return correlate1d(correlate1d(plane, _WINDOW, axis=0), _WINDOW, axis=1)


def _multi_scale(a: np.ndarray, b: np.ndarray) -> float:
    result = 1.0
    for weight in _SCALE_WEIGHTS[:-1]:
        result *= max(_similarity(a, b)[1], 0) ** weight
        a, b = _halve(a), _halve(b)
    return result * max(_similarity(a, b)[0], 0) ** _SCALE_WEIGHTS[-1]


def _halve(plane: np.ndarray) -> np.ndarray:
    height, width = plane.shape
    plane = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4
