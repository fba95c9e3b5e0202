"""Which predictions share a bucket, and how a bucket's ranks become bytes: fitted to counts.

Everything here looks at one table: how often each rank occurred in each cell, a cell being a pair
of expected width and fraction of the mean (see `sdae.latents.cells`).

Cells of like distribution share a bucket. A bucket packs as many ranks into a byte as make its
bytes distributed like those of all other buckets, so that one Huffman code can serve them all: in
a small image a second code costs more than it saves.
"""

import numpy as np

from sdae import latents
from sdae.latents import FRACTIONS, WIDTHS

SIZES = (5, 8, 11, 14, 19, 26, 40)
"""Numbers of buckets of the layouts: few for small images, many for large ones."""

_RANKS = 128
_NONE = 255
_STEEPNESS = (0.85, 0.9, 0.94, 0.97)
_ROUNDS = 8


def empty() -> dict:
    """One layout with one bucket, to predict with before buckets are fitted."""
    return {
        "buckets": np.zeros((1, WIDTHS, FRACTIONS), "uint8"),
        "packing": np.array([[[127, 1, 0], [127, 1, 0]]], "uint8"),
        "order": np.tile(np.arange(256, dtype="uint8"), (1, 2, 1)),
    }


def fit(total, sizes=SIZES) -> dict:
    """The layouts of `sdae.latents.Tables`, one for each number of buckets, from a `histogram`."""
    made = [layout(total, bucket) for bucket in clusters(total, sizes)]
    rows = max(len(m[1]) for m in made)

    def padded(array):
        return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), "uint8")])

    return {
        "buckets": np.stack([m[0] for m in made]),
        "packing": np.stack([padded(m[1]) for m in made]),
        "order": np.stack([padded(m[2]) for m in made]),
    }


def histogram(examples, codes, tables):
    """How often each rank occurs in each cell: (WIDTHS · FRACTIONS, _RANKS) float64.

    Args:
        examples: list of (h, w, C) int16.
        codes: quality of each, in hundredths.
        tables: tables whose predictions count; their layouts do not matter.

    An example weighs about one over its size, so that low qualities count as much as high ones.
    """
    total = np.zeros((WIDTHS * FRACTIONS, _RANKS))
    for values, code in zip(examples, codes):
        cell, rank = latents.survey(values, int(code), tables, values.shape[2])
        joint = cell * _RANKS + np.minimum(rank, _RANKS - 1)
        tally = np.bincount(joint, minlength=total.size).reshape(total.shape)
        total += tally / (entropy(tally.sum(0)) + 4000)
    return total * (20000 / len(examples))


def entropy(tally):
    """Bits of an ideal code for counts along the last axis."""
    whole = tally.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(tally > 0, tally * np.log2(whole / tally), 0)
    return bits.sum(-1)


def clusters(total, sizes) -> list[np.ndarray]:
    """Cells → buckets, by joining the two that lose the least by it, again and again.

    Returns:
        for each of the sizes (WIDTHS, FRACTIONS) uint8 buckets, from the narrowest to the widest.
    """
    seen = np.flatnonzero(total.sum(1))
    member = np.arange(len(seen))
    tallies = total[seen]
    own = entropy(tallies)
    cost = np.full((len(seen), len(seen)), np.inf)
    for i in range(len(seen) - 1):
        cost[i, i + 1 :] = entropy(tallies[i] + tallies[i + 1 :]) - own[i] - own[i + 1 :]
    found = {}
    for count in range(len(seen), 0, -1):
        if count in sizes or count == len(seen):
            found[count] = _ordered(seen, member, tallies)
        if count <= min(sizes):
            break
        i, j = np.unravel_index(np.argmin(cost), cost.shape)
        member[member == j] = i
        tallies[i] += tallies[j]
        own[i] = entropy(tallies[i])
        cost[j], cost[:, j] = np.inf, np.inf
        others = np.setdiff1d(member, i)
        more = entropy(tallies[i] + tallies[others]) - own[i] - own[others]
        cost[np.minimum(i, others), np.maximum(i, others)] = more
    return [found[min(size, len(seen))] for size in sizes]


def _ordered(seen, member, tallies):
    """Buckets by mean rank; cells that never occurred join the nearest that did."""
    kept = np.unique(member)
    spread = tallies[kept] @ np.arange(_RANKS) / tallies[kept].sum(1)
    place = np.full(len(tallies), _NONE, "uint8")
    place[kept[np.argsort(spread)]] = np.arange(len(kept))
    width, fraction = np.divmod(np.arange(WIDTHS * FRACTIONS), FRACTIONS)
    apart = FRACTIONS * np.abs(width[:, None] - width[seen])
    apart += np.abs(fraction[:, None] - fraction[seen])
    return place[member[apart.argmin(1)]].reshape(WIDTHS, FRACTIONS)


def layout(total, bucket):
    """Packing and order of the bytes for given buckets: what `sdae.latents.Tables` has a row of."""
    tallies = np.zeros((int(bucket.max()) + 1, _RANKS))
    np.add.at(tallies, bucket.ravel(), total)
    chosen, escapes = packings(tallies)
    orders = []
    for option, tally in zip(chosen, [*tallies, escapes]):
        chances, _ = leaves(_chances(tally), *option)
        row = np.zeros(256, "uint8")
        row[np.argsort(-chances, kind="stable")] = np.arange(len(chances))
        orders.append(row)
    return bucket, np.array(chosen, "uint8"), np.array(orders)


def packings(tallies):
    """The packing of each bucket, and of the escapes, that costs the least in one Huffman code.

    The packings, the code that they share and the code of the escapes depend on each other; a few
    rounds from several starts settle them.

    Args:
        tallies: (buckets, _RANKS) counts.

    Returns:
        list of (alphabet, several, run), the escapes' last, and the (_RANKS,) counts of escapes.
    """
    options = _options()
    candidates = [_candidates(tally, options) for tally in tallies]
    whole = [option for option in options if not option[2]]
    best = (np.inf,)
    for steepness in _STEEPNESS:
        bits = _bits(steepness ** np.arange(256))
        escape_bits = 4.0 + 2 * np.arange(_RANKS)
        for _ in range(_ROUNDS):
            chosen = [_cheapest(rows, bits, escape_bits) for rows in candidates]
            escapes = np.zeros(_RANKS)
            for tally, (_, (option, *_)) in zip(tallies, chosen):
                escapes[: _RANKS - option[0] + 1] += tally[option[0] - 1 :]
            cost = sum(price for price, _ in chosen)
            last = _cheapest(_candidates(escapes, whole), bits, escape_bits)
            rows = [row for _, row in (*chosen, last)]
            if cost < best[0]:
                best = (cost, [option for option, *_ in rows], escapes)
            escape_bits = _bits(escapes + 1e-6 * tallies.sum()) * 1.05 + 0.1
            code = np.full(256, 1e-6 * tallies.sum())
            for _, chances, size, _ in rows:
                code[: len(chances)] += chances * size
            bits = _bits(code)
    return best[1:]


def _options():
    """All packings worth a try; the byte 255 is left to mark the ends of segments."""
    several = [(a, n, 0) for a in range(2, 17) for n in range(2, 9) if a**n < 256]
    single = [(a, 1, 0) for a in (*range(2, 33), 40, 48, 64, 80, 96, 127)]
    lengths = (2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 28, 32, 40, 48, 64, 80, 100, 127, 180, 250)
    runs = [(a, n, 1) for a in range(2, 9) for n in lengths if n * (a - 1) < 255]
    return several + single + runs


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


def _chances(tally):
    return (tally + 1e-9 * tally.sum() + 1e-30) / (tally + 1e-9 * tally.sum() + 1e-30).sum()


def _bits(counts):
    return -np.log2(counts / counts.sum())


def _candidates(tally, options):
    """For every packing: itself, its bytes' probabilities from the largest, bytes, escapes."""
    rows = []
    for option in options:
        joint, each = leaves(_chances(tally), *option)
        rows.append((option, np.sort(joint)[::-1], tally.sum() / each, tally[option[0] - 1 :]))
    return rows


def _cheapest(rows, bits, escape_bits):
    """The fewest bits and the packing that needs them, for given code lengths."""
    best = (np.inf, None)
    for row in rows:
        _, chances, size, escapes = row
        price = size * chances @ bits[: len(chances)] + escapes @ escape_bits[: len(escapes)]
        if price < best[0]:
            best = (price, row)
    return best
