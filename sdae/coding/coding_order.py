"""The order in which the integers of a latent are coded: bands, channel groups, a lattice.

Bands of rows come from the top. In a band one channel group follows another. In a group coarse
positions come before fine ones: those of a lattice, whose meshes are halved again and again.
"""

from functools import lru_cache

import numpy as np

SPACING = 8
"""Every so many rows and columns lies a position that is coded before all others of its group."""

LAST = 2 * (SPACING.bit_length() - 1)
"""The last level of the lattice."""

FINE = 2
"""So many groups are coded level by level; the others, which see these, in two passes: all levels
before the last, called level 0, and the last."""

_BAND = 16384


def band_rows(h: int, w: int) -> list[int]:
    """Rows of the bands of an (h, w) latent, of about `_BAND` positions each.

    Each is coded as if the others were not there, so that no more than one need be in memory.
    """
    rows = max(4, _BAND // w)
    return [min(rows, h - top) for top in range(0, h, rows)]


def bands(values) -> list[np.ndarray]:
    """The bands of an (h, w, C) array, from the top."""
    return np.split(values, np.cumsum(band_rows(*values.shape[:2]))[:-1])


def stacked(bands, h: int) -> np.ndarray:
    """One (h, w, C) array of bands that come from the top and are not all in memory at once."""
    values, top = None, 0
    for band in bands:
        if values is None:
            values = np.empty((h, *band.shape[1:]), band.dtype)
        values[top : top + len(band)] = band
        top += len(band)
    return values


def lattice(h: int, w: int) -> np.ndarray:
    """The level at which each position of an (h, w) latent is coded; int8 array.

    Level 0 is every `SPACING`-th row and column. Each further level doubles the filled positions
    and finds its four nearest neighbours filled: diagonal, straight, diagonal, straight, …
    """
    i, j = np.ogrid[:h, :w]
    level = np.zeros((h, w), "int8")
    for k in range(1, LAST, 2):
        step = reach(k)
        down, across = i % (2 * step) == step, j % (2 * step) == step
        level[down & across] = k
        level[(i % step == 0) & (j % step == 0) & (down ^ across)] = k + 1
    return level


def lattice_neighbours(level: int) -> tuple:
    """The offsets from a position of this level, 1 or more, to the four that are filled before."""
    step = reach(level)
    if level % 2:
        return (-step, -step), (-step, step), (step, -step), (step, step)
    return (-step, 0), (step, 0), (0, -step), (0, step)


def reach(level):
    """How many rows or columns the neighbours of a level are away."""
    return SPACING >> (level + 1) // 2


class Positions:
    """The order of the positions of an (h, w) latent, and who their neighbours are.

    Positions are numbered level by level (see `lattice`), row by row within a level;
    number h·w stands for every place outside.

    Attributes:
        order: (h·w,) index of each position in the row-major plane.
        ends: where each of the levels ends.
        around: (h·w, 9) numbers of the 3×3 positions around.
        neighbours: for each level but 0 (4, n) numbers. For one that lies outside the one on the
            other side stands in.
    """

    def __init__(self, h: int, w: int):
        level = lattice(h, w)
        self.order = np.argsort(level.ravel(), kind="stable")
        self.ends = np.cumsum(np.bincount(level.ravel(), minlength=LAST + 1)).tolist()
        self._number = number = np.full((h + 1, w + 1), h * w, "int32")
        plane = np.empty(h * w, "int32")
        plane[self.order] = np.arange(h * w)
        number[:h, :w] = plane.reshape(h, w)
        y, x = self._at = np.divmod(self.order, w)
        square = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
        self._near = {}
        self.around, self.neighbours = self.near(square), {}
        for k in range(1, LAST + 1):
            own = slice(self.ends[k - 1], self.ends[k])

            def mirrored(at, offset, length):
                ahead = _inside(at[own] + offset, length)
                return np.where(ahead < length, ahead, _inside(at[own] - offset, length))

            self.neighbours[k] = np.stack(
                [number[mirrored(y, dy, h), mirrored(x, dx, w)] for dy, dx in lattice_neighbours(k)]
            )

    def near(self, offsets: tuple, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Numbers of the positions at some (down, right) from those numbered start to stop: (n, k).

        They are remembered for the next walk.
        """
        key = offsets, start, stop
        if key not in self._near:
            h, w = (length - 1 for length in self._number.shape)
            ways = np.array(offsets, "int64").reshape(-1, 2).T
            y, x = (at[start:stop, None] + way for at, way in zip(self._at, ways))
            self._near[key] = self._number[_inside(y, h), _inside(x, w)]
        return self._near[key]


def _inside(places, length):
    """Places outside become the one after the last, which is for all of them."""
    return np.where((places < 0) | (places >= length), length, places)


ordered = lru_cache(maxsize=4)(Positions)
"""The `Positions` of an (h, w) latent, remembered for the next of this size."""
