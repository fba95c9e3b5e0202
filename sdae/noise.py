"""Noise levels, on the scale [0, 1] of full range."""

import numpy as np


def estimate_sigma(rgb: np.ndarray) -> float:
    """The standard deviation of Gaussian noise in a picture.

    The median absolute diagonal Haar coefficient over 0.6745 (Donoho and Johnstone 1994), median
    over the three channels. Fine texture counts as noise, so a clean picture gives a little
    more than 0.

    Args:
        rgb: (H, W, 3) uint8; below 2×2 pixels the answer is 0.

    Returns:
        noise level in [0, 1] of full scale.
    """
    h, w = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    if not h or not w:
        return 0.0
    x = rgb[:h, :w].astype("float32") / 255
    diagonal = (x[::2, ::2] - x[1::2, ::2] - x[::2, 1::2] + x[1::2, 1::2]) / 2
    return float(np.median(np.median(np.abs(diagonal), axis=(0, 1)) / 0.6745))
