"""Parse trees: sequences of small numbers ↔ bytes, a whole word of numbers a byte.

A tree cuts a sequence into words of different length, each about as likely as the next, and gives
every word a byte (variable-to-fixed coding, Tunstall 1967). Grown for the statistics of its bucket
it makes the bytes of all buckets distributed alike, so that one Huffman code serves them all. zlib has
no code for words.
"""

import heapq

import numpy as np

from sdae.coding.deflate import DeflateError

END = 255
"""The byte after the last word of a bucket; no word has it."""

ALPHABET = 128
"""Most symbols of a tree."""

COST_UNIT = 1024
"""Costs of symbols count in units of 1/1024 bit."""

_FILLED = 256
_PIECE = 1 << 18
# Numbers or bytes that are worked on at a time where there are many.


def grow(costs: list[int], most: int, paused=lambda leaves: None) -> list[tuple]:
    """The words of the tree that splits its cheapest word again and again.

    Args:
        costs: of each symbol, integers, so that every machine grows the same tree; the symbol
            after the last number that is told apart stands for all larger ones.
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


class Tree:
    """The tree of one bucket.

    Args:
        costs: (ALPHABET,) integers, a row of `sdae.coding.tables.Tables.costs`; zeros fill up.
        most: words it may have.
    """

    def __init__(self, costs: np.ndarray, most: int):
        costs = costs[costs > 0].tolist()
        self.escape = len(costs) - 1
        words = [symbols for _, _, symbols in grow(costs, most)]
        self.lengths = np.array([len(word) for word in words], "int64")
        self.longest = int(self.lengths.max())
        others = [[(k, symbol) for k, symbol in enumerate(word) if symbol] for word in words]
        self._counts = np.array([len(found) for found in others])
        self._firsts = np.cumsum(self._counts) - self._counts
        self._places, self._symbols = np.array(sum(others, []), "uint8").reshape(-1, 2).T
        self._number(words)

    def _number(self, words):
        """Number the inner nodes, those along a run of zeros one after another.

        For each node ``zeros``: how many zeros end the word; ``last``: the byte of that word; and
        for each symbol ``child``: a node, or ~byte. The symbol after the escape is the end of the
        bucket, which fills a begun word with zeros: ~(_FILLED + byte).
        """
        byte = {word: k for k, word in enumerate(words)}
        nodes, waiting = [], [()]
        while waiting:
            prefix = waiting.pop()
            nodes.append(prefix)
            steps = [(*prefix, symbol) for symbol in range(self.escape, -1, -1)]
            waiting += [step for step in steps if step not in byte]
        number = {node: k for k, node in enumerate(nodes)}
        size = self.escape + 2
        self.child = np.zeros((len(nodes), size), "int32")
        self.zeros = np.zeros(len(nodes), "int32")
        self.last = np.zeros(len(nodes), "uint8")
        for k in range(len(nodes) - 1, -1, -1):
            for symbol in range(size - 1):
                step = (*nodes[k], symbol)
                self.child[k, symbol] = number[step] if step in number else ~byte[step]
            ahead = self.child[k, 0]
            self.zeros[k] = 1 if ahead < 0 else 1 + self.zeros[k + 1]
            self.last[k] = ~ahead if ahead < 0 else self.last[k + 1]
            self.child[k, -1] = ~(_FILLED + int(self.last[k])) if k else ~END

    def numbers(self, content: np.ndarray, limit: int) -> np.ndarray:
        """The symbols of the words that bytes stand for, uint8.

        Args:
            content: uint8 bytes.
            limit: how many there may be, not counting what fills the last word.

        Raises:
            DeflateError: a byte stands for no word, or they are more.
        """
        if len(content) and content.max() >= len(self.lengths):
            raise DeflateError("The packed integers are damaged.")
        size = sum(int(self.lengths.take(piece).sum()) for piece in _pieces(content))
        if size >= limit + self.longest:
            raise DeflateError("The packed integers are more than the picture has room for.")
        found, begun = np.zeros(size, "uint8"), 0
        for piece in _pieces(content):
            lengths, counts = self.lengths.take(piece), self._counts.take(piece)
            starts = np.cumsum(lengths) - lengths + begun
            begun = int(starts[-1] + lengths[-1])
            which = self._firsts.take(piece) - np.cumsum(counts) + counts
            which = np.repeat(which, counts) + np.arange(int(counts.sum()))
            found[np.repeat(starts, counts) + self._places.take(which)] = self._symbols.take(which)
        return found

    def words(self, content: np.ndarray, count: int) -> int:
        """How many of the bytes it takes to have ``count`` numbers; more than all if they lack."""
        used = 0
        for piece in _pieces(content):
            if count <= 0:
                break
            ends = np.cumsum(self.lengths.take(np.minimum(piece, len(self.lengths) - 1)))
            used += min(int(np.searchsorted(ends, count)) + 1, len(piece))
            count -= int(ends[-1])
        return used + (count > 0)


def _pieces(content):
    return (content[start : start + _PIECE] for start in range(0, len(content), _PIECE))


class Forest:
    """The trees of several buckets, to cut all their sequences at once."""

    def __init__(self, trees: list[Tree]):
        self.trees = trees
        self._reach = max(tree.longest for tree in trees) + 1
        nodes = np.cumsum([0] + [len(tree.zeros) for tree in trees])
        tables = np.cumsum([0] + [tree.child.size for tree in trees])
        self._roots = nodes[:-1].astype("int32")
        self._zeros = np.concatenate([tree.zeros for tree in trees])
        self._last = np.concatenate([tree.last for tree in trees])
        self._child = np.concatenate(
            [np.where(t.child < 0, t.child, t.child + n).ravel() for t, n in zip(trees, nodes)]
        )
        self._row = np.concatenate(
            [start + np.arange(len(t.zeros)) * t.child.shape[1] for t, start in zip(trees, tables)]
        ).astype("int32")

    def cut(self, parts: list[np.ndarray]) -> list[np.ndarray]:
        """Numbers → bytes, those of each bucket followed by `END`.

        Args:
            parts: the numbers of each bucket; those from its escape on are not told apart.
        """
        pieces = []
        for part, tree in zip(parts, self.trees):
            pieces += [np.minimum(part, tree.escape).astype("uint8"), [tree.escape + 1]]
        symbols = np.concatenate(pieces, dtype="uint8", casting="unsafe")
        sizes = np.array([len(part) + 1 for part in parts])
        ends = np.cumsum(sizes)
        found, at = [], 0
        for start in range(0, len(symbols), _PIECE):
            stop = min(start + _PIECE, len(symbols))
            inside = np.diff(np.clip(ends, start, stop), prepend=start)
            byte, after = self._walk(
                symbols[start : stop + self._reach], np.repeat(self._roots, inside)
            )
            # One step a byte: where a word begins depends on where the one before it ends.
            after, visited, at = after.tolist(), [], at - start
            while at < stop - start:
                visited.append(at)
                at = after[at]
            at += start
            found.append(byte.take(visited))
        found = np.concatenate(found)
        return np.split(found, np.flatnonzero(found == END)[:-1] + 1)

    def _walk(self, symbols, node):
        """From each of the first places: the byte of the word that begins there, and its end."""
        n = len(node)
        others = np.append(np.flatnonzero(symbols), len(symbols) + self._reach)
        gaps = np.diff(others, prepend=-1)
        run = (np.repeat(others, gaps)[: len(symbols)] - np.arange(len(symbols))).astype("int32")
        byte, after = np.empty(n, "uint8"), np.empty(n, "int32")
        start = at = np.arange(n, dtype="int32")
        while len(at):
            zeros, ahead = self._zeros.take(node), run.take(at)
            ended = zeros <= ahead
            which = start[ended]
            byte[which] = self._last.take(node[ended])
            after[which] = at[ended] + zeros[ended]
            going = ~ended
            start, ahead = start[going], ahead[going]
            at, node = at[going] + ahead, node[going] + ahead
            child = self._child.take(self._row.take(node) + symbols.take(at))
            ended = child < 0
            word, which = ~child[ended], start[ended]
            byte[which] = word & 255
            after[which] = at[ended] + (word < _FILLED)
            going = ~ended
            start, at, node = start[going], at[going] + 1, child[going]
        return byte, after
