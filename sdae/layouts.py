"""Which predictions share a bucket, and how a bucket's ranks become bytes: fitted to counts.

Everything here looks at one table: how often each rank occurred in each cell, a cell being a pair
of expected width and fraction of the mean (see `sdae.latents.cells`).
"""

import numpy as np

from sdae import latents
from sdae.deflate import code_lengths
from sdae.latents import FRACTIONS, WIDTHS

_RANKS = 128
_NONE = 255
PLANS = ((8, 24000, True), (14, 24000, True), (24, 600000, False))
"""Buckets, integers of an image, and whether one Huffman code should do for all buckets."""


def empty() -> dict:
    """One layout with one bucket, to predict with before buckets are fitted."""
    order = np.tile(np.arange(256, dtype="uint8"), (1, 2, 1))
    packing = np.array([[[128, 1, 0], [128, 1, 0]]], "uint8")
    return {"buckets": np.zeros((1, WIDTHS, FRACTIONS), "uint8"), "packing": packing, "order": order}


def histogram(examples, codes, tables):
    """How often each rank occurs in each cell: (WIDTHS · FRACTIONS, _RANKS) float64.

    Every example weighs by one over its size, so that low qualities count as much as high ones.
    """
    total = np.zeros((WIDTHS * FRACTIONS, _RANKS))
    for values, code in zip(examples, codes):
        cell, rank = latents.survey(values, int(code), tables, values.shape[2])
        joint = cell * _RANKS + np.minimum(rank, _RANKS - 1)
        tally = np.bincount(joint, minlength=total.size).reshape(total.shape)
        bits = entropy(tally.sum(0)) + 1
        total += tally * (20000 / (bits + 4000))
    return total / len(examples)


def entropy(tally):
    """Bits of an ideal code for counts along the last axis."""
    whole = tally.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(tally > 0, tally * np.log2(whole / tally), 0)
    return bits.sum(-1)


def cluster(total, size):
    """Cells → ``size`` buckets, by joining the two whose joint costs the least more, again and again.

    Returns:
        (cells,) uint8 bucket, from the narrowest to the widest.
    """
    active = total.sum(1) > 0
    groups = [[i] for i in np.flatnonzero(active)]
    tallies = total[active]
    own = entropy(tallies)
    cost = np.full((len(groups), len(groups)), np.inf)
    for i in range(len(groups) - 1):
        cost[i, i + 1 :] = entropy(tallies[i] + tallies[i + 1 :]) - own[i] - own[i + 1 :]
    alive = np.ones(len(groups), bool)
    for _ in range(len(groups) - size):
        i, j = np.unravel_index(np.argmin(cost), cost.shape)
        groups[i] += groups[j]
        tallies[i] += tallies[j]
        own[i] = entropy(tallies[i])
        alive[j] = False
        cost[j], cost[:, j] = np.inf, np.inf
        others = np.flatnonzero(alive)
        others = others[others != i]
        more = entropy(tallies[i] + tallies[others]) - own[i] - own[others]
        cost[np.minimum(i, others), np.maximum(i, others)] = more
    kept = np.flatnonzero(alive)
    spread = [(tallies[k] @ np.arange(_RANKS)) / tallies[k].sum() for k in kept]
    bucket = np.full(len(total), _NONE, "uint8")
    for b, k in enumerate(kept[np.argsort(spread)]):
        bucket[groups[k]] = b
    return _filled(bucket)


def _filled(bucket):
    """Give cells that never occurred the bucket of the nearest cell that did."""
    known = np.flatnonzero(bucket != _NONE)
    width, fraction = np.divmod(np.arange(len(bucket)), FRACTIONS)
    apart = FRACTIONS * np.abs(width[:, None] - width[known])
    apart += np.abs(fraction[:, None] - fraction[known])
    return bucket[known[apart.argmin(1)]].reshape(WIDTHS, FRACTIONS)


def leaves(chances, alphabet, several, run):
    """Probability of every byte of a packing, in the order of its number, and integers a byte."""
    single = np.append(chances[: alphabet - 1], chances[alphabet - 1 :].sum())
    if run:
        zeros = single[0] ** np.arange(several + 1)
        joint = np.append(np.outer(zeros[:-1], single[1:]).ravel(), zeros[-1])
        return joint, zeros[:-1].sum()
    joint = np.ones(1)
    for _ in range(several):
        joint = np.outer(joint, single).ravel()
    return joint, several


def _options():
    """All packings worth a try."""
    several = [(a, n, 0) for a in range(2, 17) for n in range(2, 9) if a**n <= 256]
    single = [(a, 1, 0) for a in (*range(2, 33), 40, 48, 64, 80, 96, 128)]
    lengths = (2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 250)
    runs = [(a, n, 1) for a in (2, 3, 4, 5, 6, 8) for n in lengths if n * (a - 1) < 256]
    return several + single + runs


def packings(tallies, symbols, shared):
    """The packing of each bucket, and of the escapes, that costs an image the least.

    Args:
        tallies: (buckets, _RANKS) counts, every image weighing the same.
        symbols: integers of an image of the target size.
        shared: whether all buckets must make do with one Huffman code, as in a small image, where
            further codes cost more than they save; otherwise each has its own.

    Returns:
        list of (alphabet, several, run), the escapes' last.
    """
    scale = symbols / tallies.sum()
    plain = [option for option in _options() if not option[2]]
    candidates = [_candidates(tally * scale, _options()) for tally in tallies]
    code = 0.07 * 0.93 ** np.arange(256)
    for _ in range(12 if shared else 1):
        lengths = -np.log2(code) if shared else None
        chosen = [min(rows, key=lambda row: _price(row, lengths)) for rows in candidates]
        tail = np.zeros(_RANKS)
        for tally, (option, *_) in zip(tallies, chosen):
            tail[: _RANKS - option[0] + 1] += tally[option[0] - 1 :]
        rows = _candidates(tail * scale, plain)
        chosen.append(min(rows, key=lambda row: _price(row, lengths)))
        code = np.full(256, 1e-3)
        for _, joint, size, _ in chosen:
            code[: len(joint)] += joint * size
        code /= code.sum()
    return [option for option, *_ in chosen], tail


def _candidates(tally, options):
    """For every packing: itself, its bytes' probabilities from the largest, bytes, escape bits."""
    count = tally.sum()
    chances = (tally + 1e-9) / (tally + 1e-9).sum()
    rows = []
    for option in options:
        joint, each = leaves(chances, *option)
        tail = chances[option[0] - 1 :]
        escapes = (entropy(tail) * 1.05 + 0.1 * tail.sum()) * count
        rows.append((option, np.sort(joint)[::-1], count / each, escapes))
    return rows


def _price(row, lengths):
    """Bits of a bucket in a given code, or in one of its own with its description."""
    _, joint, size, escapes = row
    if lengths is not None:
        return size * joint @ lengths[: len(joint)] + escapes
    table = 70 + 1.5 * np.minimum(joint * size, 1).sum()
    return size * joint @ code_lengths(joint, 15) + table + escapes


def layout(total, size, symbols, shared):
    """Buckets, packing and order for images of ``symbols`` integers."""
    bucket = cluster(total, size)
    tallies = np.zeros((int(bucket.max()) + 1, _RANKS))
    np.add.at(tallies, bucket.ravel(), total)
    chosen, tail = packings(tallies, symbols, shared)
    orders = []
    for option, tally in zip(chosen, [*tallies, tail]):
        joint, _ = leaves((tally + 1e-9) / (tally + 1e-9).sum(), *option)
        row = np.zeros(256, "uint8")
        row[np.argsort(-joint, kind="stable")] = np.arange(len(joint))
        orders.append(row)
    return bucket, np.array(chosen, "uint8"), np.array(orders)


def fit(total, plans=PLANS) -> dict:
    """The layouts of the tables, one for each (buckets, integers of an image) of ``plans``."""
    made = [layout(total, *plan) for plan in plans]
    rows = max(len(m[1]) for m in made)

    def padded(array):
        return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), "uint8")])

    return {
        "buckets": np.stack([m[0] for m in made]),
        "packing": np.stack([padded(m[1]) for m in made]),
        "order": np.stack([padded(m[2]) for m in made]),
    }
