"""Deflate streams against zlib, and the limits of reading."""

import tracemalloc
import zlib
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sdae.coding import deflate, huffman
from sdae.coding.deflate import DeflateError, Reader
from tests.format_reader import inflated


def geometric(chance, size, seed=0):
    values = np.random.default_rng(seed).geometric(chance, size) - 1
    return np.minimum(values, 254).astype("uint8").tobytes()


STEEP = huffman.lengths(1 + 1e5 * 0.8 ** np.arange(deflate.END + 1), 15)
FLAT = huffman.lengths(1 + 1e5 * 0.98 ** np.arange(deflate.END + 1), 15)
PRESETS = deflate.beginnings([STEEP, FLAT])


def write(segments):
    writer = deflate.Writer(PRESETS)
    writer.add(segments)
    return writer.getvalue()


def check(segments):
    """That zlib reads what is written, with the beginnings before it, and that the reader does."""
    packed = write(segments)
    assert list(inflated(packed, PRESETS)) == segments
    reader = Reader(packed, PRESETS)
    assert [reader.segment(len(segment)) for segment in segments] == segments
    if segments:
        assert reader.rest() == b""
    return packed


ANY = st.binary(max_size=300).map(lambda content: content.replace(b"\xff", b""))


@given(st.lists(ANY, max_size=5))
@settings(max_examples=40, deadline=None)
def test_any_segments_come_back(segments):
    check(segments)


@given(st.lists(st.tuples(st.integers(0, 254), st.integers(1, 900)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_runs_of_any_length_come_back(runs):
    segment = b"".join(bytes([value]) * length for value, length in runs)
    check([segment, segment[:40]])


@pytest.mark.parametrize("length", [*range(22, 29), *range(257, 262), *range(281, 285), 518, 519])
def test_runs_of_this_length_come_back(length):
    check([np.repeat(np.arange(3, dtype="uint8"), length).tobytes()])


def test_a_run_takes_no_more_than_zlib_makes_of_it():
    rng = np.random.default_rng(0)
    segment = np.zeros(20_000, "uint8")
    segment[rng.integers(0, segment.size, 60)] = rng.integers(1, 200, 60)
    segment = segment.tobytes()
    assert len(write([segment])) < 1.02 * len(deflate.squeeze([segment], zlib.Z_RLE))


@given(st.integers(1, 60), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_steep_distributions_come_back(steepness, symbols):
    counts = (1.05 ** np.minimum(steepness * np.arange(symbols), 200)).astype("int64")
    check([np.repeat(np.arange(symbols, dtype="uint8"), counts).tobytes()])


def test_a_preset_is_a_beginning_that_zlib_reads_and_states_its_code():
    np.testing.assert_array_equal(deflate.preset_lengths(PRESETS), [STEEP, FLAT])
    for beginning in PRESETS:
        assert zlib.decompressobj(-15).decompress(beginning.tobytes()) == b""


def test_a_code_that_is_known_is_not_described():
    segment = geometric(0.2, 400)
    packed = write([segment])
    assert packed[0] == 1
    assert len(packed) < len(deflate.squeeze([segment], zlib.Z_HUFFMAN_ONLY)) - 12


def test_what_no_preset_suits_is_left_to_zlib():
    segment = bytes(range(100, 104)) * 500
    packed = write([segment])
    assert packed[0] == 0 and zlib.decompress(packed[1:], -15) == segment


@pytest.mark.parametrize("limit", [7, 15])
def test_code_lengths_keep_the_limit_and_stay_complete(limit):
    lengths = huffman.lengths(2.0 ** np.arange(28), limit)
    assert lengths.max() == limit
    assert np.sum(0.5**lengths) == 1


def test_code_lengths_are_those_of_huffman():
    counts = np.array([5, 0, 1, 1, 2, 9])
    assert huffman.lengths(counts, 15).tolist() == [2, 0, 4, 4, 3, 1]
    assert [f"{code:b}" for code in huffman.codes([2, 0, 4, 4, 3, 1])] == [
        *("1", "0", "111", "1111", "11", "0")
    ]


def test_smaller_than_zlib_where_statistics_change():
    segments = [geometric(chance, 1500) for chance in (0.5, 0.1, 0.02)]
    best = min(len(deflate.squeeze(segments, strategy)) for strategy in range(4))
    assert len(check(segments)) < 0.95 * best


def test_similar_segments_share_a_stream():
    segments = [geometric(0.2, 50, seed) for seed in range(4)]
    assert len(write(segments)) < sum(len(write([segment])) for segment in segments) - 2


@pytest.mark.memory
def test_a_bomb_takes_no_memory():
    bomb = deflate.squeeze([bytes(50_000_000)])
    reads = (
        lambda: Reader(bomb).rest(1000),
        lambda: Reader(bomb).rest(),
        lambda: Reader(b"\0" + bomb, PRESETS).segment(1000),
    )
    for read in reads:
        tracemalloc.start()
        with pytest.raises(DeflateError, match="room"):
            read()
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
        tracemalloc.stop()


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + b"x", lambda s: b"\xff" + s])
def test_inflate_refuses_damage(change):
    stream = deflate.squeeze([geometric(0.1, 400)])
    with pytest.raises(DeflateError):
        Reader(change(stream)).rest(400)


def test_a_reader_takes_what_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(deflate, "_INFLATED", 3)
    stream = deflate.squeeze([b"abcdefghij"])
    reader = Reader(stream)
    assert (reader.take(2), reader.take(3), reader.take(0)) == (b"ab", b"cde", b"")
    assert reader.rest(5) == b"fghij"
    with pytest.raises(DeflateError, match="short"):
        Reader(stream).take(11)
    with pytest.raises(DeflateError, match="room"):
        Reader(stream).rest(9)


def test_segments_are_read_as_far_as_there_is_room(monkeypatch):
    monkeypatch.setattr(deflate, "_INFLATED", 3)
    packed = write([b"abc", b"", b"defgh"])
    reader = Reader(packed, PRESETS)
    assert (reader.segment(3), reader.segment(0), reader.segment(9)) == (b"abc", b"", b"defgh")
    with pytest.raises(DeflateError, match="short"):
        reader.segment(9)
    reader = Reader(packed, PRESETS)
    with pytest.raises(DeflateError, match="room"):
        reader.segment(2)


WHOLE = b"\0" + deflate.squeeze([b"abc"])


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "short"),
        (b"\3abc", "damaged"),
        (b"\1", "short"),
        (WHOLE[:-1], "short"),
        (WHOLE, ""),
        (WHOLE + b"\1", "followed"),
        (WHOLE + WHOLE, "followed"),
        (b"\0" + deflate.squeeze([b"abc\xff"]), "followed"),
    ],
)
def test_other_than_the_segments_is_refused(data, message):
    reader = Reader(data, PRESETS)
    with pytest.raises(DeflateError, match=message) if message else nullcontext():
        assert reader.segment(3) == b"abc" and reader.rest() == b""


@given(arrays("int16", st.tuples(*[st.integers(1, 6)] * 3)))
@settings(max_examples=60, deadline=None)
def test_plain_comes_back(values):
    (again,) = deflate.plain_bands(deflate.plain(values), *values.shape)
    np.testing.assert_array_equal(again, values)


@given(content=st.binary(max_size=80), kind=st.sampled_from([0, 1, 2]))
@settings(max_examples=80, deadline=None)
def test_other_plain_bytes_are_refused(content, kind):
    for packed in (content, deflate.squeeze([content])):
        with pytest.raises(DeflateError):
            list(deflate.plain_bands(bytes([kind]) + packed, 7, 5, 11))
