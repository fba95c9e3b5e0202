"""Pictures of one square of 8×8 pixels: cut out, framed, its integers and its bits as cells."""

from __future__ import annotations

import numpy as np

from pages.inside.bits import SQUARE
from pages.shared.figures import signed


def cut(rgb: np.ndarray, column: int, row: int, across: int = 0, down: int = 0) -> np.ndarray:
    """A square, with so many neighbours to left and right, and above and below, as there are."""
    rows, columns = (
        slice(SQUARE * max(0, place - more), SQUARE * (place + more + 1))
        for place, more in ((row, down), (column, across))
    )
    return np.ascontiguousarray(rgb[rows, columns])


def framed(rgb: np.ndarray, column: int, row: int, times: int = 1) -> np.ndarray:
    """A picture (H, W, 3) uint8, enlarged so many times, with a square in a frame of black and white."""
    large = rgb.repeat(times, 0).repeat(times, 1)
    side = SQUARE * times
    top, left = side * row, side * column
    inner = large[top : top + side, left : left + side].copy()
    for width, level in ((2 * times, 0), (times, 255)):
        large[
            max(0, top - width) : top + len(inner) + width,
            max(0, left - width) : left + inner.shape[1] + width,
        ] = level
    large[top : top + len(inner), left : left + inner.shape[1]] = inner
    return large


def integer_cells(values: np.ndarray) -> np.ndarray:
    """(C,) integers as a square of coloured cells, row by row; the cells that are left are pale."""
    side = int(np.ceil(np.sqrt(len(values))))
    return signed(np.resize(np.pad(values, (0, side**2 - len(values))), (side, side)))


def bit_cells(bits: float, most: int) -> np.ndarray:
    """A square of cells, one for each of ``most`` bits, of which the first ``bits`` are blue."""
    side = int(np.ceil(np.sqrt(most)))
    cells = np.full((side**2, 3), (236, 236, 232), "uint8")
    cells[: round(bits)] = (43, 135, 200)
    return cells.reshape(side, side, 3)


def squared_error(rgb: np.ndarray, other: np.ndarray, column: int, row: int) -> float:
    """Root mean square difference of two pictures in a square, of 255 levels."""
    one, two = (cut(x, column, row).astype("float64") for x in (rgb, other))
    return float(np.sqrt(np.square(one - two).mean()))
