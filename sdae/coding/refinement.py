"""A small network of whole numbers that refines what is expected of the first channel groups.

    values around ─┐
    values of      ├─► 2 layers of hidden units ─► steps to add to the mean
    earlier groups ┤                            └► what to add to the width
    width so far  ─┘

The first groups hold the coarse picture. They are few channels but, where a picture is smooth or its
quality low, most of the bytes. All sums are of whole numbers below 2^53, which float64 adds up
exactly in any order, so every machine decodes the same.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from sdae.coding.coding_order import FINE, LAST, reach
from sdae.coding.units import (
    FEATURE_UNIT,
    HIDDEN_CLIP,
    WEIGHT_UNIT,
    WIDTH_UNIT,
    WIDTHS,
    TablesError,
    by_quality,
    logarithm,
    width_step,
)

PREFIX = "tables/refined_"
"""What the names of its arrays in a weights file begin with."""

NEAR_CLIP = 12
"""Differences between neighbours are looked at up to so many integers."""

WIDTH_CLIP = 255
"""Largest width that the units look at, in units of 1/FEATURE_UNIT."""

SPREAD_UNIT = 256
"""Spreads count in units of 1/256."""

DIAGONAL = tuple((y, x) for y in (-3, -1, 1, 3) for x in (-3, -1, 1, 3))
STRAIGHT = tuple((y, x) for y in range(-3, 4) for x in range(-3, 4) if (y + x) % 2)
BEFORE = tuple((y, x) for y in range(-2, 3) for x in range(-2, 3) if y or x)
"""Places that are looked at: in the own group at odd levels and at even ones, in units of the reach,
all filled before; and in earlier groups, whose places are all filled."""


def inputs(groups, group: int, straight: int) -> int:
    """How many numbers the units of a group look at."""
    size, before = int(groups[group]), int(sum(groups[:group]))
    own = len((DIAGONAL, STRAIGHT)[straight])
    return 2 * own * size + 2 * len(BEFORE) * before + size


@dataclass(frozen=True, eq=False)
class Refinement:
    """The weights, integers only; of H hidden units a layer, for the first FINE groups.

    The second axis of most is 0 for odd levels and 1 for even ones. Rows and columns that a group
    has no use for are zeros.

    Attributes:
        first: (FINE, 2, n, H) weights of what `features` gives.
        first_bias: (levels, FINE, H) by quality.
        first_level: (LAST, FINE, H) added at levels 1 to LAST.
        second, second_bias: (FINE, 2, H, H), (FINE, 2, H).
        mean: (FINE, 2, H, c) what units add to the mean, as a share of the spread.
        width: (FINE, 2, H, c) what they add to the width.
        spread: (WIDTHS,) uint16, how far values of a width are from their mean, in units of
            1/SPREAD_UNIT.

    Raises:
        TablesError: shapes do not fit together.
    """

    first: np.ndarray
    first_bias: np.ndarray
    first_level: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray
    mean: np.ndarray
    width: np.ndarray
    spread: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: dict) -> "Refinement | None":
        """What the arrays of a weights file hold; None where there is none."""
        names = [field.name for field in fields(cls)]
        found = {name: arrays[PREFIX + name] for name in names if PREFIX + name in arrays}
        if not found:
            return None
        if len(found) < len(names):
            raise TablesError("A part of the refinement of the context tables is missing.")
        return cls(**{name: np.asarray(array) for name, array in found.items()})

    def to_arrays(self) -> dict:
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    def check(self, groups, levels: int) -> None:
        """Raise TablesError where the shapes do not fit these groups and levels of quality."""
        units, size = self.second.shape[-1], max(groups[:FINE])
        most = max(inputs(groups, g, k) for g in range(FINE) for k in (0, 1))
        shapes = {
            "first": ("int16", FINE, 2, most, units),
            "first_bias": ("int32", levels, FINE, units),
            "first_level": ("int32", LAST, FINE, units),
            "second": ("int16", FINE, 2, units, units),
            "second_bias": ("int32", FINE, 2, units),
            "mean": ("int16", FINE, 2, units, size),
            "width": ("int16", FINE, 2, units, size),
            "spread": ("uint16", WIDTHS),
        }
        for name, (kind, *shape) in shapes.items():
            array = getattr(self, name)
            if array.shape != tuple(shape) or array.dtype != kind:
                raise TablesError(f"The refinement {name} of the context tables is misshapen.")


class Refiner:
    """Refines the predictions of one latent.

    Args:
        refinement: the weights.
        groups: sizes of the channel groups.
        quality_code: quality in hundredths, 100 to 10000.
    """

    def __init__(self, refinement: Refinement, groups, quality_code: int):
        self._weights = _weights(refinement)
        self._groups = groups
        self._bias = by_quality(refinement.first_bias, quality_code).astype("float64")

    def __call__(self, group: int, level: int, own, before, mean, width):
        """
        Args:
            group, level: which predictions these are, level at least 1.
            own: (n, k, c) known values around, in units of 1/FEATURE_UNIT, and the mean where
                there is none.
            before: (n, 24, d) those of earlier groups, less the one at the place itself; 0 where
                there is none.
            mean: (n, c) int32 in units of 1/FEATURE_UNIT, so far.
            width: (n, c) float32 whole numbers in units of 1/WIDTH_UNIT, so far.

        Returns:
            mean and width to be expected.
        """
        weights, straight, size = self._weights, 1 - level % 2, mean.shape[1]
        first = weights.first[group][straight]
        x = features(own - mean[:, None], before, width)
        bias = self._bias[group] + weights.first_level[level - 1, group]
        hidden = _units(x @ first[: x.shape[1]] + bias)
        bias = weights.second_bias[group, straight]
        hidden = _units(hidden @ weights.second[group][straight] + bias)
        share = hidden @ weights.mean[group][straight][:, :size]
        spread = weights.spread.take(width_step(width))
        share *= spread * (FEATURE_UNIT / (WIDTH_UNIT * SPREAD_UNIT))
        more = hidden @ weights.width[group][straight][:, :size]
        return mean + np.rint(share), width + more


class _Weights:
    """The weights as floats."""

    def __init__(self, refinement):
        for field in fields(refinement):
            setattr(self, field.name, getattr(refinement, field.name).astype("float64"))


_weights = lru_cache(maxsize=4)(_Weights)


def features(own, before, width) -> np.ndarray:
    """What the first layer looks at, (n, ·) float64 whole numbers in units of 1/FEATURE_UNIT.

    Args:
        own: (n, k, c) differences between the values around and the mean.
        before: (n, 24, d) differences of earlier groups.
        width: (n, c) in units of 1/WIDTH_UNIT.
    """
    clip, n = NEAR_CLIP * FEATURE_UNIT, len(width)
    parts = []
    for found in (own, before):
        found = found.reshape(n, -1)
        parts.append(np.clip(found, -clip, clip))
        parts.append(np.sign(found) * logarithm(np.abs(found)))
    parts.append(np.clip(np.rint(width * (1 / WEIGHT_UNIT)), -WIDTH_CLIP, WIDTH_CLIP))
    return np.concatenate(parts, 1, dtype="float64")


def offsets(level: int) -> list[tuple[int, int]]:
    """Rows and columns from a place of this level, 1 or more, to those around that are filled."""
    distance = reach(level)
    return [(distance * y, distance * x) for y, x in (STRAIGHT, DIAGONAL)[level % 2]]


def _units(sums):
    return np.clip(np.rint(sums * (1 / WEIGHT_UNIT)), 0, HIDDEN_CLIP)
