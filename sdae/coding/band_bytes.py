"""The symbols of a band ↔ its bytes, before Deflate packs them.

Predictions of like cells share a bucket, which makes bytes of its symbols by a Tunstall code of its
own. Symbols that a bucket does not tell apart escape: how far they are beyond its largest goes into
a last bucket, and where that does not tell them apart either, into numbers of three bytes.
"""

from functools import lru_cache

import numpy as np

from sdae.coding.deflate import DeflateError, Reader
from sdae.coding.tables import Tables
from sdae.coding.tunstall import TunstallCode

_SEVEN = np.array([0, 7, 14])
# Places of the digits of a far escape, which take a byte each.


@lru_cache(maxsize=16)
def codes(tables: Tables) -> list[TunstallCode]:
    """The codes of all buckets, and last that of the escapes."""
    return [TunstallCode(costs, most) for costs, most in zip(tables.costs, tables.words.tolist())]


def pack(cell, symbol, tables: Tables) -> list[bytes]:
    """Cells and symbols, as `sdae.coding.residuals.survey` gives them → the segments of a band:
    each bucket, the bucket of escapes, and what is beyond that."""
    *own, last = codes(tables)
    bucket = tables.buckets.ravel().take(cell)
    ends = np.cumsum(np.bincount(bucket, minlength=len(own)))[:-1]
    rows = np.split(symbol.take(np.argsort(bucket, kind="stable")), ends)
    segments, escaped = [], []
    for code, row in zip(own, rows):
        segments.append(code.encode(np.minimum(row, code.escape).astype("uint8")))
        escaped.append(row[row >= code.escape] - code.escape)
    escaped = np.concatenate(escaped)
    segments.append(last.encode(np.minimum(escaped, last.escape).astype("uint8")))
    beyond = escaped[escaped >= last.escape] - last.escape
    if len(beyond):
        segments.append((beyond[:, None] >> _SEVEN & 127).astype("uint8").tobytes())
    return segments


def unpack(content: Reader, total: int, tables: Tables) -> list[np.ndarray]:
    """The symbols of each bucket of the next band, in coding order; zeros may follow them.

    Args:
        content: the streams, up to this band already read.
        total: how many integers the band has.
        tables: the context tables.

    Raises:
        DeflateError: the content is damaged.
    """
    *own, last = codes(tables)
    rows, room = [], total
    for code in own:
        rows.append(code.decode(content.segment(room), room))
        room -= max(0, len(rows[-1]) - code.longest + 1)  # zeros that fill the last word
    if sum(map(len, rows)) < total:
        raise DeflateError("The packed integers are fewer than the picture has room for.")
    escapes = [row == code.escape for code, row in zip(own, rows)]
    counts = [int(np.count_nonzero(places)) for places in escapes]
    count = sum(counts)
    escaped = last.decode(content.segment(count), count)[:count].astype("int32")
    if len(escaped) < count:
        raise DeflateError("The packed integers are cut short.")
    far = escaped == last.escape
    if size := 3 * np.count_nonzero(far):
        digits = np.frombuffer(content.segment(size), "uint8")
        if len(digits) < size:
            raise DeflateError("The packed integers are cut short.")
        escaped[far] += digits.reshape(-1, 3) @ (1 << _SEVEN)
    for k, more in enumerate(np.split(escaped, np.cumsum(counts)[:-1])):
        if len(more):
            rows[k] = rows[k].astype("int32")
            rows[k][escapes[k]] += more
    return rows


class Queues:
    """Symbols that wait in their buckets until a prediction asks for one.

    Args:
        rows: list of integer arrays, the symbols of each bucket in coding order.
    """

    def __init__(self, rows):
        self._rows, self._taken = rows, [0] * len(rows)

    def take(self, bucket) -> np.ndarray:
        """The next symbol of the bucket named in each place, (n,) uint8 → (n,) int32.

        Raises:
            DeflateError: a bucket has no more.
        """
        symbols = np.empty(len(bucket), "int32")
        for k in np.flatnonzero(np.bincount(bucket)).tolist():
            places, begin = np.flatnonzero(bucket == k), self._taken[k]
            self._taken[k] += len(places)
            if self._taken[k] > len(self._rows[k]):
                raise DeflateError("The packed integers are fewer than the picture has room for.")
            symbols[places] = self._rows[k][begin : self._taken[k]]
        return symbols
