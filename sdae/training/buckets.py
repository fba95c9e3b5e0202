"""Which predictions share a bucket, and the Tunstall code of each bucket: fitted to counts.

Everything here looks at one table: how often each symbol occurred in each cell, a cell being a pair
of expected width and fraction of the mean (see `sdae.coding.residuals.cells`).

Cells of like distribution share a bucket. The code of a bucket makes bytes that are distributed like
those of all other buckets, so that one Huffman code can serve several.
"""

from dataclasses import dataclass

import numpy as np

from sdae.coding import deflate, huffman, residuals, tunstall
from sdae.coding.huffman import entropy
from sdae.coding.units import FRACTIONS, WIDTHS

COUNT = 19
"""So many buckets: more help large pictures and cost small ones."""

_SYMBOLS = 128
_NONE = 255
_ALPHABETS = (*range(2, 13), 14, 16, 20, 24, 32, 48, 64, 96, 127)
_RELUCTANCE = 0, 32 * tunstall.COST_UNIT
_MOST_COST = 31 * tunstall.COST_UNIT
_STEEPNESS = 0.97
_ROUNDS = 9


def empty() -> dict:
    """One bucket and one Huffman code for all, to predict with before these are fitted."""
    costs = np.zeros((2, tunstall.ALPHABET), "uint16")
    costs[:, :-1] = tunstall.COST_UNIT
    return {
        "buckets": np.zeros((WIDTHS, FRACTIONS), "uint8"),
        "costs": costs,
        "words": np.full(2, 127, "uint8"),
        "presets": deflate.beginnings([huffman.lengths(np.ones(deflate.END + 1), 15)]),
    }


def fit(total, count: int = COUNT) -> dict:
    """The fields of `Tables` that describe buckets, ``count`` of them, from a `histogram`."""
    bucket = clusters(total, count)
    tallies = np.zeros((int(bucket.max()) + 1, _SYMBOLS))
    np.add.at(tallies, bucket.ravel(), total)
    chosen = _chosen(tallies)
    costs = np.zeros((len(chosen), tunstall.ALPHABET), "uint16")
    for row, option in zip(costs, chosen):
        row[: len(option.costs)] = option.costs
    words = np.array([len(option.chances) for option in chosen], "uint8")
    return {"buckets": bucket, "costs": costs, "words": words}


def histogram(examples, codes, tables):
    """How often each symbol occurs in each cell: (WIDTHS · FRACTIONS, _SYMBOLS) float64.

    Args:
        examples: list of (h, w, C) int16.
        codes: quality of each, in hundredths.
        tables: tables whose predictions count; their buckets do not matter.

    An example weighs about one over its size, so that low qualities count as much as high ones.
    """
    total = np.zeros((WIDTHS * FRACTIONS, _SYMBOLS))
    for values, code in zip(examples, codes):
        cell, symbol = residuals.survey(values, int(code), tables, values.shape[2])
        joint = cell * _SYMBOLS + np.minimum(symbol, _SYMBOLS - 1)
        tally = np.bincount(joint, minlength=total.size).reshape(total.shape)
        total += tally / (entropy(tally.sum(0)) + 4000)
    return total * (20000 / len(examples))


def clusters(total, count: int) -> np.ndarray:
    """Cells → buckets, by joining the two that lose the least by it, again and again.

    What a union loses in bits is no distance between what it joins, from which SciPy's clusters
    start.

    Returns:
        (WIDTHS, FRACTIONS) uint8, the buckets from the narrowest to the widest.
    """
    seen = np.flatnonzero(total.sum(1))
    member = np.arange(len(seen))
    tallies = total[seen]
    own = entropy(tallies)
    cost = np.full((len(seen), len(seen)), np.inf)
    for i in range(len(seen) - 1):
        cost[i, i + 1 :] = entropy(tallies[i] + tallies[i + 1 :]) - own[i] - own[i + 1 :]
    for _ in range(len(seen) - count):
        i, j = np.unravel_index(np.argmin(cost), cost.shape)
        member[member == j] = i
        tallies[i] += tallies[j]
        own[i] = entropy(tallies[i])
        cost[j], cost[:, j] = np.inf, np.inf
        others = np.setdiff1d(member, i)
        more = entropy(tallies[i] + tallies[others]) - own[i] - own[others]
        cost[np.minimum(i, others), np.maximum(i, others)] = more
    return _ordered(seen, member, tallies)


def _ordered(seen, member, tallies):
    """Buckets by mean symbol; cells that never occurred join the nearest that did."""
    kept = np.unique(member)
    spread = tallies[kept] @ np.arange(_SYMBOLS) / tallies[kept].sum(1)
    place = np.full(len(tallies), _NONE, "uint8")
    place[kept[np.argsort(spread)]] = np.arange(len(kept))
    width, fraction = np.divmod(np.arange(WIDTHS * FRACTIONS), FRACTIONS)
    apart = FRACTIONS * np.abs(width[:, None] - width[seen])
    apart += np.abs(fraction[:, None] - fraction[seen])
    return place[member[apart.argmin(1)]].reshape(WIDTHS, FRACTIONS)


@dataclass(frozen=True)
class _Option:
    """A code that a bucket may have, and what it would do.

    Attributes:
        costs: of its symbols, as `sdae.coding.tunstall.grow` wants them.
        chances: (words,) probability of each byte.
        size: how many bytes the bucket takes.
        escapes: counts of the symbols from its escape on.
    """

    costs: list
    chances: np.ndarray
    size: float
    escapes: np.ndarray

    def price(self, bits, escape_bits):
        """Bits in a code of ``bits`` a byte, escapes in one of ``escape_bits`` a symbol."""
        coded = self.size * self.chances @ bits[: len(self.chances)]
        return coded + self.escapes @ escape_bits[: len(self.escapes)]


def _chosen(tallies) -> list[_Option]:
    """The code of each bucket, and of the escapes, that cost the least in one Huffman code.

    These, the Huffman code that they share and the code of the escapes depend on each other; a few
    rounds settle them.

    Args:
        tallies: (buckets, _SYMBOLS) counts.
    """
    candidates = [_options(tally) for tally in tallies]
    bits, escape_bits = _bits(_STEEPNESS ** np.arange(256)), 4.0 + 2 * np.arange(_SYMBOLS)

    def price(option):
        return option.price(bits, escape_bits)

    for _ in range(_ROUNDS):
        chosen = [min(options, key=price) for options in candidates]
        escapes = np.zeros(_SYMBOLS)
        for option in chosen:
            escapes[: len(option.escapes)] += option.escapes
        chosen.append(min(_options(escapes), key=price))
        escape_bits = _bits(escapes + 1e-6 * tallies.sum()) * 1.05 + 0.1
        code = np.full(256, 1e-6 * tallies.sum())
        for option in chosen:
            code[: len(option.chances)] += option.chances * option.size
        bits = _bits(code)
    return chosen


def _options(tally) -> list[_Option]:
    """Codes of all alphabets and sizes that are worth a try.

    Splitting words only where they end in zeros, or less readily elsewhere, comes from adding to
    the costs of the other symbols.
    """
    options = []
    chances = tally + 1e-9 * tally.sum() + 1e-30
    for alphabet in _ALPHABETS:
        apart = np.append(chances[: alphabet - 1], chances[alphabet - 1 :].sum())
        single = _bits(apart) * tunstall.COST_UNIT
        for reluctance in _RELUCTANCE:
            costs = np.clip(np.rint(single), 1, _MOST_COST)
            costs[1:] += reluctance
            costs, due = costs.astype(int).tolist(), alphabet

            def pause(words):
                nonlocal due
                if len(words) >= due:
                    due = 1.15 * len(words)
                    options.append(_option(costs, words, reluctance, tally))

            tunstall.grow(costs, deflate.MARK, pause)
    return options


def _option(costs, words, reluctance, tally):
    words = sorted(words)
    total = np.array([cost for cost, _, _ in words], "float64")
    total -= [reluctance * (len(word) - word.count(0)) for _, _, word in words]
    chances = 2 ** (-total / tunstall.COST_UNIT)
    each = np.array([len(word) for _, _, word in words]) @ chances
    return _Option(costs, chances, tally.sum() / each, tally[len(costs) - 1 :])


def _bits(counts):
    return -np.log2(counts / counts.sum())
