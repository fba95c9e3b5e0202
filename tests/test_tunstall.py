"""Tunstall codes: every sequence comes back, bytes are few, and strange bytes are refused."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdae.coding import tunstall
from sdae.coding.deflate import MARK, DeflateError
from sdae.coding.tunstall import COST_UNIT, TunstallCode


def costs_of(chances):
    costs = np.zeros(tunstall.ALPHABET, int)
    costs[: len(chances)] = np.maximum(np.rint(-np.log2(chances) * COST_UNIT), 1)
    return costs


def geometric(symbols, ratio):
    chances = ratio ** np.arange(symbols)
    return chances / chances.sum()


CODES = [
    TunstallCode(costs_of(geometric(2, 0.001)), MARK),
    TunstallCode(costs_of(geometric(4, 0.2)), 100),
    TunstallCode(costs_of(geometric(40, 0.95)), MARK),
    TunstallCode(costs_of(geometric(3, 0.3)), 3),
]


@given(
    code=st.sampled_from(CODES),
    symbols=st.lists(st.one_of(st.just(0), st.integers(0, 50)), max_size=400),
)
@settings(max_examples=150, deadline=None)
def test_symbols_come_back(code, symbols):
    symbols = np.minimum(symbols, code.escape).astype("uint8")
    content = code.encode(symbols)
    assert MARK not in content
    again = code.decode(content, len(symbols))
    np.testing.assert_array_equal(again[: len(symbols)], symbols)
    assert not again[len(symbols) :].any()
    assert len(again) - len(symbols) < code.longest


def test_the_cheapest_word_is_split_first():
    words = [symbols for _, _, symbols in tunstall.grow([1, 3, 4], 7)]
    # (0,) of cost 1 is split, then (0, 0) of cost 2; of equal cost the older comes first.
    assert words == [(1,), (0, 0, 0), (2,), (0, 1), (0, 2), (0, 0, 1), (0, 0, 2)]


def test_a_code_takes_little_more_than_the_entropy():
    for ratio in (0.5, 0.8):
        chances = geometric(5, ratio)
        symbols = np.random.default_rng(0).choice(5, 20_000, p=chances)
        code = TunstallCode(costs_of(chances), MARK)
        entropy = -chances @ np.log2(chances)
        assert 8 * len(code.encode(symbols.astype("uint8"))) < 1.12 * entropy * len(symbols)


def test_bytes_without_a_word_are_refused():
    with pytest.raises(DeflateError, match="damaged"):
        CODES[3].decode(b"\0\3", 10)
    with pytest.raises(DeflateError, match="more"):
        CODES[0].decode(bytes(9), 1000)


def test_words_without_end_take_little_memory():
    content = bytes(1_000_000)
    tracemalloc.start()
    symbols = CODES[3].decode(content, len(content))
    assert tracemalloc.get_traced_memory()[1] < 16 * len(content)
    tracemalloc.stop()
    assert len(symbols) == len(content)
