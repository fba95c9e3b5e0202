"""What the lesson tells: it must be what the codec does."""

import copy
import zlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.inside import bits, facts, hard_pictures, layers, limits, lz77, toy
from sdae.coding import latent_coder
from sdae.measuring import metrics
from sdae.network.layers import inner

QUALITY = 60


def picture(width=72, height=56, seed=3) -> np.ndarray:
    """A smooth picture with some texture, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    grain = np.random.default_rng(seed).normal(0, 6, waves.shape)
    return np.uint8(np.clip(128 + 90 * waves + grain, 0, 255))


@pytest.fixture(scope="module")
def latent(codec):
    return codec.encode(picture(), quality=QUALITY)


# --- LZ77 and Huffman codes -------------------------------------------------------------------


def replayed(symbols, content: bytes) -> bytes:
    """The content that the symbols stand for; a byte that stands for itself is taken from it."""
    again = bytearray()
    for size, distance in symbols:
        for _ in range(size):
            again.append(again[-distance] if distance else content[len(again)])
    return bytes(again)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(min_size=1, max_size=400),
        st.lists(st.sampled_from([b"\0" * 40, b"\1\2\3\4", b"\xff", b"abcabcabd"]), min_size=1).map(
            b"".join
        ),
    )
)
def test_symbols_of_a_stream_stand_for_its_content(content):
    stream = lz77.packed(content)
    assert zlib.decompress(stream, -15) == content
    assert replayed(lz77.symbols(stream), content) == content


def test_codes_are_those_of_the_example_in_the_rfc():
    # RFC 1951, 3.2.2: symbols A to H with these lengths.
    expected = "010 011 100 101 110 00 1110 1111".split()
    assert list(lz77.code([3, 3, 3, 3, 3, 2, 4, 4])) == expected


# --- the network ------------------------------------------------------------------------------


def test_layers_lead_from_the_picture_to_the_latent_and_back(codec):
    config, channels = codec.network.config, codec.tables.channels
    assert layers.layers(config, "analysis")[-1] == ("head", channels, 8)
    assert layers.layers(config, "synthesis")[-1] == ("head", 3, 1)


def test_the_first_convolution_gets_what_enters_the_network(codec):
    first, *others = codec.network.analysis_layers
    listening, entered = copy.copy(codec.network), []

    def streaming():
        passed = first.streaming()
        return lambda x, last: (entered.append(inner(x).copy()), passed(x, last))[1]

    listening.analysis_layers = [SimpleNamespace(streaming=streaming), *others]
    layers.analysed(listening, picture(), QUALITY)
    assert np.allclose(np.concatenate(entered), layers.entering(picture(), QUALITY), atol=1e-6)


def test_a_changed_pixel_reaches_its_own_square_and_not_the_whole_picture(codec):
    changed = facts.reach(codec, picture(160, 160), 75)
    assert changed[10, 10] > 0 and 1 < np.count_nonzero(changed) < changed.size / 2


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
    # What weighs most in energy is also missed most in the picture.
    strong, weak = (
        metrics.psnr(picture(), np.asarray(codec.decode(facts.only(latent, kept))))
        for kept in (order[1:], order[:-1])
    )
    assert strong < weak


# --- from integers to bytes -------------------------------------------------------------------


def test_entropy_is_that_of_each_channel_alone():
    values = np.zeros((4, 8, 3), "int16")
    values[:2, :, 1] = 7  # two values, equally often: a bit each
    values[..., 2] = np.arange(32).reshape(4, 8)  # 32 values: five bits each
    assert facts.entropy(values) == pytest.approx([0, 4, 20])


@pytest.mark.parametrize("width, height, quality", [(72, 56, 60), (200, 120, 95), (8, 8, 5)])
def test_the_bits_of_all_integers_are_those_of_the_payload(codec, width, height, quality):
    latent = codec.encode(picture(width, height), quality=quality)
    spent = bits.spent(codec, latent)
    payload = latent_coder.encode(latent.values, round(quality * 100), codec.tables)
    assert spent.min() >= 0 and spent.sum() / 8 == pytest.approx(len(payload))
    live = np.flatnonzero(latent.values.any((0, 1)))[-1]
    assert spent[..., live].any() and not spent[..., live + 1 :].any()


def test_busy_squares_take_the_bits(codec):
    rgb = np.full((96, 160, 3), 120, "uint8")
    rgb[:, 80:] = np.random.default_rng(5).integers(0, 255, (96, 80, 3))
    squares = bits.spent(codec, codec.encode(rgb, quality=50)).sum(2)
    assert squares[:, 12:].min() > squares[:, :8].max()


def test_a_latent_of_zeros_has_nothing_in_it(codec, latent):
    empty = replace(latent, values=np.zeros_like(latent.values))
    assert not bits.spent(codec, empty).any()
    assert not facts.energy(codec, empty).any()
    assert facts.line(empty, facts.telling_channel(empty, 0), 0).code == {0: "0"}


def test_the_worked_example_packs_the_integers_of_its_line(latent):
    row = 3
    channel = facts.telling_channel(latent, row)
    line = facts.line(latent, channel, row)
    assert line.values.tolist() == latent.values[row, :, channel].tolist()
    packed = zlib.decompress(line.stream, -15)
    assert np.frombuffer(packed, "int8").tolist() == line.values.tolist()
    assert replayed(line.symbols, packed) == packed
    assert line.entropy - 1e-6 <= line.coded_bits < line.entropy + len(line.values)


# --- training and limits ----------------------------------------------------------------------


def test_the_small_autoencoder_has_the_gradients_of_its_error():
    model = toy.Autoencoder(toy.squares(picture(40, 32)), 3)
    samples, step = model.samples[:7], 1e-2
    gradients = model.gradients(samples)

    def error():
        away = (samples - model._mean) @ model.encoder @ model.decoder - (samples - model._mean)
        return 0.5 * float(np.square(away, dtype="float64").sum()) / len(samples)

    for weights, gradient in zip((model.encoder, model.decoder), gradients):
        direction = np.random.default_rng(1).normal(size=weights.shape).astype("float32")
        weights += step * direction
        above = error()
        weights -= 2 * step * direction
        slope = (above - error()) / (2 * step)
        weights += step * direction
        assert slope == pytest.approx(float((gradient * direction).sum()), rel=0.02)


def test_the_small_autoencoder_comes_near_the_principal_components():
    rgb = picture()
    model = toy.Autoencoder(toy.squares(rgb), 4)
    least = toy.least_error(model.samples, 4)
    for _ in range(20):
        model.learn(40)
    assert least <= model.losses[-1] < 1.1 * least < model.losses[0] / 5
    assert np.array_equal(toy.picture(model.samples, *rgb.shape[:2]), rgb)
    restored = toy.picture(model.restored(), *rgb.shape[:2])
    assert metrics.psnr(rgb, restored) == pytest.approx(-10 * np.log10(model.losses[-1]), abs=0.2)


def test_hard_pictures_have_ink_on_white_and_the_worst_place_is_where_the_error_is():
    for draw in hard_pictures.EXAMPLES.values():
        rgb = draw(192, 128)
        ink = (rgb != 255).any(2)
        assert rgb.shape == (128, 192, 3) and 0.02 < ink.mean() < 0.6 and not ink[0].any()
    original = np.zeros((100, 200, 3), "uint8")
    restored = original.copy()
    restored[70, 150] = 255
    rows, columns = limits.worst_part(original, restored)
    assert rows.start <= 70 < rows.stop and columns.start <= 150 < columns.stop
