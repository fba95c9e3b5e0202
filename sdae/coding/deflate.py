"""Bytes and integers ↔ Deflate streams (RFC 1951), raw: no zlib or gzip wrapper around them.

Reading is zlib's business, with the size checked before memory is taken. Writing is done here, because
the latent coder knows what zlib has to guess:

- where the statistics of its bytes change, so where a block ends;
- that nothing repeats but one byte alone, so that codes of single bytes and of runs are enough;
- that small bytes are the frequent ones, so that a smooth code takes few bits to describe.
"""

import zlib

import numpy as np

from sdae.coding import huffman

_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)
_INT8, _INT16 = 0, 1

END = 256
"""The symbol that ends a block; those above it are lengths of matches (RFC 1951, 3.2.5)."""

LENGTHS = [(3 + i, 0) for i in range(8)]
LENGTHS += [(3 + (4 + i << n), n) for n in range(1, 6) for i in range(4)] + [(258, 0)]
"""For each length symbol the shortest match it is for, and how many extra bits follow it."""

FIXED_LENGTHS = np.repeat([8, 9, 7, 8], [144, 112, 24, 8])
"""Code lengths of the fixed code (RFC 1951, 3.2.6)."""

LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""The order in which the code lengths of the code lengths are sent (RFC 1951, 3.2.7)."""

_MARK = 255
_STORED_MOST = 65535
_LARGE = 10_000
_PIECE = 1 << 18
# Bytes, or numbers of bits, that are worked on at a time where there are many.

_RUN, _LONGEST = 24, 258
# From which length a run is written as a match of the byte before, and the longest match.

_SYMBOL, _SYMBOL_BITS = 511, 9
# A token is a literal or length symbol, and above these bits of it the extra bits of the length.

_EXTRA = np.zeros(len(FIXED_LENGTHS), "int64")
_TOKEN = np.zeros(_LONGEST + 1, "uint16")
# How many extra bits follow each symbol; the token of each length of a match.

for _symbol, (_length, _bits) in enumerate(LENGTHS, END + 1):
    _EXTRA[_symbol] = _bits
    for _more in range(min(1 << _bits, _LONGEST + 1 - _length)):
        _TOKEN[_length + _more] = _symbol | _more << _SYMBOL_BITS

_IS_MATCH = np.arange(len(_EXTRA)) > END
_FOLLOWING, _FIXED_FOLLOWING = _EXTRA + _IS_MATCH, _EXTRA + 5 * _IS_MATCH
# How many bits follow each symbol, with those of the distance: in a block with a code of its own,
# and in one with the fixed code.

_BIN_WIDTHS = np.append(np.repeat([1, 2, 4, 8], [32, 16, 16, 15]), 7)
_BINS = np.cumsum(_BIN_WIDTHS) - _BIN_WIDTHS


class DeflateError(ValueError):
    """Packed integers that are damaged or belong to another latent."""


def inflate(data: bytes, limit: int) -> bytes:
    """The content of one raw Deflate stream.

    Args:
        data: the stream, nothing before and nothing after it.
        limit: most bytes that the content may have; no more memory than that is taken.

    Raises:
        DeflateError: the stream is damaged, cut short, followed by something, or too long.
    """
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = reader.decompress(data, limit + 1)
    except zlib.error as error:
        raise DeflateError("The packed integers are damaged.") from error
    if len(content) > limit:
        raise DeflateError("The packed integers are more than the picture has room for.")
    if not reader.eof or reader.unused_data:
        raise DeflateError("The packed integers are cut short or followed by something else.")
    return content


def plain(values: np.ndarray) -> bytes:
    """Pack integers as the original work did: one after another, then zlib.

    Args:
        values: (h, w, C) integers within int16.

    Returns:
        one byte, 0 for 8-bit and 1 for little-endian 16-bit integers, and the shortest raw stream
        that zlib's strategies make of them at level 9.
    """
    wide = values.size > 0 and (values.min() < -128 or values.max() > 127)
    raw = values.astype("<i2" if wide else "i1").tobytes()
    return bytes([_INT16 if wide else _INT8]) + min(
        (squeeze([raw], strategy) for strategy in _STRATEGIES), key=len
    )


def unplain(data: bytes, h: int, w: int, channels: int) -> np.ndarray:
    """The integers that `plain` packed: (h, w, channels) int16.

    Raises:
        DeflateError: ``data`` is damaged or holds another number of integers.
    """
    if data[:1] not in (bytes([_INT8]), bytes([_INT16])):
        raise DeflateError("The packed integers are damaged.")
    kind = np.dtype("i1" if data[0] == _INT8 else "<i2")
    size = h * w * channels
    content = inflate(data[1:], size * kind.itemsize)
    if len(content) != size * kind.itemsize:
        raise DeflateError("The packed integers are fewer than the picture has room for.")
    return np.frombuffer(content, kind).astype("int16").reshape(h, w, channels)


def squeeze(segments, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """A raw Deflate stream of bytes or uint8 arrays, one after another, by zlib at level 9."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
    return b"".join(packer.compress(part) for part in segments) + packer.flush()


def write(segments, effort: int = 0) -> bytes:
    """One raw Deflate stream of the segments by a `Writer`; `inflate` gives them back, joined."""
    writer = Writer(effort)
    writer.add(segments)
    return writer.getvalue()


class Writer:
    """Makes one raw Deflate stream, a Huffman code for each byte, of segments that come in groups.

    Neighbouring segments of a group share a block where that costs less than two blocks: a block
    brings the lengths of its Huffman code, a shared one fits its bytes less well.

    Args:
        effort: 0 estimates what blocks cost; 1 and more builds all of them to know.
    """

    def __init__(self, effort: int = 0):
        self._effort, self._bits = effort, _Bits()
        self._waiting = None

    def add(self, segments) -> None:
        """Append a group: uint8 arrays, each of one distribution; cheapest to describe where
        smaller byte values are the more frequent ones; 255 may serve as a mark."""
        segments = [_tokens(part) for part in segments if len(part)]
        for start, end in _blocks(segments, self._effort)[1]:
            if self._waiting is not None:
                _emit(self._bits, self._waiting, False, self._effort)
            self._waiting = np.concatenate(segments[start:end])

    def getvalue(self) -> bytes:
        """End the stream; nothing can be added after."""
        tokens = np.zeros(0, "uint16") if self._waiting is None else self._waiting
        _emit(self._bits, tokens, True, self._effort)
        return self._bits.getvalue()


def cost(segments, effort: int = 0) -> float:
    """How many bits `write` needs for the segments, about; with effort nearly exactly."""
    return _blocks([_tokens(part) for part in segments if len(part)], effort)[0]


def _tokens(content):
    """Bytes → tokens, uint16; long runs of one byte become matches."""
    begins = np.flatnonzero(np.append(True, content[1:] != content[:-1]))
    lengths = np.diff(begins, append=len(content))
    long = np.flatnonzero(lengths >= _RUN)
    if not len(long):
        return content.astype("uint16")
    full, rest = np.divmod(lengths[long] - 1, _LONGEST)
    matched = rest >= 3
    sizes = lengths.copy()
    sizes[long] = 1 + full + np.where(matched, 1, rest)
    tokens = np.repeat(content[begins].astype("uint16"), sizes)
    after = (np.cumsum(sizes) - sizes)[long] + 1
    tokens[np.repeat(after - np.cumsum(full) + full, full) + np.arange(full.sum())] = _TOKEN[
        _LONGEST
    ]
    tokens[(after + full)[matched]] = _TOKEN[rest[matched]]
    return tokens


def _blocks(segments, effort):
    """The cheapest division into blocks: bits, and (start, end) of each."""
    n = len(segments)
    tallies = np.zeros((n + 1, len(_EXTRA)), "int64")
    for k, part in enumerate(segments):
        tallies[k + 1] = tallies[k] + _tally(part)
    pairs = [(i, j) for j in range(1, n + 1) for i in range(j)]
    joined = np.array([tallies[j] - tallies[i] for i, j in pairs]).reshape(-1, len(_EXTRA))
    bits = [_build(t, True)[0] for t in joined] if effort else _estimate(joined).tolist()
    best, before = [0.0] + [np.inf] * n, [0] * (n + 1)
    for (i, j), own in zip(pairs, bits):
        if best[i] + own < best[j]:
            best[j], before[j] = best[i] + own, i
    blocks, end = [], n
    while end:
        blocks.append((before[end], end))
        end = before[end]
    return best[n], blocks[::-1]


def _estimate(tallies):
    """About how many bits a block takes, for symbol counts (n, 288); fitted to real blocks."""
    tallies = tallies.astype("float32")
    total = tallies.sum(1)
    logarithm = np.log2(np.maximum(tallies, 1))
    entropy = total * np.log2(np.maximum(total, 1)) - np.einsum("ij,ij->i", tallies, logarithm)
    used, most = (tallies > 0).sum(1), tallies.max(1)
    span = _MARK - (tallies[:, _MARK - 1 :: -1] > 0).argmax(1)
    excess = 0.0244 * total + 0.125 * most**2 / np.maximum(total, 1)
    coded = entropy + excess + 71 + 13.0 * np.log2(most + 1) + 0.9 * used + 0.67 * span
    coded += tallies @ _FOLLOWING.astype("float32")
    return np.minimum(coded, 8 * total + 40)


class _Bits:
    """Numbers of up to 15 bits to bytes, lowest bit first."""

    def __init__(self):
        self._values, self._lengths, self.count = [], [], 0
        self._done, self._waiting = [], 0

    def add(self, values, lengths):
        values, lengths = np.asarray(values, "int64"), np.asarray(lengths, "int64")
        self._values.append(values)
        self._lengths.append(lengths)
        self.count += int(lengths.sum())
        self._waiting += len(values)
        if self._waiting > _PIECE:
            self._flush()

    def _flush(self):
        """Turn what waits into words of 16 bits; the last, begun one goes on waiting."""
        values, lengths = np.concatenate(self._values), np.concatenate(self._lengths)
        starts = np.cumsum(lengths) - lengths
        whole, rest = divmod(int(lengths.sum()), 16)
        shifted = values << (starts & 15)
        words = np.bincount(starts >> 4, shifted & 0xFFFF, whole + 2)
        words[1:] += np.bincount(starts >> 4, shifted >> 16, len(words) - 1)
        self._done.append(words[:whole].astype("<u2").tobytes())
        self._values, self._lengths = [words[whole : whole + 1].astype("int64")], [[rest]]
        self._waiting = 0

    def getvalue(self) -> bytes:
        size = (self.count + 7) // 8
        self.add([0], [-self.count % 16])
        self._flush()
        return b"".join(self._done)[:size]


def _build(tally, thorough):
    """The cheapest dynamic block for symbol counts (288,): bits, code lengths, header.

    A code for counts that never rise is quick to describe; in large blocks one for the true counts
    may repay its longer description.
    """
    counts = tally.copy()
    counts[END] = 1
    weights = [_falling(counts), counts] if thorough else [_falling(counts)]
    found = []
    for weight in weights:
        lengths = huffman.lengths(weight, 15)
        header = _header(lengths)
        bits = 3 + int(header[1].sum()) + int(counts @ (lengths + _FOLLOWING))
        found.append((bits, lengths, header))
    return min(found, key=lambda block: block[0])


def _falling(counts):
    """Counts near the true ones that never rise with the byte value, but for the byte 255.

    Pool adjacent violators, over single bytes first and then over bins of two, four and eight.
    """
    most = np.max(np.flatnonzero(counts[:_MARK]), initial=-1)
    means, widths = [], []
    for total, width in zip(np.add.reduceat(counts[:_MARK], _BINS).tolist(), _BIN_WIDTHS.tolist()):
        while means and means[-1] * width <= total:
            total += means.pop() * widths[-1]
            width += widths.pop()
        means.append(total / width)
        widths.append(width)
    result = np.where(np.arange(_MARK) <= most, np.maximum(np.repeat(means, widths), 0.2), 0)
    return np.append(result, counts[_MARK:])


def _emit(target, tokens, final, effort):
    """Write one block in the cheapest of the three forms of RFC 1951."""
    size = len(tokens)
    tally = _tally(tokens)
    bits, lengths, header = _build(tally, effort > 0 or size > _LARGE)
    matches = tally[_IS_MATCH].any()
    fixed = 10 + int(tally @ (FIXED_LENGTHS + _FIXED_FOLLOWING))
    padding = -(target.count + 3) % 8
    if not matches and size <= _STORED_MOST and 35 + padding + 8 * size <= min(bits, fixed):
        target.add([final, 0], [3, padding])
        target.add([size & 255, size >> 8, ~size & 255, ~size >> 8 & 255], [8] * 4)
        target.add(tokens, np.full(size, 8))
        return
    if fixed <= bits:
        lengths, following = FIXED_LENGTHS, _FIXED_FOLLOWING
        target.add([final | 1 << 1], [3])
    else:
        following = _FOLLOWING
        target.add([final | 2 << 1], [3])
        target.add(*header)
    codes = huffman.codes(lengths)
    for start in range(0, size, _PIECE):
        piece = tokens[start : start + _PIECE]
        symbols = piece & _SYMBOL
        values, widths = codes[symbols], lengths[symbols]
        if matches:
            # The distance is always 1, whose code has no bit set.
            values = np.stack([values, piece >> _SYMBOL_BITS], 1).ravel()
            widths = np.stack([widths, following[symbols]], 1).ravel()
        target.add(values, widths)
    target.add(codes[[END]], lengths[[END]])


def _tally(tokens):
    """How often each symbol comes up, (288,), piece by piece: NumPy counts in eight times the
    memory it is given."""
    total = np.zeros(len(_EXTRA), "int64")
    for start in range(0, len(tokens), _PIECE):
        total += np.bincount(tokens[start : start + _PIECE] & _SYMBOL, minlength=len(total))
    return total


def _header(lengths) -> tuple[np.ndarray, np.ndarray]:
    """The bits that describe a code of literals, end of block and lengths, and a code of one
    distance if there are lengths: values and their widths."""
    used = max(END, int(np.flatnonzero(lengths)[-1])) + 1
    sequence = lengths[:used].tolist() + [int(used > END + 1)]
    symbols, extras = [], []
    ends = np.append(np.flatnonzero(np.diff(sequence)), len(sequence) - 1)
    start = 0
    for end in ends.tolist():
        value, run = sequence[start], end + 1 - start
        start = end + 1
        if value == 0:
            while run >= 11:
                step = min(run, 138)
                symbols.append(18)
                extras.append((step - 11, 7))
                run -= step
            if run >= 3:
                symbols.append(17)
                extras.append((run - 3, 3))
                run = 0
        else:
            symbols.append(value)
            extras.append((0, 0))
            run -= 1
            while run >= 3:
                step = min(run, 6) if run not in (7, 8) else run - 3 if run == 7 else 4
                symbols.append(16)
                extras.append((step - 3, 2))
                run -= step
        symbols += [value] * run
        extras += [(0, 0)] * run
    symbols = np.array(symbols)
    widths = huffman.lengths(np.bincount(symbols, minlength=19), 7)
    sent = widths[list(LENGTH_ORDER)]
    number = max(4, int(np.flatnonzero(sent)[-1]) + 1)
    extras = np.array(extras)
    values = np.stack([huffman.codes(widths)[symbols], extras[:, 0]], 1).ravel()
    bits = np.stack([widths[symbols], extras[:, 1]], 1).ravel()
    values = np.concatenate([[used - END - 1, 0, number - 4], sent[:number], values])
    bits = np.concatenate([[5, 5, 4], np.full(number, 3), bits])
    return values, bits
