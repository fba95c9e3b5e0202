"""Classical denoisers, to compare with: one strength for each, the noise level.

How strong each filter must be at a level was chosen for the highest mean PSNR on photographs other
than the measuring sets, with Gaussian noise clipped to 8 bits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sdae.pictures.noise import to_8_bits, to_floats


class Denoiser(NamedTuple):
    """A denoiser.

    label: its name for people.
    clean: function of a picture float32 (H, W, 3), full scale 1, and sigma > 0 → the same shape.
    """

    label: str
    clean: Callable


def denoise(name: str, picture: np.ndarray, sigma: float) -> np.ndarray:
    """A noisy picture → uint8 of the same shape, cleaned by `DENOISERS[name]`.

    picture: (H, W, 3) uint8, or floats on the scale [0, 1] of full range, where noise may go
        beyond it.
    sigma: level of the noise, 0 to 1 of full scale; 0 leaves the picture as it is.
    """
    x = to_floats(picture)
    return to_8_bits(DENOISERS[name].clean(x, sigma) if sigma else x)


def _non_local_means(x, sigma):
    from skimage.restoration import denoise_nl_means

    return denoise_nl_means(
        x,
        patch_size=5,
        patch_distance=6,
        h=sigma * max(0.4, 0.75 - 1.5 * sigma),
        sigma=sigma,
        fast_mode=True,
        channel_axis=-1,
    )


def _total_variation(x, sigma):
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(x, weight=sigma * (0.5 + sigma), channel_axis=-1)


def _gaussian_blur(x, sigma):
    from skimage.filters import gaussian

    return gaussian(x, 2.5 * sigma**0.5, channel_axis=-1)


def _bm3d(x, sigma):
    import bm3d

    if x.min() >= 0 and x.max() <= 1:
        sigma *= max(0.7, 1 - 2 * sigma**2)  # clipping has taken a part of the noise
    profile = bm3d.BM3DProfile()
    profile.num_threads = 1  # more would not give the same sums every time
    return bm3d.bm3d_rgb(x.astype("float64"), sigma, profile)


DENOISERS = {
    "nlm": Denoiser("Non-local means", _non_local_means),
    "tv": Denoiser("Total variation", _total_variation),
    "gaussian": Denoiser("Gaussian blur", _gaussian_blur),
    "bm3d": Denoiser("BM3D", _bm3d),
}
"""Non-local means (Buades, Coll and Morel 2005), total variation (Chambolle 2004), Gaussian blur and
BM3D for colour (Dabov et al. 2007, by Mäkinen, Azzari and Foi 2020); from scikit-image,
SciPy and the package bm3d."""

QUICK = ("nlm", "tv", "gaussian")
"""Those that need nothing beside the requirements of the app, and no minutes for a photograph."""
