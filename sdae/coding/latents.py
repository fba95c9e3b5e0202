"""The latent coder: integers → bytes that Deflate packs well, and back.

    integers ──► contexts: where and how wide is the next one? ──► rank among the likely values
                                                                          │
    bytes ◄── Deflate ◄── words of ranks, a byte each (`parse_codes`) ◄── buckets of equal width

Integers come in the order of `Steps`: channel group by channel group, within a group coarse
positions before fine ones. What is decoded so far predicts a mean and an expected width of the
next integers. Both decide the bucket that an integer goes to; coded is its rank when the integers
are sorted by their distance from the mean. A bucket makes words of its ranks, the likeliest words
becoming the smallest bytes; ranks that it does not tell apart escape to a bucket of their own.

All tables are integers, and so is everything that is summed: the predictions are sums of products
of whole numbers, carried in floats that stay below 2^24 (float32) or 2^53 (float64). Such sums are
exact in any order, so every machine decodes the same; `Tables` checks the bounds.
"""

import bisect
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from sdae.coding import deflate
from sdae.coding.deflate import DeflateError
from sdae.coding.parse_codes import ALPHABET, END, Forest, Tree
from sdae.errors import WeightsError
from sdae.threads import share_out

PREFIX = "tables/"
"""What the names of the context tables in a weights file begin with."""

MEAN_UNIT = 4096
"""Weights of the mean are stored in units of 1/4096."""

WEIGHT_UNIT = 1024
"""All other weights are stored in units of 1/1024."""

FEATURE_UNIT = 16
"""Deviations, their logarithms and hidden units count in units of 1/16."""

WIDTH_UNIT = WEIGHT_UNIT * FEATURE_UNIT
"""Expected widths and all biases count in units of 1/16384."""

VALUE_CLIPS = 1023, 127
"""Largest magnitudes that predictions look at: of values in group 0, of values in other groups."""

DEVIATION_CLIP = 15
LOGARITHM_CLIP = 127
HIDDEN_CLIP = 1023

WIDTHS, FRACTIONS = 256, 4
"""Expected widths are told apart in 256 steps, distances of the mean from an integer in 4."""

SPACING = 8
"""Every so many rows and columns lies a position that is coded before all others of its group."""

LAST = 2 * (SPACING.bit_length() - 1)
"""The last level of the lattice."""

FINE = 2
"""So many groups are coded level by level; the others, which see these, in two passes: all levels
before the last, called level 0, and the last."""

_FEATURE_BITS, _FRACTION_SHIFT = 4, 1
_ONE_FEATURE = np.float32(1 / FEATURE_UNIT)
_WIDTH_STEP, _WIDTH_ZERO = 8 / WIDTH_UNIT, 64
_MEAN_CLIP = FEATURE_UNIT << 15
_BAND = 16384
_CHUNK = 512
_SIZES = 300, 9_000, 200_000
_LAYOUTS = 1, 3, 5, 6
# The layout that serves best up to each of these numbers of integers other than 0, and above.

_FEW = 4_000
# Up to so many integers other than 0 the layouts beside that one are tried as well. They save 0.7 %
# of a file of 500 bytes and 0.2 % of one of 2,700 (validation photographs at 128×128).

_HUGE = 254
_LARGEST_RANK = 1 << 20
_PIECE = 1 << 18


class TablesError(WeightsError):
    """Context tables that are missing or do not fit together."""


def quality_position(quality: float) -> float:
    """Quality 1 to 100 → position t in [0, 1] on the network's quality axis."""
    return (quality - 1) / 99


@dataclass(frozen=True, eq=False)
class Tables:
    """Everything that encoder and decoder must share, integers only.

    A mean is linear in the values known so far. An expected width is linear in the deviations of
    the known values from their means, plus what H hidden units a channel group add; those see the
    logarithms of deviations and values and are cut off below zero.

    Attributes:
        groups: (G,) sizes of the channel groups; their sum is C.
        mean, width: (9, C, C) weights of the nine positions around, of earlier groups.
        mean_share, width_share: (LAST + 1, C) factors of these sums by level.
        mean_own: (4, C, C) weights of the four neighbours in the own group, last level.
        mean_coarse: (LAST − 1, 4, c, c) the same for levels 1 to LAST − 1; c channels in
            the first FINE groups.
        width_own, width_coarse: (C, C), (LAST − 1, c, c) weights of the mean of these neighbours.
        bias: (levels, C) expected width by quality, before anything is known.
        hidden: (9, 2, C, G, H) weights of the nine positions around, of earlier groups; second
            axis: logarithm of the deviation, logarithm of the magnitude.
        hidden_own: (3, C, H) weights of the four neighbours in the own group, last level: of the
            means of their two logarithms, and of the logarithm of how far they are apart.
        hidden_coarse: (LAST − 1, 3, c, H) the same for levels 1 to LAST − 1.
        hidden_bias: (levels, G, H) by quality.
        hidden_level: (LAST, G, H) added at levels 1 to LAST.
        hidden_out: (C, H) what the hidden units of its group add to the width of a channel.
        buckets: (layouts, WIDTHS, FRACTIONS) bucket of each pair of width and fraction.
        costs: (layouts, buckets + 1, ALPHABET) of the symbols of the tree of each bucket, see
            `sdae.coding.parse_codes`; the row after the last bucket is for escapes, zeros fill up.
        words: (layouts, buckets + 1) how many words each tree may have.

    Raises:
        TablesError: shapes do not fit together, or a sum could leave the exact range.
    """

    groups: np.ndarray
    mean: np.ndarray
    mean_share: np.ndarray
    mean_own: np.ndarray
    mean_coarse: np.ndarray
    width: np.ndarray
    width_share: np.ndarray
    width_own: np.ndarray
    width_coarse: np.ndarray
    bias: np.ndarray
    hidden: np.ndarray
    hidden_own: np.ndarray
    hidden_coarse: np.ndarray
    hidden_bias: np.ndarray
    hidden_level: np.ndarray
    hidden_out: np.ndarray
    buckets: np.ndarray
    costs: np.ndarray
    words: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: dict) -> "Tables":
        """The tables among the arrays of a weights file.

        Raises:
            TablesError: they are missing or misshapen.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if PREFIX + name not in arrays]
        if missing:
            raise TablesError("The weights hold no context tables; train them with this version.")
        return cls(**{name: np.asarray(arrays[PREFIX + name]) for name in names})

    def to_arrays(self) -> dict:
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    def __post_init__(self):
        c, fine, count = int(self.groups.sum()), int(self.groups[:FINE].sum()), len(self.groups)
        layouts, rows = self.words.shape
        levels, units = len(self.bias), self.hidden_out.shape[-1]
        shapes = {
            "mean": (9, c, c),
            "mean_share": (LAST + 1, c),
            "mean_own": (4, c, c),
            "mean_coarse": (LAST - 1, 4, fine, fine),
            "width": (9, c, c),
            "width_share": (LAST + 1, c),
            "width_own": (c, c),
            "width_coarse": (LAST - 1, fine, fine),
            "bias": (levels, c),
            "hidden": (9, 2, c, count, units),
            "hidden_own": (3, c, units),
            "hidden_coarse": (LAST - 1, 3, fine, units),
            "hidden_bias": (levels, count, units),
            "hidden_level": (LAST, count, units),
            "hidden_out": (c, units),
            "buckets": (layouts, WIDTHS, FRACTIONS),
            "costs": (layouts, rows, ALPHABET),
            "words": (layouts, rows),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype.kind not in "iu":
                raise TablesError(f"The context table {name} is misshapen.")
        alphabets = np.count_nonzero(self.costs, 2)
        for alphabet, words in zip(alphabets.flat, self.words.flat):
            if words and not 2 <= alphabet <= words <= END:
                raise TablesError("The context tables hold a tree that cannot grow.")
        if max(self._largest_sums()) >= 1 << 24:
            raise TablesError("The context tables hold weights too large for exact sums.")

    def _largest_sums(self):
        """Bounds of everything that is summed in float32."""

        def total(weights, *axes):
            return int(np.abs(weights.astype("int64")).sum(axes).max())

        near = max(total(self.width_own, 0), total(self.width_coarse, 1))
        yield max(total(self.width, 0, 1), near) * DEVIATION_CLIP * FEATURE_UNIT
        yield total(self.hidden_out, 1) * HIDDEN_CLIP
        yield total(self.bias)
        yield int(self._largest_hidden_sums().max())
        for kernel in (self.mean, self.mean_own, *self.mean_coarse):
            yield total(kernel[:, self.groups[0] :], 0, 1) * VALUE_CLIPS[1]

    def _largest_hidden_sums(self):
        """The same for each hidden unit, (G, H)."""

        def of_groups(weights, axis):
            starts = np.cumsum([0, *self.groups[:-1]], dtype="int64")
            starts = starts[starts < weights.shape[axis]]
            return np.add.reduceat(np.abs(weights.astype("int64")), starts, axis)

        near = of_groups(self.hidden_own, 1).sum(0)
        coarse = of_groups(self.hidden_coarse, 2).sum(1).max(0)
        near[: len(coarse)] = np.maximum(near[: len(coarse)], coarse)
        near += np.abs(self.hidden.astype("int64")).sum((0, 1, 2))
        bias, level = (np.abs(x.astype("int64")).max(0) for x in (self.hidden_bias, self.hidden_level))
        return near * LOGARITHM_CLIP + bias + level

    @property
    def channels(self) -> int:
        return int(self.groups.sum())


def lattice(h: int, w: int) -> np.ndarray:
    """The level at which each position of an (h, w) latent is coded; int8 array.

    Level 0 is every `SPACING`-th row and column. Each further level doubles the filled positions
    and finds its four nearest neighbours filled: diagonal, straight, diagonal, straight, …
    """
    i, j = np.ogrid[:h, :w]
    level = np.zeros((h, w), "int8")
    for k in range(1, LAST, 2):
        reach = _reach(k)
        down, across = i % (2 * reach) == reach, j % (2 * reach) == reach
        level[down & across] = k
        level[(i % reach == 0) & (j % reach == 0) & (down ^ across)] = k + 1
    return level


def lattice_neighbours(level: int) -> tuple:
    """The offsets from a position of this level, 1 or more, to the four that are filled before."""
    reach = _reach(level)
    if level % 2:
        return (-reach, -reach), (-reach, reach), (reach, -reach), (reach, reach)
    return (-reach, 0), (reach, 0), (0, -reach), (0, reach)


def _reach(level):
    """How many rows or columns the neighbours of a level are away."""
    return SPACING >> (level + 1) // 2


class Steps:
    """The order of the positions of an (h, w) latent, and who their neighbours are.

    Positions are numbered level by level (see `lattice`), row by row within a level;
    number h·w stands for every place outside.

    Attributes:
        order: (h·w,) index of each position in the row-major plane.
        ends: where each of the levels ends.
        around: (h·w, 9) numbers of the 3×3 positions around.
        neighbours: for each level but 0 (4, n) numbers. For one that lies outside the one on the
            other side stands in.
    """

    def __init__(self, h: int, w: int):
        level = lattice(h, w)
        self.order = np.argsort(level.ravel(), kind="stable")
        self.ends = np.cumsum(np.bincount(level.ravel(), minlength=LAST + 1)).tolist()
        number = np.full((h + 1, w + 1), h * w, "int32")
        plane = np.empty(h * w, "int32")
        plane[self.order] = np.arange(h * w)
        number[:h, :w] = plane.reshape(h, w)

        def inside(places, length):
            """Places outside become the one after the last, which is for all of them."""
            return np.where((places < 0) | (places >= length), length, places)

        y, x = np.divmod(self.order, w)
        square = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        found = [number[inside(y + dy, h), inside(x + dx, w)] for dy, dx in square]
        self.around, self.neighbours = np.stack(found, 1), {}
        for k in range(1, LAST + 1):
            part = slice(self.ends[k - 1], self.ends[k])

            def mirrored(at, offset, length):
                ahead = inside(at[part] + offset, length)
                return np.where(ahead < length, ahead, inside(at[part] - offset, length))

            self.neighbours[k] = np.stack(
                [number[mirrored(y, dy, h), mirrored(x, dx, w)] for dy, dx in lattice_neighbours(k)]
            )


@lru_cache(maxsize=4)
def ordered(h: int, w: int) -> Steps:
    """The `Steps` of an (h, w) latent, remembered for the next of this size."""
    return Steps(h, w)


class _Weights:
    """The weights of tables as floats, cut to what each step multiplies."""

    def __init__(self, tables):
        ends = np.cumsum(tables.groups).tolist()
        self.slices = [slice(end - size, end) for end, size in zip(ends, tables.groups.tolist())]

        def later(kernel, first):
            return [
                kernel[:, s, s.stop :].reshape(9 * (s.stop - s.start), -1)
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
            [*tables.width_coarse[:, s, s].astype("float32"), tables.width_own[s, s].astype("float32")]
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

    For each step of ``plan`` call `predict`, which tells what to expect, then `fill` with the
    integers that were there.

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
        self.bias = _by_quality(tables.bias, quality_code)
        bias = _by_quality(tables.hidden_bias, quality_code)[: len(self.slices)]
        self.units = bias.shape[1]
        self.hidden_sum = np.tile(bias.reshape(-1), (n, 1))
        ends = self.steps.ends
        levels = [(a, b, k) for k, (a, b) in enumerate(zip([0] + ends, ends)) if b > a]
        passes = [(a, b, k) for a, b, k in ((0, ends[-2], 0), (ends[-2], n, LAST)) if b > a]
        groups = range(len(self.slices))
        self.plan = [(g, *step) for g in groups for step in (levels if g < FINE else passes)]

    def predict(self, group, start, stop, level):
        """What to expect at one step of the plan.

        Returns:
            mean: (n, c) int32 in units of 1/FEATURE_UNIT, within ±2^15 integers.
            width: (n, c) float32 whole numbers in units of 1/WIDTH_UNIT.
        """
        own = self.slices[group]
        size = own.stop - own.start
        mean = np.empty((stop - start, size), "int32")
        width = np.empty((stop - start, size), "float32")

        def predicted(rows):
            part = slice(rows.start - start, rows.stop - start)
            mean[part], width[part] = self._predicted(group, rows, level)

        share_out(predicted, pieces(start, stop))
        return mean, width

    def _predicted(self, group, rows, level):
        """`predict` for some rows of a step."""
        weights, own = self.weights, self.slices[group]
        mean = np.rint(self.mean_sum[rows, own] * weights.mean_share[level, own])
        width = np.rint(self.width_sum[rows, own] * weights.width_share[level, own])
        hidden = self.hidden_sum[rows, group * self.units : (group + 1) * self.units]
        if level:
            size, first = own.stop - own.start, self.steps.ends[level - 1]
            near = self.steps.neighbours[level][:, rows.start - first : rows.stop - first]
            found = self.known[group].take(near, axis=0)
            kernel = weights.mean_near[group][level - 1]
            values = found[:, :, :size].transpose(1, 0, 2).reshape(-1, 4 * size)
            mean += values.astype(kernel.dtype) @ kernel
            total = found.sum(0)
            near = np.rint(total[:, size:] * np.float32(0.25))
            width += near[:, :size] @ weights.width_near[group][level - 1]
            apart = np.abs(found[:, :, :size] - total[:, :size] * np.float32(0.25)).sum(0)
            logarithms = np.concatenate(
                [near[:, size:], _logarithm(apart * (4 * _ONE_FEATURE))], 1
            )
            hidden = hidden + logarithms @ weights.hidden_near[group][level - 1]
            hidden += weights.hidden_level[level - 1, group]
        hidden = np.rint(hidden * (1 / WEIGHT_UNIT))
        hidden = np.minimum(np.maximum(hidden, 0), HIDDEN_CLIP)
        width += hidden @ weights.hidden_out[group]
        width += self.bias[own]
        mean = np.rint(mean * (FEATURE_UNIT / MEAN_UNIT))
        return np.minimum(np.maximum(mean, -_MEAN_CLIP), _MEAN_CLIP), width

    def fill(self, group, start, stop, level, integers, mean):
        """Take the integers of a step, (n, c) int32, and the mean that was predicted."""
        last = group + 1 == len(self.slices)
        if last and level == LAST:
            return  # nothing looks at these
        size = integers.shape[1]
        known, scaled = self.known[group][start:stop], integers * FEATURE_UNIT
        deviation = np.abs(scaled - mean)
        clip = VALUE_CLIPS[group > 0] * FEATURE_UNIT
        known[:, :size] = np.minimum(np.maximum(scaled, -clip), clip)
        known[:, size : 2 * size] = np.minimum(deviation, DEVIATION_CLIP * FEATURE_UNIT)
        known[:, 2 * size :] = _logarithm(np.concatenate([deviation, np.abs(scaled)], 1))
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


def pieces(start, stop):
    """Slices from start to stop, of rows that are worked on at a time."""
    return [slice(a, min(a + _CHUNK, stop)) for a in range(start, stop, _CHUNK)]


def _gather(known, around):
    return known.take(around, axis=0).reshape(len(around), -1)


def _by_quality(table, quality_code):
    """The row of a table for a quality, linear between levels, whole numbers; float32."""
    span, last = 9900, len(table) - 1
    row, rest = divmod((quality_code - 100) * last, span)
    row, rest = (last - 1, span) if row >= last else (row, rest)
    low, high = table[row].astype("int64"), table[row + 1].astype("int64")
    return (low + (high - low) * rest // span).astype("float32")


def _logarithm(x):
    """log₂(1 + x) with straight lines between the powers of two; all in units of 1/FEATURE_UNIT.

    This is what the bits of a float32 say when they are read as an integer.
    """
    bits = (x + FEATURE_UNIT).astype("float32").view("int32")
    return np.minimum((bits - (131 << 23) + (1 << 18)) >> 19, LOGARITHM_CLIP)


def cells(mean, width):
    """Index into `Tables.buckets` of each prediction, and what turns integers into ranks.

    Returns:
        cell: int32 index into (WIDTHS · FRACTIONS); nearest: the integer nearest to the mean;
        above: whether the second nearest is above it.
    """
    nearest = (mean + FEATURE_UNIT // 2) >> _FEATURE_BITS
    rest = mean - (nearest << _FEATURE_BITS)
    step = width * _WIDTH_STEP + _WIDTH_ZERO
    step = np.minimum(np.maximum(step, 0), WIDTHS - 1).astype("int32")
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
    cell, rank = zip(*(_survey(part, quality_code, tables, live) for part in bands(values)))
    return np.concatenate(cell), np.concatenate(rank)


def expectations(integers, quality_code: int, tables: Tables):
    """What the coder expects of each integer, given those it looks at: for encoders to choose by.

    Args:
        integers: (h, w, C) whole numbers of any type, coded as one band.
        quality_code, tables: as for `encode`.

    Returns:
        mean and scale (mean absolute deviation of a Laplacian), each (h, w, C) float32.
    """
    h, w, c = integers.shape
    order = ordered(h, w).order
    means, scales = np.empty((2, h * w, c), "float32")
    for (_, start, stop, _), own, _, mean, width in _walk(integers, quality_code, tables, c):
        means[order[start:stop], own], scales[order[start:stop], own] = mean, width
    means *= _ONE_FEATURE
    scales = np.logaddexp(scales * np.float32(1 / WIDTH_UNIT), 0, dtype="float32")
    return means.reshape(h, w, c), scales.reshape(h, w, c) + np.float32(0.01)


def _walk(integers, quality_code, tables, live):
    """For each step of known integers: the step, its channels, the integers there, and what
    `Predictor.predict` says of them."""
    predictor = Predictor(*integers.shape[:2], quality_code, tables, live)
    rows = integers.reshape(-1, integers.shape[2])[predictor.steps.order].astype("int32")
    for step in predictor.plan:
        group, start, stop, _ = step
        own = predictor.slices[group]
        known = rows[start:stop, own]
        mean, width = predictor.predict(*step)
        predictor.fill(*step, known, mean)
        yield step, own, known, mean, width


def _survey(band, quality_code, tables, live):
    means, widths, numbers = [], [], []
    for _, own, known, mean, width in _walk(band, quality_code, tables, live):
        kept = live - own.start
        means.append(mean[:, :kept].ravel())
        widths.append(width[:, :kept].ravel())
        numbers.append(known[:, :kept].ravel())
    cell, nearest, above = cells(np.concatenate(means), np.concatenate(widths))
    return cell, ranks(np.concatenate(numbers), nearest, above)


def stored(values) -> np.ndarray:
    """Whole numbers as files hold them, int16; larger ones become the largest."""
    return np.clip(values, -32768, 32767).astype("int16")


def band_rows(h: int, w: int) -> list[int]:
    """Rows of the bands of an (h, w) latent: each of about `_BAND` positions, and coded as if the
    others were not there, so that no more than one need be in memory."""
    rows = max(4, _BAND // w)
    return [min(rows, h - top) for top in range(0, h, rows)]


def bands(values) -> list[np.ndarray]:
    """The bands of an (h, w, C) array, from the top."""
    return np.split(values, np.cumsum(band_rows(*values.shape[:2]))[:-1])


def encode(values: np.ndarray, quality_code: int, tables: Tables, effort: int = 0) -> bytes:
    """Integers → payload.

    Args:
        values: (h, w, C) integers within int16, h and w at least 1.
        quality_code: quality in hundredths, 100 to 10000; `decode` needs the same.
        tables: the context tables of the weights.
        effort: 0 is fast; 1 and more also try slower encodings of the same stream.
    """
    c = values.shape[2]
    if c != tables.channels:
        raise ValueError(f"The latent has {c} channels and the tables are for {tables.channels}.")
    used = np.flatnonzero(values.any((0, 1)))
    if not len(used):
        return b"\0"
    live, parts = int(used[-1]) + 1, bands(values)
    if len(parts) > 1:
        return encode_bands(parts, quality_code, tables, effort, live)
    segments = _segments(values, quality_code, tables, live, effort)
    stream = min(deflate.write(segments, effort), deflate.squeeze(segments), key=len)
    return bytes([live]) + stream


def encode_bands(
    parts, quality_code: int, tables: Tables, effort: int = 0, live: int | None = None
) -> bytes:
    """The payload of more than one band, which come one after another, see `bands`; ``live``: how
    many leading channels are not all zero, where that is known beforehand."""
    live = live or tables.channels
    writer = deflate.Writer(effort)
    for part in parts:
        writer.add(_segments(part, quality_code, tables, live, effort))
    return bytes([live]) + writer.getvalue()


def _segments(band, quality_code, tables, live, effort):
    """A band → the segments for Deflate, of the usual layout or, where few integers make the trial
    cheap, of the cheapest beside it; with effort of the cheapest of all."""
    found = _survey(band, quality_code, tables, live)
    count, last = np.count_nonzero(band), len(tables.words) - 1
    usual = min(_LAYOUTS[bisect.bisect(_SIZES, count)], last)
    if effort:
        tried = range(last + 1)
    elif count < _FEW:
        tried = range(max(0, usual - 1), min(last, usual + 1) + 1)
    else:
        return _pack(*found, tables, usual)
    packed = (_pack(*found, tables, layout) for layout in tried)
    return min(packed, key=lambda segments: deflate.cost(segments, effort))


def decode(
    payload: bytes, h: int, w: int, quality_code: int, tables: Tables
) -> np.ndarray:
    """Payload → the integers that `encode` packed, (h, w, C) int16.

    Raises:
        DeflateError: the payload is damaged or belongs to another size.
    """
    return stacked(decode_bands(payload, h, w, quality_code, tables), h)


def stacked(parts, h: int) -> np.ndarray:
    """One (h, w, C) array of parts that come from the top and are not all in memory at once."""
    values, top = None, 0
    for part in parts:
        if values is None:
            values = np.empty((h, *part.shape[1:]), part.dtype)
        values[top : top + len(part)] = part
        top += len(part)
    return values


def decode_bands(payload: bytes, h: int, w: int, quality_code: int, tables: Tables):
    """As `decode`, but yields one of the `bands` after another."""
    sizes = band_rows(h, w)
    if payload == b"\0":
        for rows in sizes:
            yield np.zeros((rows, w, tables.channels), "int16")
        return
    if len(payload) < 2 or not 0 < payload[0] <= tables.channels:
        raise DeflateError("The packed integers are damaged.")
    live = payload[0]
    # A byte of a bucket stands for one integer at least; an escape takes six more bytes at most.
    limit = 7 * h * w * live + len(sizes) * (tables.words.shape[1] + 1)
    content, position = deflate.inflate(payload[1:], limit), 0
    while sizes:
        rows = sizes.pop(0)
        layout, streams, position = unpack(content, position, rows * w * live, tables)
        if not sizes:
            if position < len(content):
                raise DeflateError("The packed integers are more than the picture has room for.")
            del content  # a hostile one may be large
        yield _decoded(rows, w, quality_code, tables, live, layout, _Queues(streams))


def _decoded(h, w, quality_code, tables, live, layout, queues):
    lookup = tables.buckets[layout].ravel()
    predictor = Predictor(h, w, quality_code, tables, live)
    rows = np.zeros((h * w, tables.channels), "int32")
    for step in predictor.plan:
        group, start, stop, _ = step
        own = predictor.slices[group]
        expected, width = predictor.predict(*step)
        kept = min(live, own.stop) - own.start
        cell, nearest, above = cells(expected[:, :kept], width[:, :kept])
        rank = queues.take(lookup.take(cell.ravel()))
        offset = offsets(rank).reshape(-1, kept)
        known = rows[start:stop, own]
        known[:, :kept] = nearest + np.where(above, offset, -offset)
        predictor.fill(*step, known, expected)
    if rows.min() < -32768 or rows.max() > 32767:
        raise DeflateError("The packed integers are out of range.")
    values = np.empty(rows.shape, "int16")
    values[predictor.steps.order] = rows
    return values.reshape(h, w, -1)


class _Queues:
    """Numbers that wait in their buckets.

    Args:
        streams: list of integer arrays, those of each bucket in coding order.
    """

    def __init__(self, streams):
        sizes = [len(stream) for stream in streams]
        self._waiting = np.concatenate(streams)
        self._ends = np.cumsum(sizes)
        self._next = self._ends - sizes

    def take(self, bucket):
        """The next number of the bucket named in each place, (n,) uint8 → (n,) int32."""
        order = np.argsort(bucket, kind="stable")
        counts = np.bincount(bucket, minlength=len(self._ends))
        ahead = self._next - np.cumsum(counts) + counts
        self._next = self._next + counts
        if (self._next > self._ends).any():
            raise DeflateError("The packed integers are fewer than the picture has room for.")
        found = np.empty(len(bucket), "int32")
        found[order] = self._waiting.take(np.arange(len(bucket)) + np.repeat(ahead, counts))
        return found


@lru_cache(maxsize=16)
def forest(tables, layout):
    """The trees of all buckets of a layout, and that of the escapes."""
    rows = zip(tables.costs[layout], tables.words[layout].tolist())
    *trees, last = [Tree(costs, most) for costs, most in rows if most]
    return Forest(trees), Forest([last])


def _pack(cell, rank, tables, layout):
    """Ranks → the segments of a band: the layout and the first bucket, each further bucket,
    escapes, far and huge escapes. Every bucket has its end."""
    buckets, escapes = forest(tables, layout)
    bucket = tables.buckets[layout].ravel().take(cell)
    order = np.argsort(bucket, kind="stable")
    ends = np.cumsum(np.bincount(bucket, minlength=len(buckets.trees)))[:-1]
    parts = np.split(_narrow(rank.take(order)), ends)
    far = [part[part >= t.escape] - t.escape for part, t in zip(parts, buckets.trees)]
    far, last = np.concatenate(far), escapes.trees[0].escape
    huge = far[far >= last] - last
    segments = buckets.cut(parts)
    segments[0] = np.append(np.uint8(layout), segments[0])
    segments.append(escapes.cut([far])[0][:-1])
    segments.append(np.minimum(huge, _HUGE).astype("uint8"))
    segments.append((huge[huge >= _HUGE] - _HUGE).astype("<u4").view("uint8"))
    return segments


def _narrow(ranks):
    """The same numbers, none below zero, in the smallest integers that hold them."""
    return ranks.astype(_kind(int(ranks.max(initial=0))))


def _kind(most):
    return "uint8" if most < 256 else "uint16" if most < 65536 else "int32"


def unpack(content: bytes, position: int, total: int, tables: Tables):
    """What the segments of a band say.

    Args:
        content: inflated bytes, in which the band begins at ``position``.
        total: how many integers it has.

    Returns:
        the layout, the ranks of each bucket in coding order, and where the band ends.

    Raises:
        DeflateError: the content is damaged.
    """
    layout = content[position] if position < len(content) else len(tables.words)
    if layout >= len(tables.words):
        raise DeflateError("The packed integers are damaged.")
    buckets, escapes = forest(tables, layout)
    last = escapes.trees[0]
    position += 1
    found, room = [], total
    for tree in buckets.trees:
        end = content.find(END, position)
        if end < 0:
            raise DeflateError("The packed integers are cut short.")
        part = np.frombuffer(content, "uint8", end - position, position)
        found.append(tree.numbers(part, room))
        # What fills the last word is no integer.
        room -= max(0, len(found[-1]) - tree.longest + 1)
        position = end + 1
    if sum(map(len, found)) < total:
        raise DeflateError("The packed integers are fewer than the picture has room for.")
    content = np.frombuffer(content, "uint8")

    def take(size):
        nonlocal position
        if size > len(content) - position:
            raise DeflateError("The packed integers are cut short.")
        position += size
        return content[position - size : position]

    counts = [np.count_nonzero(part == tree.escape) for part, tree in zip(found, buckets.trees)]
    count = sum(counts)
    tail = last.numbers(take(last.words(content[position:], count)), count)[:count]
    far = take(np.count_nonzero(tail == last.escape))
    huge = take(4 * np.count_nonzero(far == _HUGE)).view("<u4")
    tail = _escapes(tail, far, huge, last.escape)
    tails = np.split(tail, np.cumsum(counts)[:-1])
    for k, (tree, tail) in enumerate(zip(buckets.trees, tails)):
        if len(tail):
            escaped = found[k] == tree.escape
            found[k] = found[k].astype(_kind(tree.escape + int(tail.max())))
            found[k][escaped] = tree.escape + tail
    return layout, found, position


def _escapes(tail, far, huge, escape):
    """What the escapes stand for, int32; piece by piece, for a hostile file may be all escapes."""
    numbers = tail.astype("int32")
    for start in range(0, len(numbers), _PIECE):
        piece = numbers[start : start + _PIECE]
        places = np.flatnonzero(piece == escape)
        rest, far = far[: len(places)].astype("int32"), far[len(places) :]
        most = np.flatnonzero(rest == _HUGE)
        rest[most] += np.minimum(huge[: len(most)], _LARGEST_RANK).astype("int32")
        huge = huge[len(most) :]
        piece[places] += rest
    return numbers
