"""In which whole numbers predictions are counted, and how what is known is put into them.

The sums are carried in floats, where whole numbers below 2^24 (float32) or 2^53 (float64) are exact
in any order, so every machine decodes the same.
"""

import numpy as np

from sdae.errors import WeightsError

MEAN_UNIT = 4096
"""Weights of the mean are stored in units of 1/4096."""

WEIGHT_UNIT = 1024
"""All other weights are stored in units of 1/1024."""

FEATURE_UNIT = 16
"""Deviations, their logarithms and hidden units count in units of 1/16."""

WIDTH_UNIT = WEIGHT_UNIT * FEATURE_UNIT
"""Expected widths and all biases count in units of 1/16384."""

VALUE_CLIPS = 1023, 127
"""Largest magnitudes that predictions use: of values in group 0, of values in other groups."""

DEVIATION_CLIP = 15
LOGARITHM_CLIP = 127
HIDDEN_CLIP = 1023

WIDTHS, FRACTIONS = 256, 4
"""Expected widths count in 256 steps, distances of the mean from an integer in 4."""

_WIDTH_STEP, _WIDTH_ZERO = 8 / WIDTH_UNIT, 64


class TablesError(WeightsError):
    """Context tables that are missing or do not fit together."""


def width_step(width):
    """Which of the WIDTHS steps a width falls into; int32."""
    step = width * _WIDTH_STEP + _WIDTH_ZERO
    return np.minimum(np.maximum(step, 0), WIDTHS - 1).astype("int32")


def width_of_step():
    """The middle of each of the WIDTHS steps, in integers: the inverse of `width_step`."""
    return (np.arange(WIDTHS) + 0.5 - _WIDTH_ZERO) / (_WIDTH_STEP * WIDTH_UNIT)


def logarithm(x):
    """log₂(1 + x) with straight lines between the powers of two; all in units of 1/FEATURE_UNIT.

    This is what the bits of a float32 say when they are read as an integer.
    """
    bits = np.add(x, FEATURE_UNIT, dtype="float32").view("int32")
    bits -= (131 << 23) - (1 << 18)
    bits >>= 19
    return np.minimum(bits, LOGARITHM_CLIP, out=bits)


def by_quality(table, quality_code):
    """The row of a table with a row a level for a quality in hundredths; float32 whole numbers.

    Between levels it is linear, rounded down.
    """
    span, last = 9900, len(table) - 1
    row, rest = divmod((quality_code - 100) * last, span)
    row, rest = (last - 1, span) if row >= last else (row, rest)
    low, high = table[row].astype("int64"), table[row + 1].astype("int64")
    return (low + (high - low) * rest // span).astype("float32")
