"""Integers ↔ symbols: residuals of the predicted mean, numbered from the likeliest on.

The nearest integer to the mean has symbol 0, the second nearest 1, and so on outwards, as in the
mapping of residuals by Golomb–Rice coders. How likely each symbol is depends on the cell of the
prediction: its width, and where its mean lies between two integers.
"""

import numpy as np

from sdae.coding.coding_order import bands, ordered
from sdae.coding.predictor import walk
from sdae.coding.tables import Tables
from sdae.coding.units import FEATURE_UNIT, FRACTIONS, width_step

_FEATURE_BITS, _FRACTION_SHIFT = 4, 1


def cells(mean, width):
    """The cell of each prediction, and what turns integers into symbols.

    Args:
        mean, width: as `sdae.coding.predictor.Predictor.predict` gives them.

    Returns:
        cell: int32 index into the flat `Tables.buckets`, WIDTHS · FRACTIONS of them; nearest: the
        integer nearest to the mean; above: whether the second nearest is above it.
    """
    nearest = (mean + FEATURE_UNIT // 2) >> _FEATURE_BITS
    rest = mean - (nearest << _FEATURE_BITS)
    fraction = np.minimum(np.abs(rest) >> _FRACTION_SHIFT, FRACTIONS - 1)
    return width_step(width) * FRACTIONS + fraction, nearest, rest >= 0


def symbols(integers, nearest, above):
    """The symbols of integers, int32, where ``nearest`` and ``above`` are as `cells` gives them."""
    beyond = integers - nearest
    return 2 * np.abs(beyond) - ((beyond > 0) == above) * (beyond != 0)


def integers(symbol, nearest, above):
    """The inverse of `symbols`."""
    half = (symbol + 1) >> 1
    return np.where((symbol & 1 == 1) == above, nearest + half, nearest - half)


class Survey:
    """What was met on a walk, kept to be packed."""

    def __init__(self):
        self._steps = []

    def note(self, channels: slice, known, mean, width):
        """Keep the integers of a step, and what was expected of them: each (n, c)."""
        cell, nearest, above = cells(mean, width)
        symbol = symbols(known.astype("int32"), nearest, above)
        self._steps.append((channels.start, cell.astype("int16"), symbol))

    def symbols(self, live: int):
        """Cell and symbol of every integer of the ``live`` first channels, in coding order.

        Returns:
            cell, symbol: integer arrays.
        """
        kept = [(live - start, *found) for start, *found in self._steps if start < live]
        cell, symbol = zip(*((c[:, :n].ravel(), s[:, :n].ravel()) for n, c, s in kept))
        return np.concatenate(cell, dtype="int32"), np.concatenate(symbol)


def survey(values, quality_code: int, tables: Tables, live: int):
    """`Survey.symbols` of known integers, (h, w, C), band after band."""
    met = Survey()
    for band in bands(values):
        rows = band.reshape(-1, band.shape[2])[ordered(*band.shape[:2]).order]

        def known(places, channels, *expected):
            met.note(channels, rows[places, channels], *expected)
            return rows[places, channels]

        walk(band.shape[:2], quality_code, tables, live, known)
    return met.symbols(live)
