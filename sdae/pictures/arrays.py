"""Pictures as a program holds them in memory: samples for a network, rows that make an image."""

import numpy as np
from PIL import Image

from sdae.pictures import opening, reading
from sdae.pictures.opening import ImageError

_FARTHEST = 8
# No noise that is known here takes a sample of [0, 1] farther from 0.


def samples(image) -> np.ndarray:
    """A picture of any kind → the samples that a network is given.

    Args:
        image: as for `reading.read`; or an (H, W, 3) float array on the scale [0, 1] of full
            range, where noise may go beyond it.

    Returns:
        (H, W, 3) uint8, of floats float32; an array of either itself, not a copy of it.

    Raises:
        ImageError: it is no picture, too large, or a float array on another scale.
    """
    if not isinstance(image, np.ndarray) or image.dtype.kind != "f":
        if getattr(image, "dtype", None) != np.uint8 or image.shape[2:] != (3,):
            return reading.read(image).rgb
        opening.check_size(image.shape[1], image.shape[0], opening.MAX_PIXELS)
        return image
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or not np.isfinite(image).all():
        raise ImageError(
            "An array of floats must hold finite numbers in the shape (H, W, 3), "
            f"0 for black and 1 for full scale; this one has the shape {image.shape}."
        )
    opening.check_size(image.shape[1], image.shape[0], opening.MAX_PIXELS)
    if max(image.max(), -image.min()) > _FARTHEST:
        raise ImageError(
            "An array of floats must be on the scale from 0 for black to 1 for full scale; this one "
            f"goes from {image.min():g} to {image.max():g}. Divide it by its full scale, or give "
            "uint8 samples from 0 to 255."
        )
    return image.astype("float32", copy=False)


def image(parts, width: int, height: int) -> Image.Image:
    """Rows of a picture from the top, (n, width, 3) uint8 in parts of any length → an RGB image."""
    whole, top = Image.new("RGB", (width, height)), 0
    for rows in parts:
        whole.paste(Image.fromarray(rows), (0, top))
        top += len(rows)
    return whole
