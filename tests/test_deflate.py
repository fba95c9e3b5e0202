"""Deflate streams against zlib and Node.js, and the limits of reading."""

import shutil
import subprocess
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sdae.coding import deflate, huffman
from sdae.coding.deflate import DeflateError

segments = st.lists(arrays("uint8", st.integers(0, 300)), max_size=5)


def geometric(chance, size, seed=0):
    values = np.random.default_rng(seed).geometric(chance, size) - 1
    return np.minimum(values, 255).astype("uint8")


@given(segments, st.integers(0, 1))
@settings(max_examples=40, deadline=None)
def test_any_segments_come_back(parts, effort):
    raw = b"".join(part.tobytes() for part in parts)
    stream = deflate.write(parts, effort)
    assert zlib.decompressobj(-15).decompress(stream) == raw
    assert deflate.inflate(stream, len(raw)) == raw


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(1, 900)), max_size=30), st.integers(0, 1)
)
@settings(max_examples=60, deadline=None)
def test_runs_of_any_length_come_back(runs, effort):
    part = np.concatenate([np.zeros(0, "uint8"), *(np.full(n, b, "uint8") for b, n in runs)])
    stream = deflate.write([part, part[:40]], effort)
    assert zlib.decompressobj(-15).decompress(stream) == part.tobytes() + part[:40].tobytes()


@pytest.mark.parametrize(
    "length", [*range(20, 32), 257, 258, 259, 260, 261, 262, 517, 518, 519, 520]
)
def test_runs_of_this_length_come_back(length):
    part = np.repeat(np.arange(3, dtype="uint8"), length)
    assert deflate.inflate(deflate.write([part]), part.size) == part.tobytes()


def test_a_run_takes_no_more_than_zlib_makes_of_it():
    rng = np.random.default_rng(0)
    part = np.zeros(20_000, "uint8")
    part[rng.integers(0, part.size, 60)] = rng.integers(1, 200, 60)
    assert len(deflate.write([part])) < 1.02 * len(deflate.squeeze([part], zlib.Z_RLE))
    assert deflate.cost([part]) == pytest.approx(8 * len(deflate.write([part])), rel=0.1)


@given(st.integers(1, 60), st.integers(1, 40), st.integers(0, 1))
@settings(max_examples=40, deadline=None)
def test_steep_distributions_come_back(steepness, symbols, effort):
    counts = (1.05 ** np.minimum(steepness * np.arange(symbols), 200)).astype("int64")
    part = np.repeat(np.arange(symbols, dtype="uint8"), counts)
    assert deflate.inflate(deflate.write([part], effort), part.size) == part.tobytes()


def test_code_lengths_keep_the_limit_and_stay_complete():
    fibonacci = [1, 1]
    while len(fibonacci) < 28:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    for limit in (7, 15):
        lengths = huffman.lengths(np.array(fibonacci), limit)
        assert lengths.max() <= limit
        assert sum(0.5 ** int(n) for n in lengths) == 1


def test_code_lengths_are_as_good_as_huffman():
    rng = np.random.default_rng(1)
    for _ in range(20):
        counts = rng.integers(1, 200, rng.integers(3, 60))
        heap, bits = sorted(counts.tolist()), 0
        while len(heap) > 1:
            joined = heap[0] + heap[1]
            bits += joined
            heap = sorted([joined] + heap[2:])
        assert int(counts @ huffman.lengths(counts, 15)) == bits


def test_smaller_than_zlib_where_statistics_change():
    parts = [geometric(chance, 1500) for chance in (0.5, 0.1, 0.02)]
    raw = b"".join(part.tobytes() for part in parts)
    best = min(len(deflate.squeeze([raw], s)) for s in range(4))
    assert len(deflate.write(parts)) < 0.95 * best


def test_similar_segments_share_a_block():
    together = deflate.write([geometric(0.1, 200, 1), geometric(0.1, 200, 2)])
    apart = [deflate.write([geometric(0.1, 200, seed)]) for seed in (1, 2)]
    assert len(together) < sum(map(len, apart)) - 10


def test_noise_is_stored():
    noise = np.random.default_rng(3).integers(0, 256, 5000).astype("uint8")
    assert len(deflate.write([noise])) <= 5000 + 6


def test_cost_is_close_to_the_size():
    parts = [geometric(chance, 2000) for chance in (0.3, 0.05)]
    assert deflate.cost(parts) == pytest.approx(8 * len(deflate.write(parts)), rel=0.03)


def test_effort_is_never_larger():
    parts = [geometric(chance, size) for size in (150, 3000) for chance in (0.5, 0.2, 0.02)]
    assert len(deflate.write(parts, 1)) <= len(deflate.write(parts))


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_node_inflates_the_same():
    parts = [geometric(0.3, 3000), np.zeros(500, "uint8"), geometric(0.02, 70000)]
    script = (
        "const z = require('zlib'), d = [];"
        "process.stdin.on('data', x => d.push(x));"
        "process.stdin.on('end', () => process.stdout.write(z.inflateRawSync(Buffer.concat(d))));"
    )
    found = subprocess.run(
        ["node", "-e", script], input=deflate.write(parts), capture_output=True, check=True
    )
    assert found.stdout == b"".join(part.tobytes() for part in parts)


@pytest.mark.skipif(not shutil.which("gzip"), reason="gzip is not installed")
def test_gzip_inflates_the_same():
    parts = [geometric(0.3, 3000), geometric(0.02, 7000)]
    raw = b"".join(part.tobytes() for part in parts)
    header = bytes.fromhex("1f8b0800000000000003")
    trailer = zlib.crc32(raw).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    member = header + deflate.write(parts) + trailer
    found = subprocess.run(["gzip", "-dc"], input=member, capture_output=True, check=True)
    assert found.stdout == raw


def test_inflate_refuses_a_bomb_without_unpacking_it():
    bomb = deflate.squeeze([bytes(20_000_000)])
    with pytest.raises(DeflateError, match="room"):
        deflate.inflate(bomb, 1000)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + b"x", lambda s: b"\xff" + s])
def test_inflate_refuses_damage(change):
    stream = deflate.write([geometric(0.1, 400)])
    with pytest.raises(DeflateError):
        deflate.inflate(change(stream), 400)


@given(arrays("int16", st.tuples(*[st.integers(1, 6)] * 3)))
@settings(max_examples=60, deadline=None)
def test_plain_comes_back(values):
    assert np.array_equal(deflate.unplain(deflate.plain(values), *values.shape), values)


def test_plain_takes_a_byte_each_where_it_can():
    values = np.random.default_rng(0).integers(-128, 128, (16, 16, 8))
    assert len(deflate.plain(values)) < 16 * 16 * 8 + 32
    assert len(deflate.plain(values * 2)) > 16 * 16 * 8 + 32


@given(st.binary(max_size=80))
@settings(max_examples=80, deadline=None)
def test_unplain_refuses_anything_else(data):
    with pytest.raises(DeflateError):
        deflate.unplain(data, 7, 5, 11)
