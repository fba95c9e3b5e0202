"""What zlib's LZ77 makes of a few bytes, and Huffman codes as strings of 0 and 1 (RFC 1951)."""

import zlib

import numpy as np

from sdae.coding import deflate, huffman

_LENGTHS = [(3 + i, 0) for i in range(8)]
_LENGTHS += [(3 + (4 + i << n), n) for n in range(1, 6) for i in range(4)] + [(258, 0)]
_DISTANCES = [(1 + i, 0) for i in range(4)]
_DISTANCES += [(1 + (2 + i << n), n) for n in range(1, 14) for i in range(2)]


def code(lengths) -> dict[str, int]:
    """The canonical Huffman code of these lengths: bits → symbol."""
    pairs = zip(huffman.codes(lengths).tolist(), np.asarray(lengths).tolist())
    return {f"{bits:0{n}b}"[::-1]: symbol for symbol, (bits, n) in enumerate(pairs) if n}


_FIXED = code([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8)  # needs no description (3.2.6)


def packed(content: bytes) -> bytes:
    """A raw Deflate stream of one block at most, in the fixed code or, where that is longer, stored."""
    return deflate.squeeze([content], zlib.Z_FIXED)


def symbols(stream: bytes) -> list[tuple[int, int]]:
    """The symbols of a stream of `packed`: how many bytes each stands for, and from how far back
    they are repeated, 0 for a byte that stands for itself."""
    if not stream[0] & 6:
        return [(1, 0)] * int.from_bytes(stream[1:3], "little")
    bits = np.unpackbits(np.frombuffer(stream, "uint8"), bitorder="little")
    text, at, found = (bits + ord("0")).tobytes().decode(), 3, []

    def taken(count):
        nonlocal at
        at += count
        return text[at - count : at]

    def in_range(start, extra):
        return start + int(taken(extra)[::-1] or "0", 2)

    while True:
        symbol = _FIXED[taken(next(n for n in (7, 8, 9) if text[at : at + n] in _FIXED))]
        if symbol == deflate.END:
            return found
        if symbol < deflate.END:
            found.append((1, 0))
        else:
            length = in_range(*_LENGTHS[symbol - deflate.END - 1])
            found.append((length, in_range(*_DISTANCES[int(taken(5), 2)])))
