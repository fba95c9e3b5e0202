"""The ranks of a band ↔ its bytes, before Deflate packs them.

Predictions of equal spread share a bucket. A bucket makes words of its ranks, a byte each, the
likeliest words becoming the smallest bytes (`sdae.coding.parse_codes`). Ranks that it does not tell
apart escape to a bucket of their own.
"""

from functools import lru_cache

import numpy as np

from sdae.coding.deflate import DeflateError
from sdae.coding.parse_codes import END, Forest, Tree
from sdae.coding.tables import Tables

_HUGE = 254
_LARGEST_RANK = 1 << 20
_PIECE = 1 << 18


@lru_cache(maxsize=16)
def forest(tables, layout):
    """The trees of all buckets of a layout, and that of the escapes."""
    rows = zip(tables.costs[layout], tables.words[layout].tolist())
    *trees, last = [Tree(costs, most) for costs, most in rows if most]
    return Forest(trees), Forest([last])


def pack(cell, rank, tables, layout):
    """Ranks → the segments of a band: the layout and the first bucket, each further bucket,
    escapes, far and huge escapes. Every bucket has its end."""
    buckets, escapes = forest(tables, layout)
    bucket = tables.buckets[layout].ravel().take(cell)
    order = np.argsort(bucket, kind="stable")
    ends = np.cumsum(np.bincount(bucket, minlength=len(buckets.trees)))[:-1]
    parts = np.split(_narrow(rank.take(order)), ends)
    far = [part[part >= t.escape] - t.escape for part, t in zip(parts, buckets.trees)]
    far, last = np.concatenate(far), escapes.trees[0].escape
    huge = far[far >= last] - last
    segments = buckets.cut(parts)
    segments[0] = np.append(np.uint8(layout), segments[0])
    segments.append(escapes.cut([far])[0][:-1])
    segments.append(np.minimum(huge, _HUGE).astype("uint8"))
    segments.append((huge[huge >= _HUGE] - _HUGE).astype("<u4").view("uint8"))
    return segments


def _narrow(ranks):
    """The same numbers, none below zero, in the smallest integers that hold them."""
    return ranks.astype(_kind(int(ranks.max(initial=0))))


def _kind(most):
    return "uint8" if most < 256 else "uint16" if most < 65536 else "int32"


def unpack(content: bytes, position: int, total: int, tables: Tables):
    """What the segments of a band say.

    Args:
        content: inflated bytes, in which the band begins at ``position``.
        total: how many integers it has.

    Returns:
        the layout, the ranks of each bucket in coding order, and where the band ends.

    Raises:
        DeflateError: the content is damaged.
    """
    layout = content[position] if position < len(content) else len(tables.words)
    if layout >= len(tables.words):
        raise DeflateError("The packed integers are damaged.")
    buckets, escapes = forest(tables, layout)
    last = escapes.trees[0]
    position += 1
    found, room = [], total
    for tree in buckets.trees:
        end = content.find(END, position)
        if end < 0:
            raise DeflateError("The packed integers are cut short.")
        part = np.frombuffer(content, "uint8", end - position, position)
        found.append(tree.numbers(part, room))
        # What fills the last word is no integer.
        room -= max(0, len(found[-1]) - tree.longest + 1)
        position = end + 1
    if sum(map(len, found)) < total:
        raise DeflateError("The packed integers are fewer than the picture has room for.")
    content = np.frombuffer(content, "uint8")

    def take(size):
        nonlocal position
        if size > len(content) - position:
            raise DeflateError("The packed integers are cut short.")
        position += size
        return content[position - size : position]

    counts = [np.count_nonzero(part == tree.escape) for part, tree in zip(found, buckets.trees)]
    count = sum(counts)
    tail = last.numbers(take(last.words(content[position:], count)), count)[:count]
    far = take(np.count_nonzero(tail == last.escape))
    huge = take(4 * np.count_nonzero(far == _HUGE)).view("<u4")
    tail = _escapes(tail, far, huge, last.escape)
    tails = np.split(tail, np.cumsum(counts)[:-1])
    for k, (tree, tail) in enumerate(zip(buckets.trees, tails)):
        if len(tail):
            escaped = found[k] == tree.escape
            found[k] = found[k].astype(_kind(tree.escape + int(tail.max())))
            found[k][escaped] = tree.escape + tail
    return layout, found, position


def _escapes(tail, far, huge, escape):
    """What the escapes stand for, int32; piece by piece, for a hostile file may be all escapes."""
    numbers = tail.astype("int32")
    for start in range(0, len(numbers), _PIECE):
        piece = numbers[start : start + _PIECE]
        places = np.flatnonzero(piece == escape)
        rest, far = far[: len(places)].astype("int32"), far[len(places) :]
        most = np.flatnonzero(rest == _HUGE)
        rest[most] += np.minimum(huge[: len(most)], _LARGEST_RANK).astype("int32")
        huge = huge[len(most) :]
        piece[places] += rest
    return numbers


class Queues:
    """Ranks that wait in their buckets until a prediction asks for one.

    Args:
        streams: list of integer arrays, those of each bucket in coding order.
    """

    def __init__(self, streams):
        sizes = [len(stream) for stream in streams]
        self._waiting = np.concatenate(streams)
        self._ends = np.cumsum(sizes)
        self._next = self._ends - sizes

    def take(self, bucket):
        """The next rank of the bucket named in each place, (n,) uint8 → (n,) int32."""
        order = np.argsort(bucket, kind="stable")
        counts = np.bincount(bucket, minlength=len(self._ends))
        ahead = self._next - np.cumsum(counts) + counts
        self._next = self._next + counts
        if (self._next > self._ends).any():
            raise DeflateError("The packed integers are fewer than the picture has room for.")
        found = np.empty(len(bucket), "int32")
        found[order] = self._waiting.take(np.arange(len(bucket)) + np.repeat(ahead, counts))
        return found
