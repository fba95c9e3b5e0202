"""Classical denoisers, to compare with: one strength for each, the noise level.

How strong each filter must be at a level was chosen for the highest mean PSNR on photographs other
than the measuring sets, with Gaussian noise clipped to 8 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdae.noise import to_8_bits


@dataclass(frozen=True)
class Denoiser:
    """A label, and a function of picture float32 (H, W, 3) in [0, 1] and sigma > 0 → the same."""

    label: str
    clean: Callable


def denoise(name: str, rgb: np.ndarray, sigma: float) -> np.ndarray:
    """A noisy picture uint8 (H, W, 3) → the same shape and type, cleaned by `DENOISERS[name]`.

    sigma: level of the noise, 0 to 1 of full scale; 0 leaves the picture as it is.
    """
    if not sigma:
        return rgb.copy()
    return to_8_bits(DENOISERS[name].clean(rgb.astype("float32") / 255, sigma))


def _non_local_means(x, sigma):
    from skimage.restoration import denoise_nl_means

    return denoise_nl_means(
        x, patch_size=5, patch_distance=6, h=sigma * max(0.4, 0.75 - 1.5 * sigma), sigma=sigma,
        fast_mode=True, channel_axis=-1,
    )


def _total_variation(x, sigma):
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(x, weight=sigma * (0.5 + sigma), channel_axis=-1)


def _gaussian_blur(x, sigma):
    from skimage.filters import gaussian

    return gaussian(x, 2.5 * sigma**0.5, channel_axis=-1)


def _median(x, sigma):
    from scipy.ndimage import median_filter

    radius = 1 if sigma < 0.15 else 2
    return median_filter(x, size=(2 * radius + 1, 2 * radius + 1, 1), mode="nearest")


DENOISERS = {
    "nlm": Denoiser("Non-local means", _non_local_means),
    "tv": Denoiser("Total variation", _total_variation),
    "gaussian": Denoiser("Gaussian blur", _gaussian_blur),
    "median": Denoiser("Median", _median),
}
"""Non-local means (Buades, Coll and Morel 2005), total variation (Chambolle 2004), Gaussian blur
and median, all from scikit-image and SciPy."""
