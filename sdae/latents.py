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

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from sdae import deflate
from sdae.deflate import DeflateError

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

VALUE_CLIP = 1023
DEVIATION_CLIP = 15
HIDDEN_CLIP = 1023

WIDTHS, FRACTIONS = 256, 4
"""Expected widths are told apart in 256 steps, distances of the mean from an integer in 4."""

_WIDTH_STEP, _WIDTH_ZERO = 8 / WIDTH_UNIT, 64
_LARGEST_LOGARITHM = 17 * FEATURE_UNIT
_NEIGHBOURS = {
    1: ((-2, -2), (-2, 2), (2, -2), (2, 2)),
    2: ((-2, 0), (2, 0), (0, -2), (0, 2)),
    3: ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    4: ((-1, 0), (1, 0), (0, -1), (0, 1)),
}
_BAND = 16384
_CHUNK = 2048
_HUGE = 255


class TablesError(ValueError):
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
        mean, width: (2, 9, C, C) weights of the nine positions around, of earlier groups, for
            positions of levels 0–3 and of level 4.
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
            run, see `_combine`; the row after the last bucket is for escapes, zeros fill up.
        order: (layouts, buckets + 1, 256) byte value of each combination of symbols.

    Raises:
        TablesError: shapes do not fit together, or a sum could leave the exact range.
    """

    groups: np.ndarray
    mean: np.ndarray
    mean_own: np.ndarray
    mean_coarse: np.ndarray
    width: np.ndarray
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
            "mean": (2, 9, c, c),
            "mean_own": (c, c),
            "mean_coarse": (3, first, first),
            "width": (2, 9, c, c),
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

        deviations = total(self.width, 1, 2) + total(self.width_own, 0) + total(self.width_coarse, 1)
        out = total(self.hidden_out, 1) * HIDDEN_CLIP
        yield deviations * DEVIATION_CLIP * FEATURE_UNIT + out + total(self.bias)
        logarithms = total(self.hidden, 0, 1, 2) + total(self.hidden_coarse, 1, 2)
        logarithms += total(self.hidden_own, 0, 1)
        yield logarithms * _LARGEST_LOGARITHM + total(self.hidden_bias) + total(self.hidden_odd)

    @property
    def channels(self) -> int:
        return int(self.groups.sum())


class Steps:
    """The order of the positions of an (h, w) latent, and who their neighbours are.

    Positions are numbered level by level (see `sdae.network.lattice`), row by row within a level;
    number h·w stands for every place outside.

    Attributes:
        order: (h·w,) index of each position in the row-major plane.
        ends: where each of the five levels ends.
        around: (h·w, 9) numbers of the 3×3 positions around.
        neighbours, share: for each level 1–4 (n, 4) numbers, and (n, 1) one over how many of them
            lie inside.
    """

    def __init__(self, h: int, w: int):
        i, j = np.mgrid[:h, :w]
        level = np.full((h, w), 2, "int8")
        level[(i % 4 == 0) & (j % 4 == 0)] = 0
        level[(i % 4 == 2) & (j % 4 == 2)] = 1
        level[(i % 2 == 1) & (j % 2 == 1)] = 3
        level[(i + j) % 2 == 1] = 4
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
        for k, offsets in _NEIGHBOURS.items():
            found = look(offsets, self.order[self.ends[k - 1] : self.ends[k]])
            inside = (found < h * w).sum(1, keepdims=True)
            self.neighbours[k], self.share[k] = found, (1 / np.maximum(inside, 1)).astype("float32")


_steps = lru_cache(maxsize=4)(Steps)


class _Weights:
    """The weights of tables as floats, cut to what each step multiplies."""

    def __init__(self, tables):
        ends = np.cumsum(tables.groups).tolist()
        self.slices = [slice(end - size, end) for end, size in zip(ends, tables.groups.tolist())]

        def later(kernel, kind):
            return [
                [kernel[p, :, s, s.stop :].reshape(9 * (s.stop - s.start), -1).astype(kind)
                 for p in (0, 1)]
                for s in self.slices[:-1]
            ]

        def near(own, coarse, kind):
            """For each group the weights of levels 1–4; only the first has levels 1–3."""
            return [[*coarse.astype(kind), own[s, s].astype(kind)] for s in self.slices]

        self.mean = later(tables.mean, "float64")
        self.mean_near = near(tables.mean_own, tables.mean_coarse, "float64")
        self.width = later(tables.width, "float32")
        self.width_near = near(tables.width_own, tables.width_coarse, "float32")
        units = tables.hidden_out.shape[-1]
        self.hidden, self.hidden_near = [], []
        for g, s in enumerate(self.slices):
            if g + 1 < len(self.slices):
                forward = tables.hidden[:, :, s, g + 1 :]
                self.hidden.append(forward.reshape(18 * (s.stop - s.start), -1).astype("float32"))
            levels = [*tables.hidden_coarse, tables.hidden_own[:, s]]
            self.hidden_near.append([level.reshape(-1, units).astype("float32") for level in levels])
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
        self.values = [np.zeros((n + 1, size)) for size in sizes]
        self.deviations = [np.zeros((n + 1, size), "float32") for size in sizes]
        self.logarithms = [np.zeros((n + 1, 2 * size), "float32") for size in sizes]
        self.mean_sum = np.zeros((n, tables.channels))
        self.width_sum = np.tile(_by_quality(tables.bias, quality_code), (n, 1))
        bias = _by_quality(tables.hidden_bias, quality_code)
        self.units = bias.shape[1]
        self.hidden_sum = np.tile(bias.reshape(-1), (n, 1))
        ends = self.steps.ends
        even = ends[3]
        self.plan = [(0, a, b, k) for k, (a, b) in enumerate(zip([0] + ends, ends)) if b > a]
        for g in range(1, len(self.slices)):
            self.plan += [(g, a, b, k) for a, b, k in ((0, even, 0), (even, n, 4)) if b > a]

    def predict(self, group, start, stop, level):
        """Mean and expected width of one step of the plan: (n, c) float64, (n, c) float32."""
        weights, rows, own = self.weights, slice(start, stop), self.slices[group]
        mean, width = self.mean_sum[rows, own], self.width_sum[rows, own]
        hidden = self.hidden_sum[rows, group * self.units : (group + 1) * self.units]
        if level:
            found, share = self.steps.neighbours[level], self.steps.share[level]
            near = _average(self.values[group] * 16, found, share) / 16
            mean = mean + near @ weights.mean_near[group][level - 1]
            near = _average(self.deviations[group], found, share)
            width = width + near @ weights.width_near[group][level - 1]
            near = _average(self.logarithms[group], found, share)
            hidden = hidden + near @ weights.hidden_near[group][level - 1]
        if level == 4:
            hidden += weights.hidden_odd[group]
        hidden = np.clip(np.rint(hidden / WEIGHT_UNIT), 0, HIDDEN_CLIP)
        width = width + hidden @ weights.hidden_out[group]
        mean = np.rint(mean * (FEATURE_UNIT / MEAN_UNIT)) / FEATURE_UNIT
        return np.clip(mean, -32768, 32767), width

    def fill(self, group, start, stop, level, integers, mean):
        """Take the integers of a step, (n, c) float64, and the mean that was predicted."""
        rows, size = slice(start, stop), integers.shape[1]
        deviation = np.abs(integers - mean) * FEATURE_UNIT
        self.values[group][rows] = np.clip(integers, -VALUE_CLIP, VALUE_CLIP)
        self.deviations[group][rows] = np.minimum(deviation, DEVIATION_CLIP * FEATURE_UNIT)
        self.logarithms[group][rows, :size] = _logarithm(deviation / FEATURE_UNIT)
        self.logarithms[group][rows, size:] = _logarithm(np.abs(integers))
        if stop == len(self.mean_sum) and group + 1 < len(self.slices):
            self._spread(group)

    def _spread(self, group):
        """Let a finished group tell the later ones about its values."""
        even, stop = self.steps.ends[3], self.slices[group].stop
        mean, width = self.weights.mean[group], self.weights.width[group]
        hidden = self.weights.hidden[group]
        for parity, a, b in ((0, 0, even), (1, even, len(self.mean_sum))):
            for start in range(a, b, _CHUNK):
                rows = slice(start, min(start + _CHUNK, b))
                around = self.steps.around[rows]
                for known, weight, sums, first in (
                    (self.values, mean[parity], self.mean_sum, stop),
                    (self.deviations, width[parity], self.width_sum, stop),
                    (self.logarithms, hidden, self.hidden_sum, (group + 1) * self.units),
                ):
                    sums[rows, first:] += known[group][around].reshape(-1, len(weight)) @ weight


def _by_quality(table, quality_code):
    """The row of a table for a quality, linear between levels, whole numbers; float32."""
    span, last = 9900, len(table) - 1
    row, rest = divmod((quality_code - 100) * last, span)
    row, rest = (last - 1, span) if row >= last else (row, rest)
    low, high = table[row].astype("int64"), table[row + 1].astype("int64")
    return (low + (high - low) * rest // span).astype("float32")


def _average(known, found, share):
    """Mean of the four neighbours, a whole number."""
    return np.rint(known[found].sum(1) * share)


def _logarithm(x):
    """log₂(1 + x) with straight lines between the powers of two, in units of 1/FEATURE_UNIT.

    This is what the bits of a float32 say when they are read as an integer.
    """
    bits = (x + 1).astype("float32").view("int32")
    return (bits - (127 << 23) + (1 << 18)) >> 19


def cells(mean, width):
    """Index into `Tables.buckets` of each prediction, and what turns integers into ranks.

    Returns:
        cell: int64 index into (WIDTHS · FRACTIONS); nearest: the integer nearest to the mean;
        side: +1.0 where the second nearest is above it, −1.0 where it is below.
    """
    nearest = np.rint(mean)
    rest = mean - nearest
    step = np.clip(width * _WIDTH_STEP + _WIDTH_ZERO, 0, WIDTHS - 1).astype("int64")
    fraction = np.minimum(np.abs(rest) * (2 * FRACTIONS), FRACTIONS - 1).astype("int64")
    return step * FRACTIONS + fraction, nearest, np.where(rest < 0, -1.0, 1.0)


def ranks(integers, nearest, side):
    """0 for the integer nearest to the mean, 1 for the second nearest, and so on."""
    beyond = (integers - nearest) * side
    return np.where(beyond > 0, 2 * beyond - 1, -2 * beyond)


def integers(rank, nearest, side):
    """The inverse of `ranks`."""
    half = np.ceil(rank / 2)
    return nearest + side * np.where(rank % 2 == 1, half, -half)


def survey(values, quality_code: int, tables: Tables, live: int):
    """Cell and rank of every integer of the ``live`` first channels, in coding order.

    Returns:
        cell, rank: int64 arrays of h·w·live.
    """
    channels = values.shape[2]
    found, coded = [], []
    for part in _bands(values):
        predictor = Predictor(*part.shape[:2], quality_code, tables, live)
        rows = part.reshape(-1, channels)[predictor.steps.order].astype("float64")
        for step in predictor.plan:
            group, start, stop, _ = step
            own = predictor.slices[group]
            expected, width = predictor.predict(*step)
            known = rows[start:stop, own]
            predictor.fill(*step, known, expected)
            kept = max(0, live - own.start)
            cell, nearest, side = cells(expected[:, :kept], width[:, :kept])
            found.append(cell.ravel())
            coded.append(ranks(known[:, :kept], nearest, side).ravel())
    return np.concatenate(found), np.concatenate(coded).astype("int64")


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
    cell, rank = survey(values, quality_code, tables, live)
    tries = []
    for layout in range(len(tables.packing)):
        prelude, segments = _pack(cell, rank, tables, layout)
        bits = 8 * len(prelude) + deflate.cost(segments, effort)
        tries.append((bits, bytes([live, layout]) + prelude, segments))
    _, head, segments = min(tries, key=lambda found: found[0])
    streams = [deflate.write(segments, effort)]
    streams.append(deflate.squeeze(b"".join(part.tobytes() for part in segments)))
    return head + min(streams, key=len)


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
        rows = np.zeros((band.shape[0] * w, tables.channels), "int16")
        for step in predictor.plan:
            group, start, stop, _ = step
            own = predictor.slices[group]
            expected, width = predictor.predict(*step)
            kept = min(live, own.stop) - own.start
            cell, nearest, side = cells(expected[:, :kept], width[:, :kept])
            rank = queues.take(lookup[cell].ravel()).reshape(-1, kept)
            known = np.zeros(expected.shape)
            known[:, :kept] = integers(rank, nearest, side)
            if known.min() < -32768 or known.max() > 32767:
                raise DeflateError("The packed integers are out of range.")
            predictor.fill(*step, known, expected)
            rows[start:stop, own] = known
        band.reshape(-1, tables.channels)[predictor.steps.order] = rows
    return values


class _Queues:
    """Ranks that wait in their buckets."""

    def __init__(self, streams):
        self._streams, self._taken = streams, [0] * len(streams)

    def take(self, bucket):
        """The next rank of the bucket named for each integer, (n,) uint8 → (n,) int64."""
        order = np.argsort(bucket, kind="stable")
        parts = []
        for b, count in enumerate(np.bincount(bucket, minlength=len(self._streams)).tolist()):
            start = self._taken[b]
            self._taken[b] = stop = start + count
            if stop > len(self._streams[b]):
                raise DeflateError("The packed integers are fewer than the picture has room for.")
            parts.append(self._streams[b][start:stop])
        rank = np.empty(len(bucket), "int64")
        rank[order] = np.concatenate(parts)
        return rank


def _pack(cell, rank, tables, layout):
    """Ranks → counts as bytes, and the segments for Deflate."""
    packing = [row for row in tables.packing[layout].tolist() if row[0]]
    bucket = tables.buckets[layout].ravel()[cell]
    order = np.argsort(bucket, kind="stable")
    counts = np.bincount(bucket, minlength=len(packing) - 1).tolist()
    sorted_ranks = rank[order]
    segments, escapes, start = [], [], 0
    for b, row in enumerate(packing[:-1]):
        part = sorted_ranks[start : start + counts[b]]
        start += counts[b]
        segments.append(_combine(part, *row, tables.order[layout, b]))
        escapes.append(part[part >= row[0] - 1] - (row[0] - 1))
    tail, last = np.concatenate(escapes), packing[-1]
    segments.append(_combine(tail, *last, tables.order[layout, len(packing) - 1]))
    rest = tail[tail >= last[0] - 1] - (last[0] - 1)
    segments.append(np.minimum(rest, _HUGE).astype("uint8"))
    segments.append((rest[rest >= _HUGE] - _HUGE).astype("<u4").view("uint8"))
    sizes = [len(segment) for segment in segments[: len(packing) - 1]]
    return b"".join(map(_varint, sizes)), segments


def _unpack(data, total, tables, layout):
    """Counts and Deflate stream → the ranks of every bucket, in coding order."""
    packing = [row for row in tables.packing[layout].tolist() if row[0]]
    sizes, position = [], 0
    for _ in packing[:-1]:
        size, position = _read_varint(data, position)
        sizes.append(size)
    content = np.frombuffer(deflate.inflate(data[position:], 8 * total + 64), "uint8")
    position = 0

    def take(size):
        nonlocal position
        if size > len(content) - position:
            raise DeflateError("The packed integers are cut short.")
        position += size
        return content[position - size : position]

    found = [_separate(take(size), *row, order, total)
             for size, row, order in zip(sizes, packing, tables.order[layout])]
    escaped = [np.flatnonzero(s == row[0] - 1) for s, row in zip(found, packing)]
    beyond = sum(map(len, escaped))
    last = packing[-1]
    tail = take(-(-beyond // last[1]))
    tail = _separate(tail, *last, tables.order[layout, len(packing) - 1], total)[:beyond]
    far = np.flatnonzero(tail == last[0] - 1)
    rest = take(len(far)).astype("int64")
    huge = np.flatnonzero(rest == _HUGE)
    rest[huge] += np.frombuffer(take(4 * len(huge)).tobytes(), "<u4")
    if position < len(content):
        raise DeflateError("The packed integers are more than the picture has room for.")
    tail[far] += rest
    start = 0
    for symbols, places in zip(found, escaped):
        symbols[places] += tail[start : start + len(places)]
        start += len(places)
    return found


def _combine(ranks, alphabet, several, run, order):
    """Ranks → bytes; those of ``alphabet`` − 1 and more become the symbol of the escapes.

    A byte is ``several`` symbols, the first most significant, or with ``run`` up to
    ``several`` − 1 zeros and the symbol that ends them, or ``several`` zeros.
    """
    symbols = np.minimum(ranks, alphabet - 1)
    if run:
        ends = np.flatnonzero(symbols)
        zeros = np.diff(ends, prepend=-1) - 1
        full, zeros = np.divmod(zeros, several)
        rest = len(symbols) - 1 - ends[-1] if len(ends) else len(symbols)
        places = np.cumsum(full + 1) - 1
        whole = np.full(len(ends) + int(full.sum()) - rest // -several, several * (alphabet - 1))
        whole[places] = zeros * (alphabet - 1) + symbols[ends] - 1
        return order[whole]
    padded = np.zeros(-(-len(symbols) // several) * several, "int64")
    padded[: len(symbols)] = symbols
    weights = alphabet ** np.arange(several - 1, -1, -1)
    return order[padded.reshape(-1, several) @ weights]


def _separate(content, alphabet, several, run, order, limit):
    """The inverse of `_combine`, with the filling at the end; int64, about ``limit`` at most."""
    leaves = several * (alphabet - 1) + 1 if run else alphabet**several
    combinations = np.argsort(order[:leaves], kind="stable")
    if len(content) and content.max() >= leaves:
        raise DeflateError("The packed integers are damaged.")
    whole = combinations[content]
    if run:
        zeros, symbols = np.divmod(whole, alphabet - 1)
        ended = zeros < several
        places = np.cumsum(zeros + ended)
        size = int(places[-1]) if len(places) else 0
        if size >= limit + several:
            raise DeflateError("The packed integers are more than the picture has room for.")
        ranks = np.zeros(size, "int64")
        ranks[places[ended] - 1] = symbols[ended] + 1
        return ranks
    digits = whole[:, None] // alphabet ** np.arange(several - 1, -1, -1)
    return (digits % alphabet).ravel()


def _varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def _read_varint(data, position):
    number = 0
    for shift in range(0, 35, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise DeflateError("The packed integers are damaged.")
