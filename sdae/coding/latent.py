"""The latent: the integers that stand for one picture."""

from dataclasses import dataclass

import numpy as np

from sdae import notebook


@dataclass(frozen=True)
class Latent:
    """The integers that stand for one picture.

    Attributes:
        values: (h, w, C) int16 with h = ⌈height/8⌉, w = ⌈width/8⌉.
        width, height: size of the picture in pixels.
        quality: 1 to 100, in hundredths.
    """

    values: np.ndarray
    width: int
    height: int
    quality: float

    def _repr_png_(self) -> bytes:
        return notebook.latent(self.values)
