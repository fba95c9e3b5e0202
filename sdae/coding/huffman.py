"""Huffman codes of limited length, as Deflate uses them (RFC 1951, 3.2.2).

zlib makes such codes too, but neither takes counts nor tells a code.
"""

import heapq

import numpy as np


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
    result = np.zeros(len(lengths), "int64")
    code = before = 0
    for length, symbol in sorted((n, s) for s, n in enumerate(np.asarray(lengths).tolist()) if n):
        code <<= length - before
        result[symbol] = int(f"{code:0{length}b}"[::-1], 2)
        code, before = code + 1, length
    return result


def entropy(counts) -> np.ndarray:
    """Bits of an ideal code for counts along the last axis."""
    total = counts.sum(-1)
    each = np.sum(counts * np.log2(np.maximum(counts, 1e-300)), -1)
    return total * np.log2(np.maximum(total, 1e-300)) - each
