"""A reader of .sdae files that follows docs/format.md, in plain loops over places.

It shares no code with the package, so that the document is known to be enough.
"""

import heapq
import struct
import zlib

import numpy as np

LAST = 6


def header(data: bytes) -> dict:
    """Section "The header" of the document; the payload comes with it."""
    assert data[:4] == b"SDA\x04"
    found, at = {"model": data[4:8], "mode": data[8] & 0x7F}, 9
    for name in ("width", "height"):
        found[name], at = _varint(data, at)
    found["quality_code"], check = struct.unpack_from("<HI", data, at)
    body = data[at + 6 :]
    assert zlib.crc32(data[: at + 2] + body) == check
    if data[8] & 0x80:
        length, at = _varint(body, 0)
        content = zlib.decompress(body[at : at + length], -15)
        (size,) = struct.unpack_from("<I", content)
        found["exif"], rest = content[4 : 4 + size], content[4 + size :]
        found["icc"] = rest[4 : 4 + struct.unpack_from("<I", rest)[0]]
        body = body[at + length :]
    return found | {"payload": body}


def _varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def integers(data: bytes, tables: dict) -> np.ndarray:
    """The latent (h, w, C) of a file; ``tables`` by name, of the weights that the file names."""
    about = header(data)
    h, w = -(-about["height"] // 8), -(-about["width"] // 8)
    channels, payload = int(sum(tables["groups"])), about["payload"]
    if about["mode"] == 0:
        kind = ("<i1", "<i2")[payload[0]]
        values = np.frombuffer(zlib.decompress(payload[1:], -15), kind)
        return values.reshape(h, w, channels)
    if payload == b"\0":
        return np.zeros((h, w, channels), int)
    live, segments = payload[0], inflated(payload[1:], tables["presets"])
    parts, rows = [], max(4, 16384 // w)
    for top in range(0, h, rows):
        count = min(rows, h - top)
        symbols = _buckets(segments, tables)
        parts.append(_band(count, w, live, about["quality_code"], tables, symbols))
    assert next(segments, None) is None
    return np.concatenate(parts)


def inflated(packed, presets):
    """Section "Payload": the segments in the streams of mode 1."""
    while packed:
        stream, number = zlib.decompressobj(-15), packed[0]
        beginning = presets[number - 1].tobytes() if number else b""
        yield from stream.decompress(beginning + packed[1:]).split(b"\xff")
        assert stream.eof
        packed = stream.unused_data


def _words(costs, most):
    """Section "Words": the symbols that each byte stands for."""
    costs = [int(cost) for cost in costs if cost]
    words = [(cost, age, (age,)) for age, cost in enumerate(costs)]
    heapq.heapify(words)
    age = len(costs)
    while len(words) + len(costs) - 1 <= most:
        cost, _, symbols = heapq.heappop(words)
        for symbol, more in enumerate(costs):
            heapq.heappush(words, (cost + more, age, (*symbols, symbol)))
            age += 1
    return [symbols for _, _, symbols in sorted(words)], len(costs) - 1


def _buckets(segments, tables):
    """Section "Segments of a band": the symbols of each bucket."""
    rows, escapes = [], []
    for costs, most in zip(tables["costs"], tables["words"]):
        words, escape = _words(costs, most)
        rows.append([symbol for byte in next(segments) for symbol in words[byte]])
        escapes.append(escape)
    *rows, last = rows
    *escapes, largest = escapes
    last = last[: sum(row.count(escape) for row, escape in zip(rows, escapes))]
    far = last.count(largest)
    digits = next(segments) if far else b""
    beyond = iter([a + 128 * b + 128**2 * c for a, b, c in zip(*[iter(digits)] * 3)])
    rest = iter([more + next(beyond) if more == largest else more for more in last])
    return [
        [symbol + next(rest) if symbol == escape else symbol for symbol in row]
        for row, escape in zip(rows, escapes)
    ]


def _level(i, j):
    """Section "The order": the level of a place."""
    for level in range(LAST + 1):
        reach = 8 >> (level + 1) // 2
        if level == 0 and i % 8 == j % 8 == 0:
            return 0
        down, across = i % (2 * reach) == reach, j % (2 * reach) == reach
        if level % 2 and down and across:
            return level
        if level and level % 2 == 0 and i % reach == j % reach == 0 and down != across:
            return level
    raise AssertionError


def _neighbours(i, j, level, h, w):
    reach = 8 >> (level + 1) // 2
    if level % 2:
        offsets = [(-reach, -reach), (-reach, reach), (reach, -reach), (reach, reach)]
    else:
        offsets = [(-reach, 0), (reach, 0), (0, -reach), (0, reach)]
    for dy, dx in offsets:
        y, x = i + dy, j + dx
        y, x = y if 0 <= y < h else i - dy, x if 0 <= x < w else j - dx
        yield (y, x) if 0 <= y < h and 0 <= x < w else None


def _log(x):
    bits = np.asarray(np.float32(x) + np.float32(16), "float32").view("int32").astype(int)
    return np.minimum((bits - (131 << 23) + (1 << 18)) >> 19, 127)


def _by_quality(table, code):
    row, rest = divmod((code - 100) * (len(table) - 1), 9900)
    if row == len(table) - 1:
        row, rest = row - 1, 9900
    low, high = table[row].astype(int), table[row + 1].astype(int)
    return low + (high - low) * rest // 9900


def _band(h, w, live, code, tables, symbols):
    """Sections "The order" and "What is expected": symbols → integers."""
    t = {name: array.astype(int) for name, array in tables.items()}
    ends = np.cumsum(t["groups"])
    bias, hidden_bias = _by_quality(t["bias"], code), _by_quality(t["hidden_bias"], code)
    channels = ends[-1]
    # Of every place: clipped values, clipped deviations, two logarithms; zeros all around.
    value, deviation, logs = (
        np.zeros((h + 2, w + 2, *more, channels), int) for more in ((), (), (2,))
    )
    result, symbols = np.zeros((h, w, channels), int), [iter(row) for row in symbols]
    places = sorted((_level(i, j), i, j) for i in range(h) for j in range(w))
    for g, end in enumerate(ends):
        own = slice(end - t["groups"][g], end)
        if own.start >= live:
            break
        passes = range(LAST + 1) if g < 2 else (0, LAST)
        for k in passes:
            now = [p for p in places if p[0] == k or (g >= 2 and k == 0 and p[0] < LAST)]
            for _, i, j in now:
                around = [(i + dy, j + dx) for dy in (0, 1, 2) for dx in (0, 1, 2)]
                old = slice(0, own.start)
                mean, width, hidden = 0, 0, hidden_bias[g]
                for q, (y, x) in enumerate(around):
                    mean = mean + value[y, x, old] @ t["mean"][q, old, own]
                    width = width + deviation[y, x, old] @ t["width"][q, old, own]
                    for kind in (0, 1):
                        hidden = hidden + logs[y, x, kind, old] @ t["hidden"][q, kind, old, g]
                mean = np.rint(mean * (t["mean_share"][k, own] / 1024)).astype(int)
                width = np.float32(width) * np.float32(t["width_share"][k, own] / 1024)
                width = np.rint(width).astype(int)
                if k:
                    last, c = k == LAST, k - 1
                    near = [p and (p[0] + 1, p[1] + 1) for p in _neighbours(i, j, k, h, w)]
                    near = [p or (0, 0) for p in near]  # zeros
                    kernel = t["mean_own"] if last else t["mean_coarse"][c]
                    for n, p in enumerate(near):
                        mean = mean + value[p][own] @ kernel[n, own, own]
                    kernel = t["width_own"] if last else t["width_coarse"][c]
                    four = np.rint(sum(deviation[p][own] for p in near) / 4).astype(int)
                    width = width + four @ kernel[own, own]
                    kernel = t["hidden_own"] if last else t["hidden_coarse"][c]
                    for kind in (0, 1):
                        four = np.rint(sum(logs[p][kind, own] for p in near) / 4).astype(int)
                        hidden = hidden + four @ kernel[kind, own]
                    middle = sum(value[p][own] for p in near) / 4
                    apart = sum(abs(value[p][own] - middle) for p in near) / 4
                    hidden = hidden + _log(16 * apart) @ kernel[2, own] + t["hidden_level"][c, g]
                hidden = np.clip(np.rint(hidden / 1024), 0, 1023).astype(int)
                width = width + t["hidden_out"][own] @ hidden + bias[own]
                mean = np.clip(np.rint(mean / 256), -(1 << 19), 1 << 19).astype(int)
                linear = mean
                if (k or g >= 2) and g < len(t["refined_first"]):
                    mean, width = _refined(t, value, g, k, i, j, code, mean, width)
                nearest = (mean + 8) >> 4
                rest = mean - 16 * nearest
                step = np.clip(width / 2048 + 64, 0, 255).astype(int)
                bucket = tables["buckets"][step, np.minimum(abs(rest) >> 1, 3)]
                for c in range(min(live, end) - own.start):
                    symbol = next(symbols[bucket[c]])
                    offset = (symbol + 1) // 2 if symbol % 2 else -(symbol // 2)
                    offset = offset if rest[c] >= 0 else -offset
                    result[i, j, own.start + c] = nearest[c] + offset
                v = result[i, j, own]
                limit, inner = 1023 if g == 0 else 127, (i + 1, j + 1)
                value[inner][own] = np.clip(v, -limit, limit)
                deviation[inner][own] = np.minimum(abs(16 * v - linear), 240)
                logs[inner][0, own] = _log(abs(16 * v - linear))
                logs[inner][1, own] = _log(abs(16 * v))
    return result


def _refined(t, value, g, k, i, j, code, mean, width):
    """Section "Refined": mean and width of one place."""
    ends = np.cumsum(t["groups"])
    own, r = slice(ends[g] - t["groups"][g], ends[g]), 8 >> (k + 1) // 2
    p = 1 if k and k % 2 == 0 else 0
    far, wide = (range(-3, 4), range(-2, 3)) if g < 2 else (range(-1, 2), range(-1, 2))
    wanted = [(y, x) for y in far for x in far if ((y + x) % 2 if p else y % 2 and x % 2)]
    if k == 0:
        wanted = []
    before = [(y, x) for y in wide for x in wide if (y, x) != (0, 0)]
    h, w = value.shape[0] - 2, value.shape[1] - 2
    features = []
    for offsets, scale, channels, middle in (
        (wanted, r, own, mean),
        (before, 1, slice(0, own.start), 16 * value[i + 1, j + 1, : own.start]),
    ):
        differences = np.zeros((len(offsets), channels.stop - channels.start), int)
        for n, (y, x) in enumerate(offsets):
            y, x = i + scale * y, j + scale * x
            if 0 <= y < h and 0 <= x < w:
                differences[n] = 16 * value[y + 1, x + 1, channels] - middle
        if g < 2:
            features.append(np.clip(differences, -192, 192).ravel())
        features.append((np.sign(differences) * _log(abs(differences))).ravel())
    features.append(np.clip(np.rint(width / 1024), -255, 255).astype(int))
    features = np.concatenate(features)
    bias = _by_quality(t["refined_first_bias"], code)[g]
    if k:
        bias = bias + t["refined_first_level"][k - 1, g]
    units = features @ t["refined_first"][g, p, : len(features)] + bias
    units = np.clip(np.rint(units / 1024), 0, 1023).astype(int)
    units = units @ t["refined_second"][g, p] + t["refined_second_bias"][g, p]
    units = np.clip(np.rint(units / 1024), 0, 1023).astype(int)
    spread = t["refined_spread"][np.clip(width / 2048 + 64, 0, 255).astype(int)]
    size = own.stop - own.start
    more = spread * (units @ t["refined_mean"][g, p, :, :size])
    mean = np.clip(mean + np.rint(more / 2**18).astype(int), -(1 << 19), 1 << 19)
    return mean, width + units @ t["refined_width"][g, p, :, :size]


def picture(data: bytes, latent: np.ndarray, arrays: dict) -> np.ndarray:
    """Section "From integers to the picture": (height, width, 3) uint8."""
    about = header(data)
    t = (about["quality_code"] - 100) / 9900
    a = {name.removeprefix("synthesis/"): np.float64(array) for name, array in arrays.items()}

    def convolution(x, kernel):
        h, w, _ = x.shape
        x = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        return sum(x[i : i + h, j : j + w] @ kernel[i, j] for i in range(3) for j in range(3))

    def layer(x, name):
        return convolution(x, a[f"{name}/kernel"]) + a[f"{name}/bias"]

    def prelu(x, name):
        return np.where(x < 0, a[f"{name}/alpha"][0] * x, x)

    def depthwise(x, name):
        h, w, _ = x.shape
        wide, kernel = np.pad(x, ((1, 1), (1, 1), (0, 0))), a[f"{name}/around/kernel"][..., 0]
        y = sum(wide[i : i + h, j : j + w] * kernel[i, j] for i in range(3) for j in range(3))
        y = (y + a[f"{name}/around/bias"]) @ a[f"{name}/widen/kernel"] + a[f"{name}/widen/bias"]
        return x + prelu(y, f"{name}/prelu") @ a[f"{name}/narrow/kernel"] + a[f"{name}/narrow/bias"]

    def named(kind):
        """The layers of one kind, in order."""
        found = {name.split("/")[0] for name in a if name.startswith(f"{kind}_")}
        return sorted(found, key=lambda name: int(name.split("_")[1]))

    def laid_out(x, side):
        h, w, c = x.shape
        x = x.reshape(h, w, side, side, c // side**2).swapaxes(1, 2)
        return x.reshape(h * side, w * side, -1)

    rows = a["gains/log_inverse"]
    at = t * (len(rows) - 1)
    low = min(int(at), len(rows) - 2)
    z = latent * np.exp(rows[low] * (1 - at + low) + rows[low + 1] * (at - low))
    x = layer(np.dstack([z * a["scale"], np.full(z.shape[:2], 2 * (t - 0.5))]), "stem")
    for name in named("depthwise"):
        x = depthwise(x, name)
    for name in named("block"):
        inner = layer(prelu(x, f"{name}/prelu_0"), f"{name}/convolution_0")
        x = x + layer(prelu(inner, f"{name}/prelu_1"), f"{name}/convolution_1")
    for unit in named("up"):
        x = prelu(laid_out(layer(x, f"{unit}/expand"), 2), f"{unit}/prelu")
    for name in named("fine"):
        x = depthwise(x, name)
    x = layer(x, "head")
    head = laid_out(x, int(np.sqrt(x.shape[-1] / 3)))
    around = a["linear/around"]
    squares = z @ a["linear/kernel"] + convolution(z[..., : around.shape[2]], around)
    found = head / 10 + laid_out(squares, 8) / 30 + 0.5
    return np.rint(255 * np.clip(found, 0, 1)).astype("uint8")[: about["height"], : about["width"]]
