"""Bytes and integers ↔ Deflate streams (RFC 1951), raw: no zlib or gzip wrapper around them.

Reading is zlib's business, with the size checked before memory is taken. Writing is, too, but for
streams of which the latent coder knows what zlib cannot: their statistics. The description of a Huffman
code takes 35 bytes. The weights hold many, the *presets*; a stream that begins with one of these is
stored without it.
"""

import zlib

import numpy as np

from sdae.coding import huffman
from sdae.coding.coding_order import band_rows

MARK = 255
"""The byte between two segments of a stream."""

END = 256
"""The symbol that ends a block; those above it are lengths of matches (RFC 1951, 3.2.5)."""

BEGINNING = 140
"""Bytes of a preset: the beginning of a stream up to its first code."""

_PLAIN = np.dtype("i1"), np.dtype("<i2")
_PIECE, _INFLATED = 1 << 16, 1 << 20
# So many packed bytes, and inflated ones, are worked on at a time where there are many.


class DeflateError(ValueError):
    """Packed integers that are damaged or belong to another latent."""


class Reader:
    """Inflates streams as they are read, so that no more is in memory than is asked for.

    ``data`` is one raw stream, nothing before and nothing after it; or with ``presets`` what `Writer`
    made of the same. Methods raise DeflateError where a stream is damaged or ends too early.
    """

    def __init__(self, data: bytes, presets: np.ndarray | None = None):
        self._packed, self._at, self._ahead, self._presets = data, 0, b"", presets
        self._stream, self._ended = zlib.decompressobj(-zlib.MAX_WBITS), presets is not None

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes of a raw stream."""
        while len(self._ahead) < size:
            if not (more := self._more()):
                raise DeflateError("The packed integers are cut short.")
            self._ahead += more
        content, self._ahead = self._ahead[:size], self._ahead[size:]
        return content

    def segment(self, most: int) -> bytes:
        """The next segment that `Writer` was given; an error if it has more than ``most`` bytes."""
        if self._ended:
            self._begin()
        at = 0
        while (end := self._ahead.find(MARK, at)) < 0 and len(self._ahead) <= most:
            if not (more := self._more()):
                break
            at = len(self._ahead)
            self._ahead += more
        self._ended, end = end < 0, end if end >= 0 else len(self._ahead)
        if end > most:
            raise DeflateError("The packed integers are more than the picture has room for.")
        content, self._ahead = self._ahead[:end], self._ahead[end + 1 :]
        return content

    def rest(self, most: int = 0) -> bytes:
        """All that is left; an error if more than ``most`` bytes, or if something follows."""
        content = self._ahead
        while len(content) <= most and (more := self._more(most + 1)):
            content += more
        if len(content) > most:
            raise DeflateError("The packed integers are more than the picture has room for.")
        if self._at < len(self._packed) or self._ended != (self._presets is not None):
            raise DeflateError("The packed integers are followed by something else.")
        return content

    def _begin(self):
        number, self._at = self._packed[self._at : self._at + 1], self._at + 1
        if not number or number[0] > len(self._presets):
            raise DeflateError("The packed integers are damaged or cut short.")
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        if number[0]:
            self._stream.decompress(self._presets[number[0] - 1].tobytes())

    def _more(self, most=_INFLATED):
        """At most so many bytes of the stream; none at its end."""
        content, stream = b"", self._stream
        while not content and not stream.eof:
            piece = self._packed[self._at : self._at + _PIECE]
            try:
                content = stream.decompress(piece, most)
            except zlib.error as error:
                raise DeflateError("The packed integers are damaged.") from error
            self._at += len(piece) - len(stream.unconsumed_tail) - len(stream.unused_data)
            if not (piece or content or stream.eof):
                raise DeflateError("The packed integers are cut short.")
        return content


def plain(values: np.ndarray) -> bytes:
    """Pack integers as the original work did: one after another, then zlib at level 9.

    (h, w, C) integers within int16 → one byte, 0 for 8-bit and 1 for little-endian 16-bit integers,
    and a raw stream of them.
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
    """Makes raw streams of segments that come in groups. Before each stream stands a byte: the number of
    the preset that it begins with, counted from 1, which is left out; or 0 where zlib made it.

    Neighbouring segments of a group share a stream where that costs less than two, with a byte `MARK`
    between them.

    Args:
        presets: (K, BEGINNING) uint8, K at most 255, see `beginnings`.
    """

    def __init__(self, presets: np.ndarray):
        self._lengths, self._done = preset_lengths(presets), []

    def add(self, segments) -> None:
        """Append a group: bytes, each of one distribution and without a `MARK`."""
        for first, end, preset in cut(list(map(tally, segments)), self._lengths):
            content = bytes([MARK]).join(segments[first:end])
            if preset < 0:
                ways = zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE
                stream = min((squeeze([content], way) for way in ways), key=len)
            else:
                stream = _coded(content, self._lengths[preset])
            self._done += [bytes([preset + 1]), stream]

    def getvalue(self) -> bytes:
        """All streams, one after another."""
        return b"".join(self._done)


def tally(segment: bytes) -> np.ndarray:
    """How often each literal comes up, with a mark after the segment: (END + 1,)."""
    return np.bincount(np.frombuffer(segment + bytes([MARK]), "uint8"), minlength=END + 1)


def cut(tallies, lengths) -> list[tuple[int, int, int]]:
    """Segments → the streams that take the fewest bits, about.

    Args:
        tallies: list of (END + 1,), of each segment.
        lengths: (K, END + 1) code lengths of the presets.

    Returns:
        first segment, the one after the last, and preset of each stream; −1 to leave it to zlib.
    """
    n = len(tallies)
    sums = np.cumsum([np.zeros(END + 1, "int64"), *tallies], axis=0)
    coded = sums @ lengths.T
    least, found = np.zeros(n + 1), [()] * (n + 1)
    for end in range(1, n + 1):
        bits = coded[end] - coded[:end] + lengths[:, END] - lengths[:, MARK]
        preset, bits = bits.argmin(1), bits.min(1)
        counts = sums[end] - sums[:end]
        own = 150 + 2 * np.count_nonzero(counts, 1) + huffman.entropy(counts)
        preset[own < bits] = -1
        bits = least[:end] + 12 + np.minimum(own, bits)
        first = int(bits.argmin())
        least[end], found[end] = bits[first], (first, end, int(preset[first]))
    streams = []
    while n:
        streams.append(found[n])
        n = streams[-1][0]
    return streams[::-1]


def beginnings(lengths) -> np.ndarray:
    """Code lengths, (K, END + 1), 1 to 15 → (K, BEGINNING) uint8: how streams of such a code begin.

    Code lengths take four bits each. An empty block before, and a length symbol and a distance that
    have no code, make these whole bytes.
    """
    four, rows = huffman.codes(np.repeat(4, 16)), []
    for row in lengths:
        bits = _Bits()
        bits.add([1 << 1, 0, 1 | 2 << 1, 1, 0, 15], [3, 7, 3, 5, 5, 4])
        bits.add([0] * 3 + [4] * 16, [3] * 19)
        bits.add(four[[*row, 0, 0]], [4] * (END + 3))
        rows.append(np.frombuffer(bits.getvalue(), "uint8"))
    return np.array(rows)


def preset_lengths(presets) -> np.ndarray:
    """The inverse of `beginnings`, int64."""
    bits = np.unpackbits(presets, axis=1, bitorder="little")[:, 84 : 88 + 4 * END]
    return bits.reshape(len(presets), END + 1, 4) @ np.array([8, 4, 2, 1])


def _coded(content: bytes, lengths) -> bytes:
    """A stream of such a code, without its beginning."""
    bits, codes = _Bits(), huffman.codes(lengths)
    for start in range(0, len(content), _PIECE):
        piece = np.frombuffer(content[start : start + _PIECE], "uint8")
        bits.add(codes[piece], lengths[piece])
    bits.add(codes[[END]], lengths[[END]])
    return bits.getvalue()


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
