"""Integers ↔ ranks: 0 is the likeliest value, by what the predictor says of it.

A prediction falls into one of the cells of `Tables.buckets`, by its width and by where its mean lies
between two integers. The likeliest integer is the one nearest to the mean, and so on outwards.
"""

import numpy as np

from sdae.coding.coding_order import bands
from sdae.coding.predictor import walk
from sdae.coding.tables import Tables
from sdae.coding.units import FEATURE_UNIT, FRACTIONS, width_step

_FEATURE_BITS, _FRACTION_SHIFT = 4, 1


def cells(mean, width):
    """Index into `Tables.buckets` of each prediction, and what turns integers into ranks.

    Returns:
        cell: int32 index into (WIDTHS · FRACTIONS); nearest: the integer nearest to the mean;
        above: whether the second nearest is above it.
    """
    nearest = (mean + FEATURE_UNIT // 2) >> _FEATURE_BITS
    rest = mean - (nearest << _FEATURE_BITS)
    step = width_step(width)
    fraction = np.minimum(np.abs(rest) >> _FRACTION_SHIFT, FRACTIONS - 1)
    return step * FRACTIONS + fraction, nearest, rest >= 0


def ranks(integers, nearest, above):
    """0 for the integer nearest to the mean, 1 for the second nearest, and so on; int32."""
    beyond = integers - nearest
    return 2 * np.abs(beyond) - ((beyond > 0) == above) * (beyond != 0)


def offsets(rank):
    """The inverse of `ranks` where the second nearest is above: distances from the nearest."""
    half = (rank + 1) >> 1
    return np.where(rank & 1, half, -half)


def survey(values, quality_code: int, tables: Tables, live: int):
    """Cell and rank of every integer of the ``live`` first channels, in coding order.

    Returns:
        cell, rank: int32 arrays of h·w·live.
    """
    means, widths, numbers = [], [], []
    for band in bands(values):
        for _, own, known, mean, width in walk(band, quality_code, tables, live):
            kept = live - own.start
            means.append(mean[:, :kept].ravel())
            widths.append(width[:, :kept].ravel())
            numbers.append(known[:, :kept].ravel())
    cell, nearest, above = cells(np.concatenate(means), np.concatenate(widths))
    return cell, ranks(np.concatenate(numbers), nearest, above)
