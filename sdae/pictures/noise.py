"""Models of noise, which add it to a picture.

Levels are standard deviations on the scale [0, 1] of full range. One level means one strength
for every kind of noise: that of the noise on mid-grey.
"""

import numpy as np

from sdae.pictures.noise_level import estimate_sigma as estimate_sigma

STRONGEST = 0.5
"""Highest level that `add` takes; salt and pepper then leave no pixel of the picture."""


def add(rgb: np.ndarray, sigma: float, kind: str = "gaussian", seed: int = 0, clipped: bool = True):
    """A picture with noise; the same arguments always give the same noise.

    With x the clean sample in [0, 1], n standard normal, each sample on its own:

    - gaussian: x + σn, as from the electronics that read a sensor;
    - shot: photons counted, Poisson(Nx)/N with N = 1/(2σ²) for white, so that the deviation is
      σ√(2x);
    - salt and pepper: a share 4σ² of the samples turns 0 or 1, evenly;
    - speckle: x(1 + 2σn), the noise of coherent light such as radar and ultrasound.

    Args:
        rgb: (H, W, 3) uint8.
        sigma: level, 0 to `STRONGEST`.
        kind: a key of `KINDS`.
        seed: chooses the noise.
        clipped: round and clip to what a file of 8 bits can hold.

    Returns:
        (H, W, 3) uint8; without ``clipped`` float32 on the scale [0, 1] of full range, with
        values beyond it, as in most of the literature.

    Raises:
        ValueError: there is no such kind, or the level is out of range.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no noise {kind!r}; choose one of {', '.join(KINDS)}.")
    if not 0 <= sigma <= STRONGEST:
        raise ValueError(f"The noise level must lie between 0 and {STRONGEST}.")
    x = to_floats(rgb)
    noisy = KINDS[kind](x, sigma, np.random.default_rng(seed)) if sigma else x
    return to_8_bits(noisy) if clipped else noisy


def to_8_bits(picture: np.ndarray) -> np.ndarray:
    """Floats on the scale [0, 1] → uint8, rounded and clipped."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype("uint8")


def to_floats(picture: np.ndarray) -> np.ndarray:
    """Samples → float32 with 1 for full scale: uint8 is divided by 255, floats stay."""
    floats = picture.astype("float32", copy=False)
    return floats / 255 if picture.dtype == np.uint8 else floats


def _gaussian(x, sigma, rng):
    return x + np.float32(sigma) * rng.standard_normal(x.shape, "float32")


def _shot(x, sigma, rng):
    white = 1 / (2 * sigma**2)
    return (rng.poisson(x * white) / white).astype("float32")


def _salt_and_pepper(x, sigma, rng):
    draw = rng.random(x.shape)
    share = 4 * sigma**2
    return np.where(draw < share / 2, 0, np.where(draw < share, 1, x)).astype("float32")


def _speckle(x, sigma, rng):
    return x * (1 + np.float32(2 * sigma) * rng.standard_normal(x.shape, "float32"))


KINDS = {
    "gaussian": _gaussian,
    "shot": _shot,
    "salt and pepper": _salt_and_pepper,
    "speckle": _speckle,
}
"""Kinds of noise, as described at `add`: each a function of (x float32, sigma, generator)."""
