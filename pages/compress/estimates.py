"""What a picture takes at every quality, before it is compressed at each: estimates for a slider.

The middle of the picture is compressed at a few qualities. Its curves of bytes and PSNR have the shape
of the picture's own; those results of the whole picture that are known say how high they lie.
"""

from __future__ import annotations

import math

import numpy as np

from pages.shared import engine
from pages.shared.comparison import Result, compress
from pages.shared.engine import Prepared

QUALITIES = 1, 10, 25, 40, 60, 80, 92, 100
"""The part is compressed at these."""

SIDE = 192
"""The part is the middle of the picture, at most so many pixels wide and high."""


def curve(picture: Prepared):
    """A task for a `Queue`: an array of (quality, bytes, PSNR in dB) of the part, by quality."""
    part, rows = _middle(picture.rgb), {}

    def work(codec, report):
        for quality in QUALITIES:
            if quality not in rows:  # what was made before a visitor came is kept
                result = compress(codec, part, quality, progress=report)
                rows[quality] = quality, result.file_bytes, result.psnr
        return np.array([rows[quality] for quality in QUALITIES], "float64")

    return engine.aside(work)


def estimates(curve: np.ndarray, known: list[Result]) -> tuple[list[int], list[float]]:
    """Bytes and PSNR in dB for each whole quality from 1 to 100.

    Args:
        curve: what `curve` gives.
        known: at least one result of the whole picture, by quality.
    """
    at = np.arange(1, 101)
    quality, size, psnr = curve.T
    points = [result.quality for result in known]

    def lifted(shape, heights):
        offsets = np.array(heights) - np.interp(points, quality, shape)
        heights = np.interp(at, quality, shape) + np.interp(at, points, offsets)
        return np.maximum.accumulate(heights)

    sizes = np.exp(lifted(np.log(size), [math.log(result.file_bytes) for result in known]))
    # A perfect picture has no finite PSNR, and a number has to be shown.
    levels = lifted(np.minimum(psnr, 100), [min(result.psnr, 100) for result in known])
    return np.rint(sizes).astype(int).tolist(), np.round(levels, 2).tolist()


def _middle(rgb: np.ndarray) -> np.ndarray:
    top, left = (max(0, side - SIDE) // 2 for side in rgb.shape[:2])
    return np.ascontiguousarray(rgb[top : top + SIDE, left : left + SIDE])
