"""Peers at a byte budget, at a quality, and their files for a curve."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sdae.measuring import metrics, peer_files, peers
from sdae.measuring.peer_files import at_bytes, at_quality, files
from sdae.measuring.peers import PEERS

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
    assert [peer.ending for peer in PEERS.values()] == ["jpg", "j2k", "webp", "avif"]
    versions = peers.versions()
    assert all(version[0].isdigit() for version in versions.values())
    for name, peer in PEERS.items():
        assert peer.name == name and peer.library in versions
        assert len(peer.spread) >= 8 and set(peer.spread) <= set(peer.qualities)


@pytest.mark.parametrize("name", NAMES)
def test_more_bytes_give_more_quality_in_a_file_of_its_format_that_fits(photo, name):
    values = []
    for budget in (1200, 2500, 5000):
        found = at_bytes(name, photo, budget, effort="fast")
        assert 0.85 * budget < len(found.data) <= budget
        assert found.rgb.dtype == np.uint8 and found.rgb.shape == photo.shape
        assert np.array_equal(decoded(found.data), found.rgb)
        assert found.settings
        values.append(metrics.psnr(photo, found.rgb))
    assert values == sorted(values) and values[-1] > values[0] + 3
    image = Image.open(io.BytesIO(found.data))
    assert image.format == PEERS[name].label.upper().replace(" ", "")
    image.load()
    assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)
    assert b"OpenJPEG" not in found.data
    assert at_bytes(name, photo, 60, "fast") is None


def test_no_setting_that_fits_is_larger(photo):
    peer, image, budget = PEERS["jpeg"], Image.fromarray(photo), 2000
    found = at_bytes("jpeg", photo, budget)
    best = -1
    for variant in peer.variants(image, "slow"):
        every = [peer.encode(image, quality, variant, "slow") for quality in peer.qualities]
        largest = max((file for file in every if len(file) <= budget), key=len)
        best = max(best, metrics.psnr(photo, decoded(largest)))
    assert metrics.psnr(photo, found.rgb) == best


def test_slow_avif_is_at_least_as_good_as_fast(photo):
    rgb = photo[:32, :32]
    slow, fast = (at_bytes("avif", rgb, 700, effort) for effort in ("slow", "fast"))
    assert "speed 0" in slow.settings and "speed 6" in fast.settings
    assert metrics.psnr(rgb, slow.rgb) > metrics.psnr(rgb, fast.rgb) - 0.2


def test_the_better_subsampling_is_taken():
    # Equal brightness and alternating hue: 4:2:0 would lose everything.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (200, 40, 60), (30, 120, 60)
    assert "4:4:4" in at_bytes("jpeg", stripes, 3000).settings


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (16, 17)])
@pytest.mark.parametrize("name", NAMES)
def test_tiny_pictures(name, size):
    found = at_bytes(name, noise(*size), 10_000, "fast")
    assert found.rgb.shape == (*size, 3)
    assert len(found.data) <= 10_000


def test_a_picture_longer_than_a_format_allows_gives_none():
    assert at_bytes("webp", np.zeros((1, 16_384, 3), np.uint8), 10**6) is None
    assert at_bytes("avif", np.zeros((32_769, 1, 3), np.uint8), 10**6) is None
    assert at_bytes("jpeg", np.zeros((1, 65_501, 3), np.uint8), 10**6) is None
    assert files("webp", np.zeros((1, 16_384, 3), np.uint8)) == []


def test_noise_at_high_quality_needs_more_than_a_byte_a_pixel(capfd):
    rgb = noise(300, 300)
    found = at_bytes("jpeg", rgb, 10**6)
    assert len(found.data) > 3 * 300 * 300
    assert capfd.readouterr().err == ""  # libjpeg complains there when its buffer overflows


def test_jpeg2000_is_the_bare_codestream_less_its_comment(photo):
    file = at_bytes("jpeg2000", photo, 2000).data
    assert file[:4] == b"\xff\x4f\xff\x51" and file[-2:] == b"\xff\xd9"
    commented = io.BytesIO()
    Image.fromarray(photo).save(commented, "JPEG2000", no_jp2=True, comment="a comment")
    bare = peers._without_comment(commented.getvalue())
    assert b"a comment" in commented.getvalue() and b"a comment" not in bare
    assert np.array_equal(decoded(bare), decoded(commented.getvalue()))


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_file_that_reaches_a_target(photo, name):
    found = at_quality(name, photo, metrics.psnr, 32, effort="fast")
    reached = metrics.psnr(photo, found.rgb)
    assert 32 <= reached < 33.2
    less = at_bytes(name, photo, int(len(found.data) * 0.93), "fast")
    assert metrics.psnr(photo, less.rgb) < 32
    assert at_quality(name, photo[:32, :32], metrics.psnr, 90, effort="fast") is None


def test_any_metric_will_do(photo):
    found = at_quality("webp", photo, metrics.ssim, 0.95)
    assert 0.95 <= metrics.ssim(photo, found.rgb) < 0.97
    assert at_quality("jpeg", photo, metrics.psnr, 0).settings.startswith("quality 1,")


def test_a_curve_has_a_file_of_every_variant_at_every_quality(photo):
    found = files("avif", photo[:32, :32], [20, 60])
    variants = PEERS["avif"].variants(Image.fromarray(photo), "slow")
    assert variants == ("4:4:4 ssim", "4:4:4 iq", "4:2:0 ssim", "4:2:0 iq")
    assert [file.variant for file in found] == [v for v in variants for _ in range(2)]
    assert found[3].settings == "quality 60, 4:4:4, tune iq, speed 0"
    assert len({file.data for file in found}) == 8
    for small, large in zip(found[::2], found[1::2]):
        assert len(small.data) < len(large.data)


def test_only_small_pictures_take_the_slowest_avif():
    small, large = Image.new("RGB", (256, 256)), Image.new("RGB", (257, 256))
    avif = PEERS["avif"]
    assert avif.variants(large, "fast") == ("4:4:4 ssim",)
    assert "speed 0" in avif.describe(small, 50, "4:4:4 ssim", "slow")
    assert "speed 1" in avif.describe(large, 50, "4:4:4 ssim", "slow")


def test_bad_requests_are_refused_in_a_sentence(photo):
    with pytest.raises(ValueError, match="choose one of jpeg, jpeg2000, webp, avif"):
        at_bytes("gif", photo, 1000)
    with pytest.raises(ValueError, match="choose one of slow, fast"):
        at_bytes("jpeg", photo, 1000, effort="rough")
    with pytest.raises(ValueError, match="no quality 101"):
        files("jpeg", photo, qualities=[50, 101])
    for array in (photo.astype(float), photo[..., 0], photo[..., :2], [[1]], photo[:0]):
        with pytest.raises(ValueError, match="uint8 array of shape"):
            at_bytes("jpeg", array, 1000)


@pytest.mark.parametrize("guess", [None, 0, 40, 99, 250])
def test_the_search_finds_the_first_that_passes(guess):
    for count, answer in ((1, 0), (1, 1), (100, 0), (100, 41), (100, 99), (100, 100)):
        asked = []

        def passes(i):
            asked.append(i)
            return i >= answer

        assert peer_files._first(count, passes, guess) == answer
        assert len(asked) == len(set(asked)) <= 16 and all(0 <= i < count for i in asked)
        if guess is not None and abs(guess - answer) <= 1 and guess < count:
            assert len(asked) <= 4  # the guess, one stride, and what lies between a stride of two
