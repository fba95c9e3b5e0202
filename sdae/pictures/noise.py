"""Gaussian noise, which is added to a picture, and the scales of samples.

Levels are standard deviations on the scale [0, 1] of full range.
"""

import numpy as np

from sdae.pictures.noise_level import estimate_sigma as estimate_sigma

STRONGEST = 0.5
"""Highest level that `add` takes."""


def add(rgb: np.ndarray, sigma: float, seed: int = 0, clipped: bool = True):
    """A picture with independent Gaussian noise; the same arguments always give the same noise.

    Args:
        rgb: (H, W, 3) uint8.
        sigma: standard deviation, 0 to `STRONGEST`.
        seed: chooses the noise.
        clipped: round and clip to what a file of 8 bits can hold.

    Returns:
        (H, W, 3) uint8; without ``clipped`` float32 on the scale [0, 1] of full range, with
        values beyond it, as in most of the literature.

    Raises:
        ValueError: the level is out of range.
    """
    if not 0 <= sigma <= STRONGEST:
        raise ValueError(f"The noise level must lie between 0 and {STRONGEST}.")
    rng = np.random.default_rng(seed)
    noisy = to_floats(rgb) + np.float32(sigma) * rng.standard_normal(rgb.shape, "float32")
    return to_8_bits(noisy) if clipped else noisy


def to_8_bits(picture: np.ndarray) -> np.ndarray:
    """Floats on the scale [0, 1] → uint8, rounded and clipped."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype("uint8")


def to_floats(picture: np.ndarray) -> np.ndarray:
    """Samples → float32 with 1 for full scale: uint8 is divided by 255, floats stay."""
    floats = picture.astype("float32", copy=False)
    return floats / 255 if picture.dtype == np.uint8 else floats
