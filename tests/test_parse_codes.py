"""Parse trees: every sequence comes back, bytes are few, and strange bytes are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdae.coding import parse_codes
from sdae.coding.deflate import DeflateError
from sdae.coding.parse_codes import COST_UNIT, END, Forest, Tree


def costs_of(chances):
    costs = np.zeros(parse_codes.ALPHABET, int)
    costs[: len(chances)] = np.maximum(np.rint(-np.log2(chances) * COST_UNIT), 1)
    return costs


def geometric(symbols, ratio):
    chances = ratio ** np.arange(symbols)
    return chances / chances.sum()


TREES = [
    Tree(costs_of(geometric(2, 0.001)), END),
    Tree(costs_of(geometric(4, 0.2)), 100),
    Tree(costs_of(geometric(7, 0.6)), END),
    Tree(costs_of(geometric(40, 0.95)), END),
    Tree(costs_of(geometric(3, 0.3)), 3),
]

sequences = st.lists(
    st.lists(st.one_of(st.just(0), st.integers(0, 50)), max_size=60), min_size=5, max_size=5
)


def check(parts):
    found = Forest(TREES).cut([np.array(part, int) for part in parts])
    assert len(found) == len(parts)
    for part, content, tree in zip(parts, found, TREES):
        content, end = content[:-1], content[-1]
        assert end == END
        numbers = tree.numbers(content, len(part))
        assert np.array_equal(numbers[: len(part)], np.minimum(part, tree.escape))
        assert not numbers[len(part) :].any()
        assert len(numbers) - len(part) < tree.longest
        assert tree.words(content, len(part)) == len(content)
    return found


@given(parts=sequences)
@settings(max_examples=80, deadline=None)
def test_numbers_come_back(parts):
    check(parts)


@pytest.mark.parametrize("piece", [1, 7, 300])
def test_numbers_come_back_piece_by_piece(monkeypatch, piece):
    rng = np.random.default_rng(piece)
    parts = [rng.geometric(0.6, n) - 1 for n in (0, 500, 1, 300, 40)]
    parts[0] = np.arange(1000) % 333 == 0
    whole = check(parts)
    monkeypatch.setattr(parse_codes, "_PIECE", piece)
    assert all(map(np.array_equal, check(parts), whole))


def test_the_cheapest_word_is_split_first():
    words = [symbols for _, _, symbols in parse_codes.grow([1, 3, 4], 7)]
    # (0,) of cost 1 is split, then (0, 0) of cost 2; of equal cost the older comes first.
    assert words == [(1,), (0, 0, 0), (2,), (0, 1), (0, 2), (0, 0, 1), (0, 0, 2)]


def test_a_tree_has_as_many_words_as_it_may():
    for alphabet in (2, 3, 11, 127):
        tree = Tree(costs_of(geometric(alphabet, 0.8)), END)
        assert END - alphabet + 1 < len(tree.lengths) <= END


def test_words_are_about_equally_likely():
    chances = geometric(5, 0.5)
    tree = Tree(costs_of(chances), END)
    words = [
        np.prod(chances[list(word)])
        for _, _, word in parse_codes.grow(costs_of(chances)[:5].tolist(), END)
    ]
    assert sum(words) == pytest.approx(1)
    entropy = -chances @ np.log2(chances)
    assert 8 / (tree.lengths @ words) < 1.12 * entropy


def test_bytes_without_a_word_are_refused():
    tree = TREES[4]
    with pytest.raises(DeflateError, match="damaged"):
        tree.numbers(np.array([0, 3], "uint8"), 10)
    with pytest.raises(DeflateError, match="more"):
        TREES[0].numbers(np.zeros(9, "uint8"), 1000)
    assert tree.words(np.array([0, 1], "uint8"), 3) == 3
