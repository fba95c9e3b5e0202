"""The predictor: from the integers known so far, a mean and a width of the next ones.

A mean is linear in the known values, a width in how far these were from their means, plus what
hidden units add. `sdae.coding.tables` says how the weights are stored. A library of neural networks
would not do: its sums differ between machines, and a decoder that expects something else reads noise.
"""

from functools import lru_cache

import numpy as np

from sdae.coding.coding_order import FINE, LAST, ordered
from sdae.coding.refinement import Refiner, offsets
from sdae.coding.tables import Tables
from sdae.coding.units import (
    DEVIATION_CLIP,
    FEATURE_UNIT,
    HIDDEN_CLIP,
    MEAN_UNIT,
    VALUE_CLIPS,
    WEIGHT_UNIT,
    by_quality,
    logarithm,
)
from sdae.threads import share_out

_ONE_FEATURE = np.float32(1 / FEATURE_UNIT)
_MEAN_CLIP = FEATURE_UNIT << 15
_CHUNK = 512


class _Weights:
    """The weights of tables as floats, cut to what each step multiplies."""

    def __init__(self, tables):
        self.slices = tables.slices

        def later(kernel, first):
            return [
                kernel[:, s, s.stop :]
                .reshape(9 * (s.stop - s.start), -1)
                .astype("float32" if s.start else first)
                for s in self.slices[:-1]
            ]

        # Of values that come in units of 1/FEATURE_UNIT.
        self.mean = [kernel / FEATURE_UNIT for kernel in later(tables.mean, "float64")]
        self.mean_share = tables.mean_share / WEIGHT_UNIT
        # For each group the weights of levels 1 to LAST, which only the first few have all.
        self.mean_near = [
            [
                np.vstack(level).astype("float32" if s.start else "float64") / FEATURE_UNIT
                for level in (*tables.mean_coarse[:, :, s, s], tables.mean_own[:, s, s])
            ]
            for s in self.slices
        ]
        self.width = later(tables.width, "float32")
        self.width_share = (tables.width_share / WEIGHT_UNIT).astype("float32")
        self.width_near = [
            [
                *tables.width_coarse[:, s, s].astype("float32"),
                tables.width_own[s, s].astype("float32"),
            ]
            for s in self.slices
        ]
        units = tables.hidden_out.shape[-1]
        self.hidden, self.hidden_near = [], []
        for g, s in enumerate(self.slices):
            if g + 1 < len(self.slices):
                forward = tables.hidden[:, :, s, g + 1 :]
                self.hidden.append(forward.reshape(18 * (s.stop - s.start), -1).astype("float32"))
            levels = [*tables.hidden_coarse[:, :, s], tables.hidden_own[:, s]]
            levels = [level.reshape(-1, units).astype("float32") for level in levels]
            self.hidden_near.append(levels)
        self.hidden_out = [tables.hidden_out[s].T.astype("float32") for s in self.slices]
        self.hidden_level = tables.hidden_level.astype("float32")


_weights = lru_cache(maxsize=4)(_Weights)


class Predictor:
    """Walks through the steps of one latent.

    For each step of ``plan`` call `predict`, then `fill` with the integers that were there.

    Args:
        h, w: size of the latent.
        quality_code: quality in hundredths, 100 to 10000.
        tables: the context tables.
        live: number of leading channels to code.
    """

    def __init__(self, h: int, w: int, quality_code: int, tables: Tables, live: int):
        self.steps, self.weights = ordered(h, w), _weights(tables)
        self.slices = [s for s in self.weights.slices if s.start < live]
        n, sizes = h * w, [s.stop - s.start for s in self.slices]
        self.known = [np.zeros((n + 1, 4 * size), "float32") for size in sizes]
        coded = self.slices[-1].stop if self.slices else 0
        self.mean_sum = np.zeros((n, coded))
        self.width_sum = np.zeros((n, coded), "float32")
        self.bias = by_quality(tables.bias, quality_code)
        bias = by_quality(tables.hidden_bias, quality_code)[: len(self.slices)]
        self.units = bias.shape[1]
        self.hidden_sum = np.tile(bias.reshape(-1), (n, 1))
        ends = self.steps.ends
        levels = [(a, b, k) for k, (a, b) in enumerate(zip([0] + ends, ends)) if b > a]
        passes = [(a, b, k) for a, b, k in ((0, ends[-2], 0), (ends[-2], n, LAST)) if b > a]
        self.refiner = Refiner(tables.refinement, quality_code)
        groups = range(len(self.slices))
        self.plan = [(g, *step) for g in groups for step in (levels if g < FINE else passes)]

    def predict(self, group, start, stop, level):
        """What to expect at one step of the plan.

        Returns:
            mean: (n, c) int32 in units of 1/FEATURE_UNIT, within ±2^15 integers.
            width: (n, c) float32 whole numbers in units of 1/WIDTH_UNIT.
            linear: (n, c) int32, the mean before it was refined, which `fill` needs.
        """
        own = self.slices[group]
        size = own.stop - own.start
        mean, linear = np.empty((2, stop - start, size), "int32")
        width = np.empty((stop - start, size), "float32")
        refined = self._refined(group, start, stop, level)

        def predicted(rows):
            piece = slice(rows.start - start, rows.stop - start)
            linear[piece], width[piece] = before = self._predicted(group, rows, level)
            mean[piece], width[piece] = refined(piece, *before)

        share_out(predicted, pieces(start, stop))
        return mean, width, linear

    def _predicted(self, group, rows, level):
        """`predict` for some rows of a step."""
        weights, own = self.weights, self.slices[group]
        mean = np.rint(self.mean_sum[rows, own] * weights.mean_share[level, own])
        width = np.rint(self.width_sum[rows, own] * weights.width_share[level, own])
        hidden = self.hidden_sum[rows, group * self.units : (group + 1) * self.units]
        if level:
            size, first = own.stop - own.start, self.steps.ends[level - 1]
            near = self.steps.neighbours[level][:, rows.start - first : rows.stop - first]
            four = self.known[group].take(near, axis=0)
            kernel = weights.mean_near[group][level - 1]
            values = four[:, :, :size].transpose(1, 0, 2).reshape(-1, 4 * size)
            mean += values.astype(kernel.dtype) @ kernel
            total = four.sum(0)
            near = np.rint(total[:, size:] * np.float32(0.25))
            width += near[:, :size] @ weights.width_near[group][level - 1]
            apart = np.abs(four[:, :, :size] - total[:, :size] * np.float32(0.25)).sum(0)
            logarithms = np.concatenate([near[:, size:], logarithm(apart * (4 * _ONE_FEATURE))], 1)
            hidden = hidden + logarithms @ weights.hidden_near[group][level - 1]
            hidden += weights.hidden_level[level - 1, group]
        hidden = np.rint(hidden * (1 / WEIGHT_UNIT))
        hidden = np.minimum(np.maximum(hidden, 0), HIDDEN_CLIP)
        width += hidden @ weights.hidden_out[group]
        width += self.bias[own]
        mean = np.rint(mean * (FEATURE_UNIT / MEAN_UNIT))
        return np.minimum(np.maximum(mean, -_MEAN_CLIP), _MEAN_CLIP), width

    def _refined(self, group, start, stop, level):
        """A function that refines predictions of a piece of a step."""
        refiner, outside = self.refiner, len(self.mean_sum)
        if not refiner.knows(group, level):
            return lambda piece, mean, width: (mean, width)
        near, around = offsets(group, level)
        near, around = self.steps.near(near, start, stop), self.steps.near(around)[start:stop]
        # A place outside is like the place itself.
        around = np.where(around < outside, around, np.arange(start, stop)[:, None])
        own, *earlier = (
            known[:, : known.shape[1] // 4] for known in (self.known[group], *self.known[:group])
        )
        own = np.ascontiguousarray(own)
        earlier = np.concatenate([np.empty((len(own), 0), "float32"), *earlier], 1)

        def refined(piece, mean, width):
            same = own.take(near[piece], axis=0) - mean.astype("float32")[:, None]
            same[near[piece] == outside] = 0
            before = earlier.take(around[piece], axis=0)
            before -= earlier[start:stop][piece, None]
            mean, width = refiner(group, level, same, before, mean, width)
            return np.minimum(np.maximum(mean, -_MEAN_CLIP), _MEAN_CLIP), width

        return refined

    def fill(self, group, start, stop, level, integers, linear):
        """Take the integers of a step of the plan.

        Args:
            integers: (n, c) int32.
            linear: as `predict` gave it: how far integers were from it says what to expect of others.
        """
        last = group + 1 == len(self.slices)
        if last and level == LAST:
            return  # nothing depends on these
        size = integers.shape[1]
        known, scaled = self.known[group][start:stop], integers * FEATURE_UNIT
        deviation = np.abs(scaled - linear)
        clip = VALUE_CLIPS[group > 0] * FEATURE_UNIT
        known[:, :size] = np.minimum(np.maximum(scaled, -clip), clip)
        known[:, size : 2 * size] = np.minimum(deviation, DEVIATION_CLIP * FEATURE_UNIT)
        known[:, 2 * size :] = logarithm(np.concatenate([deviation, np.abs(scaled)], 1))
        if stop == len(self.mean_sum) and not last:
            self._spread(group)

    def _spread(self, group):
        """Let a finished group tell the later ones about its values."""
        known, later = self.known[group], self.slices[group].stop
        size = known.shape[1] // 4
        ahead = self.mean_sum.shape[1] - later
        units = (len(self.slices) - group - 1) * self.units
        mean = self.weights.mean[group][:, :ahead]
        width = self.weights.width[group][:, :ahead]
        hidden = self.weights.hidden[group][:, :units]
        values = known[:, :size].astype(mean.dtype)
        deviations = np.ascontiguousarray(known[:, size : 2 * size])
        logarithms = np.ascontiguousarray(known[:, 2 * size :])

        def spread(rows):
            around = self.steps.around[rows]
            self.mean_sum[rows, later:] += _gather(values, around) @ mean
            self.width_sum[rows, later:] += _gather(deviations, around) @ width
            self.hidden_sum[rows, -units:] += _gather(logarithms, around) @ hidden

        share_out(spread, pieces(0, len(self.mean_sum)))


def walk(shape, quality_code: int, tables: Tables, live: int, integers) -> np.ndarray:
    """Walk through all steps of a band.

    Args:
        shape: (h, w) of the band.
        quality_code, tables, live: as for `Predictor`.
        integers: function of a slice of places in coding order, a slice of channels, and the mean and
            the width that `Predictor.predict` gives for them, which returns the (n, c) integers there.

    Returns:
        (h, w, C) int32, what ``integers`` gave, and zeros in channels that are not live.
    """
    predictor = Predictor(*shape, quality_code, tables, live)
    rows = np.zeros((shape[0] * shape[1], tables.channels), "int32")
    for step in predictor.plan:
        group, start, stop, _ = step
        own = predictor.slices[group]
        coded = slice(own.start, min(live, own.stop))
        kept = coded.stop - coded.start
        mean, width, linear = predictor.predict(*step)
        places = slice(start, stop)
        rows[places, coded] = integers(places, coded, mean[:, :kept], width[:, :kept])
        predictor.fill(*step, rows[places, own], linear)
    values = np.empty_like(rows)
    values[predictor.steps.order] = rows
    return values.reshape(*shape, -1)


def pieces(start, stop):
    """Slices from start to stop, of rows that are worked on at a time."""
    return [slice(a, min(a + _CHUNK, stop)) for a in range(start, stop, _CHUNK)]


def _gather(known, around):
    return known.take(around, axis=0).reshape(len(around), -1)
