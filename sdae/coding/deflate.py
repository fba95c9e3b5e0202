"""Bytes and integers ↔ Deflate streams (RFC 1951), raw: no zlib or gzip wrapper around them.

Reading is zlib's business, with the size checked before memory is taken. Writing is done here, because
the latent coder knows what zlib has to guess:

- where the statistics of its bytes change, so where a block ends;
- that nothing repeats but one byte alone, so that codes of single bytes and of runs are enough;
- that small bytes are the frequent ones, so that a smooth code takes few bits to describe.
"""

import re
import zlib
from itertools import groupby

import numpy as np

from sdae.coding import huffman
from sdae.coding.coding_order import band_rows

END = 256
"""The symbol that ends a block; those above it are lengths of matches (RFC 1951, 3.2.5)."""

LENGTHS = [(3 + i, 0) for i in range(8)]
LENGTHS += [(3 + (4 + i << n), n) for n in range(1, 6) for i in range(4)] + [(258, 0)]
"""For each length symbol the shortest match it is for, and how many extra bits follow it."""

LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""The order in which the code lengths of the code lengths are sent (RFC 1951, 3.2.7)."""

_REPEATS = ((18, 11, 138, 7), (17, 3, 10, 3)), ((16, 3, 6, 2),)
# How code lengths of 0 and others are repeated: symbol, least and most times, bits of the number.

_PLAIN = np.dtype("i1"), np.dtype("<i2")
_MARK = 255
_PIECE, _INFLATED = 1 << 16, 1 << 20
# So many tokens are written, and bytes inflated, at a time where there are many.

_RUN = re.compile(rb"(.)\1{23,258}", re.DOTALL)
# A run that is written as its first byte and a match of the others.

_SYMBOL, _SYMBOL_BITS = 511, 9
# A token is a literal or length symbol, and above these bits of it the extra bits of the length.

_FOLLOWING = np.array([0] * (END + 1) + [bits + 1 for _, bits in LENGTHS])
# How many bits follow each symbol: extra bits, and the code of the distance, which is always 1.

_TOKENS = np.zeros(259, "uint16")
# The token of each length of a match.

for _symbol, (_length, _bits) in enumerate(LENGTHS, END + 1):
    _TOKENS[_length : _length + (1 << _bits)] = [
        _symbol | more << _SYMBOL_BITS for more in range(min(1 << _bits, 259 - _length))
    ]


class DeflateError(ValueError):
    """Packed integers that are damaged or belong to another latent."""


class Reader:
    """Inflates a raw stream as it is read, so that no more is in memory than is asked for.

    Its methods raise DeflateError where the stream is damaged or ends too early.

    ``data``: the stream, nothing before and nothing after it.
    """

    def __init__(self, data: bytes):
        self._packed, self._ahead = data, b""
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        while len(self._ahead) < size:
            self._ahead += self._inflated(_INFLATED)
        content, self._ahead = self._ahead[:size], self._ahead[size:]
        return content

    def until(self, mark: int, most: int) -> bytes:
        """The bytes before the next ``mark``, which is read as well; an error if more than most."""
        at = 0
        while (end := self._ahead.find(mark, at)) < 0 and len(self._ahead) <= most:
            at = len(self._ahead)
            self._ahead += self._inflated(_INFLATED)
        if not 0 <= end <= most:
            raise DeflateError("The packed integers are more than the picture has room for.")
        content, self._ahead = self._ahead[:end], self._ahead[end + 1 :]
        return content

    def rest(self, most: int = 0) -> bytes:
        """All that is left; an error if more than ``most`` bytes, or if something follows."""
        content = self._ahead + self._inflated(most + 1, least=0)
        if len(content) > most:
            raise DeflateError("The packed integers are more than the picture has room for.")
        if not self._stream.eof or self._stream.unused_data:
            raise DeflateError("The packed integers are cut short or followed by something else.")
        return content

    def _inflated(self, most, least=1):
        try:
            content = self._stream.decompress(self._packed, most)
        except zlib.error as error:
            raise DeflateError("The packed integers are damaged.") from error
        self._packed = self._stream.unconsumed_tail
        if len(content) < least:
            raise DeflateError("The packed integers are cut short.")
        return content


def inflate(data: bytes, limit: int) -> bytes:
    """The content of one raw Deflate stream.

    Args:
        data: the stream, nothing before and nothing after it.
        limit: most bytes that the content may have; no more memory than that is taken.

    Raises:
        DeflateError: the stream is damaged, cut short, followed by something, or too long.
    """
    return Reader(data).rest(limit)


def plain(values: np.ndarray) -> bytes:
    """Pack integers as the original work did: one after another, then zlib at level 9.

    Args:
        values: (h, w, C) integers within int16.

    Returns:
        one byte, 0 for 8-bit and 1 for little-endian 16-bit integers, and a raw stream of them.
    """
    wide = bool(values.min() < -128 or values.max() > 127)
    return bytes([wide]) + squeeze([values.astype(_PLAIN[wide]).tobytes()])


def plain_bands(data: bytes, h: int, w: int, channels: int):
    """The integers that `plain` packed, as `sdae.coding.coding_order.bands`: (n, w, channels) int16.

    Raises:
        DeflateError: ``data`` is damaged or holds another number of integers.
    """
    if not data or data[0] >= len(_PLAIN):
        raise DeflateError("The packed integers are damaged.")
    kind, content, left = _PLAIN[data[0]], Reader(data[1:]), h
    for rows in band_rows(h, w):
        raw, left = content.take(rows * w * channels * kind.itemsize), left - rows
        if not left:
            content.rest()
        yield np.frombuffer(raw, kind).astype("int16").reshape(rows, w, channels)


def squeeze(segments, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """A raw Deflate stream of bytes or uint8 arrays, one after another, by zlib at level 9."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
    return b"".join(packer.compress(segment) for segment in segments) + packer.flush()


class Writer:
    """Makes one raw Deflate stream, a Huffman code for each byte, of segments that come in groups.

    Neighbouring segments of a group share a block where that costs less than two blocks: a block
    brings the lengths of its Huffman code, a shared one fits its bytes less well.
    """

    def __init__(self):
        self._bits, self._waiting = _Bits(), np.zeros(0, "uint16")

    def add(self, segments) -> None:
        """Append a group: bytes, each of one distribution; cheapest to describe where smaller byte
        values are the more frequent ones; 255 may serve as a mark."""
        for block in _blocks([_tokens(segment) for segment in segments if segment]):
            if len(self._waiting):
                self._emit(final=False)
            self._waiting = block

    def getvalue(self) -> bytes:
        """End the stream; nothing can be added after."""
        self._emit(final=True)
        return self._bits.getvalue()

    def _emit(self, final):
        """Write what waits as one block with a Huffman code of its own."""
        lengths, header = _code(_tally(self._waiting))
        codes = huffman.codes(lengths)
        self._bits.add([final | 2 << 1], [3])
        self._bits.add(*header)
        for start in range(0, len(self._waiting), _PIECE):
            tokens = self._waiting[start : start + _PIECE]
            symbols = tokens & _SYMBOL
            own = lengths[symbols]
            extra = tokens.astype("int64") >> _SYMBOL_BITS << own  # no bit of the distance is set
            self._bits.add(codes[symbols] | extra, own + _FOLLOWING[symbols])
        self._bits.add(codes[[END]], lengths[[END]])


def _tokens(content: bytes):
    """Bytes → tokens, uint16; long runs of one byte become matches."""
    literals = np.frombuffer(content, "uint8").astype("uint16")
    pieces, at = [], 0
    for run in _RUN.finditer(content):
        start, end = run.span()
        pieces += [literals[at : start + 1], _TOKENS[[end - start - 1]]]
        at = end
    return np.concatenate([*pieces, literals[at:]])


def _tally(tokens):
    """How often each symbol comes up, one end of block among them."""
    tally = np.bincount(tokens & _SYMBOL, minlength=len(_FOLLOWING))
    tally[END] = 1
    return tally


def _blocks(segments) -> list[np.ndarray]:
    """The tokens of segments, joined to the blocks that take the fewest bits, about."""
    n = len(segments)
    sums = np.cumsum([np.zeros(len(_FOLLOWING), "int64"), *map(_tally, segments)], axis=0)
    least, begin = np.zeros(n + 1), [0] * (n + 1)
    for end in range(1, n + 1):
        tallies = sums[end] - sums[:end]
        header = 150 + 2 * np.count_nonzero(tallies, 1)
        bits = least[:end] + header + huffman.entropy(tallies) + tallies @ _FOLLOWING
        begin[end] = int(bits.argmin())
        least[end] = bits[begin[end]]
    blocks, end = [], n
    while end:
        blocks.append(np.concatenate(segments[begin[end] : end]))
        end = begin[end]
    return blocks[::-1]


def _code(tally):
    """Code lengths for symbol counts, and the values and widths of the header that states them.

    A code for counts that never rise is quick to describe; one for the true counts may repay its
    longer description.
    """
    options = []
    for counts in (_falling(tally), tally):
        lengths = huffman.lengths(counts, 15)
        header = _header(lengths)
        options.append((header[1].sum() + tally @ lengths, lengths, header))
    return min(options, key=lambda option: option[0])[1:]


def _falling(tally):
    """Counts near the true ones that never rise with the byte value, but for the byte 255: what
    pooling adjacent violators makes of them."""
    means, widths = [], []
    for total in np.trim_zeros(tally[:_MARK], "b").tolist():
        width = 1
        while means and means[-1] * width <= total:
            total += means.pop() * widths[-1]
            width += widths.pop()
        means.append(total / width)
        widths.append(width)
    counts = tally.astype("float64")
    counts[: sum(widths)] = np.repeat(means, widths)
    return counts


def _header(lengths):
    """The bits that describe a code of literals, end of block and lengths, and a code of one
    distance if there are lengths: values and their widths (RFC 1951, 3.2.7)."""
    used = max(END, int(np.flatnonzero(lengths)[-1])) + 1
    symbols, extras = [], []
    for length, run in groupby([*lengths[:used].tolist(), int(used > END + 1)]):
        count = len(list(run))
        if length:
            symbols.append(length)
            extras.append((0, 0))
            count -= 1
        for symbol, least, most, width in _REPEATS[length > 0]:
            while count >= least:
                times = min(count, most)
                symbols.append(symbol)
                extras.append((times - least, width))
                count -= times
        symbols += [length] * count
        extras += [(0, 0)] * count
    own = huffman.lengths(np.bincount(symbols, minlength=19), 7)
    sent = own[list(LENGTH_ORDER)]
    sent = sent[: max(4, int(np.flatnonzero(sent)[-1]) + 1)]
    extra, more = np.array(extras).T
    first = [used - END - 1, 0, len(sent) - 4]
    values = np.concatenate([first, sent, huffman.codes(own)[symbols] | extra << own[symbols]])
    return values, np.concatenate([[5, 5, 4], np.full(len(sent), 3), own[symbols] + more])


class _Bits:
    """Numbers to bytes, lowest bit first."""

    def __init__(self):
        self._done, self._rest = [], np.zeros(0, "uint8")

    def add(self, values, widths):
        """Append numbers, each of so many bits."""
        values, widths = np.asarray(values, "uint32"), np.asarray(widths)
        places = np.arange(widths.max(), dtype="uint32")
        bits = (values[:, None] >> places & 1).astype("uint8")[places < widths[:, None]]
        bits = np.concatenate([self._rest, bits])
        whole = len(bits) & ~7
        self._done.append(np.packbits(bits[:whole], bitorder="little").tobytes())
        self._rest = bits[whole:]

    def getvalue(self) -> bytes:
        """All bytes, the last filled up with zeros."""
        return b"".join([*self._done, np.packbits(self._rest, bitorder="little").tobytes()])
