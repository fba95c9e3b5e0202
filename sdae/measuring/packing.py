"""How much each integer of a latent tells: what an ideal coder would spend on it."""

import numpy as np

from sdae.coding import residuals


def live(values) -> int:
    """Channels up to the last that is used; those after it are free."""
    return int(np.flatnonzero(values.any((0, 1))).max(initial=0)) + 1


def symbols(values, code, tables, live) -> np.ndarray:
    """Bucket and symbol of each integer in the order of coding, as one number."""
    cell, symbol = residuals.survey(values, code, tables, live)
    return tables.buckets.ravel().astype("int64")[cell] << 32 | symbol


def information(symbols) -> np.ndarray:
    """Bits of each symbol by an ideal coder: −log2 of its share of its bucket."""
    keys, number, tally = np.unique(symbols, return_inverse=True, return_counts=True)
    bucket = keys >> 32
    return np.log2(np.bincount(bucket, tally)[bucket] / tally)[number]
