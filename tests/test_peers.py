"""Peers at a byte budget, at a quality, and their files for a curve."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sdae.measuring import metrics, peers
from sdae.measuring.peer_files import at_bytes, files
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
    versions = peers.versions()
    assert all(version[0].isdigit() for version in versions.values())
    for name, peer in PEERS.items():
        assert peer.name == name and peer.library in versions
        assert len(peer.spread) >= 8 and set(peer.spread) <= set(peer.qualities)


@pytest.mark.parametrize("name", NAMES)
def test_more_bytes_give_more_quality_in_a_file_of_its_format_that_fits(photo, name):
    values = []
    for budget in (1200, 2500, 5000):
        found = at_bytes(name, photo, budget)
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
    assert at_bytes(name, photo, 60) is None


def test_no_setting_that_fits_is_larger(photo):
    peer, image, budget = PEERS["jpeg"], Image.fromarray(photo), 2000
    found = at_bytes("jpeg", photo, budget)
    best = -1
    for variant in peer.variants:
        every = [peer.encode(image, quality, variant, "slow") for quality in peer.qualities]
        largest = max((file for file in every if len(file) <= budget), key=len)
        best = max(best, metrics.psnr(photo, decoded(largest)))
    assert metrics.psnr(photo, found.rgb) == best


def test_the_better_subsampling_is_taken():
    # Equal brightness and alternating hue: 4:2:0 would lose everything.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (200, 40, 60), (30, 120, 60)
    assert "4:4:4" in at_bytes("jpeg", stripes, 3000).settings


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_one_pixel(name):
    assert at_bytes(name, noise(1, 1), 10_000).rgb.shape == (1, 1, 3)


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


def test_a_curve_has_a_file_of_every_variant_at_every_quality(photo, monkeypatch):
    avif = replace(PEERS["avif"], spread=(20, 60))
    monkeypatch.setitem(PEERS, "avif", avif)
    found = files("avif", photo[:32, :32])
    assert [file.variant for file in found] == [v for v in avif.variants for _ in range(2)]
    assert found[3].settings == "quality 60, 4:4:4 tune iq"
    assert len({file.data for file in found}) == 6
    for small, large in zip(found[::2], found[1::2]):
        assert len(small.data) < len(large.data)
    assert len(files("avif", photo[:32, :32], "fast")) == 2


def test_a_search_can_be_ended(photo):
    def pause():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_bytes("jpeg", photo, 1000, pause=pause)
