"""What a raw Deflate stream says, symbol by symbol (RFC 1951).

zlib inflates without a word; this reader tells how many bits each literal, each match and each
table took. It is for teaching and accounting, far slower than zlib.
"""

from dataclasses import dataclass

import numpy as np

from sdae.coding.deflate import END, LENGTH_ORDER, LENGTHS, DeflateError
from sdae.coding.huffman import codes as canonical_codes
from sdae.coding.huffman import lengths as code_lengths

STORED, FIXED, DYNAMIC = range(3)
KINDS = "stored", "fixed code", "own code"

_FIXED_LENGTHS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
# The code lengths of the fixed code (RFC 1951, 3.2.6).

_DISTANCES = [(1 + i, 0) for i in range(4)]
_DISTANCES += [(1 + (2 + i << n), n) for n in range(1, 14) for i in range(2)]


@dataclass(frozen=True)
class Token:
    """One symbol of a stream.

    Attributes:
        bits: the bits it took, in the order of the stream, as a string of 0 and 1.
        literal: the byte that it stands for, or None.
        length, distance: of a match: how many bytes are repeated, and from how far back; else 0.
    """

    bits: str
    literal: int | None = None
    length: int = 0
    distance: int = 0

    @property
    def size(self) -> int:
        """How many bytes the symbol stands for; 0 for the end of a block."""
        return self.length if self.literal is None else 1


@dataclass(frozen=True)
class Block:
    """One block: its kind, the bits of its header (tables included), and its symbols."""

    kind: int
    header_bits: int
    tokens: list[Token]


class _Bits:
    """The stream as one string, lowest bit of each byte first."""

    def __init__(self, data: bytes):
        bits = np.unpackbits(np.frombuffer(data, "uint8"), bitorder="little")
        self.text, self.at = (bits + ord("0")).tobytes().decode(), 0

    def take(self, count: int) -> str:
        bits = self.text[self.at : self.at + count]
        if len(bits) < count:
            raise DeflateError("The stream is cut short.")
        self.at += count
        return bits

    def number(self, count: int) -> int:
        """An unsigned integer, lowest bit first."""
        return int(self.take(count)[::-1] or "0", 2)

    def symbol(self, code: dict[str, int]) -> int:
        for count in range(1, 16):
            symbol = code.get(self.text[self.at : self.at + count])
            if symbol is not None:
                self.at += count
                return symbol
        raise DeflateError("The stream holds no symbol of its code.")

    def one_of(self, table, symbol: int) -> int:
        """A length or distance: where its range starts, and the extra bits that follow."""
        if symbol >= len(table):
            raise DeflateError("The stream holds a symbol that has no meaning.")
        start, extra = table[symbol]
        return start + self.number(extra)


def codes(lengths) -> list[str]:
    """Canonical Huffman codes as strings of 0 and 1, from their lengths; "" for length 0."""
    pairs = zip(canonical_codes(lengths).tolist(), lengths)
    return [f"{code:0{length}b}"[::-1] if length else "" for code, length in pairs]


def huffman(data: bytes) -> dict[int, str]:
    """The Huffman code made for the bytes of ``data`` alone: byte value → bits."""
    counts = np.bincount(np.frombuffer(data, "uint8"), minlength=256)
    return {s: code for s, code in enumerate(codes(code_lengths(counts, 15).tolist())) if code}


def read(data: bytes) -> list[Block]:
    """The blocks of a raw Deflate stream.

    Raises:
        DeflateError: the stream is damaged or cut short.
    """
    bits, blocks, final, written = _Bits(data), [], False, 0
    while not final:
        begun = bits.at
        final, kind = bits.take(1) == "1", bits.number(2)
        if kind == STORED:
            bits.at += -bits.at % 8
            size = bits.number(16)
            if bits.number(16) != size ^ 0xFFFF:
                raise DeflateError("The stream states a length that its check does not match.")
            header = bits.at - begun
            taken = (bits.take(8) for _ in range(size))
            tokens = [Token(text, int(text[::-1], 2)) for text in taken]
        elif kind in (FIXED, DYNAMIC):
            tables = _tables(bits) if kind == DYNAMIC else (_FIXED_LENGTHS, [5] * 30)
            header = bits.at - begun
            tokens = _tokens(bits, *map(_lookup, tables), written)
        else:
            raise DeflateError("The stream holds a block of no known kind.")
        blocks.append(Block(kind, header, tokens))
        written += sum(token.size for token in tokens)
    return blocks


def replay(blocks: list[Block]) -> bytes:
    """The content that the symbols stand for."""
    content = bytearray()
    for block in blocks:
        for token in block.tokens:
            if token.literal is not None:
                content.append(token.literal)
            for _ in range(token.length):
                content.append(content[-token.distance])
    return bytes(content)


def _lookup(lengths) -> dict[str, int]:
    return {code: symbol for symbol, code in enumerate(codes(lengths)) if code}


def _tables(bits):
    """The code lengths of literals and distances that stand before an own code."""
    literals, distances, sent = bits.number(5) + 257, bits.number(5) + 1, bits.number(4) + 4
    widths = [0] * 19
    for symbol in LENGTH_ORDER[:sent]:
        widths[symbol] = bits.number(3)
    code, lengths = _lookup(widths), []
    while len(lengths) < literals + distances:
        symbol = bits.symbol(code)
        if symbol < 16:
            lengths.append(symbol)
        elif symbol == 16:
            if not lengths:
                raise DeflateError("The stream repeats a length before the first.")
            lengths += lengths[-1:] * (3 + bits.number(2))
        else:
            lengths += [0] * (3 + bits.number(3) if symbol == 17 else 11 + bits.number(7))
    return lengths[:literals], lengths[literals:]


def _tokens(bits, literals, distances, written: int) -> list[Token]:
    tokens = []
    while True:
        begun = bits.at
        symbol = bits.symbol(literals)
        if symbol < END:
            tokens.append(Token(bits.text[begun : bits.at], symbol))
        elif symbol == END:
            tokens.append(Token(bits.text[begun : bits.at]))
            return tokens
        else:
            length = bits.one_of(LENGTHS, symbol - END - 1)
            distance = bits.one_of(_DISTANCES, bits.symbol(distances))
            if distance > written:
                raise DeflateError("The stream repeats what is before its start.")
            tokens.append(Token(bits.text[begun : bits.at], None, length, distance))
        written += tokens[-1].size
