"""Huffman codes of limited length, as Deflate uses them (RFC 1951, 3.2.2).

zlib makes such codes too, but neither takes counts nor tells a code.
"""

import heapq

import numpy as np

_REVERSED = np.array([int(f"{i:08b}"[::-1], 2) for i in range(256)], "int64")


def lengths(counts, limit: int) -> np.ndarray:
    """Lengths of a Huffman code for the symbols of positive count, none above ``limit``.

    Args:
        counts: (n,) numbers, 0 for symbols that get no code.
        limit: most bits of a code, enough for all symbols.
    """
    result = np.zeros(len(counts), "int64")
    used = np.flatnonzero(counts)
    if len(used) < 3:
        result[used] = 1
        return result
    weights = counts[used]
    while (depths := _depths(weights.tolist())).max() > limit:
        weights = np.maximum(weights, 2 * weights.min())
    result[used] = depths
    return result


def _depths(weights: list) -> np.ndarray:
    """The depth of each leaf of the Huffman tree."""
    leaves = len(weights)
    parent, depths = [0] * (2 * leaves - 1), [0] * (2 * leaves - 1)
    heap = [(weight, leaf) for leaf, weight in enumerate(weights)]
    heapq.heapify(heap)
    for node in range(leaves, 2 * leaves - 1):
        weight, first = heapq.heappop(heap)
        more, second = heap[0]
        parent[first] = parent[second] = node
        heapq.heapreplace(heap, (weight + more, node))
    for node in range(2 * leaves - 3, -1, -1):
        depths[node] = depths[parent[node]] + 1
    return np.array(depths[:leaves])


def codes(lengths) -> np.ndarray:
    """Canonical codes, first bit lowest, of the code lengths (RFC 1951, 3.2.2); int64."""
    tally = np.bincount(lengths, minlength=16)
    tally[0] = 0
    first, code = np.zeros(16, "int64"), 0
    for length in range(1, 16):
        code = (code + int(tally[length - 1])) << 1
        first[length] = code
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    numbers = np.arange(len(order)) - (np.cumsum(tally) - tally)[lengths[order]]
    result = np.zeros(len(lengths), "int64")
    result[order] = first[lengths[order]] + numbers
    sixteen = _REVERSED[result & 255] << 8 | _REVERSED[result >> 8]
    return sixteen >> (16 - lengths)
