"""The small network behind the predictions of the first channel groups, as a Keras layer.

`sdae.coding.refinement` computes the same in whole numbers and says what it looks at.
"""

from functools import lru_cache

import keras
import numpy as np
from keras import layers, ops

from sdae.coding.coding_order import FINE, LAST, ordered
from sdae.coding.refinement import (
    BEFORE,
    NEAR_CLIP,
    SPREAD_UNIT,
    WIDTH_CLIP,
    Refinement,
    inputs,
    offsets,
)
from sdae.coding.units import (
    FEATURE_UNIT,
    HIDDEN_CLIP,
    WEIGHT_UNIT,
    WIDTH_UNIT,
    width_of_step,
)
from sdae.model.whole_numbers import logarithm, whole

UNITS = 96
"""Hidden units a layer."""


class RefinerLayer(layers.Layer):
    """What to add to the means and widths of the first FINE groups.

    Call: integers, mean and width, each (B, h, w, c) float32 of the channels of these groups, and
    bias (B, 1, 1, FINE · UNITS) of the quality. Returns the refined mean and width.

    Args:
        groups: sizes of the channel groups.
        levels: levels of quality.
    """

    def __init__(self, groups, levels, **options):
        super().__init__(**options)
        self.groups, self.levels = tuple(groups), levels
        self.size = max(self.groups[:FINE])
        self.starts = np.cumsum([0, *self.groups[:FINE]]).tolist()

    def build(self, *shapes):
        def weight(name, *shape, deviation=0.0):
            start = keras.initializers.RandomNormal(deviation) if deviation else "zeros"
            return self.add_weight(shape=shape, name=name, initializer=start)

        used = [[inputs(self.groups, g, k) for k in (0, 1)] for g in range(FINE)]
        most = max(map(max, used))
        self.first = weight("first", FINE, 2, most, UNITS, deviation=0.5 * most**-0.5)
        self.first_bias = weight("first_bias", self.levels, FINE * UNITS)
        self.first_level = weight("first_level", LAST, FINE, UNITS)
        self.second = weight("second", FINE, 2, UNITS, UNITS, deviation=UNITS**-0.5)
        self.second_bias = weight("second_bias", FINE, 2, UNITS)
        self.mean = weight("mean", FINE, 2, UNITS, self.size)
        self.width = weight("width", FINE, 2, UNITS, self.size)

    def call(self, integers, mean, width, bias):
        h, w = integers.shape[1:3]
        places, flat = (
            _places(h, w),
            [ops.reshape(x, (-1, h * w, x.shape[-1])) for x in (integers, mean, width)],
        )
        bias, refined = ops.reshape(bias, (-1, 1, FINE, UNITS)), []
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            before, own = flat[0][..., :start], [x[..., start:stop] for x in flat]
            parts = [[ops.take(x, places.coarsest, 1) for x in own[1:]]]
            for k, part in enumerate(places.parts):
                if not len(part.rows):
                    continue
                middle, scale = (ops.take(x, part.rows, 1) for x in own[1:])
                x = part.features(own[0], before, middle, scale)
                level = ops.take(self.first_level[:, g], part.levels - 1, 0)
                first = ops.matmul(x, self.first[g, k, : x.shape[-1]])
                hidden = _units(first + bias[:, :, g] + level)
                hidden = _units(ops.matmul(hidden, self.second[g, k]) + self.second_bias[g, k])
                share = ops.matmul(hidden, self.mean[g, k, :, : stop - start])
                more = ops.matmul(hidden, self.width[g, k, :, : stop - start])
                parts.append([middle + share * ops.softplus(scale), scale + more])
            refined.append([ops.concatenate(column, 1) for column in zip(*parts)])
        return tuple(
            ops.reshape(
                ops.take(ops.concatenate(x, -1), places.back, 1), (-1, h, w, self.starts[-1])
            )
            for x in zip(*refined)
        )

    def idle(self) -> int:
        """How many stored weights can never act: rows and columns that a group has no use for."""
        rows = sum(
            self.first.shape[2] - inputs(self.groups, g, k) for g in range(FINE) for k in (0, 1)
        )
        columns = sum(self.size - size for size in self.groups[:FINE])
        return UNITS * (rows + 4 * columns)

    def resume(self, tables: Refinement | None) -> None:
        """Begin where the integers are: the inverse of `tables`; None changes nothing."""
        if tables is None:
            return
        self.first.assign(tables.first / WEIGHT_UNIT)
        self.first_bias.assign(tables.first_bias.reshape(self.levels, -1) / WIDTH_UNIT)
        self.first_level.assign(tables.first_level / WIDTH_UNIT)
        self.second.assign(tables.second / WEIGHT_UNIT)
        self.second_bias.assign(tables.second_bias / WIDTH_UNIT)
        self.mean.assign(tables.mean / WEIGHT_UNIT)
        self.width.assign(tables.width / WEIGHT_UNIT)

    def tables(self) -> Refinement | None:
        """The weights as integers; None where they add nothing."""
        first, mean, width = (whole(x, WEIGHT_UNIT) for x in (self.first, self.mean, self.width))
        for g, size in enumerate(self.groups[:FINE]):
            mean[g, :, :, size:] = width[g, :, :, size:] = 0
            for k in (0, 1):
                first[g, k, inputs(self.groups, g, k) :] = 0
        if not (mean.any() or width.any()):
            return None
        spread = np.logaddexp(0, width_of_step()) * SPREAD_UNIT
        return Refinement(
            first=first,
            first_bias=whole(self.first_bias, WIDTH_UNIT, "int32").reshape(-1, FINE, UNITS),
            first_level=whole(self.first_level, WIDTH_UNIT, "int32"),
            second=whole(self.second, WEIGHT_UNIT),
            second_bias=whole(self.second_bias, WIDTH_UNIT, "int32"),
            mean=mean,
            width=width,
            spread=np.rint(spread).astype("uint16"),
        )


class _Places:
    """The positions of an (h, w) latent.

    Attributes:
        coarsest: (n,) indices of those of level 0 in the row-major plane.
        parts: those of odd levels, and those of even ones from 2.
        back: what brings all of these, one after the other, into the order of the plane.
    """

    def __init__(self, h, w):
        steps = ordered(h, w)
        self.coarsest = steps.order[: steps.ends[0]]
        self.parts = [_Part(h, w, first) for first in (1, 2)]
        self.back = np.argsort(np.concatenate([self.coarsest, *(p.rows for p in self.parts)]))


class _Part:
    """The positions at every other level from the first.

    Attributes:
        rows: (n,) their indices in the row-major plane.
        levels: (n,) of each.
    """

    def __init__(self, h, w, first):
        steps = ordered(h, w)
        at = np.append(steps.order, h * w)
        self.rows, self.levels, near = [], [], []
        for level in range(first, LAST + 1, 2):
            part = slice(steps.ends[level - 1], steps.ends[level])
            self.rows.append(steps.order[part])
            self.levels += [level] * (part.stop - part.start)
            near.append((at[steps.near(part, offsets(level))], at[steps.near(part, BEFORE)]))
        self.rows, self.levels = np.concatenate(self.rows), np.array(self.levels)
        self._near, self._before = (np.concatenate(x) for x in zip(*near))
        self._outside = h * w

    def features(self, own, before, mean, width):
        """As `sdae.coding.refinement.features`, in integers: (B, n, ·).

        Args:
            own, before: (B, h·w, ·) integers of the group, and of earlier ones.
            mean, width: (B, n, ·) of the positions.
        """
        parts = []
        for values, numbers, middle in (
            (own, self._near, mean),
            (before, self._before, ops.take(before, self.rows, 1)),
        ):
            if not values.shape[-1]:
                continue
            inside = (numbers < self._outside).astype("float32")[:, :, None]
            found = ops.take(values, np.minimum(numbers, self._outside - 1), 1)
            found = (found - middle[:, :, None]) * inside
            found = ops.reshape(found, (-1, len(numbers), numbers.shape[1] * values.shape[-1]))
            logarithms = ops.sign(found) * logarithm(ops.abs(found))
            parts += [ops.clip(found, -NEAR_CLIP, NEAR_CLIP), logarithms]
        limit = WIDTH_CLIP / FEATURE_UNIT
        return ops.concatenate([*parts, ops.clip(width, -limit, limit)], -1)


_places = lru_cache(maxsize=4)(_Places)


def _units(sums):
    return ops.clip(sums, 0, HIDDEN_CLIP / FEATURE_UNIT)
