"""Where files spend their bits: every bit is counted once, and where it belongs."""

import io

import numpy as np
import pytest
from PIL import Image

from sdae.measuring import bit_allocation, peers


def half_busy(width=160, height=96) -> np.ndarray:
    """A picture that is plain on the left and noisy on the right, uint8 (height, width, 3)."""
    rgb = np.full((height, width, 3), 120, "uint8")
    noise = np.random.default_rng(5).integers(0, 255, (height, -(-width // 2), 3))
    rgb[:, width // 2 :] = noise
    return rgb


def jpeg(rgb, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("size", [(160, 96), (37, 21), (8, 8)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("optimize", [False, True])
def test_every_bit_of_a_jpeg_scan_is_counted(size, subsampling, optimize):
    data = jpeg(half_busy(*size), quality=70, subsampling=subsampling, optimize=optimize)
    found = bit_allocation.of_jpeg(data)
    assert found.shape == (-(-size[1] // 8), -(-size[0] // 8))
    start = data.index(b"\xff\xda")
    start += 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    scan = data[start:-2].replace(b"\xff\x00", b"\xff")
    assert 0 <= 8 * len(scan) - found.sum() < 8


def test_a_black_and_white_jpeg_is_read_too():
    grey = half_busy()[..., 0]
    found = bit_allocation.of_jpeg(jpeg(grey, quality=60))
    assert found.shape == (12, 20) and found[:, 12:].min() > found[:, :9].max()


def test_busy_squares_take_the_bits_in_both_codecs(codec):
    rgb = half_busy()
    found = bit_allocation.of_latent(codec, codec.encode(rgb, 50)).squares
    assert found.shape == (12, 20)
    assert found[:, 12:].min() > found[:, :8].max()
    found = bit_allocation.of_jpeg(jpeg(rgb, quality=50))
    assert found[:, 12:].min() > found[:, :9].max()


def test_bands_keep_their_squares_apart(codec, monkeypatch):
    """The bits of a picture of several bands lie in the rows of their band."""
    from sdae.coding import coding_order

    rgb = half_busy().transpose(1, 0, 2).copy()  # busy below, plain above
    latent = codec.encode(rgb, 50)
    whole = bit_allocation.of_latent(codec, latent).squares
    monkeypatch.setattr(coding_order, "_BAND", 96)
    assert len(coding_order.bands(latent.values)) > 1
    found = bit_allocation.of_latent(codec, latent)
    assert found.squares[12:].min() > found.squares[:8].max()
    assert np.corrcoef(found.squares.ravel(), whole.ravel())[0, 1] > 0.9


def test_the_jpeg_of_one_scan_fits_and_is_the_best_that_can_be_read():
    rgb = half_busy()
    found = bit_allocation.sequential_jpeg(rgb, 9_000)
    assert len(found.data) <= 9_000 and "progressive" not in found.settings
    assert bit_allocation.of_jpeg(found.data).sum() / 8 < len(found.data)
    assert bit_allocation.sequential_jpeg(rgb, 100) is None
    assert len(peers.at_bytes("jpeg", rgb, 9_000).data) <= 9_000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:200],
        lambda data: b"no picture",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"\xff\xc0", b"\xff\xc2"),
    ],
)
def test_what_is_no_sequential_jpeg_is_refused(spoil):
    with pytest.raises(ValueError, match="JPEG"):
        bit_allocation.of_jpeg(spoil(jpeg(half_busy(), quality=70)))


def test_progressive_files_and_restarts_are_refused():
    with pytest.raises(ValueError, match="sequential"):
        bit_allocation.of_jpeg(jpeg(half_busy(), progressive=True))
    with pytest.raises(ValueError, match="restarts"):
        bit_allocation.of_jpeg(jpeg(half_busy(), restart_marker_blocks=4))
