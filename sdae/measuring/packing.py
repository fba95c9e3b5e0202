"""Bytes and times of the latent coder beside other ways to pack: ``sdae bench coder``.

It is measured on the latents that the network makes of pictures: mean bytes beside other
ways to pack the same integers, and times. The ideal coders write no tables and need not round to
whole bits; their statistics are those of all latents of one quality together:

- static: one table a channel;
- contexts: one table a bucket, the same information that our coder has.
"""

import statistics
import time
import zlib

import numpy as np

from sdae.coding import deflate, huffman, latent_coder, residuals
from sdae.threads import one_blas_thread

_REPEATS = 15


def coder(values, quality_code: int, tables) -> dict[str, float]:
    """Mean bytes of each way to pack latents.

    Args:
        values: list of (h, w, C) int16.
        quality_code: quality in hundredths.
        tables: the context tables.
    """
    raw = [_int8(v) for v in values]
    packed = {
        "int8, not packed": [len(r) for r in raw],
        "zlib 9": [len(zlib.compress(r, 9)) for r in raw],
        "best zlib strategy": [_best_zlib(v) for v in values],
        "ours, effort 0": [len(latent_coder.encode(v, quality_code, tables)) for v in values],
        "ideal, static per channel": [ideal_static(values)],
        "ideal, our contexts": [ideal_contexts(values, quality_code, tables)],
    }
    return {name: statistics.mean(sizes) for name, sizes in packed.items()}


def times(values, quality_code: int, tables) -> dict[str, float]:
    """Median seconds a latent of packing and unpacking, ours and zlib's."""
    found = {}
    for v in values:
        raw = _int8(v)
        deflated = zlib.compress(raw, 9)
        payload = latent_coder.encode(v, quality_code, tables)
        works = {
            "zlib 9, deflate": lambda: zlib.compress(raw, 9),
            "zlib 9, inflate": lambda: zlib.decompress(deflated),
            "ours, pack": lambda: latent_coder.encode(v, quality_code, tables),
            "ours, unpack": lambda: latent_coder.decode(
                payload, *v.shape[:2], quality_code, tables
            ),
        }
        for name, work in works.items():
            with one_blas_thread():
                found.setdefault(name, []).append(_seconds(work))
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def ideal_static(values) -> float:
    """Mean bytes of an ideal coder with one table a channel, fitted to all latents together."""
    rows = np.concatenate([v.reshape(-1, v.shape[2]) for v in values])
    tallies = (np.unique(channel, return_counts=True)[1] for channel in rows.T)
    return sum(float(huffman.entropy(t)) for t in tallies) / 8 / len(values)


def ideal_contexts(values, quality_code: int, tables) -> float:
    """Mean bytes of an ideal coder with one table a bucket."""
    bucket = tables.buckets.ravel().astype("int64")
    pairs = []
    for v in values:
        # Channels after the last that is used are free to our coder, so they are here.
        live = int(np.flatnonzero(v.any((0, 1))).max(initial=0)) + 1
        cell, symbol = residuals.survey(v, quality_code, tables, live)
        pairs.append(bucket[cell] << 32 | symbol)
    keys, tally = np.unique(np.concatenate(pairs), return_counts=True)
    tallies = np.split(tally, np.flatnonzero(np.diff(keys >> 32)) + 1)
    return sum(float(huffman.entropy(t)) for t in tallies) / 8 / len(values)


def _int8(values) -> bytes:
    return np.clip(values, -128, 127).astype("int8").tobytes()


def _best_zlib(values) -> int:
    """The smallest of zlib's strategies, position by position and channel by channel."""
    orders = _int8(values), _int8(values.transpose(2, 0, 1))
    strategies = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)
    return min(len(deflate.squeeze([raw], s)) for raw in orders for s in strategies)


def _seconds(work) -> float:
    """The median of several runs, in processor time, which a busy machine does not stretch."""
    found = []
    for _ in range(_REPEATS):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return statistics.median(found)
