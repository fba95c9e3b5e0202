"""TIFF: every layout is read right or refused in a sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from odd_files import tiff_of
from PIL import Image

from sdae.pictures.reading import ImageError, read

RAMP = np.linspace(0, 255, 20 * 24 * 4).reshape(20, 24, 4)


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, **options)
    return file.getvalue()


def samples(kind, channels):
    """The ramp as samples of full scale, and the picture that is right for them."""
    scale = 1 if kind[0] == "f" else np.iinfo(kind).max
    values = (RAMP[..., :channels] / 255 * scale).astype(kind)
    return values, RAMP[..., :channels]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("colours", ["rgb", "rgba", "cmyk"])
def test_colour_of_any_layout(colours, kind, planes, tile, packed, order):
    values, right = samples(kind, 3)
    fourth = {"rgb": None, "rgba": np.iinfo(kind).max, "cmyk": 0}[colours]
    if fourth is not None:
        values = np.dstack([values, np.full(values.shape[:2], fourth, kind)])
    right = 255 - right if colours == "cmyk" else right
    options = {"extrasamples": ["unassalpha"]} if colours == "rgba" else {}
    picture = read(
        tiff(
            values if planes == "contig" else np.moveaxis(values, 2, 0),
            photometric="separated" if colours == "cmyk" else "rgb",
            planarconfig=planes,
            byteorder=order,
            compression=packed,
            tile=tile,
            **options,
        )
    )
    assert np.abs(picture.rgb - right).max() <= 1
    assert ("Samples of 16 bits were reduced to 8." in picture.notices) == (kind == "u2")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [None, "zlib"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4", "i2", "i4"])
def test_grey_of_any_layout(kind, packed, order):
    values, right = samples(kind, 1)
    picture = read(
        tiff(values[..., 0], photometric="minisblack", byteorder=order, compression=packed)
    )
    assert np.abs(picture.rgb - right).max() <= 1


@pytest.mark.parametrize("packed", [None, "zlib"])
def test_words_without_a_sign_and_bytes_with_one(packed):
    words = np.array([[0, 2**31, 2**32 - 1]], "u4")
    assert read(tiff(words, compression=packed)).rgb[0, :, 0].tolist() == [0, 128, 255]
    for order in "<>":
        signed = np.array([[-128, 0, 127]], "i1")
        picture = read(tiff(signed, byteorder=order, compression=packed))
        assert picture.rgb[0, :, 0].tolist() == [0, 128, 255]
        assert "stretched" in picture.notices[0]


@pytest.mark.parametrize("kind", ["u4", "u8", "i1", "i2", "i4", "f2", "f4", "f8"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colour_of_other_samples_is_refused(kind, planes):
    values, _ = samples(kind, 3)
    values = values if planes == "contig" else np.moveaxis(values, 2, 0)
    with pytest.raises(ImageError, match="of a kind that cannot be read"):
        read(tiff(values, photometric="rgb", planarconfig=planes))


@pytest.mark.parametrize(
    "values, options",
    [
        (np.zeros((2, 8, 8), "u1"), {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
        (np.zeros((3, 8, 8), "u1"), {"photometric": "cielab"}),
    ],
)
def test_planes_that_pillow_mixes_up_are_refused(values, options):
    with pytest.raises(ImageError, match="separate planes.*save it as PNG"):
        read(tiff(values, planarconfig="separate", compression="zlib", **options))


def test_sixteen_bit_grey_that_calls_its_one_plane_separate():
    file = tiff_of([0, 0, 0, 128, 255, 255], 16, 1, (284, 2))
    assert read(file).rgb[0, :, 0].tolist() == [0, 128, 255]


def test_twelve_bits_packed():
    file = tiff_of(zlib.compress(bytes([0xFF, 0xF8, 0x00])), 12, 1, (256, 2), (259, 8))
    assert read(file).rgb[0, :, 0].tolist() == [255, 128]


def test_uncompressed_colours_at_half_the_resolution():
    # Four luminances, then one Cb and one Cr for all of them.
    body, at = bytes([76, 76, 76, 76, 85, 255]), 240
    tags = [
        (256, 2),
        (257, 2),
        (258, 0),
        (259, 1),
        (262, 6),
        (273, at),
        (277, 3),
        (278, 2),
        (279, 6),
        (284, 1),
        (530, 0),
    ]
    entries = b""
    for tag, value in tags:
        count, content = {258: (3, struct.pack("<I", 200)), 530: (2, struct.pack("<HH", 2, 2))}.get(
            tag, (1, struct.pack("<HH", value, 0))
        )
        entries += struct.pack("<HHI", tag, 3, count) + content
    file = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    file = file.ljust(200, b"\0") + struct.pack("<3H", 8, 8, 8)
    rgb = read(file.ljust(at, b"\0") + body).rgb
    assert rgb.shape == (2, 2, 3) and np.abs(rgb.astype(int) - (254, 0, 0)).max() <= 2


@pytest.mark.parametrize("scale", [1, 257])
def test_a_palette_of_eight_bits_is_told_from_one_of_sixteen(scale):
    values = np.arange(256, dtype="u1").reshape(16, 16)
    palette = np.tile(np.arange(256, dtype="u2") * scale, (3, 1))
    rgb = read(tiff(values, photometric="palette", colormap=palette)).rgb
    assert np.array_equal(rgb, np.repeat(values[..., None], 3, 2))


def test_an_opened_image_is_read_as_its_file(tmp_path):
    values, _ = samples("u2", 3)
    path = tmp_path / "planes.tif"
    path.write_bytes(tiff(np.moveaxis(values, 2, 0), photometric="rgb", planarconfig="separate"))
    with Image.open(path) as image:
        assert np.array_equal(read(image).rgb, read(path).rgb)
