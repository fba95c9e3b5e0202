import copy
import io
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data as samples

import sdae
from sdae import codec as codec_module
from sdae import weights
from sdae.coding import coding_order, container, latent_coder
from sdae.measuring import metrics
from sdae.network import rounding, rows
from sdae.network.config import quality_position
from sdae.pictures import noise, reading
from tests.format_reader import inflated

PICTURE = reading.thumb(samples.astronaut())


def psnr(codec, rgb, quality):
    return metrics.psnr(rgb, np.asarray(codec.decompress(codec.compress(rgb, quality))))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 70), st.integers(1, 70), st.floats(1, 100), st.integers(0, 2**32 - 1))
def test_any_size_and_quality_comes_back_at_its_size(codec, width, height, quality, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
    data = codec.compress(rgb, quality)
    assert codec.decompress(data).size == (width, height)
    latent, again = codec.encode(rgb, quality), codec.unpack(data)
    np.testing.assert_array_equal(latent.values, again.values)
    channels = codec.network.config.latent_channels
    assert latent.values.shape == (-(-height // 8), -(-width // 8), channels)
    assert (again.width, again.height) == (width, height)
    assert again.quality == pytest.approx(quality, abs=0.0051)


@pytest.mark.parametrize("plain", [False, True])
def test_packed_integers_come_back(codec, plain):
    latent = codec.encode(PICTURE, 60)
    data = codec.pack(latent, plain=plain)
    assert container.read_header(data)[0].mode == (0 if plain else 1)
    np.testing.assert_array_equal(codec.unpack(data).values, latent.values)
    assert np.array_equal(codec.decompress(data), codec.decode(latent))


def test_more_quality_is_more_bytes_and_a_closer_picture(codec):
    """On average over pictures, as the interface promises."""
    pictures = [reading.thumb(getattr(samples, n)()) for n in ("astronaut", "chelsea", "coffee")]
    sizes, quality = [], []
    for q in (1, 12, 25, 37, 50, 62, 75, 87, 100):
        files = [codec.compress(p, q) for p in pictures]
        sizes.append(np.mean([len(f) for f in files]))
        restored = [np.asarray(codec.decompress(f)) for f in files]
        quality.append(np.mean([metrics.psnr(p, r) for p, r in zip(pictures, restored)]))
    assert (np.diff(sizes) > 0).all() and (np.diff(quality) > 0).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "P", "1"])
def test_every_pillow_mode_is_accepted(codec, mode):
    image = Image.fromarray(PICTURE).convert(mode)
    restored = codec.decompress(codec.compress(image, 90))
    assert restored.mode == "RGB" and restored.size == image.size
    reference = reading.read(image).rgb
    assert metrics.psnr(reference, np.asarray(restored)) > 20


def test_denoising_brings_the_picture_closer_to_the_clean_one(codec):
    rng = np.random.default_rng(0)
    noisy = np.clip(PICTURE + rng.normal(0, 25, PICTURE.shape), 0, 255).astype("uint8")
    before = metrics.psnr(PICTURE, noisy)
    for sigma in (None, 0.1):
        assert metrics.psnr(PICTURE, np.asarray(codec.denoise(noisy, sigma))) > before + 3


def test_the_same_picture_gives_the_same_file_in_any_thread(codec):
    files = []
    threads = [
        threading.Thread(target=lambda: files.append(codec.compress(PICTURE, 70))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files) == 4 and len(set(files)) == 1


@pytest.fixture
def small_strips(monkeypatch):
    """Strips of 160 positions and bands of 600, so that small pictures need several."""
    monkeypatch.setattr(rows, "_STRIP", 160)
    monkeypatch.setattr(coding_order, "_BAND", 600)


def assert_alike(found, expected):
    """The same but for roundings: how BLAS adds up depends on the size of a product, and so on the
    parts in which rows come. Few values lie so near the middle that they go to the other side."""
    away = np.abs(np.asarray(found).astype(int) - np.asarray(expected).astype(int))
    assert away.max() <= 1 and (away > 0).mean() < 1e-4


def test_strips_give_the_integers_and_the_pixels_of_the_whole(codec, monkeypatch):
    picture, seen = samples.astronaut()[:405, :390], []
    whole = codec.encode(picture, 80)
    restored = np.asarray(codec.decode(whole))
    monkeypatch.setattr(rows, "_STRIP", 200)  # 4 rows of 49
    strips = codec.encode(picture, 80, progress=seen.append)
    # 13 strips are analysed on the way to one band; the first few give no rows yet.
    assert seen == sorted(set(seen)) and 8 < len(seen) < 16 and seen[-2:] == [0.5, 1]
    assert_alike(strips.values, whole.values)
    seen.clear()
    assert_alike(codec.decode(whole, seen.append), restored)
    assert seen == sorted(set(seen)) and len(seen) > 8 and seen[-1] == 1


def test_bands_are_chosen_as_they_are_coded(codec, small_strips):
    """Each of the bands as if the others were not there, by the picture of all."""
    picture, code = samples.astronaut()[:200, :390], 6000
    latent, t = codec.encode(picture, code / 100), quality_position(code / 100)
    bands = coding_order.bands(latent.values)
    assert len(bands) == 3
    image = noise.to_floats(np.pad(picture, ((0, 0), (0, 2), (0, 0)), "edge"))
    y = np.concatenate(list(codec.network.latent_rows([image], t)))
    # Restoring moves some of what was guessed, and none by much.
    away = np.abs(latent.values - rounding.guessed(y))
    assert 0 < (away > 0).mean() < 0.15 and away.max() <= 2


def test_strips_clean_like_the_whole(codec, monkeypatch):
    noisy, seen = noise.add(samples.astronaut()[:450, :86], 0.1), []
    whole = codec.clean(noisy, 0.1)
    assert metrics.psnr(samples.astronaut()[:450, :86], whole) > 25
    monkeypatch.setattr(rows, "_STRIP", 160)
    assert_alike(codec.clean(noisy, 0.1, progress=seen.append), whole)
    assert seen == sorted(set(seen)) and len(seen) > 6 and seen[-1] == 1


def test_a_picture_of_many_bands_is_one_payload(codec, small_strips):
    data = codec.compress(samples.astronaut()[:330], 40)
    header, payload = container.read_header(data)
    latent = codec.unpack(data)
    assert (latent.width, latent.height) == (512, 330) and len(
        coding_order.bands(latent.values)
    ) == 5
    segments = list(inflated(payload[1:], codec.tables.presets))
    assert len(segments) >= 5 * len(codec.tables.costs)


def test_a_large_picture_is_packed_as_its_bands_come(codec, small_strips, monkeypatch):
    picture = samples.astronaut()[:505, :430]
    monkeypatch.setattr(codec_module, "_KEPT", 0)
    latent, shares = codec.encode(picture, 70), []
    assert len(coding_order.bands(latent.values)) == 6
    data = codec.compress(picture, 70, progress=shares.append)
    payload = container.read_header(data)[1]
    assert payload == latent_coder.encode_bands(
        coding_order.bands(latent.values), 7000, codec.tables
    )
    # Who has seen all integers leaves channels out that are not used; they cost next to nothing.
    assert abs(len(codec.pack(latent)) - len(data)) < 0.001 * len(data)
    assert shares == sorted(shares) and shares[-1] == 1
    np.testing.assert_array_equal(codec.unpack(data).values, latent.values)
    restored = np.asarray(codec.decode(latent))
    np.testing.assert_array_equal(np.asarray(codec.decompress(data)), restored)
    parts = list(codec.decompress_parts(data))
    assert len(parts) > 10
    np.testing.assert_array_equal(np.concatenate(parts), restored)


@pytest.mark.parametrize("quality", [0, 100.01, -5, float("nan"), "75"])
def test_quality_outside_its_range_is_refused(codec, quality):
    with pytest.raises(ValueError, match="from 1 to 100"):
        codec.compress(PICTURE, quality)


def test_what_is_no_image_is_refused(codec):
    with pytest.raises(sdae.ImageError):
        codec.compress(b"not a picture")


def test_files_of_other_weights_are_refused_by_name(codec):
    header, payload = container.read_header(codec.compress(PICTURE, 50))
    other = container.Header(b"\1\2\3\4", header.mode, 128, 128, 5000)
    with pytest.raises(sdae.BitstreamError, match="01020304"):
        codec.decompress(container.write(other, payload))


def test_giant_sizes_are_refused_before_memory_is_taken(codec):
    side = container.MAX_SIDE
    header = container.Header(codec.model_id, 1, side, side, 5000)
    with pytest.raises(sdae.BitstreamError, match=f"{side}×{side}"):
        codec.decompress(container.write(header, b"x"))


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400), st.sampled_from([0, 1]), st.integers(1, 40), st.integers(1, 40))
def test_any_payload_gives_a_picture_or_one_error(codec, payload, mode, width, height):
    header = container.Header(codec.model_id, mode, width, height, 5000)
    try:
        latent = codec.unpack(container.write(header, payload))
    except sdae.BitstreamError:
        return
    channels = codec.network.config.latent_channels
    assert latent.values.shape == (-(-height // 8), -(-width // 8), channels)


def test_a_file_is_read_from_wherever_it_is(codec, tmp_path):
    data = codec.compress(PICTURE, 50)
    path = tmp_path / "picture.sdae"
    path.write_bytes(data)
    expected = np.asarray(codec.decompress(data))
    for source in (path, str(path), io.BytesIO(data), bytearray(data), memoryview(data)):
        np.testing.assert_array_equal(np.asarray(codec.decompress(source)), expected)
    np.testing.assert_array_equal(np.concatenate(list(codec.decompress_parts(path))), expected)
    np.testing.assert_array_equal(codec.unpack(path).values, codec.unpack(data).values)
    with pytest.raises(sdae.ImageError, match="check the name"):
        codec.decompress(tmp_path / "missing.sdae")
    with pytest.raises(sdae.BitstreamError, match="not a .sdae file"):
        codec.decompress(b"")


@pytest.mark.parametrize("plain", [False, True])
def test_a_latent_of_another_size_than_it_states_is_refused(codec, plain):
    latent = codec.encode(PICTURE, 50)
    for change in ({"width": 136}, {"height": 120}, {"values": latent.values[..., 1:]}):
        wrong = replace(latent, **change)
        with pytest.raises(ValueError, match="this one has"):
            codec.pack(wrong, plain=plain)
        with pytest.raises(ValueError, match="this one has"):
            codec.decode(wrong)
    assert codec.pack(replace(latent, width=127), plain=plain)


def test_no_file_states_a_side_that_no_reader_takes(codec):
    wide = sdae.Latent(np.zeros((1, 2049, codec.tables.channels), "int16"), 16_392, 8, 50)
    with pytest.raises(ValueError, match="16,384"):
        codec.pack(wide)


def test_a_codec_is_copied_by_its_weights(codec):
    data = codec.compress(PICTURE, 50)
    sent = pickle.dumps(codec)
    assert len(sent) < 1000
    for again in (pickle.loads(sent), copy.deepcopy(codec)):
        assert again.model_id == codec.model_id
        assert again.compress(PICTURE, 50) == data
    named = sdae.load(weights.folder())
    assert pickle.loads(pickle.dumps(named)).model_id == codec.model_id


@pytest.mark.parametrize("factor", [255, 65_535, -255])
def test_floats_on_another_scale_are_refused(codec, factor):
    with pytest.raises(sdae.ImageError, match="scale from 0 for black to 1"):
        codec.encode(PICTURE / 255 * factor)


def test_floats_with_the_strongest_noise_are_taken(codec):
    noisy = noise.add(PICTURE, noise.STRONGEST, clipped=False)
    assert noisy.max() > 2
    assert codec.encode(noisy, 50, 0.5).values.any()


def test_floats_obey_the_largest_side(codec):
    with pytest.raises(sdae.ImageError, match="65"):
        codec.compress(np.zeros((1, 65_536, 3), "float32"))
