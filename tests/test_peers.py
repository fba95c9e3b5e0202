"""Peers at a byte budget, at a quality, and along a curve."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from sdae.measuring import metrics, peers
from sdae.measuring.peers import PEERS, Encoded, at_bytes, at_quality, curve

NAMES = list(PEERS)


@pytest.fixture(scope="module")
def photo():
    return np.array(Image.fromarray(data.coffee()).resize((96, 64), Image.Resampling.LANCZOS))


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded(file):
    return np.array(Image.open(io.BytesIO(file)).convert("RGB"))


def test_the_four_peers():
    assert NAMES == ["jpeg", "jpeg2000", "webp", "avif"]
    assert [peer.label for peer in PEERS.values()] == ["JPEG", "JPEG 2000", "WebP", "AVIF"]
    for name, peer in PEERS.items():
        assert peer.name == name
        assert len(peer.spread) >= 8 and set(peer.spread) <= set(peer.qualities)


# --- at equal bytes -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("budget", [1200, 2500, 5000])
def test_the_file_fits_and_is_a_file_of_its_format(photo, name, budget):
    found = at_bytes(name, photo, budget, effort="fast")
    assert isinstance(found, Encoded)
    assert (found.name, found.label) == (name, PEERS[name].label)
    assert 0.85 * budget < len(found.data) <= budget
    assert found.rgb.dtype == np.uint8 and found.rgb.shape == photo.shape
    assert np.array_equal(decoded(found.data), found.rgb)
    image = Image.open(io.BytesIO(found.data))
    assert (
        image.format
        == {"jpeg": "JPEG", "jpeg2000": "JPEG2000", "webp": "WEBP", "avif": "AVIF"}[name]
    )
    assert found.settings


@pytest.mark.parametrize("name", ["jpeg", "jpeg2000", "webp"])
def test_no_setting_that_fits_is_larger(photo, name):
    peer, image, budget = PEERS[name], Image.fromarray(photo), 2000
    found = at_bytes(name, photo, budget)
    best = -1
    for variant in peer.variants(image, "slow"):
        files = [peer.encode(image, quality, variant, "slow") for quality in peer.qualities]
        largest = max((file for file in files if len(file) <= budget), key=len)
        best = max(best, metrics.psnr(photo, decoded(largest)))
    assert metrics.psnr(photo, found.rgb) == best


@pytest.mark.parametrize("name", NAMES)
def test_more_bytes_give_more_quality(photo, name):
    values = [
        metrics.psnr(photo, at_bytes(name, photo, budget, "fast").rgb)
        for budget in (1200, 2000, 3500, 6000)
    ]
    assert values == sorted(values) and values[-1] > values[0] + 3


@pytest.mark.parametrize("name", NAMES)
def test_a_budget_too_small_gives_none(photo, name):
    assert at_bytes(name, photo, 60, "fast") is None
    assert at_bytes(name, photo, 0, "fast") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_budget_without_end_gives_the_best_there_is(name):
    rgb = np.array(Image.fromarray(data.chelsea()[50:90, 100:150]))
    found = at_bytes(name, rgb, 10**9, "fast")
    assert metrics.psnr(rgb, found.rgb) > 35
    if name != "jpeg2000":
        assert found.settings.startswith("quality 100")


def test_slow_avif_is_at_least_as_good_as_fast(photo):
    slow, fast = (at_bytes("avif", photo[:48, :48], 1000, effort) for effort in ("slow", "fast"))
    assert "speed 0" in slow.settings and "speed 6" in fast.settings
    rgb = photo[:48, :48]
    assert metrics.psnr(rgb, slow.rgb) > metrics.psnr(rgb, fast.rgb) - 0.2
    assert len(slow.data) <= 1000


def test_jpeg_takes_the_better_subsampling():
    # Equal brightness and alternating hue: 4:2:0 would lose everything.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (200, 40, 60), (30, 120, 60)
    assert "4:4:4" in at_bytes("jpeg", stripes, 3000).settings
    grey = np.repeat(noise(64, 64)[..., :1], 3, axis=2)
    found = at_bytes("jpeg", grey, 2500)
    alone = [
        PEERS["jpeg"].encode(Image.fromarray(grey), quality, "4:4:4", "slow")
        for quality in PEERS["jpeg"].qualities
    ]
    largest = max((file for file in alone if len(file) <= 2500), key=len)
    assert metrics.psnr(grey, found.rgb) >= metrics.psnr(grey, decoded(largest))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1), (5, 7), (16, 17), (33, 2)])
@pytest.mark.parametrize("name", NAMES)
def test_tiny_pictures(name, size):
    found = at_bytes(name, noise(*size), 10_000, "fast")
    assert found.rgb.shape == (*size, 3)
    assert len(found.data) <= 10_000


def test_a_picture_longer_than_a_format_allows_gives_none():
    assert at_bytes("webp", np.zeros((1, 16_384, 3), np.uint8), 10**6) is None
    assert at_bytes("avif", np.zeros((32_769, 1, 3), np.uint8), 10**6) is None
    assert at_bytes("jpeg", np.zeros((1, 65_501, 3), np.uint8), 10**6) is None
    assert curve("webp", np.zeros((1, 16_384, 3), np.uint8)) == []
    assert at_bytes("webp", np.zeros((1, 16_383, 3), np.uint8), 10**6).rgb.shape[1] == 16_383


def test_noise_at_high_quality_needs_more_than_a_byte_a_pixel(capfd):
    rgb = noise(300, 300)
    found = at_bytes("jpeg", rgb, 10**6)
    assert len(found.data) > 3 * 300 * 300
    strip = at_bytes("jpeg", noise(1, 20_000), 10**6)
    assert strip.rgb.shape == (1, 20_000, 3)
    assert capfd.readouterr().err == ""  # libjpeg complains there when its buffer overflows


@pytest.mark.parametrize("name", NAMES)
def test_files_hold_no_metadata(photo, name):
    file = at_bytes(name, photo, 3000, "fast").data
    image = Image.open(io.BytesIO(file))
    image.load()
    assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)
    assert b"OpenJPEG" not in file


def test_jpeg2000_is_the_bare_codestream_less_its_comment(photo):
    file = at_bytes("jpeg2000", photo, 2000).data
    assert file[:4] == b"\xff\x4f\xff\x51" and file[-2:] == b"\xff\xd9"
    boxed = io.BytesIO()
    Image.fromarray(photo).save(
        boxed,
        "JPEG2000",
        quality_mode="rates",
        quality_layers=[9.5],
        irreversible=True,
        mct=1,
        num_resolutions=3,
        comment="a comment of some length",
    )
    codestream = boxed.getvalue()
    codestream = codestream[codestream.index(b"\xff\x4f\xff\x51") :]
    bare = peers._without_comment(codestream)
    assert b"a comment" in codestream and b"a comment" not in bare
    assert np.array_equal(decoded(bare), decoded(codestream))


# --- at equal quality -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_file_that_reaches_a_target(photo, name):
    found = at_quality(name, photo, metrics.psnr, 32, effort="fast")
    reached = metrics.psnr(photo, found.rgb)
    assert 32 <= reached < 33.2
    less = at_bytes(name, photo, int(len(found.data) * 0.93), "fast")
    assert metrics.psnr(photo, less.rgb) < 32


def test_any_metric_will_do(photo):
    found = at_quality("webp", photo, metrics.ssim, 0.95)
    assert 0.95 <= metrics.ssim(photo, found.rgb) < 0.97


@pytest.mark.parametrize("name", NAMES)
def test_a_target_out_of_reach_gives_none(photo, name):
    assert at_quality(name, photo[:32, :32], metrics.psnr, 90, effort="fast") is None


def test_a_target_that_everything_reaches_gives_the_smallest_file(photo):
    found = at_quality("jpeg", photo, metrics.psnr, 0)
    assert found.settings.startswith("quality 1,")


# --- curves ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_curve_rises_in_bytes_and_in_quality(photo, name):
    points = curve(name, photo, effort="fast")
    sizes = [len(point.data) for point in points]
    values = [metrics.psnr(photo, point.rgb) for point in points]
    assert len(points) >= 8
    assert sizes == sorted(set(sizes)) and values == sorted(set(values))
    # Such a curve is what BD-rate asks for.
    assert metrics.bd_rate(sizes, values, sizes, values) == pytest.approx(0)


def test_no_file_of_any_variant_lies_above_a_curve(photo):
    qualities, image = (5, 20, 50, 80), Image.fromarray(photo)
    points = curve("jpeg", photo, qualities)
    sizes = np.log([len(point.data) for point in points])
    values = [metrics.psnr(photo, point.rgb) for point in points]
    for quality in qualities:
        for variant in PEERS["jpeg"].variants(image, "slow"):
            file = PEERS["jpeg"].encode(image, quality, variant, "slow")
            reached = np.interp(np.log(len(file)), sizes, values, left=0)
            assert metrics.psnr(photo, decoded(file)) <= reached + 0.05


def test_a_variant_stays_only_where_it_is_the_best():
    # Equal brightness and alternating hue: 4:2:0 is smaller and shows nothing of it.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (200, 40, 60), (30, 120, 60)
    points = curve("jpeg", stripes)
    smallest = next(len(point.data) for point in points if "4:4:4" in point.settings)
    assert all("4:4:4" in point.settings for point in points if len(point.data) >= smallest)
    assert metrics.psnr(stripes, points[-1].rgb) > 40
    assert (
        len(curve("jpeg", np.zeros((9, 9, 3), np.uint8), [50, 90])) == 1
    )  # identical: infinite PSNR


def test_only_small_pictures_take_the_slowest_avif():
    small, large = Image.new("RGB", (256, 256)), Image.new("RGB", (257, 256))
    avif = PEERS["avif"]
    assert avif.variants(small, "slow") == ("4:4:4", "4:2:0")
    assert avif.variants(large, "slow") == avif.variants(small, "fast") == ("4:4:4",)
    assert "speed 0" in avif.describe(small, 50, "4:4:4", "slow")
    assert "speed 1" in avif.describe(large, 50, "4:4:4", "slow")


# --- bad requests, search, versions ---------------------------------------------------------


def test_bad_requests_are_told(photo):
    with pytest.raises(ValueError, match="choose one of jpeg, jpeg2000, webp, avif"):
        at_bytes("gif", photo, 1000)
    with pytest.raises(ValueError, match="choose one of slow, fast"):
        at_bytes("jpeg", photo, 1000, effort="rough")
    with pytest.raises(ValueError, match="no quality 101"):
        curve("jpeg", photo, qualities=[50, 101])
    for array in (photo.astype(float), photo[..., 0], photo[..., :2], [[1]], photo[:0]):
        with pytest.raises(ValueError, match="uint8 array of shape"):
            at_bytes("jpeg", array, 1000)


@settings(deadline=None)
@given(
    count=st.integers(1, 200),
    answer=st.integers(0, 200),
    guess=st.one_of(st.none(), st.integers(0, 250)),
)
def test_the_search_finds_the_first_that_passes(count, answer, guess):
    answer = min(answer, count)
    asked = []

    def passes(i):
        assert 0 <= i < count
        asked.append(i)
        return i >= answer

    assert peers._first(count, passes, guess) == answer
    assert len(asked) == len(set(asked)) <= 16
    if guess is not None and abs(guess - answer) <= 1 and guess < count:
        assert len(asked) <= 4  # the guess, one stride, and what lies between a stride of two


def test_versions_name_every_library():
    versions = peers.versions()
    assert set(versions) == {"Pillow", "libjpeg-turbo", "OpenJPEG", "libwebp", "libavif", "libaom"}
    assert all(version[0].isdigit() for version in versions.values())
