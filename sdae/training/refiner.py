"""The small network behind the predictions of the first channel groups, as a Keras layer.

`sdae.coding.refinement` computes the same in whole numbers and says what it looks at.
"""

from functools import lru_cache

import keras
import numpy as np
from keras import layers, ops

from sdae.coding.coding_order import FINE, LAST, ordered
from sdae.coding.refinement import (
    NEAR_CLIP,
    SPREAD_UNIT,
    WIDTH_CLIP,
    Refinement,
    inputs,
    kind_of,
    most_inputs,
    offsets,
)
from sdae.coding.units import (
    FEATURE_UNIT,
    HIDDEN_CLIP,
    WEIGHT_UNIT,
    WIDTH_UNIT,
    width_of_step,
)
from sdae.training import gather
from sdae.training.arithmetic import logarithm, whole

UNITS = 96
"""Hidden units a layer."""

_STORED = {
    "first": (0, WEIGHT_UNIT, "int16"),
    "first_bias": (1, WIDTH_UNIT, "int32"),
    "first_level": (1, WIDTH_UNIT, "int32"),
    "second": (0, WEIGHT_UNIT, "int16"),
    "second_bias": (0, WIDTH_UNIT, "int32"),
    "mean": (0, WEIGHT_UNIT, "int16"),
    "width": (0, WEIGHT_UNIT, "int16"),
}
# How `Refinement` holds the weights: the axis of the groups, the unit and the type.


class RefinerLayer(layers.Layer):
    """What to add to the means and widths of some groups, all coded level by level or none.

    Call: integers, mean and width, each (B, h, w, C) float32, and bias (B, 1, 1, n · UNITS) of the
    quality for n groups. Returns mean and width of all channels, refined in these groups.

    Args:
        groups: sizes of the channel groups.
        chosen: a range of groups, those to be refined.
        levels: levels of quality.
    """

    def __init__(self, groups, chosen: range, levels, **options):
        super().__init__(**options)
        self.groups, self.chosen, self.levels = tuple(groups), chosen, levels
        self.size = max(groups[g] for g in chosen)
        ends = np.cumsum(groups).tolist()
        self.slices = [(ends[g] - groups[g], ends[g]) for g in chosen]

    def build(self, *shapes):
        def weight(name, *shape, deviation=0.0):
            start = keras.initializers.RandomNormal(deviation) if deviation else "zeros"
            return self.add_weight(shape=shape, name=name, initializer=start)

        n, most = len(self.chosen), most_inputs(self.groups, self.chosen)
        self.first = weight("first", n, 2, most, UNITS, deviation=0.5 * most**-0.5)
        self.first_bias = weight("first_bias", self.levels, n * UNITS)
        self.first_level = weight("first_level", LAST, n, UNITS)
        self.second = weight("second", n, 2, UNITS, UNITS, deviation=UNITS**-0.5)
        self.second_bias = weight("second_bias", n, 2, UNITS)
        self.mean = weight("mean", n, 2, UNITS, self.size)
        self.width = weight("width", n, 2, UNITS, self.size)

    def call(self, integers, mean, width, bias):
        h, w, c = integers.shape[1:]
        coarsest, places, back = _places(h, w, self.chosen[0])
        flat = [ops.reshape(x, (-1, h * w, c)) for x in (integers, mean, width)]
        bias = ops.reshape(bias, (-1, 1, len(self.chosen), UNITS))
        level = ops.pad(self.first_level, ((1, 0), (0, 0), (0, 0)))
        first, last = self.slices[0][0], self.slices[-1][1]
        refined = [[x[..., :first] for x in flat[1:]]]
        for g, (start, stop) in enumerate(self.slices):
            before, own = flat[0][..., :start], [x[..., start:stop] for x in flat]
            parts = [[gather.rows(x, coarsest) for x in own[1:]]]
            for part in places:
                if not len(part.rows):
                    continue
                k, (middle, scale) = part.kind, (gather.rows(x, part.rows) for x in own[1:])
                x = part.features(own[0], before, middle, scale)
                first = ops.matmul(x, self.first[g, k, : x.shape[-1]])
                hidden = _units(first + bias[:, :, g] + ops.take(level[:, g], part.levels, 0))
                hidden = _units(ops.matmul(hidden, self.second[g, k]) + self.second_bias[g, k])
                share = ops.matmul(hidden, self.mean[g, k, :, : stop - start])
                more = ops.matmul(hidden, self.width[g, k, :, : stop - start])
                parts.append([middle + share * ops.softplus(scale), scale + more])
            refined.append([gather.rows(ops.concatenate(x, 1), back) for x in zip(*parts)])
        refined.append([x[..., last:] for x in flat[1:]])
        return tuple(ops.reshape(ops.concatenate(x, -1), (-1, h, w, c)) for x in zip(*refined))

    def idle(self) -> int:
        """How many weights can never act: rows and columns that a group has no use for."""
        used = (inputs(self.groups, g, k) for g in self.chosen for k in (0, 1))
        rows = sum(self.first.shape[2] - n for n in used)
        columns = sum(self.size - self.groups[g] for g in self.chosen)
        return UNITS * (rows + 4 * columns)

    def resume(self, tables: Refinement) -> None:
        """Begin where the integers are: the inverse of `joined`. Where these groups have none,
        nothing changes."""
        if len(tables.first) <= self.chosen[0]:
            return
        for name, (axis, unit, _) in _STORED.items():
            variable = getattr(self, name)
            values = np.take(getattr(tables, name), self.chosen, axis)
            values = values[tuple(map(slice, variable.shape))]  # without the room of other layers
            variable.assign(values.reshape(variable.shape) / unit)

    def integers(self) -> dict:
        """The weights as integers, as `Refinement` has them of these groups."""
        found = {n: whole(getattr(self, n), unit, kind) for n, (_, unit, kind) in _STORED.items()}
        for n, g in enumerate(self.chosen):
            for name in ("mean", "width"):
                found[name][n, :, :, self.groups[g] :] = 0
            for k in (0, 1):
                found["first"][n, k, inputs(self.groups, g, k) :] = 0
        return found | {"first_bias": found["first_bias"].reshape(self.levels, -1, UNITS)}


def joined(refiners) -> Refinement:
    """The refinement by layers whose groups follow each other."""
    parts, found = [refiner.integers() for refiner in refiners], {}
    for name, (axis, _, _) in _STORED.items():
        arrays = [part[name] for part in parts]
        most = np.max([array.shape for array in arrays], 0)
        most[axis] = 0
        room = [[(0, max(0, more)) for more in most - array.shape] for array in arrays]
        found[name] = np.concatenate([np.pad(*pair) for pair in zip(arrays, room)], axis)
    spread = np.logaddexp(0, width_of_step()) * SPREAD_UNIT
    return Refinement(**found, spread=np.rint(spread).astype("uint16"))


@lru_cache(maxsize=8)
def _places(h, w, group):
    """The positions of an (h, w) latent, as a group sees them: indices of those that are not
    refined, the others in parts, and what brings all, one after the other, into the plane's order."""
    steps, fine = ordered(h, w), group < FINE
    coarsest = steps.order[: steps.ends[0] if fine else 0]
    levels = (range(1, LAST, 2), range(2, LAST + 1, 2)) if fine else ([0], [LAST])
    parts = [_Part(h, w, group, some) for some in levels]
    return coarsest, parts, np.argsort(np.concatenate([coarsest, *(p.rows for p in parts)]))


class _Part:
    """The positions at levels that have the same weights.

    Attributes:
        group: whose refinement this is about.
        kind: which weights.
        rows: (n,) indices of the positions in the row-major plane.
        levels: (n,) of each.
    """

    def __init__(self, h, w, group, levels):
        steps = ordered(h, w)
        at = np.append(steps.order, h * w)
        self.group, self.kind = group, kind_of(levels[0])
        self.rows, self.levels, near = [], [], []
        for level in levels:
            # Level 0 of the groups coded in two passes is all levels before the last.
            start, stop = (
                (steps.ends[k] for k in (level - 1, level)) if level else (0, steps.ends[-2])
            )
            self.rows.append(steps.order[start:stop])
            self.levels += [level] * (stop - start)
            near.append([at[steps.near(x, start, stop)] for x in offsets(group, level)])
        self.rows, self.levels = np.concatenate(self.rows), np.array(self.levels)
        self._near, self._before = (np.concatenate(x) for x in zip(*near))
        self._outside = h * w

    def features(self, own, before, mean, width):
        """As `sdae.coding.refinement.features`, in integers: (B, n, ·).

        Args:
            own, before: (B, h·w, ·) integers of the group, and of earlier ones.
            mean, width: (B, n, ·) of the positions.
        """
        features = []
        for values, numbers in (own, self._near), (before, self._before):
            if not (values.shape[-1] and numbers.shape[1]):
                continue
            middle = mean if values is own else gather.rows(before, self.rows)
            inside = (numbers < self._outside).astype("float32")[:, :, None]
            apart = (gather.rows(values, numbers) - middle[:, :, None]) * inside
            apart = ops.reshape(apart, (-1, len(numbers), numbers.shape[1] * values.shape[-1]))
            if self.group < FINE:
                features.append(ops.clip(apart, -NEAR_CLIP, NEAR_CLIP))
            features.append(ops.sign(apart) * logarithm(ops.abs(apart)))
        limit = WIDTH_CLIP / FEATURE_UNIT
        return ops.concatenate([*features, ops.clip(width, -limit, limit)], -1)


def _units(sums):
    return ops.clip(sums, 0, HIDDEN_CLIP / FEATURE_UNIT)
