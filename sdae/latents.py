"""The latent coder: integers → bytes that Deflate packs well, and back.

    integers ──► contexts: where and how wide is the next one? ──► rank among the likely values
                                                                          │
    bytes ◄── Deflate, a block a bucket ◄── packing, several a byte ◄── buckets of equal width

Integers come in the order of `Steps`: channel group by channel group, within a group coarse
positions before fine ones. What is decoded so far predicts a mean and an expected width of the
next integers. Both decide the bucket that an integer goes to; coded is its rank when the integers
are sorted by their distance from the mean. A bucket packs several small ranks into a byte, the
likeliest combinations becoming the smallest bytes; larger ranks escape to a bucket of their own.

All tables are integers, and so is everything that is summed: the predictions are sums of products
of whole numbers, carried in floats that stay below 2^24 (float32) or 2^53 (float64). Such sums are
exact in any order, so every machine decodes the same; `Tables` checks the bounds.
"""

import bisect
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from sdae import deflate
from sdae.deflate import DeflateError
from sdae.weights import WeightsError

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

LATTICE_NEIGHBOURS = {
    1: ((-2, -2), (-2, 2), (2, -2), (2, 2)),
    2: ((-2, 0), (2, 0), (0, -2), (0, 2)),
    3: ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    4: ((-1, 0), (1, 0), (0, -1), (0, 1)),
}
"""For each level of the lattice (see `lattice`) the offsets that earlier levels have filled."""

_FEATURE_BITS, _FRACTION_SHIFT = 4, 1
_WIDTH_STEP, _WIDTH_ZERO = 8 / WIDTH_UNIT, 64
_MEAN_CLIP = FEATURE_UNIT << 15
_BAND = 16384
_CHUNK = 2048
_SIZES = 8_000, 100_000, 1_000_000
_LAYOUTS = 1, 3, 5, 6
# The layout that serves best up to each of these numbers of integers, and above the last.

_FINALISTS = 2
_END, _HUGE = np.uint8(255), 254
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
        mean_share, width_share: (2, C) factors of these sums at levels 0–3 and at level 4.
        mean_own, width_own: (C, C) weights of the four neighbours in the own group, level 4.
        mean_coarse, width_coarse: (3, c, c) the same for levels 1–3; c channels in group 0.
        bias: (levels, C) expected width by quality, before anything is known.
        hidden: (9, 2, C, G, H) weights of the nine positions around, of earlier groups; second
            axis: logarithm of the deviation, logarithm of the magnitude.
        hidden_own: (2, C, H) weights of the four neighbours in the own group, level 4.
        hidden_coarse: (3, 2, c, H) the same for levels 1–3.
        hidden_bias: (levels, G, H) by quality.
        hidden_odd: (G, H) added at level 4.
        hidden_out: (C, H) what the hidden units of its group add to the width of a channel.
        buckets: (layouts, WIDTHS, FRACTIONS) bucket of each pair of width and fraction.
        packing: (layouts, buckets + 1, 3) alphabet, how many symbols a byte and whether they are a
            run, see `_Packing`; the row after the last bucket is for escapes, zeros fill up.
        order: (layouts, buckets + 1, 256) byte value of each combination of symbols.

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
    hidden_odd: np.ndarray
    hidden_out: np.ndarray
    buckets: np.ndarray
    packing: np.ndarray
    order: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: dict) -> "Tables":
        """The tables among the arrays of a weights file.

        Raises:
            TablesError: they are missing or misshapen.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if PREFIX + name not in arrays]
        if missing:
            raise TablesError("The weights hold no context tables; run `sdae fit-contexts`.")
        return cls(**{name: np.asarray(arrays[PREFIX + name]) for name in names})

    def to_arrays(self) -> dict:
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    def __post_init__(self):
        c, first, count = int(self.groups.sum()), int(self.groups[0]), len(self.groups)
        layouts, rows = self.packing.shape[:2]
        levels, units = len(self.bias), self.hidden_out.shape[-1]
        shapes = {
            "mean": (9, c, c),
            "mean_share": (2, c),
            "mean_own": (c, c),
            "mean_coarse": (3, first, first),
            "width": (9, c, c),
            "width_share": (2, c),
            "width_own": (c, c),
            "width_coarse": (3, first, first),
            "bias": (levels, c),
            "hidden": (9, 2, c, count, units),
            "hidden_own": (2, c, units),
            "hidden_coarse": (3, 2, first, units),
            "hidden_bias": (levels, count, units),
            "hidden_odd": (count, units),
            "hidden_out": (c, units),
            "buckets": (layouts, WIDTHS, FRACTIONS),
            "packing": (layouts, rows, 3),
            "order": (layouts, rows, 256),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype.kind not in "iu":
                raise TablesError(f"The context table {name} is misshapen.")
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
        own = np.split(self.hidden_own, np.cumsum(self.groups)[:-1], 1)
        near = max(total(part, 0, 1) for part in (*own, *self.hidden_coarse))
        logarithms = total(self.hidden, 0, 1, 2) + near
        yield logarithms * LOGARITHM_CLIP + total(self.hidden_bias) + total(self.hidden_odd)
        yield total(self.mean[:, self.groups[0] :], 0, 1) * VALUE_CLIPS[1]

    @property
    def channels(self) -> int:
        return int(self.groups.sum())


def lattice(h: int, w: int) -> np.ndarray:
    """The level, 0 to 4, at which each position of an (h, w) latent is coded; int8 array.

    Level 0 is every fourth row and column; each further level doubles the filled positions and
    finds its four nearest neighbours filled: diagonal, straight, diagonal, straight.
    """
    i, j = np.ogrid[:h, :w]
    level = np.full((h, w), 2, "int8")
    level[(i % 4 == 0) & (j % 4 == 0)] = 0
    level[(i % 4 == 2) & (j % 4 == 2)] = 1
    level[(i % 2 == 1) & (j % 2 == 1)] = 3
    level[(i + j) % 2 == 1] = 4
    return level


class Steps:
    """The order of the positions of an (h, w) latent, and who their neighbours are.

    Positions are numbered level by level (see `lattice`), row by row within a level;
    number h·w stands for every place outside.

    Attributes:
        order: (h·w,) index of each position in the row-major plane.
        ends: where each of the five levels ends.
        around: (h·w, 9) numbers of the 3×3 positions around.
        neighbours, share: for each level 1–4 (4, n) numbers, and (n, 1) one over how many of them
            lie inside.
    """

    def __init__(self, h: int, w: int):
        level = lattice(h, w)
        self.order = np.argsort(level.ravel(), kind="stable")
        self.ends = np.cumsum(np.bincount(level.ravel(), minlength=5)).tolist()
        number = np.full((h + 4, w + 4), h * w, "int32")
        plane = np.empty(h * w, "int32")
        plane[self.order] = np.arange(h * w)
        number[2:-2, 2:-2] = plane.reshape(h, w)

        def look(offsets, rows):
            y, x = np.divmod(rows, w)
            return np.stack([number[y + 2 + dy, x + 2 + dx] for dy, dx in offsets], 1)

        square = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        self.around = look(square, self.order)
        self.neighbours, self.share = {}, {}
        for k, offsets in LATTICE_NEIGHBOURS.items():
            found = look(offsets, self.order[self.ends[k - 1] : self.ends[k]])
            inside = (found < h * w).sum(1, keepdims=True)
            self.neighbours[k] = np.ascontiguousarray(found.T)
            self.share[k] = (1 / np.maximum(inside, 1)).astype("float32")


_steps = lru_cache(maxsize=4)(Steps)


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

        def near(own, coarse, kind):
            """For each group the weights of levels 1–4; only the first has levels 1–3."""
            return [[*coarse.astype(kind), own[s, s].astype(kind)] for s in self.slices]

        self.mean = later(tables.mean, "float64")
        self.mean_share = tables.mean_share / WEIGHT_UNIT
        self.mean_near = near(
            tables.mean_own / FEATURE_UNIT, tables.mean_coarse / FEATURE_UNIT, "float64"
        )
        self.width = later(tables.width, "float32")
        self.width_share = (tables.width_share / WEIGHT_UNIT).astype("float32")
        self.width_near = near(tables.width_own, tables.width_coarse, "float32")
        units = tables.hidden_out.shape[-1]
        self.hidden, self.hidden_near = [], []
        for g, s in enumerate(self.slices):
            if g + 1 < len(self.slices):
                forward = tables.hidden[:, :, s, g + 1 :]
                self.hidden.append(forward.reshape(18 * (s.stop - s.start), -1).astype("float32"))
            levels = [*tables.hidden_coarse, tables.hidden_own[:, s]]
            levels = [level.reshape(-1, units).astype("float32") for level in levels]
            self.hidden_near.append(levels)
        self.hidden_out = [tables.hidden_out[s].T.astype("float32") for s in self.slices]
        self.hidden_odd = tables.hidden_odd.astype("float32")


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
        self.steps, self.weights = _steps(h, w), _weights(tables)
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
        even = ends[3]
        self.plan = [(0, a, b, k) for k, (a, b) in enumerate(zip([0] + ends, ends)) if b > a]
        for g in range(1, len(self.slices)):
            self.plan += [(g, a, b, k) for a, b, k in ((0, even, 0), (even, n, 4)) if b > a]

    def predict(self, group, start, stop, level):
        """What to expect at one step of the plan.

        Returns:
            mean: (n, c) int32 in units of 1/FEATURE_UNIT, within ±2^15 integers.
            width: (n, c) float32 whole numbers in units of 1/WIDTH_UNIT.
        """
        weights, rows, own = self.weights, slice(start, stop), self.slices[group]
        odd = int(level == 4)
        mean = np.rint(self.mean_sum[rows, own] * weights.mean_share[odd, own])
        width = np.rint(self.width_sum[rows, own] * weights.width_share[odd, own])
        hidden = self.hidden_sum[rows, group * self.units : (group + 1) * self.units]
        if level:
            size = own.stop - own.start
            a, b, c, d = (self.known[group].take(r, axis=0) for r in self.steps.neighbours[level])
            near = np.rint((a + b + (c + d)) * self.steps.share[level])
            mean += near[:, :size] @ weights.mean_near[group][level - 1]
            width += near[:, size : 2 * size] @ weights.width_near[group][level - 1]
            hidden = hidden + near[:, 2 * size :] @ weights.hidden_near[group][level - 1]
        if odd:
            hidden += weights.hidden_odd[group]
        hidden = np.rint(hidden * (1 / WEIGHT_UNIT))
        hidden = np.minimum(np.maximum(hidden, 0), HIDDEN_CLIP)
        width += hidden @ weights.hidden_out[group]
        width += self.bias[own]
        mean = np.rint(mean * (FEATURE_UNIT / MEAN_UNIT))
        return np.minimum(np.maximum(mean, -_MEAN_CLIP), _MEAN_CLIP).astype("int32"), width

    def fill(self, group, start, stop, level, integers, mean):
        """Take the integers of a step, (n, c) int32, and the mean that was predicted."""
        last = group + 1 == len(self.slices)
        if last and level == 4:
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
        values = known[:, :size] * np.float32(1 / FEATURE_UNIT)
        values = values.astype(mean.dtype)
        deviations = np.ascontiguousarray(known[:, size : 2 * size])
        logarithms = np.ascontiguousarray(known[:, 2 * size :])
        for start in range(0, len(self.mean_sum), _CHUNK):
            rows = slice(start, start + _CHUNK)
            around = self.steps.around[rows]
            self.mean_sum[rows, later:] += _gather(values, around) @ mean
            self.width_sum[rows, later:] += _gather(deviations, around) @ width
            self.hidden_sum[rows, -units:] += _gather(logarithms, around) @ hidden


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
    cell, rank = zip(*_surveyed(values, quality_code, tables, live))
    return np.concatenate(cell), np.concatenate(rank)


def _surveyed(values, quality_code, tables, live):
    """What `survey` finds, band by band."""
    for part in _bands(values):
        means, widths, numbers = [], [], []
        predictor = Predictor(*part.shape[:2], quality_code, tables, live)
        rows = part.reshape(-1, part.shape[2])[predictor.steps.order].astype("int32")
        for step in predictor.plan:
            group, start, stop, _ = step
            own = predictor.slices[group]
            known = rows[start:stop, own]
            mean, width = predictor.predict(*step)
            predictor.fill(*step, known, mean)
            kept = live - own.start
            means.append(mean[:, :kept].ravel())
            widths.append(width[:, :kept].ravel())
            numbers.append(known[:, :kept].ravel())
        cell, nearest, above = cells(np.concatenate(means), np.concatenate(widths))
        yield cell, ranks(np.concatenate(numbers), nearest, above)


def _bands(values):
    """Horizontal bands of about `_BAND` positions; contexts do not reach from one to the next."""
    h, w, _ = values.shape
    rows = max(4, _BAND // w)
    return [values[top : top + rows] for top in range(0, h, rows)]


def encode(values: np.ndarray, quality_code: int, tables: Tables, effort: int = 0) -> bytes:
    """Integers → payload.

    Args:
        values: (h, w, C) integers within int16, h and w at least 1.
        quality_code: quality in hundredths, 100 to 10000; `decode` needs the same.
        tables: the context tables of the weights.
        effort: 0 is fast; 1 and more also try slower encodings of the same stream.
    """
    h, w, c = values.shape
    if c != tables.channels:
        raise ValueError(f"The latent has {c} channels and the tables are for {tables.channels}.")
    used = np.flatnonzero(values.any((0, 1)))
    live = int(used[-1]) + 1 if len(used) else 0
    if not live:
        return b"\0"
    found = _surveyed(values, quality_code, tables, live)
    last = len(tables.packing) - 1
    usual = min(_LAYOUTS[bisect.bisect(_SIZES, h * w * live)], last)
    tries, found = (range(last + 1), list(found)) if effort else ([usual], found)
    packed = [(layout, _pack(found, tables, layout)) for layout in tries]
    if effort:
        packed.sort(key=lambda found: deflate.cost(found[1]))
    streams = []
    for layout, segments in packed[:_FINALISTS]:
        stream = min(deflate.write(segments, effort), deflate.squeeze(segments), key=len)
        streams.append(bytes([live, layout]) + stream)
    return min(streams, key=len)


def decode(
    payload: bytes, h: int, w: int, quality_code: int, tables: Tables
) -> np.ndarray:
    """Payload → the integers that `encode` packed, (h, w, C) int16.

    Raises:
        DeflateError: the payload is damaged or belongs to another size.
    """
    values = np.zeros((h, w, tables.channels), "int16")
    if payload == b"\0":
        return values
    if len(payload) < 2 or not 0 < payload[0] <= tables.channels:
        raise DeflateError("The packed integers are damaged.")
    live, layout = payload[0], payload[1]
    if layout >= len(tables.packing):
        raise DeflateError("The packed integers are damaged.")
    queues = _Queues(_unpack(payload[2:], h * w * live, tables, layout))
    lookup = tables.buckets[layout].ravel()
    for band in _bands(values):
        predictor = Predictor(*band.shape[:2], quality_code, tables, live)
        rows = np.zeros((band.shape[0] * w, tables.channels), "int32")
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
        band.reshape(-1, tables.channels)[predictor.steps.order] = rows
    return values


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


class _Packing:
    """How the ranks of one bucket become bytes.

    Ranks of ``alphabet`` − 1 and more become the symbol of the escapes. A byte is ``several``
    symbols, the first most significant; or, with ``run``, up to ``several`` − 1 zeros and the
    symbol that ends them, or ``several`` zeros. The likeliest are the smallest bytes.

    Args:
        alphabet, several, run: a row of `Tables.packing`.
        order: (256,) a row of `Tables.order`.
    """

    def __init__(self, alphabet, several, run, order):
        self.escape, self.several, self.run = alphabet - 1, several, run
        self.leaves = several * (alphabet - 1) + 1 if run else alphabet**several
        self._order = order
        self._weights = alphabet ** np.arange(several - 1, -1, -1)
        whole = np.argsort(order[: self.leaves], kind="stable")
        if run:
            zeros, symbols = np.divmod(whole, alphabet - 1)
            self._ended = zeros < several
            self._lengths = zeros + self._ended
            self._symbols = (symbols + 1).astype("uint8")
        else:
            self._digits = (whole[:, None] // self._weights % alphabet).astype("uint8")

    def combine(self, ranks):
        """Ranks → bytes."""
        symbols = np.minimum(ranks, self.escape)
        if self.run:
            ends = np.flatnonzero(symbols)
            zeros = np.diff(ends, prepend=-1) - 1
            full, zeros = np.divmod(zeros, self.several)
            rest = len(symbols) - 1 - ends[-1] if len(ends) else len(symbols)
            size = len(ends) + int(full.sum()) - rest // -self.several
            whole = np.full(size, self.several * self.escape)
            whole[np.cumsum(full + 1) - 1] = zeros * self.escape + symbols[ends] - 1
            return self._order.take(whole)
        if self.several == 1:
            return self._order.take(symbols)
        padded = np.zeros(-(-len(symbols) // self.several) * self.several, symbols.dtype)
        padded[: len(symbols)] = symbols
        columns = padded.reshape(-1, self.several).T
        whole = columns[0]
        for column in columns[1:]:
            whole = whole * (self.escape + 1) + column
        return self._order.take(whole)

    def separate(self, content, limit):
        """Bytes → symbols, uint8, at most ``limit`` and the filling of the last byte."""
        if len(content) and content.max() >= self.leaves:
            raise DeflateError("The packed integers are damaged.")
        if len(content) * (1 if self.run else self.several) >= limit + self.several:
            raise DeflateError("The packed integers are more than the picture has room for.")
        if not self.run:
            return self._digits.take(content, axis=0).ravel()
        ends = np.cumsum(self._lengths.take(content))
        size = int(ends[-1]) if len(ends) else 0
        if size >= limit + self.several:
            raise DeflateError("The packed integers are more than the picture has room for.")
        ended = self._ended.take(content)
        symbols = np.zeros(size, "uint8")
        symbols[ends[ended] - 1] = self._symbols[content[ended]]
        return symbols


@lru_cache(maxsize=16)
def _packings(tables, layout):
    """The `_Packing` of every bucket of a layout, and of the escapes."""
    rows = [row for row in tables.packing[layout].tolist() if row[0]]
    return [_Packing(*row, order) for row, order in zip(rows, tables.order[layout])]


def _pack(surveyed, tables, layout):
    """Ranks → the segments for Deflate: each bucket and its end, escapes, far and huge escapes."""
    *packings, last = _packings(tables, layout)
    lookup, found = tables.buckets[layout].ravel(), []
    for cell, rank in surveyed:
        bucket = lookup.take(cell)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=len(packings)))[:-1]
        found.append(np.split(_narrow(rank.take(order)), ends))
    segments, tails = [], []
    for k, packing in enumerate(packings):
        part = np.concatenate([parts[k] for parts in found])
        segments.append(np.append(packing.combine(part), _END))
        tails.append(part[part >= packing.escape] - packing.escape)
    tail = np.concatenate(tails)
    rest = tail[tail >= last.escape] - last.escape
    segments += [
        last.combine(tail),
        np.minimum(rest, _HUGE).astype("uint8"),
        (rest[rest >= _HUGE] - _HUGE).astype("<u4").view("uint8"),
    ]
    return segments


def _narrow(ranks):
    """The same numbers, none below zero, in the smallest integers that hold them."""
    return ranks.astype(_kind(int(ranks.max(initial=0))))


def _kind(most):
    return "uint8" if most < 256 else "uint16" if most < 65536 else "int32"


def _unpack(data, total, tables, layout):
    """Deflate stream → the ranks of every bucket, in coding order."""
    *packings, last = _packings(tables, layout)
    # A byte of a bucket stands for one integer at least; an escape takes six more bytes at most.
    content = deflate.inflate(data, 7 * total + len(packings))
    found, position, room = [], 0, total
    for packing in packings:
        end = content.find(_END, position)
        if end < 0:
            raise DeflateError("The packed integers are cut short.")
        part = np.frombuffer(content, "uint8", end - position, position)
        found.append(packing.separate(part, room))
        # What fills the last byte is no integer.
        room -= max(0, len(found[-1]) - packing.several + 1)
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

    counts = [np.count_nonzero(part == packing.escape) for part, packing in zip(found, packings)]
    count = sum(counts)
    tail = last.separate(take(-(-count // last.several)), total)[:count]
    far = take(np.count_nonzero(tail == last.escape))
    huge = take(4 * np.count_nonzero(far == _HUGE)).view("<u4")
    if position < len(content):
        raise DeflateError("The packed integers are more than the picture has room for.")
    tail = _escapes(tail, far, huge, last.escape)
    tails = np.split(tail, np.cumsum(counts)[:-1])
    for k, (packing, tail) in enumerate(zip(packings, tails)):
        if len(tail):
            escaped = found[k] == packing.escape
            found[k] = found[k].astype(_kind(packing.escape + int(tail.max())))
            found[k][escaped] = packing.escape + tail
    return found


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
