"""What already decoded integers tell about the next ones, as a Keras layer that can be trained.

Training pays for bits as this layer expects them, and the latent coder decodes by the same layer
rounded to whole numbers. `sdae.coding.tables.Tables` describes what it computes;
`ContextModel.tables` and `ContextModel.resume` go from one to the other.

Sources: checkerboard contexts, He et al. 2021; channel groups as contexts, Minnen and Singh 2020.
"""

from functools import lru_cache

import keras
import numpy as np
from keras import layers, ops

from sdae.coding.coding_order import FINE, LAST, lattice, ordered
from sdae.coding.refinement import REFINED
from sdae.coding.tables import Tables
from sdae.coding.units import (
    DEVIATION_CLIP,
    FEATURE_UNIT,
    HIDDEN_CLIP,
    LOGARITHM_CLIP,
    MEAN_UNIT,
    VALUE_CLIPS,
    WEIGHT_UNIT,
    WIDTH_UNIT,
)
from sdae.network.config import CLIP
from sdae.training import buckets, gather
from sdae.training.arithmetic import as_numpy, logarithm, whole
from sdae.training.refiner import RefinerLayer, joined

HIDDEN = 32
"""Hidden units a channel group."""

_UNITS = dict.fromkeys(("mean", "mean_own", "mean_coarse"), MEAN_UNIT)
_LINEAR = (
    *("mean", "mean_share", "mean_own", "mean_coarse"),
    *("width", "width_share", "width_own", "width_coarse"),
)
_REFINERS = (
    ("refiner", 0, FINE),
    ("two_pass_refiner", FINE, FINE + 2),
    ("wide_refiner", FINE + 2, REFINED),
)
# Groups of like size share a layer.

_LARGEST = 0.98 * 2**24
# What is summed in float32 may be, before its parts are rounded.


class ContextModel(layers.Layer):
    """A mean, linear in the values known so far, and a scale, to which hidden units add.

    Both are refined by `sdae.training.refiner` in the groups that hold the coarse picture.

    Call: integers (B, h, w, C) float32, h and w known; t (B,) quality position in [0, 1]. Returns
    mean and scale, each (B, h, w, C): the value is taken as Laplacian with that mean and that
    scale (mean absolute deviation).

    Args:
        groups: sizes of the channel groups; their sum is C.
        scale: (levels, C) what the scale is at first, by quality.
    """

    def __init__(self, groups, scale, **options):
        super().__init__(**options)
        self.groups, self._scale = tuple(groups), np.maximum(scale, 0.02)
        self.starts = np.cumsum([0, *groups]).tolist()
        self.fine = sum(self.groups[:FINE])  # channels of the groups coded level by level
        self._group = np.repeat(np.arange(len(groups)), groups)
        self._earlier = self._group[:, None] < self._group[None]
        self._same = self._group[:, None] == self._group[None]

    def build(self, *shapes):
        c, fine, groups = self.starts[-1], self.fine, self.groups

        def weight(name, shape, start="zeros"):
            return self.add_weight(shape=shape, name=name, initializer=start)

        def seen(name, shape, inputs):
            return weight(name, shape, keras.initializers.RandomNormal(0.4 / inputs**0.5))

        bias = np.log(np.expm1(self._scale)).astype("float32")
        self.bias = weight("bias", bias.shape, lambda *_, **__: ops.array(bias))
        self.mean = weight("mean", (9, c, c))
        self.mean_share = weight("mean_share", (LAST + 1, c), "ones")
        self.mean_own = weight("mean_own", (4, c, c))
        self.mean_coarse = weight("mean_coarse", (LAST - 1, 4, fine, fine))
        self.width = weight("width", (9, c, c))
        self.width_share = weight("width_share", (LAST + 1, c), "ones")
        self.width_own = weight("width_own", (c, c))
        self.width_coarse = weight("width_coarse", (LAST - 1, fine, fine))
        self.hidden, self.hidden_own, self.hidden_out = [], [], []
        for g, (start, size) in enumerate(zip(self.starts, groups)):
            shape = 3, 3, 2 * start, HIDDEN
            self.hidden.append(seen(f"hidden_{g}", shape, 18 * start) if start else None)
            self.hidden_own.append(seen(f"hidden_own_{g}", (3 * size, HIDDEN), 3 * size))
            self.hidden_out.append(weight(f"hidden_out_{g}", (HIDDEN, size)))
        shape = LAST - 1, 3 * fine, HIDDEN
        self.hidden_coarse = seen("hidden_coarse", shape, 3 * max(groups[:FINE]))
        self.hidden_bias = weight("hidden_bias", (len(bias), len(groups) * HIDDEN))
        self.hidden_level = weight("hidden_level", (LAST, len(groups), HIDDEN))
        self.refiners = []
        for name, first, last in _REFINERS:
            chosen = range(first, min(last, len(groups)))
            if chosen:
                layer = RefinerLayer(groups, chosen, len(bias), name=name)
                layer.build()
                self.refiners.append(layer)

    def call(self, integers, t):
        h, w, c = integers.shape[1:]
        last, between = _ways(h, w)
        first, fine = self.groups[0], self.fine
        clip = ops.array(np.repeat(VALUE_CLIPS, [first, c - first]).astype("float32"))
        clipped = ops.clip(integers, -clip, clip)
        near, few = last.four(clipped), between.four(clipped[..., :fine])
        mean = self._predicted("mean", clipped, ops.concatenate(near, -1), ops.concatenate(few, -1))
        deviation = ops.abs(integers - mean)
        seen = ops.minimum(deviation, CLIP)
        width = self._predicted("width", seen, last.middle(seen), between.middle(seen[..., :fine]))
        known = [logarithm(deviation), logarithm(ops.abs(integers))]
        near = [*map(last.middle, known), _apart(near)]
        few = [*(between.middle(x[..., :fine]) for x in known), _apart(few)]
        width += interpolate(self.bias, t)
        width += self._hidden(known, near, few, interpolate(self.hidden_bias, t))
        for refiner in self.refiners:
            bias = interpolate(refiner.first_bias, t)
            mean, width = refiner(integers, mean, width, bias)
        return mean, ops.softplus(width) + 0.01

    def _predicted(self, kind, x, near, few):
        """A linear prediction: from earlier groups, and from what the neighbours of positions of
        the last level and of those between say, side by side where each has its own weight."""
        (last, between), c, fine = _ways(*x.shape[1:3]), self.starts[-1], self.fine
        kernel, share, own, coarse = (
            getattr(self, kind + part) for part in ("", "_share", "_own", "_coarse")
        )

        def within_groups(weights):
            size = weights.shape[-1]
            return weights * ops.array(self._same[:size, :size].astype("float32"))

        own = ops.reshape(within_groups(own), (1, -1, c))
        coarse = ops.reshape(within_groups(coarse), (LAST - 1, -1, fine))
        share = ops.concatenate([share[:, :fine], _in_two_passes(share[:, fine:])], 1)
        found = self._from_earlier(x, kernel) * _at_each(share, x) + last.spread(near, own)
        rest = (0, 0), (0, 0), (0, 0), (0, c - fine)
        return found + ops.pad(between.spread(few, coarse), rest)

    def _hidden(self, known, near, few, bias):
        """What the hidden units add to the widths.

        Args:
            known: logarithms of all deviations and magnitudes, two (B, h, w, C).
            near, few: what the neighbours say at the last level, and at those between.
            bias: (B, 1, 1, G · HIDDEN).
        """
        (last, between), parts = _ways(*known[0].shape[1:3]), []
        level = ops.pad(self.hidden_level, ((1, 0), (0, 0), (0, 0)))
        bias = ops.split(bias, len(self.groups), -1)
        near = zip(*(ops.split(x, self.starts[1:-1], -1) for x in near))
        few = zip(*(ops.split(x, self.starts[1:FINE], -1) for x in few))
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            by_level = level[:, g] if g < FINE else _in_two_passes(level[:, g])
            hidden = bias[g] + _at_each(by_level, known[0])
            hidden += last.spread(ops.concatenate(next(near), -1), self.hidden_own[g][None])
            if g < FINE:
                kernels = self.hidden_coarse[:, 3 * start : 3 * stop]
                hidden += between.spread(ops.concatenate(next(few), -1), kernels)
            if start:
                before = ops.concatenate([x[..., :start] for x in known], -1)
                hidden += ops.conv(before, self.hidden[g], padding="same")
            parts.append(ops.matmul(ops.relu(hidden), self.hidden_out[g]))
        return ops.concatenate(parts, -1)

    def _from_earlier(self, x, kernel):
        """3×3 convolution of each group's earlier groups: (B, h, w, C) → (B, h, w, C)."""
        kernel = ops.reshape(kernel, (3, 3, *kernel.shape[1:]))
        parts = [ops.zeros_like(x[..., : self.groups[0]])]
        for start, stop in zip(self.starts[1:], self.starts[2:]):
            seen = x[..., :start]
            parts.append(ops.conv(seen, kernel[:, :, :start, start:stop], padding="same"))
        return ops.concatenate(parts, -1)

    def idle(self) -> int:
        """How many stored weights can never act, since they look at what is not decoded yet."""
        same = self._same, self._same[: self.fine, : self.fine]
        later, other, fine = (int(np.sum(~acting)) for acting in (self._earlier, *same))
        return (
            2 * 9 * later + 5 * other + 5 * (LAST - 1) * fine + sum(x.idle() for x in self.refiners)
        )

    def resume(self, tables: Tables) -> None:
        """Begin where the integers of tables are: the inverse of `tables`."""
        for name in _LINEAR:
            getattr(self, name).assign(getattr(tables, name) / _UNITS.get(name, WEIGHT_UNIT))
        self.bias.assign(tables.bias / WIDTH_UNIT)
        coarse = []
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            if start:
                kernel = tables.hidden[:, :, :start, g] / WEIGHT_UNIT
                self.hidden[g].assign(kernel.reshape(3, 3, 2 * start, HIDDEN))
            own = tables.hidden_own[:, start:stop] / WEIGHT_UNIT
            self.hidden_own[g].assign(own.reshape(-1, HIDDEN))
            self.hidden_out[g].assign(tables.hidden_out[start:stop].T / WEIGHT_UNIT)
            if g < FINE:
                coarse.append(tables.hidden_coarse[:, :, start:stop].reshape(LAST - 1, -1, HIDDEN))
        self.hidden_coarse.assign(np.concatenate(coarse, 1) / WEIGHT_UNIT)
        self.hidden_bias.assign(tables.hidden_bias.reshape(len(tables.bias), -1) / WIDTH_UNIT)
        self.hidden_level.assign(tables.hidden_level / WIDTH_UNIT)
        for refiner in self.refiners:
            refiner.resume(tables.refinement)

    def tables(self) -> Tables:
        """The weights as integers, small enough for exact sums, with one bucket for all."""
        groups, c = self.groups, self.starts[-1]
        found = {"groups": np.array(groups, "uint8")}
        found["bias"] = whole(self.bias, WIDTH_UNIT, "int32")
        for name in _LINEAR:
            unit, values = _UNITS.get(name, WEIGHT_UNIT), as_numpy(getattr(self, name))
            if not name.endswith("share"):
                acting = self._earlier if name in ("mean", "width") else self._same
                values = values * acting[: values.shape[-1], : values.shape[-1]]
                # Sums must stay in the exact range; of means, what the groups after the first add.
                of_mean = unit == MEAN_UNIT
                most = VALUE_CLIPS[1] if of_mean else DEVIATION_CLIP * FEATURE_UNIT
                added = values[..., of_mean * groups[0] :, :]
                sums = np.abs(added).sum(tuple(range(values.ndim - 1))) * unit * most
                values = values * np.minimum(1, _LARGEST / np.maximum(sums, 1))
            found[name] = whole(values, unit)
        hidden = np.zeros((9, 2, c, len(groups), HIDDEN))
        own, out = np.zeros((3, c, HIDDEN)), np.zeros((c, HIDDEN))
        coarse = np.zeros((LAST - 1, 3, self.fine, HIDDEN))
        bias = as_numpy(self.hidden_bias).reshape(-1, len(groups), HIDDEN)
        levels = as_numpy(self.hidden_level)
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            if start:
                hidden[:, :, :start, g] = as_numpy(self.hidden[g]).reshape(9, 2, start, HIDDEN)
            own[:, start:stop] = as_numpy(self.hidden_own[g]).reshape(3, -1, HIDDEN)
            out[start:stop] = as_numpy(self.hidden_out[g]).T
            if g < FINE:
                near = as_numpy(self.hidden_coarse)[:, 3 * start : 3 * stop]
                coarse[:, :, start:stop] = near.reshape(LAST - 1, 3, -1, HIDDEN)
        # What a unit sums must stay in the exact range. Below the cut-off a unit is linear: what
        # its inputs lose by a factor its outputs can regain.
        member = np.eye(len(groups))[self._group]
        sums = np.abs(hidden).sum((0, 1, 2)) + member.T @ np.abs(own).sum(0)
        sums += member[: self.fine].T @ np.abs(coarse).sum((0, 1))
        sums *= WEIGHT_UNIT * LOGARITHM_CLIP
        sums += (np.abs(bias).max(0) + np.abs(levels).max(0)) * WIDTH_UNIT
        shrink = np.maximum(1, sums / _LARGEST)
        found["hidden"] = whole(hidden / shrink, WEIGHT_UNIT)
        found["hidden_own"] = whole(own / (member @ shrink), WEIGHT_UNIT)
        found["hidden_coarse"] = whole(coarse / (member @ shrink)[: self.fine], WEIGHT_UNIT)
        found["hidden_bias"] = whole(bias / shrink, WIDTH_UNIT, "int32")
        found["hidden_level"] = whole(levels / shrink, WIDTH_UNIT, "int32")
        out *= member @ shrink
        sums = np.abs(out).sum(1, keepdims=True) * WEIGHT_UNIT * HIDDEN_CLIP
        out *= np.minimum(1, _LARGEST / np.maximum(sums, 1))
        found["hidden_out"] = whole(out, WEIGHT_UNIT)
        return Tables(**found, **buckets.empty(), refinement=joined(self.refiners))


def interpolate(table, t):
    """Rows of ``table`` (levels, C) at positions ``t`` (B,) in [0, 1], linear: (B, 1, 1, C)."""
    levels = table.shape[0]
    position = ops.reshape(t, (-1, 1)) * (levels - 1)
    distance = ops.abs(position - ops.arange(levels, dtype="float32"))
    rows = ops.matmul(ops.maximum(0.0, 1.0 - distance), table)
    return ops.reshape(rows, (-1, 1, 1, table.shape[1]))


def _in_two_passes(table):
    """Rows by level, as groups see them that are not coded level by level."""
    return ops.take(table, [0] * LAST + [LAST], 0)


def _at_each(table, x):
    """Rows of a table (LAST + 1, n) by the level of each position of x: (h, w, n)."""
    level = np.eye(LAST + 1, dtype="float32")[lattice(*x.shape[1:3])]
    return ops.matmul(ops.array(level), table)


class _Ways:
    """To the n positions of some levels of an (h, w) latent from their neighbours, and back.

    Args:
        levels: these levels, neighbours of each other.
    """

    def __init__(self, h, w, levels):
        steps, size = ordered(h, w), h * w
        starts = [steps.ends[level - 1] for level in levels]
        positions = steps.order[starts[0] : steps.ends[levels[-1]]]
        at = np.append(steps.order, size)
        self._near = at[np.concatenate([steps.neighbours[level] for level in levels], 1)]
        self._size, self._cuts = (h, w), [start - starts[0] for start in starts[1:]]
        self._back = np.full(size, len(positions))
        self._back[positions] = np.arange(len(positions))

    def four(self, x):
        """The four neighbours: (B, h, w, ·) → each (B, n, ·)."""
        h, w = self._size
        x = ops.reshape(x, (-1, h * w, x.shape[-1]))
        return [gather.rows(x, near) for near in self._near]

    def middle(self, x):
        """The mean of the four neighbours: (B, h, w, ·) → (B, n, ·)."""
        return sum(self.four(x)) * 0.25

    def spread(self, values, kernels):
        """What neighbours say by the kernel of each level: (B, n, m) → (B, h, w, ·)."""
        by_level = ops.split(values, self._cuts, 1) if self._cuts else [values]
        values = ops.concatenate([ops.matmul(x, kernels[k]) for k, x in enumerate(by_level)], 1)
        values = gather.rows(values, self._back)
        return ops.reshape(values, (-1, *self._size, values.shape[-1]))


@lru_cache(maxsize=4)
def _ways(h, w):
    """The `_Ways` to positions of the last level, and to those of all levels between."""
    return _Ways(h, w, [LAST]), _Ways(h, w, range(1, LAST))


def _apart(four):
    """The logarithm of how far four neighbours are from their mean."""
    middle = sum(four) / 4
    return logarithm(sum(ops.abs(x - middle) for x in four) / 4)


def laplacian_bits(values, mean, scale):
    """−log₂ of the probability that a Laplacian gives to the unit interval around each value.

    Exact in the tails, where the difference of two distribution functions would cancel.
    """
    distance = ops.abs(values - mean)
    far = (distance - 0.5) / scale + np.log(2.0) - ops.log(-ops.expm1(-1.0 / scale))
    near = 1 - 0.5 * (
        ops.exp(-ops.maximum(0.5 - distance, 0.0) / scale) + ops.exp(-(0.5 + distance) / scale)
    )
    near = -ops.log(ops.maximum(near, 1e-9))
    return ops.where(distance > 0.5, far, near) / np.log(2.0)
