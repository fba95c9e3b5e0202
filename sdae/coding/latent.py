"""The latent: the integers that stand for one picture."""

from dataclasses import dataclass

import numpy as np


def live_channels(values: np.ndarray) -> int:
    """How many leading channels of (h, w, C) values are not all zero, up to the last such one."""
    return int(np.flatnonzero(values.any((0, 1))).max(initial=-1)) + 1


@dataclass(frozen=True)
class Latent:
    """The integers that stand for one picture.

    Attributes:
        values: (h, w, C) int16 with h = ⌈height/8⌉, w = ⌈width/8⌉.
        width, height: size of the picture in pixels.
        quality: 1 to 100, in hundredths.
        model_id: the 4 bytes that name the weights they belong to; None for those of the codec
            that is given them.
    """

    values: np.ndarray
    width: int
    height: int
    quality: float
    model_id: bytes | None = None
