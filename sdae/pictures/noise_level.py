"""How much noise a picture holds, told from its luminance.

Noise is in every block of 8×8 pixels, texture only in some: the least energy that blocks have in the
high frequencies of their cosine transform is that of noise alone. Luminance is what subsampling of
chroma leaves as it is, and blocks of 8 pixels are those of JPEG.
"""

from __future__ import annotations

import numpy as np

_BLOCKS = 16_384  # that are looked at, of a large picture
_LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")
_SHARE = 0.01  # of blocks that are taken to hold noise alone
_TEXTURE = 0.008  # deviation that the least blocks of clean photographs may have
_ORDER = np.add.outer(np.arange(8), np.arange(8))  # of the coefficients


def estimate_sigma(picture: np.ndarray) -> float:
    """The standard deviation of the noise in a picture, before it was clipped to 8 bits.

    Noise is taken to be independent in the three channels, or the same in all where these are
    equal, and its level for that of Gaussian noise of which clipping leaves what is found.

    Args:
        picture: (H, W, 3) uint8, or floats on the scale [0, 1] of full range, which are taken
            as not clipped.

    Returns:
        noise level, at least 0 and at most 1; 0 below 8 pixels a side.
    """
    from scipy.fft import dctn

    rows, columns = picture.shape[0] // 8, picture.shape[1] // 8
    if not rows * columns:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(picture, (8, 8), (0, 1))[::8, ::8]
    chosen = np.arange(rows * columns)
    if len(chosen) > _BLOCKS:  # at random, as a grid would resonate with regular textures
        chosen = np.sort(np.random.default_rng(0).choice(chosen, _BLOCKS, replace=False))
    blocks = np.moveaxis(windows[chosen // columns, chosen % columns], 1, -1)
    clipped = picture.dtype == np.uint8
    if clipped:
        ends = ((blocks < 4) | (blocks > 251)).mean((1, 2, 3))
        blocks = blocks[ends <= max(0.02, np.quantile(ends, 0.3))] / np.float32(255)
    energy = dctn(blocks @ _LUMINANCE, axes=(1, 2), norm="ortho") ** 2
    low, high, highest = (
        energy[:, (first <= _ORDER) & (_ORDER <= last)] for first, last in ((4, 5), (6, 8), (9, 14))
    )
    # Coding takes weak noise out of the highest frequencies first, at last out of all but the low.
    # These hold texture, too, but only noise is nearly even over the blocks.
    found = _level(highest, _SHARE)
    if found < 0.7 * _level(high, _SHARE):
        found = _level(high, _SHARE)
    if found < _level(low, 0.02) / 2 and _level(low, 0.02) > 0.75 * _level(low, 0.25):
        found = _level(low, 0.02)
    found /= _gain(blocks)
    found = float(np.sqrt(max(0, found**2 - _TEXTURE**2)))
    return _before_clipping(found, blocks.mean((1, 2))) if clipped else min(1.0, found)


def true_sigma(noisy: np.ndarray, clean: np.ndarray) -> float:
    """What `estimate_sigma` is to find in a picture, where the picture without its noise is known.

    Args:
        noisy, clean: (H, W, 3) uint8, H and W multiples of 8.
    """
    found = ((noisy.astype("float32") - clean) @ _LUMINANCE).std() / 255 / _gain(noisy)
    blocks = noisy.reshape(len(noisy) // 8, 8, -1, 8, 3)
    return _before_clipping(float(found), blocks.mean((1, 3)).reshape(-1, 3) / 255)


def _gain(blocks):
    """What luminance keeps of the deviation of noise: all, if it is the same in all channels."""
    grey = all(np.array_equal(blocks[..., 0], blocks[..., k]) for k in (1, 2))
    return 1 if grey else np.linalg.norm(_LUMINANCE)


def _level(energy: np.ndarray, share: float) -> float:
    """(n, coefficients) → the deviation of white noise of which this share of blocks has no more."""
    from scipy.special import gammaincinv

    # The mean energy of white noise has a gamma distribution.
    shape = energy.shape[1] / 2
    return np.sqrt(np.quantile(energy.mean(1), share) * shape / gammaincinv(shape, share))


def _before_clipping(found: float, brightness: np.ndarray) -> float:
    """The level of Gaussian noise of which clipping leaves `found` at these mean brightnesses.

    brightness: (n, 3), 1 for full scale.
    """
    weights = np.broadcast_to(_LUMINANCE**2, brightness.shape)
    share, edges = np.histogram(brightness, 64, (0, 1), weights=weights)
    share, centre = share / share.sum(), (edges[1:] + edges[:-1]) / 2
    nodes, probability = np.polynomial.hermite_e.hermegauss(60)
    probability /= probability.sum()
    grey = np.linspace(0, 1, 65)[:, None]
    low, high = found, 1.0
    for _ in range(16):
        middle = (low + high) / 2
        values = (grey + middle * nodes).clip(0, 1)
        mean = values @ probability
        variance = values**2 @ probability - mean**2
        if share @ np.interp(centre, mean, variance) < found**2:
            low = middle
        else:
            high = middle
    return float(low)
