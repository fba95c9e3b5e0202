"""The latent coder: everything comes back, damage is refused, small is small."""

import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from docs import coder
from sdae.coding import coding_order, container, deflate, latent_coder
from sdae.coding.container import BitstreamError
from sdae.coding.deflate import DeflateError
from sdae.coding.tables import PREFIX, Tables
from sdae.coding.units import TablesError
from sdae.training import buckets
from tests import small_tables
from tests.format_reader import inflated
from tests.small_tables import CHANNELS, latents

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def tables():
    return small_tables.make()


def check(values, tables, code=5000):
    payload = latent_coder.encode(values, code, tables)
    again = latent_coder.decode(payload, *values.shape[:2], code, tables)
    assert again.dtype == np.int16
    assert np.array_equal(again, values)
    return payload


shapes = st.tuples(st.integers(1, 11), st.integers(1, 11), st.just(CHANNELS))


@given(
    values=st.one_of(
        arrays("int16", shapes, elements=st.integers(-3, 3)),
        arrays("int16", shapes, elements=st.sampled_from([0, 1, 300, -32768, 32767])),
        arrays("int16", shapes),
    ),
    code=st.integers(100, 10000),
)
@settings(max_examples=80, deadline=None)
def test_any_integers_come_back(tables, values, code):
    check(values, tables, code)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (31, 67)])
@pytest.mark.parametrize("fill", [0, 1, -1, 127, -32768])
def test_constant_latents_come_back_and_stay_small(tables, shape, fill):
    values = np.full((*shape, CHANNELS), fill, "int16")
    size = len(check(values, tables))
    assert size < 150 + values.size / 3 or abs(fill) > 1


def test_large_latents_in_several_bands_come_back(tables):
    values = latents(1, 150, 260)[0]
    bands = coding_order.bands(values)
    assert [len(band) for band in bands] == coding_order.band_rows(150, 260) == [63, 63, 24]
    payload = check(values, tables)
    assert latent_coder.encode_bands(iter(bands), 5000, tables) == payload
    again = list(latent_coder.decode_bands(payload, 150, 260, 5000, tables))
    assert all(map(np.array_equal, again, bands))


@pytest.mark.parametrize("live", [0, 1, 2, 5, 11])
def test_silent_channels_at_the_end_are_free(tables, live):
    values = latents(1)[0]
    values[..., live:] = 0
    size = len(check(values, tables))
    assert live > 0 or size == 1


def test_the_coder_stands_between_zlib_and_the_ideal(tables):
    values = latents(4, 24, 24, seed=5)
    size = coder.mean_bytes(values, 5000, tables)
    assert size["ideal, our contexts"] < size["ours"] < size["zlib 9"]


def test_ideal_coders_know_their_entropy(tables):
    still = [np.ones((4, 4, CHANNELS), "int16")] * 2
    assert coder.ideal_static(still) == 0
    halves = [np.zeros((4, 4, 8), "int16"), np.ones((4, 4, 8), "int16")]
    assert coder.ideal_static(halves) == 16
    assert coder.ideal_contexts([0 * still[0]], 5000, tables) == 0


@pytest.mark.parametrize(
    "name, change, sentence",
    [
        ("bias", lambda bias: None, "no context tables"),
        ("bias", lambda bias: bias[:, :3], "bias is misshapen"),
        ("costs", lambda costs: costs[1:], "costs is misshapen"),
        ("words", lambda words: np.minimum(words, 1), "no words"),
        ("hidden_bias", lambda bias: bias + (1 << 24), "exact"),
        ("refined_second", lambda second: None, "lack their refinement"),
        ("refined_first", lambda first: first[:1], "refinement first.* misshapen"),
        ("refined_spread", lambda spread: spread.astype("float32"), "refinement spread"),
    ],
)
def test_tables_that_do_not_fit_are_named(tables, name, change, sentence):
    stored = tables.to_arrays()
    stored[PREFIX + name] = change(stored[PREFIX + name])
    with pytest.raises(TablesError, match=sentence):
        Tables.from_arrays({name: array for name, array in stored.items() if array is not None})


def test_other_channels_are_refused(tables):
    with pytest.raises(ValueError, match="channels"):
        latent_coder.encode(np.zeros((2, 2, 3), "int16"), 5000, tables)


def test_presets_that_were_fitted_make_small_files_smaller(tables):
    flat = replace(tables, presets=buckets.empty()["presets"])
    values = latents(12, 12, 12, seed=5)
    size, described = (
        sum(len(latent_coder.encode(v, 5000, t)) for v in values) for t in (tables, flat)
    )
    assert size < 0.95 * described


@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=3)
)
@settings(max_examples=150, deadline=None)
def test_damage_raises_one_error_or_gives_integers(tables, changes):
    damaged = bytearray(latent_coder.encode(latents(1, 9, 8)[0], 5000, tables))
    for place, value in changes:
        damaged[place % len(damaged)] = value
    with suppress(DeflateError):
        values = latent_coder.decode(bytes(damaged), 9, 8, 5000, tables)
        assert values.shape == (9, 8, CHANNELS)


@given(content=st.binary(max_size=300), live=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_any_content_is_refused_or_decodes(tables, content, live):
    """Bytes that inflate get further than others."""
    with suppress(DeflateError):
        data = bytes([live, 0]) + deflate.squeeze([content])
        assert latent_coder.decode(data, 5, 4, 5000, tables).shape == (5, 4, CHANNELS)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, -1])
def test_truncation_is_refused(tables, length):
    payload = latent_coder.encode(latents(1)[0], 5000, tables)
    with pytest.raises(DeflateError):
        latent_coder.decode(payload[:length], 16, 16, 5000, tables)


@pytest.mark.parametrize("shape", [(16, 16), (150, 260)])
def test_content_after_the_last_band_is_refused(tables, shape):
    payload = latent_coder.encode(latents(1, *shape)[0], 5000, tables)
    content = b"\xff".join(inflated(payload[1:], tables.presets))
    with pytest.raises(DeflateError, match="followed"):
        packed = deflate.squeeze([content + b"\xff"])
        latent_coder.decode(payload[:1] + b"\0" + packed, *shape, 5000, tables)
    with pytest.raises(DeflateError, match="followed"):
        latent_coder.decode(payload + b"\0", *shape, 5000, tables)


def test_another_size_is_refused(tables):
    payload = latent_coder.encode(latents(1)[0], 5000, tables)
    with pytest.raises(DeflateError):
        latent_coder.decode(payload, 17, 16, 5000, tables)


# A header may claim 65535×65535 pixels.
CLAIMED = 8192, 8192


@pytest.mark.parametrize(
    "mode, payload",
    [
        (container.CONTEXTS, b""),
        (container.CONTEXTS, b"\x0c"),
        (container.CONTEXTS, b"\x0c\0" + deflate.squeeze([b"\xff" * 6])),
        (container.CONTEXTS, b"\x0c\0" + deflate.squeeze([bytes(50_000_000)])),
        (container.CONTEXTS, b"\x0c\0" + deflate.squeeze([b"\xff" * 5, bytes(50_000_000)])),
        (container.PLAIN, b""),
        (container.PLAIN, b"\0"),
        (container.PLAIN, b"\2" + deflate.squeeze([bytes(50_000_000)])),
        (container.PLAIN, b"\1" + deflate.squeeze([bytes(100)])),
    ],
)
@pytest.mark.memory
def test_nonsense_is_refused_before_memory_is_taken(tables, mode, payload):
    """At once, and not when the first integers are asked for."""
    latent_coder.encode(latents(1)[0], 5000, tables)  # what is remembered from now on
    tracemalloc.start()
    try:
        with pytest.raises(BitstreamError, match="damaged"):
            latent_coder.read(mode, payload, CLAIMED, 5000, tables)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("plain", [False, True])
def test_what_is_read_comes_band_by_band(tables, plain):
    values = latents(1, 150, 260)[0] * np.int16(1 + 99 * plain)
    if plain:
        mode, payload = container.PLAIN, deflate.plain(values)
    else:
        mode, payload = container.CONTEXTS, latent_coder.encode(values, 5000, tables)
    bands = list(latent_coder.read(mode, payload, (150, 260), 5000, tables))
    assert len(bands) == 3
    np.testing.assert_array_equal(np.concatenate(bands), values)
    with pytest.raises(BitstreamError):
        list(latent_coder.read(mode, payload[:-9], (150, 260), 5000, tables))


def test_golden_payloads_decode():
    with np.load(GOLDEN / "latents.npz") as stored:
        golden = dict(stored)
    tables = Tables.from_arrays(golden)
    names = [name.split("/")[1] for name in golden if name.startswith("values/")]
    assert len(names) == 4
    for name in names:
        values = golden[f"values/{name}"]
        payload = golden[f"payload/{name}"].tobytes()
        again = latent_coder.decode(payload, *values.shape[:2], 4000, tables)
        assert again.tobytes() == values.tobytes()
