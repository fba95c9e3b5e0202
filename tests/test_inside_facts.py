"""What the lesson tells: it must be what the codec does."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.inside import facts
from pages.inside.keras_model import keras_model
from sdae.codec import Latent
from sdae.coding import deflate, deflate_reader, latent_coder
from sdae.measuring import bit_allocation, metrics
from sdae.network.config import quality_position

QUALITY = 60


def picture(width=72, height=56, seed=3) -> np.ndarray:
    """A smooth picture with some texture, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    grain = np.random.default_rng(seed).normal(0, 6, waves.shape)
    return np.uint8(np.clip(128 + 90 * waves + grain, 0, 255))


@pytest.fixture(scope="module")
def latent(codec):
    return codec.encode(picture(), QUALITY)


# --- reading Deflate --------------------------------------------------------------------------


def check_every_bit(stream: bytes, content: bytes) -> list[deflate_reader.Block]:
    """Read a stream: it says the content, and its parts have all its bits but the last padding."""
    blocks = deflate_reader.read(stream)
    assert deflate_reader.replay(blocks) == content
    bits = sum(b.header_bits + sum(len(t.bits) for t in b.tokens) for b in blocks)
    assert 0 <= 8 * len(stream) - bits < 8
    return blocks


contents = st.one_of(
    st.binary(max_size=400),
    st.lists(st.sampled_from([b"\0" * 40, b"\1\2\3\4", b"\xff", b"abcabcabd"]), max_size=40).map(
        b"".join
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    contents,
    st.integers(0, 9),
    st.sampled_from(
        [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]
    ),
)
def test_every_bit_of_a_zlib_stream_is_accounted_for(content, level, strategy):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    check_every_bit(packer.compress(content) + packer.flush(), content)


@settings(max_examples=30, deadline=None)
@given(st.lists(contents, min_size=1, max_size=4))
def test_every_bit_of_our_own_streams_is_accounted_for(parts):
    writer = deflate.Writer()
    writer.add(parts)
    check_every_bit(writer.getvalue(), b"".join(parts))


def test_blocks_are_named_by_their_kind_and_matches_by_length_and_distance():
    content = bytes(range(8)) * 20
    (block,) = check_every_bit(deflate.squeeze([content]), content)
    assert deflate_reader.KINDS[block.kind] == "fixed code"
    (match,) = [t for t in block.tokens if t.length]
    literals = [t for t in block.tokens if t.literal is not None]
    assert (match.length, match.distance) == (160 - len(literals), 8) and len(literals) < 12
    rng = np.random.default_rng(1)
    stored = rng.integers(0, 256, 3000).astype("uint8").tobytes()
    kinds = {b.kind for b in check_every_bit(deflate.squeeze([stored]), stored)}
    assert kinds == {deflate_reader.STORED}
    skewed = rng.geometric(0.4, 3000).astype("uint8").tobytes()
    kinds = {b.kind for b in check_every_bit(deflate.squeeze([skewed]), skewed)}
    assert deflate_reader.DYNAMIC in kinds


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_what_zlib_reads_is_read_and_nothing_else_crashes(data):
    reader = zlib.decompressobj(-15)
    try:
        content = reader.decompress(data, 1 << 20)
        sound = reader.eof
    except zlib.error:
        sound = False
    try:
        said = deflate_reader.replay(deflate_reader.read(data))
    except deflate.DeflateError:
        assert not sound
    else:
        assert not sound or said == content


def test_a_stream_cut_anywhere_is_refused():
    stream = deflate.squeeze([bytes(range(60)) * 4])
    for length in range(len(stream) - 1):
        with pytest.raises(deflate.DeflateError):
            deflate_reader.read(stream[:length])


def test_codes_are_those_of_the_example_in_the_rfc():
    # RFC 1951, 3.2.2: symbols A to H with these lengths.
    assert deflate_reader.codes([3, 3, 3, 3, 3, 2, 4, 4]) == [
        "010",
        "011",
        "100",
        "101",
        "110",
        "00",
        "1110",
        "1111",
    ]


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=2, max_size=300))
def test_a_huffman_code_is_free_of_prefixes_and_within_a_bit_of_the_entropy(data):
    code = deflate_reader.huffman(data)
    assert set(code) == set(data)
    words = sorted(code.values())
    assert not any(b.startswith(a) for a, b in zip(words, words[1:]))
    counts = np.bincount(np.frombuffer(data, "uint8"))
    counts = counts[counts > 0]
    ideal = float(-(counts * np.log2(counts / len(data))).sum())
    length = sum(len(code[byte]) for byte in data)
    # The entropy is 0 for one symbol alone, which still needs a bit.
    assert ideal - 1e-6 <= length <= ideal + len(data) + 1e-6


# --- the network ------------------------------------------------------------------------------


def test_units_are_those_of_the_keras_model(codec):
    model = keras_model(codec)
    for transform in (model.analysis, model.synthesis):
        units = facts.units(transform)
        assert [unit.name for unit in units] == [layer.name for layer in transform.units]
        for unit in units:
            assert unit.parameters == sum(part.parameters for part in unit.parts) > 0
        for before, after in zip(units, units[1:]):
            assert after.inputs == before.outputs
        counted = sum(unit.parameters for unit in units) + transform.linear.count_params()
        trained = sum(int(np.prod(w.shape)) for w in transform.trainable_weights)
        assert counted == trained
    down, up = facts.units(model.analysis), facts.units(model.synthesis)
    assert (down[0].stride, down[-1].stride, up[0].stride, up[-1].stride) == (2, 8, 8, 1)


def test_there_is_a_slope_for_every_channel_of_every_prelu(codec):
    for transform in (keras_model(codec).analysis, keras_model(codec).synthesis):
        found = sum(len(values) for values in facts.slopes(transform).values())
        parts = [part for unit in facts.units(transform) for part in unit.parts]
        assert found == sum(part.parameters for part in parts if part.kind == "PReLU") > 0


def test_activations_end_in_what_the_transforms_give(codec):
    from sdae.network.config import HEAD_SCALE
    from sdae.training.autoencoder import depth_to_space, space_to_depth

    rgb, model = picture(), keras_model(codec)
    t = np.float32([quality_position(QUALITY)])
    image = rgb[None].astype("float32") / 255
    heads = facts.activations(codec, rgb, QUALITY)["head"]
    whole = model.analysis(image, np.zeros(1, "float32"), t) - model.analysis.linear(
        space_to_depth(image - 0.5, 8)
    )
    assert np.allclose(heads * HEAD_SCALE, np.asarray(whole)[0], atol=1e-4)

    latent = codec.encode(rgb, QUALITY)
    _, inverse = model.gains(t)
    scaled = latent.values[None] * np.asarray(inverse)
    linear = depth_to_space(model.synthesis.linear(scaled), 8)
    head = facts.restoring(codec, latent)["head"][None] * HEAD_SCALE
    restored = np.asarray(linear + depth_to_space(head, codec.network.config.last_stride))[0] + 0.5
    again = np.rint(np.clip(restored, 0, 1) * 255)
    assert np.abs(again - np.asarray(codec.decode(latent))).max() <= 1


def test_sub_pixel_up_sampling_lays_its_planes_side_by_side(codec, latent):
    found = facts.up_sampling(codec, latent)
    assert found.planes.shape == (4, 4, 4)
    for number, plane in enumerate(found.planes):
        assert np.array_equal(found.subpixel[number // 2 :: 2, number % 2 :: 2], plane)
    first = found.planes[0]
    assert found.bilinear.shape == found.transposed.shape == (8, 8)
    assert first.min() - 1e-4 <= found.bilinear.min() <= found.bilinear.max() <= first.max() + 1e-4
    # Between two rows and two columns four windows overlap, beside them two.
    assert np.isclose(found.transposed[2, 2], 4 / 9 * first[:2, :2].sum(), atol=1e-4)
    assert np.isclose(found.transposed[2, 1], 4 / 9 * first[:2, 0].sum(), atol=1e-4)


# --- the latent -------------------------------------------------------------------------------


def test_channels_are_kept_and_switched_off(codec, latent):
    order = facts.order(codec, latent)
    energy = facts.energy(codec, latent)
    assert sorted(order) == list(range(len(energy)))
    assert (np.diff(energy[order]) <= 0).all()
    everything = facts.only(latent, order)
    assert np.array_equal(everything.values, latent.values)
    few = facts.only(latent, order[:3])
    assert set(np.flatnonzero(few.values.any((0, 1)))) <= set(order[:3])
    off = facts.without(latent, int(order[0]))
    changed = np.flatnonzero((off.values != latent.values).any((0, 1)))
    assert changed.tolist() == [order[0]]
    # What weighs most in energy is also missed most in the picture.
    rgb = picture()
    weak = facts.without(latent, int(order[-1]))
    assert metrics.psnr(rgb, np.asarray(codec.decode(off))) < metrics.psnr(
        rgb, np.asarray(codec.decode(weak))
    )


def test_rounding_at_step_one_is_plain_rounding_and_coarser_is_worse(codec):
    rgb = picture()
    values, restored = facts.requantised(codec, rgb, QUALITY, 1.0)
    plain = Latent(values.astype("int16"), rgb.shape[1], rgb.shape[0], QUALITY)
    assert np.abs(np.asarray(codec.decode(plain)).astype(int) - restored).max() <= 1
    t = np.float32([quality_position(QUALITY)])
    gain, _ = keras_model(codec).gains(t)
    y = (
        keras_model(codec).analysis(rgb[None].astype("float32") / 255, np.zeros(1, "float32"), t)
        * gain
    )
    assert np.abs(values - np.asarray(y)[0]).max() <= 0.5 + 1e-4
    coarse, worse = facts.requantised(codec, rgb, QUALITY, 8.0)
    fine, better = facts.requantised(codec, rgb, QUALITY, 0.25)
    assert metrics.psnr(rgb, worse) < metrics.psnr(rgb, restored)
    assert metrics.psnr(rgb, restored) < metrics.psnr(rgb, better) + 0.5
    sizes = [facts.entropy(v).sum() for v in (coarse, values, fine)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


# --- from integers to bytes -------------------------------------------------------------------


def test_entropy_is_that_of_each_channel_alone():
    values = np.zeros((4, 8, 3), "int16")
    values[:2, :, 1] = 7  # two values, equally often: a bit each
    values[..., 2] = np.arange(32).reshape(4, 8)  # 32 values: five bits each
    assert facts.entropy(values) == pytest.approx([0, 4, 20])


@pytest.mark.parametrize("width, height, quality", [(72, 56, 60), (200, 120, 95), (8, 8, 5)])
def test_the_bytes_of_all_channels_tables_and_marks_are_those_of_the_payload(
    codec, width, height, quality
):
    latent = codec.encode(picture(width, height), quality)
    spent = bit_allocation.of_latent(codec, latent)
    payload = latent_coder.encode(latent.values, round(quality * 100), codec.tables)
    assert spent.total == pytest.approx(len(payload))
    assert spent.channels.min() >= 0 and spent.tables >= 0 and spent.frame >= 2
    live = np.flatnonzero(latent.values.any((0, 1)))[-1]
    assert spent.channels[live] > 0 and not spent.channels[live + 1 :].any()


def test_a_latent_of_zeros_costs_a_byte(codec, latent):
    empty = replace(latent, values=np.zeros_like(latent.values))
    spent = bit_allocation.of_latent(codec, empty)
    assert spent.total == 1 and not spent.channels.any()
    assert not facts.energy(codec, empty).any()
    channel, row = facts.telling_row(empty)
    assert facts.line(empty, channel, row).code == {0: "0"}


def test_the_worked_example_packs_the_integers_of_its_line(latent):
    channel, row = facts.telling_row(latent)
    line = facts.line(latent, channel, row)
    assert line.values.tolist() == latent.values[row, :, channel].tolist()
    packed = deflate_reader.replay(line.blocks)
    assert np.frombuffer(packed, "int8").tolist() == line.values.tolist()
    assert zlib.decompress(line.stream, -15) == packed
    assert line.entropy - 1e-6 <= line.coded_bits < line.entropy + len(line.values)


def test_the_worked_example_of_a_wide_picture_stays_short():
    values = np.arange(200, dtype="int16").reshape(1, 200, 1)
    line = facts.line(Latent(values, 1600, 8, 50), 0, 0)
    assert line.values.tolist() == np.minimum(np.arange(facts.LINE), 127).tolist()


# --- training and limits ----------------------------------------------------------------------


def test_the_loss_curve_is_read_from_the_weights_folder(tmp_path):
    assert facts.training(tmp_path) is None
    (tmp_path / "loss.csv").write_text(
        "epoch,minutes,loss,validation_loss,bpp_0.15,psnr_0.15,bpp_0.8,psnr_0.8,other\n"
        "1,2.5,7.5,2,0.5,25,4,39,\n2,5,6,1.5,0.25,26,3.5,40,7\n"
    )
    found = facts.training(tmp_path)
    assert found.minutes.tolist() == [2.5, 5]
    assert (found.loss.tolist(), found.validation.tolist()) == ([7.5, 6], [2, 1.5])
    assert {t: v.tolist() for t, v in found.rate.items()} == {0.15: [0.5, 0.25], 0.8: [4, 3.5]}
    assert {t: v.tolist() for t, v in found.psnr.items()} == {0.15: [25, 26], 0.8: [39, 40]}


@pytest.mark.parametrize("name", facts.EXAMPLES)
def test_the_examples_of_the_limits_are_drawn_and_show_what_they_say(codec, name):
    rgb = facts.EXAMPLES[name]()
    assert rgb.shape == (256, 384, 3) and rgb.dtype == np.uint8
    small = facts.EXAMPLES[name](192, 128)
    assert small.shape == (128, 192, 3)
    if name not in ("Text", "Line art"):
        assert 10 < rgb.std() < 80
        return
    ink = (rgb != 255).any(2)
    assert 0.02 < ink.mean() < 0.6 and not ink[0].any() and not ink[:, 0].any()
    if name == "Text":
        assert not ink[:, -5:].any()  # no word is cut
