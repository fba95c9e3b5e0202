"""The Huffman codes that are kept with the weights, so that files need not describe them.

Latents are cut to streams as `sdae.coding.deflate.Writer` would, each with the code that suits it best;
then each code is made for its streams; and so on (Lloyd 1982, with bits for the distance).
"""

import numpy as np

from sdae.coding import band_bytes, deflate, huffman, residuals
from sdae.coding.tables import Tables

COUNT = 64
"""So many codes."""

_ROUNDS = 8


def fit(examples, codes, tables: Tables, rng, count: int = COUNT) -> np.ndarray:
    """The field `presets` of tables whose other fields are final: (count, BEGINNING) uint8.

    Arguments as for `sdae.training.buckets.histogram`; ``rng`` draws what the codes start from.
    """
    latents = []
    for values, code in zip(examples, codes):
        surveyed = residuals.survey(values, int(code), tables, values.shape[2])
        segments = band_bytes.pack(*surveyed, tables)
        latents.append(list(map(deflate.tally, segments)))
    return deflate.beginnings(lengths(latents, rng, count))


def lengths(latents, rng, count: int) -> np.ndarray:
    """Code lengths, (count, deflate.END + 1), that suit lists of tallies.

    Each latent weighs about one over its size, so that all qualities count alike.
    """
    found = np.array([_code(sum(latents[i])) for i in rng.permutation(len(latents))[:count]])
    for _ in range(_ROUNDS):
        sums = np.zeros(found.shape)
        for segments in latents:
            weight = 1 / (sum(map(np.sum, segments)) + 100)
            for first, end, code in deflate.cut(segments, found):
                if code >= 0:
                    counts = sum(segments[first:end])
                    counts[deflate.MARK], counts[deflate.END] = counts[deflate.MARK] - 1, 1
                    sums[code] += weight * counts
        used = sums.any(1)
        found[used] = list(map(_code, sums[used]))
    return found


def _code(counts):
    """A code that has every symbol, those that did not occur as the longest."""
    return huffman.lengths(counts + 1e-5 * counts.sum(), 15)
