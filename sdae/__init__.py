"""SDAE: a learned image codec you can see through.

import sdae
codec = sdae.load()
data = codec.compress(image, quality=75)
image = codec.decompress(data)
"""

from sdae import pillow_plugin  # noqa: F401, registers .sdae with Pillow
from sdae.codec import Codec, Latent
from sdae.coding.container import BitstreamError
from sdae.pictures.reading import ImageError
from sdae.weights import WeightsError

__version__ = "1.0.0"
__all__ = ["BitstreamError", "Codec", "ImageError", "Latent", "WeightsError", "load"]


def load(name_or_path=None) -> Codec:
    """The codec with the weights that ship, or with those of a folder.

    Raises:
        WeightsError: the weights are missing or not the ones that their card describes.
    """
    return Codec(name_or_path)
