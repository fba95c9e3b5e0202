"""Tunstall codes: sequences of small numbers ↔ bytes, one byte for a word of several numbers.

A Tunstall code cuts a sequence into words of different length, each about as likely as the next,
and gives every word a byte (B. P. Tunstall, Synthesis of noiseless compression codes, 1967). Grown
for the statistics of its bucket it makes the bytes of all buckets distributed alike, so that one
Huffman code serves them all. zlib has no code for words.
"""

import heapq

import numpy as np

from sdae.coding.deflate import DeflateError

ALPHABET = 128
"""Most symbols that a code tells apart."""

COST_UNIT = 1024
"""Costs of symbols count in units of 1/1024 bit."""

_PIECE = 1 << 16


def grow(costs: list[int], most: int, paused=lambda words: None) -> list[tuple]:
    """The words of a code: the cheapest is made longer by every symbol, again and again.

    Args:
        costs: of each symbol, integers, so that every machine grows the same words; the last
            symbol stands for itself and all larger ones.
        most: words there may be at the end.
        paused: called with the words before each split, as `heapq` keeps them.

    Returns:
        (cost, age, symbols) of every word, the cheapest first: the order of their bytes.
    """
    words = [(cost, symbol, (symbol,)) for symbol, cost in enumerate(costs)]
    heapq.heapify(words)
    age = len(costs)
    while len(words) + len(costs) - 1 <= most:
        paused(words)
        cost, _, symbols = heapq.heappop(words)
        for symbol, more in enumerate(costs):
            heapq.heappush(words, (cost + more, age, (*symbols, symbol)))
            age += 1
    return sorted(words)


class TunstallCode:
    """The code of one bucket.

    Args:
        costs: (ALPHABET,) integers, a row of `sdae.coding.tables.Tables.costs`; zeros fill up.
        most: words it may have, at most `deflate.MARK`, a byte that none of them has.

    Attributes:
        escape: the largest symbol, which stands for itself and all above it.
        longest: symbols of the longest word.
    """

    def __init__(self, costs: np.ndarray, most: int):
        costs = costs[costs > 0].tolist()
        self.escape = len(costs) - 1
        self._words = [bytes(symbols) for _, _, symbols in grow(costs, most)]
        self._lengths = np.array([len(word) for word in self._words])
        self.longest = int(self._lengths.max())
        self._root = [None] * len(costs)
        for byte, word in enumerate(self._words):
            node = self._root
            for symbol in word[:-1]:
                node[symbol] = node = node[symbol] or [None] * len(costs)
            node[word[-1]] = byte

    def encode(self, symbols) -> bytes:
        """Symbols, integers from 0 to the escape → bytes. Zeros fill a word that is begun."""
        root = node = self._root
        content = bytearray()
        for symbol in bytes(symbols):
            node = node[symbol]
            if node.__class__ is int:
                content.append(node)
                node = root
        if node is not root:
            while node.__class__ is list:
                node = node[0]
            content.append(node)
        return bytes(content)

    def decode(self, content: bytes, most: int) -> np.ndarray:
        """Bytes → symbols, uint8, with the zeros that filled the last word.

        ``most``: how many symbols there may be without these zeros.

        Raises:
            DeflateError: a byte stands for no word, or the symbols are more.
        """
        counts = np.bincount(np.frombuffer(content, "uint8"), minlength=len(self._words))
        if len(counts) > len(self._words):
            raise DeflateError("The packed integers are damaged.")
        if int(counts @ self._lengths) >= most + self.longest:
            raise DeflateError("The packed integers are more than the picture has room for.")
        # Joining takes 90 bytes a word for a while, and a hostile file has many.
        pieces = (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))
        symbols = b"".join(b"".join(map(self._words.__getitem__, piece)) for piece in pieces)
        return np.frombuffer(symbols, "uint8")
