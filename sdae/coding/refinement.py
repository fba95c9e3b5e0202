"""A small network of whole numbers that refines what is expected of the first channel groups.

    values around ─┐
    values of      ├─► 2 layers of hidden units ─► steps to add to the mean
    earlier groups ┤                            └► what to add to the width
    width so far  ─┘

The first groups hold the coarse picture. They are few channels but, where a picture is smooth or its
quality low, most of the bytes. Groups coded level by level see many places around; the others,
of more channels, at the nearest. All sums are of whole numbers below 2^53, which float64 adds up
exactly in any order, and float32 those below 2^24, so every machine decodes the same.
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
"""Differences between neighbours count up to so many integers."""

WIDTH_CLIP = 255
"""Largest width that the units see, in units of 1/FEATURE_UNIT."""

SPREAD_UNIT = 256
"""Spreads count in units of 1/256."""

REFINED = 6
"""So many groups are refined in weights that are trained; in weights that are read, as many as the
arrays have rows."""


def _around(far, wanted):
    """The places of a square that are wanted, rows before columns."""
    side = range(-far, far + 1)
    return tuple((y, x) for y in side for x in side if wanted(y, x))


_DIAGONAL = _around(3, lambda y, x: y % 2 and x % 2)
_STRAIGHT = _around(3, lambda y, x: (y + x) % 2)
_WIDE = _around(2, lambda y, x: y or x)
_NEAREST = _around(1, lambda y, x: (y + x) % 2)
_CLOSE = _around(1, lambda y, x: y or x)


def kind_of(level: int) -> int:
    """Which of two sets of weights a level has: 1 for even levels from 2, else 0."""
    return int(level > 0 and level % 2 == 0)


def places(group: int, kind: int):
    """What is seen, as rows and columns from a place: in the own group, in units of the reach,
    where all of these are filled before; and in earlier groups, whose places are all filled."""
    if group < FINE:
        return (_DIAGONAL, _STRAIGHT)[kind], _WIDE
    return ((), _NEAREST)[kind], _CLOSE


def offsets(group: int, level: int):
    """The same in rows and columns of the latent, for a level."""
    own, before = places(group, kind_of(level))
    distance = reach(level)
    return tuple((distance * y, distance * x) for y, x in own), before


def inputs(groups, group: int, kind: int) -> int:
    """How many numbers the units of a group see."""
    own, before = map(len, places(group, kind))
    size, earlier = int(groups[group]), int(sum(groups[:group]))
    each = 2 if group < FINE else 1
    return each * (own * size + before * earlier) + size


def most_inputs(groups, chosen) -> int:
    """The most that the units of any of the chosen groups see."""
    return max(inputs(groups, group, kind) for group in chosen for kind in (0, 1))


@dataclass(frozen=True, eq=False)
class Refinement:
    """The weights, integers only; of H hidden units a layer, for the first G groups.

    The second axis of most is what `kind_of` says of a level. Rows and columns that a group has no
    use for are zeros.

    Attributes:
        first: (G, 2, n, H) weights of what `features` gives.
        first_bias: (levels, G, H) by quality.
        first_level: (LAST, G, H) added at levels 1 to LAST.
        second, second_bias: (G, 2, H, H), (G, 2, H).
        mean: (G, 2, H, c) what units add to the mean, as a share of the spread.
        width: (G, 2, H, c) what they add to the width.
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
    def from_arrays(cls, arrays: dict) -> "Refinement":
        """What the arrays of a weights file hold."""
        names = [field.name for field in fields(cls)]
        if any(PREFIX + name not in arrays for name in names):
            raise TablesError("The context tables lack their refinement; train them again.")
        return cls(**{name: np.asarray(arrays[PREFIX + name]) for name in names})

    def to_arrays(self) -> dict:
        """The inverse of `from_arrays`."""
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    def check(self, groups, levels: int) -> None:
        """Raise TablesError where the shapes do not fit these groups and levels of quality."""
        units, count = self.second.shape[-1], len(self.first)
        if not 1 <= count <= len(groups):
            raise TablesError("The refinement of the context tables is for other groups.")
        size, most = max(groups[:count]), most_inputs(groups, range(count))
        shapes = {
            "first": ("int16", count, 2, most, units),
            "first_bias": ("int32", levels, count, units),
            "first_level": ("int32", LAST, count, units),
            "second": ("int16", count, 2, units, units),
            "second_bias": ("int32", count, 2, units),
            "mean": ("int16", count, 2, units, size),
            "width": ("int16", count, 2, units, size),
            "spread": ("uint16", WIDTHS),
        }
        for name, (number, *shape) in shapes.items():
            array = getattr(self, name)
            if array.shape != tuple(shape) or array.dtype != number:
                raise TablesError(f"The refinement {name} of the context tables is misshapen.")


class Refiner:
    """Refines the predictions of one latent.

    Args:
        refinement: the weights.
        quality_code: quality in hundredths, 100 to 10000.
    """

    def __init__(self, refinement: Refinement, quality_code: int):
        self._weights, self._count = _weights(refinement), len(refinement.first)
        self._bias = by_quality(refinement.first_bias, quality_code)

    def knows(self, group: int, level: int) -> bool:
        """Whether predictions of this group and level are refined."""
        return group < self._count and (level > 0 or group >= FINE)

    def __call__(self, group: int, level: int, own, before, mean, width):
        """
        Args:
            group, level: which predictions these are, ones that it `knows`.
            own: (n, k, c) float32 known values around less the mean, in units of 1/FEATURE_UNIT; 0
                where there is none.
            before: (n, j, d) float32 those of earlier groups, less the one at the place itself.
            mean: (n, c) whole numbers in units of 1/FEATURE_UNIT, so far.
            width: (n, c) float32 whole numbers in units of 1/WIDTH_UNIT, so far.

        Returns:
            mean and width to be expected.
        """
        weights, size = self._weights, mean.shape[1]
        at = group, kind_of(level)
        x = features(group, own, before, width)
        bias = self._bias[group]
        if level:
            bias = bias + weights.first_level[level - 1, group]
        hidden = _units(_product(x, weights.first[at][: x.shape[1]]), bias)
        hidden = _units(_product(hidden, weights.second[at]), weights.second_bias[at])
        share = _product(hidden, weights.mean[at][:, :size]).astype("float64")
        spread = weights.spread.take(width_step(width))
        share *= spread * (FEATURE_UNIT / (WIDTH_UNIT * SPREAD_UNIT))
        return mean + np.rint(share), width + _product(hidden, weights.width[at][:, :size])


class _Weights:
    """The weights as floats; those whose sums stay below 2^24 as float32."""

    def __init__(self, refinement):
        for field in fields(refinement):
            setattr(self, field.name, getattr(refinement, field.name).astype("float64"))
        biases = np.abs(self.first_bias).max(0) + np.abs(self.first_level).max(0)
        for name, most, bias in (
            ("first", WIDTH_CLIP, biases[:, None]),
            ("second", HIDDEN_CLIP, np.abs(self.second_bias)),
            ("mean", HIDDEN_CLIP, 0),
            ("width", HIDDEN_CLIP, 0),
        ):
            weights = getattr(self, name)
            largest = (np.abs(weights).sum(2) * most + bias).max(2)
            exact = {
                at: weights[at].astype("float32" if largest[at] < 1 << 24 else "float64")
                for at in np.ndindex(largest.shape)
            }
            setattr(self, name, exact)


_weights = lru_cache(maxsize=4)(_Weights)


def _product(x, weights):
    return x.astype(weights.dtype, copy=False) @ weights


def features(group, own, before, width) -> np.ndarray:
    """What the first layer sees, (n, ·) float32 whole numbers in units of 1/FEATURE_UNIT.

    Of groups coded level by level these are differences as they are and their logarithms, of others
    only the logarithms.

    Args:
        group: whose features these are.
        own, before: differences, as for `Refiner`.
        width: (n, c) in units of 1/WIDTH_UNIT.
    """
    clip, n, columns = NEAR_CLIP * FEATURE_UNIT, len(width), []
    for difference in (own, before):
        difference = difference.reshape(n, -1)
        if group < FINE:
            columns.append(np.minimum(np.maximum(difference, -clip), clip))
        size = logarithm(np.abs(difference)).astype("float32")
        columns.append(np.copysign(size, difference, out=size))
    columns.append(np.clip(np.rint(width * (1 / WEIGHT_UNIT)), -WIDTH_CLIP, WIDTH_CLIP))
    return np.concatenate(columns, 1, dtype="float32")


def _units(sums, bias):
    sums += bias.astype(sums.dtype)
    sums *= 1 / WEIGHT_UNIT
    return np.clip(np.rint(sums, out=sums), 0, HIDDEN_CLIP, out=sums)
