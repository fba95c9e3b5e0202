"""What the integers of latents cost beside other ways to pack them.

The ideal coders write no tables and need not round to whole bits. They spend the entropy of the
symbols, whose statistics are those of all latents of one quality together.
"""

import statistics
import zlib

import numpy as np

from sdae.coding import huffman, latent_coder, residuals


def coder(values, quality_code: int, tables) -> dict[str, float]:
    """Mean bytes of each way to pack latents.

    Args:
        values: list of (h, w, C) int16.
        quality_code: quality in hundredths.
        tables: the context tables.
    """
    plain = [np.clip(v, -128, 127).astype("int8").tobytes() for v in values]
    return {
        "zlib 9": statistics.mean(len(zlib.compress(v, 9)) for v in plain),
        "ideal, static per channel": ideal_static(values),
        "ours": statistics.mean(len(latent_coder.encode(v, quality_code, tables)) for v in values),
        "ideal, our contexts": ideal_contexts(values, quality_code, tables),
    }


def ideal_static(values) -> float:
    """Mean bytes of an ideal coder with one table a channel, fitted to all latents together."""
    rows = np.concatenate([v.reshape(-1, v.shape[2]) for v in values])
    tallies = (np.unique(channel, return_counts=True)[1] for channel in rows.T)
    return sum(float(huffman.entropy(t)) for t in tallies) / 8 / len(values)


def ideal_contexts(values, quality_code: int, tables) -> float:
    """Mean bytes of an ideal coder with one table a bucket, which our coder has, too."""
    found = [symbols(v, quality_code, tables, live(v)) for v in values]
    return float(information(np.concatenate(found)).sum()) / 8 / len(values)


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
