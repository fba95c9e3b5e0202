"""Where a file spends its bits."""

import numpy as np

from sdae.coding import latent_coder, residuals
from sdae.coding.latent import live_channels
from sdae.coding.predictor import Predictor

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
        live = live_channels(values)
        # A little for each, so that bits find a place where all symbols of a bucket are the same.
        told = information(symbols(values, code, tables, live)) + 1e-9
        size = 8 * len(latent_coder.encode(values, code, tables))
        bits[_places(values, tables, live)] = size * told / told.sum()
    return bits.reshape(values.shape)


def symbols(values, code, tables, live) -> np.ndarray:
    """Bucket and symbol of each integer in the order of coding, as one number."""
    cell, symbol = residuals.survey(values, code, tables, live)
    return tables.buckets.ravel().astype("int64")[cell] << 32 | symbol


def information(symbols) -> np.ndarray:
    """Bits of each symbol by an ideal coder: −log2 of its share of its bucket."""
    keys, number, tally = np.unique(symbols, return_inverse=True, return_counts=True)
    bucket = keys >> 32
    return np.log2(np.bincount(bucket, tally)[bucket] / tally)[number]


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
