"""Huffman codes of limited length, as Deflate uses them (RFC 1951, 3.2.2).

zlib makes such codes too, but neither takes counts nor tells a code.
"""

import numpy as np

_REVERSED = np.array([int(f"{i:08b}"[::-1], 2) for i in range(256)], "int64")


def lengths(counts, limit: int) -> np.ndarray:
    """Lengths of a Huffman code for the symbols of positive count, none above ``limit``."""
    found = np.zeros(len(counts), "int64")
    used = np.flatnonzero(counts)
    if len(used) < 3:
        found[used] = 1
        return found
    order = used[np.argsort(counts[used], kind="stable")]
    leaves = counts[order].tolist()
    while True:
        depths = _huffman_depths(leaves)
        if depths[0] <= limit:
            found[order] = depths
            return found
        leaves = [max(leaf, 2 * leaves[0]) for leaf in leaves]


def _huffman_depths(weights: list) -> list:
    """Depth of each leaf of the Huffman tree, for weights in rising order.

    After Moffat and Katajainen 1995: the list holds first the weights, then the parents of the inner
    nodes, then their depths, then those of the leaves. It takes 0.4 of the time of a tree made with
    `heapq`, and effort makes thousands.
    """
    a, n = list(weights), len(weights)
    a[0] += a[1]
    root, leaf = 0, 2
    for node in range(1, n - 1):
        if leaf >= n or a[root] < a[leaf]:
            weight, a[root] = a[root], node
            root += 1
        else:
            weight = a[leaf]
            leaf += 1
        if leaf >= n or (root < node and a[root] < a[leaf]):
            weight += a[root]
            a[root] = node
            root += 1
        else:
            weight += a[leaf]
            leaf += 1
        a[node] = weight
    a[n - 2] = 0
    for node in range(n - 3, -1, -1):
        a[node] = a[a[node]] + 1
    free, depth, node, position = 1, 0, n - 2, n - 1
    while free:
        used = 0
        while node >= 0 and a[node] == depth:
            used += 1
            node -= 1
        for _ in range(free - used):
            a[position] = depth
            position -= 1
        free, depth = 2 * used, depth + 1
    return a


def codes(lengths) -> np.ndarray:
    """Canonical codes, first bit lowest, of the code lengths (RFC 1951, 3.2.2)."""
    tally = np.bincount(lengths, minlength=16)
    tally[0] = 0
    first, code = np.zeros(16, "int64"), 0
    for length in range(1, 16):
        code = (code + int(tally[length - 1])) << 1
        first[length] = code
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    ranks = np.arange(len(order)) - (np.cumsum(tally) - tally)[lengths[order]]
    found = np.zeros(len(lengths), "int64")
    found[order] = first[lengths[order]] + ranks
    sixteen = _REVERSED[found & 255] << 8 | _REVERSED[found >> 8]
    return sixteen >> (16 - lengths)
