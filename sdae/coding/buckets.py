"""Which predictions share a bucket, and how a bucket's ranks become bytes: fitted to counts.

Everything here looks at one table: how often each rank occurred in each cell, a cell being a pair
of expected width and fraction of the mean (see `sdae.coding.ranking.cells`).

Cells of like distribution share a bucket. The tree of a bucket makes words of ranks whose bytes are
distributed like those of all other buckets, so that one Huffman code can serve them all: in a small
image a second code costs more than it saves.
"""

from dataclasses import dataclass

import numpy as np

from sdae.coding import parse_codes, ranking
from sdae.coding.units import FRACTIONS, WIDTHS

SIZES = (5, 8, 11, 14, 19, 26, 40)
"""Numbers of buckets of the layouts: few for small images, many for large ones."""

_RANKS = 128
_NONE = 255
_ALPHABETS = (*range(2, 13), 14, 16, 20, 24, 32, 48, 64, 96, 127)
_RELUCTANCE = 0, 32 * parse_codes.COST_UNIT
_MOST_COST = 31 * parse_codes.COST_UNIT
_STEEPNESS = (0.85, 0.9, 0.94, 0.97)
_ROUNDS = 8


def empty() -> dict:
    """One layout with one bucket, to predict with before buckets are fitted."""
    return {
        "buckets": np.zeros((1, WIDTHS, FRACTIONS), "uint8"),
        "costs": np.pad(
            np.full((1, 2, 127), parse_codes.COST_UNIT, "uint16"), ((0, 0), (0, 0), (0, 1))
        ),
        "words": np.full((1, 2), 127, "uint8"),
    }


def fit(total, sizes=SIZES) -> dict:
    """The layouts of `Tables`, one for each number of buckets, from a `histogram`."""
    made = [layout(total, bucket) for bucket in clusters(total, sizes)]
    rows = max(len(m[1]) for m in made)

    def padded(array):
        return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), array.dtype)])

    return {
        "buckets": np.stack([m[0] for m in made]),
        "costs": np.stack([padded(m[1]) for m in made]),
        "words": np.stack([padded(m[2]) for m in made]),
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
        cell, rank = ranking.survey(values, int(code), tables, values.shape[2])
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

    What a union loses in bits is no distance between its parts, which SciPy's clusters start from.

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
    """Trees for given buckets: what `sdae.coding.tables.Tables` has a row of."""
    tallies = np.zeros((int(bucket.max()) + 1, _RANKS))
    np.add.at(tallies, bucket.ravel(), total)
    chosen = forest(tallies)
    costs = np.zeros((len(chosen), parse_codes.ALPHABET), "uint16")
    for row, option in zip(costs, chosen):
        row[: len(option.costs)] = option.costs
    return bucket, costs, np.array([len(option.chances) for option in chosen], "uint8")


@dataclass(frozen=True)
class _Option:
    """A tree that a bucket may have, and what it would do.

    Attributes:
        costs: of its symbols, as `sdae.coding.parse_codes.grow` wants them.
        chances: (words,) probability of each byte.
        size: how many bytes the bucket takes.
        escapes: counts of the numbers that it does not tell apart, less the first such.
    """

    costs: list
    chances: np.ndarray
    size: float
    escapes: np.ndarray

    def price(self, bits, escape_bits):
        """Bits in a code of ``bits`` a byte, escapes in one of ``escape_bits`` a number."""
        coded = self.size * self.chances @ bits[: len(self.chances)]
        return coded + self.escapes @ escape_bits[: len(self.escapes)]


def forest(tallies) -> list[_Option]:
    """The tree of each bucket, and of the escapes, that cost the least in one Huffman code.

    The trees, the code that they share and the code of the escapes depend on each other; a few
    rounds from several starts settle them.

    Args:
        tallies: (buckets, _RANKS) counts.
    """
    candidates = [_options(tally) for tally in tallies]
    best, least = None, np.inf
    for steepness in _STEEPNESS:
        bits = _bits(steepness ** np.arange(256))
        escape_bits = 4.0 + 2 * np.arange(_RANKS)
        for _ in range(_ROUNDS):
            prices = [[o.price(bits, escape_bits) for o in options] for options in candidates]
            chosen = [options[np.argmin(row)] for options, row in zip(candidates, prices)]
            cost = sum(map(min, prices))
            escapes = np.zeros(_RANKS)
            for option in chosen:
                escapes[: len(option.escapes)] += option.escapes
            chosen.append(min(_options(escapes), key=lambda o: o.price(bits, escape_bits)))
            if cost < least:
                best, least = chosen, cost
            escape_bits = _bits(escapes + 1e-6 * tallies.sum()) * 1.05 + 0.1
            code = np.full(256, 1e-6 * tallies.sum())
            for option in chosen:
                code[: len(option.chances)] += option.chances * option.size
            bits = _bits(code)
    return best


def _options(tally) -> list[_Option]:
    """Trees of all alphabets and sizes that are worth a try.

    Splitting words only where they end in zeros, or less readily elsewhere, comes from adding to
    the costs of the other symbols.
    """
    found = []
    chances = tally + 1e-9 * tally.sum() + 1e-30
    for alphabet in _ALPHABETS:
        told = np.append(chances[: alphabet - 1], chances[alphabet - 1 :].sum())
        single = _bits(told) * parse_codes.COST_UNIT
        for reluctance in _RELUCTANCE:
            costs = np.clip(np.rint(single), 1, _MOST_COST)
            costs[1:] += reluctance
            costs, due = costs.astype(int).tolist(), alphabet

            def pause(words):
                nonlocal due
                if len(words) >= due:
                    due = 1.15 * len(words)
                    found.append(_option(costs, words, reluctance, tally))

            parse_codes.grow(costs, parse_codes.END, pause)
    return found


def _option(costs, words, reluctance, tally):
    words = sorted(words)
    total = np.array([cost for cost, _, _ in words], "float64")
    total -= [reluctance * (len(word) - word.count(0)) for _, _, word in words]
    chances = 2 ** (-total / parse_codes.COST_UNIT)
    each = np.array([len(word) for _, _, word in words]) @ chances
    return _Option(costs, chances, tally.sum() / each, tally[len(costs) - 1 :])


def _bits(counts):
    return -np.log2(counts / counts.sum())
