"""Where a file spends its bits."""

import numpy as np

from sdae.coding import latent_coder
from sdae.coding.predictor import Predictor
from sdae.measuring import packing

SQUARE = 8
"""Side in pixels of the square that one place of a latent stands for."""


def spent(codec, latent) -> np.ndarray:
    """(h, w, C) bits of a payload that each integer of its latent takes.

    A byte of the stream may hold several integers. So the bits of the whole payload are shared out
    by the information of each integer: how rare its symbol is among those of its bucket.

    Args:
        codec, latent: a `sdae.Codec` and a `sdae.Latent`.
    """
    values, code, tables = latent.values, round(latent.quality * 100), codec.tables
    bits = np.zeros(values.size)
    if values.any():
        live = packing.live(values)
        # A little for each, so that bits find a place where all symbols of a bucket are the same.
        information = packing.information(packing.symbols(values, code, tables, live)) + 1e-9
        size = 8 * len(latent_coder.encode(values, code, tables))
        bits[_places(values, tables, live)] = size * information / information.sum()
    return bits.reshape(values.shape)


def _places(values, tables, live) -> np.ndarray:
    """The place of every integer, row by row, in the order they are coded in."""
    height, width, channels = values.shape
    predictor = Predictor(height, width, 100, tables, live)
    places = []
    for group, start, stop, _ in predictor.plan:
        own = predictor.slices[group]
        position = predictor.steps.order[start:stop, None]
        places.append((position * channels + np.arange(own.start, min(live, own.stop))).ravel())
    return np.concatenate(places)
