"""The latent coder: everything comes back, damage is refused, small is small."""

import shutil
import subprocess
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sdae.coding import buckets, coding_order, deflate, latent_coder, predictor, ranking
from sdae.coding.coding_order import FINE, LAST, band_rows
from sdae.coding.deflate import DeflateError
from sdae.coding.tables import PREFIX, Tables
from sdae.coding.units import MEAN_UNIT, WEIGHT_UNIT, WIDTH_UNIT, TablesError
from sdae.measuring import packing
from sdae.network.config import quality_position

GROUPS = (2, 2, 4)
GOLDEN = Path(__file__).parent / "golden"


def examples(count, h=16, w=16, seed=0):
    """Integers that depend on their neighbours and on earlier channels, as a network's do."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        scale = rng.uniform(0.1, 4) / np.arange(1, 9)
        plane = rng.normal(size=(h + 2, w + 2, 1))
        smooth = sum(plane[i : i + h, j : j + w] for i in range(3) for j in range(3)) / 3
        found.append(np.rint((smooth + rng.laplace(size=(h, w, 8))) * scale).astype("int16"))
    return found


def make_tables(seed=0, units=3):
    rng = np.random.default_rng(seed)
    c, fine, count = sum(GROUPS), sum(GROUPS[:FINE]), len(GROUPS)
    group = np.repeat(np.arange(count), GROUPS)
    earlier = group[:, None] < group[None]
    later = group[:, None] < np.arange(count)[None]

    def noise(unit, *shape):
        return np.rint(rng.normal(0, 0.02, shape) * unit).astype("int16")

    bias = np.linspace(0, 1, 3)[:, None] - np.log(np.arange(1, c + 1))
    predictions = {
        "groups": np.array(GROUPS, "uint8"),
        "mean": noise(MEAN_UNIT, 9, c, c) * earlier,
        "mean_share": np.full((LAST + 1, c), WEIGHT_UNIT, "int16"),
        "mean_own": np.tile(np.rint(0.1 * np.eye(c) * MEAN_UNIT).astype("int16"), (4, 1, 1)),
        "mean_coarse": noise(MEAN_UNIT, LAST - 1, 4, fine, fine),
        "width": noise(WEIGHT_UNIT, 9, c, c) * earlier,
        "width_share": np.full((LAST + 1, c), WEIGHT_UNIT, "int16"),
        "width_own": noise(WEIGHT_UNIT, c, c),
        "width_coarse": noise(WEIGHT_UNIT, LAST - 1, fine, fine),
        "bias": np.rint(bias * WIDTH_UNIT).astype("int32"),
        "hidden": noise(WEIGHT_UNIT, 9, 2, c, count, units) * later[:, :, None],
        "hidden_own": noise(WEIGHT_UNIT, 3, c, units),
        "hidden_coarse": noise(WEIGHT_UNIT, LAST - 1, 3, fine, units),
        "hidden_bias": noise(WIDTH_UNIT, 3, count, units).astype("int32"),
        "hidden_level": noise(WIDTH_UNIT, LAST, count, units).astype("int32"),
        "hidden_out": noise(WEIGHT_UNIT, c, units),
    }
    latent = examples(40)
    first = Tables(**predictions, **buckets.empty())
    total = buckets.histogram(latent, [5000] * len(latent), first)
    return Tables(**predictions, **buckets.fit(total, (3, 6)))


@pytest.fixture(scope="module")
def tables():
    return make_tables()


def check(values, tables, code=5000, effort=0):
    payload = latent_coder.encode(values, code, tables, effort)
    h, w, _ = values.shape
    found = latent_coder.decode(payload, h, w, code, tables)
    assert found.dtype == np.int16
    assert np.array_equal(found, values)
    return payload


shapes = st.tuples(st.integers(1, 11), st.integers(1, 11), st.just(sum(GROUPS)))
codes = st.integers(100, 10000)


@given(
    values=arrays("int16", shapes, elements=st.integers(-3, 3)),
    code=codes,
    effort=st.integers(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_small_integers_come_back(tables, values, code, effort):
    check(values, tables, code, effort)


@given(values=arrays("int16", shapes), code=codes)
@settings(max_examples=60, deadline=None)
def test_any_integers_come_back(tables, values, code):
    check(values, tables, code)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (16, 16), (131, 67)])
@pytest.mark.parametrize("fill", [0, 1, -1, 127, -32768, 32767])
def test_constant_latents_come_back_and_stay_small(tables, shape, fill):
    values = np.full((*shape, sum(GROUPS)), fill, "int16")
    assert len(check(values, tables)) < 150 + values.size / 3


def test_outliers_come_back(tables):
    values = examples(1)[0]
    values[3, 4] = [32767, -32768] * 4
    values[0, 0, 7] = 20000
    check(values, tables)


def test_large_latents_in_several_bands_come_back(tables):
    values = examples(1, 150, 260)[0]
    parts = coding_order.bands(values)
    assert [len(part) for part in parts] == band_rows(150, 260) == [63, 63, 24]
    payload = check(values, tables)
    assert latent_coder.encode_bands(iter(parts), 5000, tables) == payload
    check(values, tables, effort=1)
    found = list(latent_coder.decode_bands(payload, 150, 260, 5000, tables))
    assert all(map(np.array_equal, found, parts))


def test_content_after_the_last_band_is_refused(tables):
    for shape in ((16, 16), (150, 260)):
        payload = latent_coder.encode(examples(1, *shape)[0], 5000, tables)
        content = zlib.decompress(payload[1:], -zlib.MAX_WBITS)
        longer = payload[:1] + deflate.squeeze([content + b"\0"])
        with pytest.raises(DeflateError, match="more"):
            latent_coder.decode(longer, *shape, 5000, tables)


@pytest.mark.parametrize("live", range(sum(GROUPS) + 1))
def test_silent_channels_at_the_end_are_free(tables, live):
    values = examples(1)[0]
    values[..., live:] = 0
    size = len(check(values, tables))
    assert live > 0 or size == 1


def test_smaller_than_plain_packing(tables):
    latent = examples(5, 48, 48, seed=9)
    ours = sum(len(check(v, tables)) for v in latent)
    assert ours < 0.95 * sum(len(deflate.plain(v)) for v in latent)


def test_effort_never_costs_bytes_on_average(tables):
    latent = examples(10, seed=5)
    sizes = [sum(len(check(v, tables, effort=e)) for v in latent) for e in (0, 1)]
    assert sizes[1] <= sizes[0]


def test_tables_survive_storage(tables):
    again = Tables.from_arrays(tables.to_arrays())
    values = examples(1)[0]
    assert latent_coder.encode(values, 700, again) == latent_coder.encode(values, 700, tables)


def test_missing_or_misshapen_tables_are_named(tables):
    arrays = tables.to_arrays()
    with pytest.raises(TablesError, match="no context tables"):
        Tables.from_arrays({k: v for k, v in arrays.items() if "bias" not in k})
    arrays[PREFIX + "bias"] = arrays[PREFIX + "bias"][:, :3]
    with pytest.raises(TablesError, match="bias"):
        Tables.from_arrays(arrays)


def test_weights_that_could_round_are_refused(tables):
    arrays = tables.to_arrays()
    arrays[PREFIX + "hidden_bias"] = arrays[PREFIX + "hidden_bias"] + (1 << 24)
    with pytest.raises(TablesError, match="exact"):
        Tables.from_arrays(arrays)


def test_other_channels_are_refused(tables):
    with pytest.raises(ValueError, match="channels"):
        latent_coder.encode(np.zeros((2, 2, 3), "int16"), 5000, tables)


def test_damage_raises_one_error_or_gives_integers(tables):
    rng = np.random.default_rng(0)
    payload = bytearray(latent_coder.encode(examples(1)[0], 5000, tables))
    refused = 0
    for _ in range(300):
        damaged = bytearray(payload)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        try:
            found = latent_coder.decode(bytes(damaged), 16, 16, 5000, tables)
            assert found.shape == (16, 16, sum(GROUPS))
        except DeflateError:
            refused += 1
    assert refused > 150


@given(data=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused_or_decode(tables, data):
    with suppress(DeflateError):
        assert latent_coder.decode(data, 5, 4, 5000, tables).shape == (5, 4, sum(GROUPS))


@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, -1])
def test_truncation_is_refused(tables, length):
    payload = latent_coder.encode(examples(1)[0], 5000, tables)
    with pytest.raises(DeflateError):
        latent_coder.decode(payload[:length], 16, 16, 5000, tables)


def test_another_size_is_refused(tables):
    payload = latent_coder.encode(examples(1)[0], 5000, tables)
    with pytest.raises(DeflateError):
        latent_coder.decode(payload, 17, 16, 5000, tables)


def test_a_bomb_takes_no_memory(tables):
    for layout in range(len(tables.words)):
        stream = deflate.squeeze([bytes([layout]), bytes(50_000_000)])
        tracemalloc.start()
        with pytest.raises(DeflateError):
            latent_coder.decode(b"\x08" + stream, 16, 16, 5000, tables)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4_000_000


def test_quality_position_spans_the_axis():
    assert quality_position(1) == 0
    assert quality_position(100) == 1


def test_golden_payloads_decode():
    with np.load(GOLDEN / "latents.npz") as stored:
        golden = dict(stored)
    tables = Tables.from_arrays(golden)
    names = [name.split("/")[1] for name in golden if name.startswith("values/")]
    assert len(names) == 5
    for name in names:
        values = golden[f"values/{name}"]
        payload = golden[f"payload/{name}"].tobytes()
        found = latent_coder.decode(payload, *values.shape[:2], 4000, tables)
        assert found.tobytes() == values.tobytes()


@pytest.mark.skipif(not shutil.which("gzip"), reason="gzip is not installed")
@pytest.mark.parametrize("effort", [0, 1])
def test_gzip_inflates_a_payload(tables, effort):
    stream = latent_coder.encode(examples(1, 40, 40)[0], 5000, tables, effort)[1:]
    raw = zlib.decompress(stream, -15)
    trailer = zlib.crc32(raw).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    member = bytes.fromhex("1f8b0800000000000003") + stream + trailer
    found = subprocess.run(["gzip", "-dc"], input=member, capture_output=True, check=True)
    assert found.stdout == raw


def test_bench_sets_the_coder_between_zlib_and_the_ideal(tables):
    latent = examples(4, 24, 24, seed=5)
    size = packing.coder(latent, 5000, tables)
    assert size["ideal, our contexts"] < size["ours, effort 1"] <= size["ours, effort 0"]
    assert size["ours, effort 0"] < size["zlib 9"] < size["int8, not packed"]
    seconds = packing.times(latent, 5000, tables)
    assert seconds["ours, pack"] > 0 and seconds["ours, unpack"] > 0


def test_ideal_coders_know_their_entropy(tables):
    still = [np.ones((4, 4, sum(GROUPS)), "int16")] * 2
    assert packing.ideal_static(still) == 0
    halves = [np.zeros((4, 4, 8), "int16"), np.ones((4, 4, 8), "int16")]
    assert packing.ideal_static(halves) == 16
    assert packing.ideal_contexts(halves[:1], 5000, tables) == 0


@pytest.mark.parametrize("shape", [(16, 16), (5, 11)])
def test_encoders_learn_what_the_coder_expects(tables, shape):
    """The bits that the expectations promise are about those that the coder takes."""
    [values] = examples(1, *shape)
    mean, scale = predictor.expectations(values.astype("float32"), 5000, tables)
    assert mean.dtype == scale.dtype == np.float32 and mean.shape == scale.shape == values.shape
    chance = np.exp(-np.abs(values - mean) / scale)
    wrong = np.exp(-np.abs(values[::-1] - mean) / scale)
    assert scale.min() > 0 and chance.mean() > wrong.mean()
    cell, rank = ranking.survey(values, 5000, tables, 8)
    assert np.mean(rank == 0) == pytest.approx(np.mean(np.rint(mean) == values), abs=0.02)
