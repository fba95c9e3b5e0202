"""Rows of a picture or a latent that come in strips and are taken in others."""

import numpy as np

_STRIP = 6144
# So many positions of a latent go through the layers together: those of 768×512 pixels.


class RowQueue:
    """Rows that come in parts and are taken in others; the length is that of what waits."""

    def __init__(self):
        self._parts, self._length = [], 0

    def __len__(self):
        return self._length

    def add(self, part) -> None:
        self._parts.append(part)
        self._length += len(part)

    def take(self, count: int) -> np.ndarray:
        """The first rows that wait, ``count`` of them."""
        rows = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
        self._parts = [rows[count:].copy()]  # a view would keep them all
        self._length -= count
        return rows[:count]

    def take_from(self, parts, count: int) -> np.ndarray:
        """As `take`; as many parts as it lacks are added from an iterator before."""
        while len(self) < count:
            self.add(next(parts))
        return self.take(count)


def strip_rows(w: int) -> int:
    """How many rows of a latent of w columns go through the layers together: whole squares of a
    convolution."""
    return max(4, _STRIP // w // 4 * 4)


def regrouped(parts, sizes):
    """Rows that come in parts, in parts of other sizes."""
    waiting, parts = RowQueue(), iter(parts)
    for size in sizes:
        yield waiting.take_from(parts, size)


def with_last(parts):
    """Pairs of a part and whether it is the last."""
    parts = iter(parts)
    part = next(parts)
    for following in parts:
        yield part, False
        part = following
    yield part, True
