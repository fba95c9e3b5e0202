"""Any file a person has becomes RGB, or one clear sentence."""

import io
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_files import chunk, ftyp, png_file, saved
from PIL import Image
from skimage import data

from sdae.pictures import arrays, opening, reading
from sdae.pictures.reading import ImageError, read

WHITE = [255, 255, 255]


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.coffee()[40:120, 200:320])


def near(found, wanted, tolerance=2):
    return np.abs(found.astype(int) - wanted).max() <= tolerance


@pytest.mark.parametrize(
    ("kind", "name", "options", "error"),
    [
        ("PNG", "PNG", {}, 0),
        ("BMP", "BMP", {}, 0),
        ("TIFF", "TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", "WebP", {"lossless": True}, 0),
        ("JPEG2000", "JPEG 2000", {}, 0),
        ("JPEG2000", "JPEG 2000", {"no_jp2": True}, 0),
        ("JPEG", "JPEG", {"quality": 95, "subsampling": 0}, 4),
        ("JPEG", "JPEG", {"quality": 95, "progressive": True}, 6),
        ("AVIF", "AVIF", {"quality": 90, "speed": 9}, 6),
        ("HEIF", "HEIC", {"quality": 90}, 6),
    ],
)
def test_every_format_gives_its_pixels_and_no_part_of_a_file_does(
    photo, kind, name, options, error
):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    file = saved(photo, kind, **options)
    picture = read(file)
    assert (picture.format, picture.file_bytes, picture.notices) == (name, len(file), ())
    assert picture.rgb.dtype == np.uint8 and picture.rgb.flags.c_contiguous
    assert picture.rgb.shape == photo.shape
    assert np.abs(picture.rgb.astype(int) - photo).mean() <= error
    for length in (len(file) // 20, len(file) // 2):
        with pytest.raises(ImageError, match=f"{name} file is damaged, cut short"):
            read(file[:length])


def test_every_kind_of_source_gives_the_same_pixels(photo, tmp_path):
    path = tmp_path / "holiday.jpg"  # the content decides, not the name
    path.write_bytes(file := saved(photo, "PNG"))
    stream = io.BytesIO(file)
    stream.seek(5)  # someone has looked at it before
    opened = Image.open(path)
    view = photo.transpose(1, 0, 2).copy().transpose(1, 0, 2)
    for source in (
        file, bytearray(file), memoryview(file), path, str(path), stream, opened,
        Image.fromarray(photo), photo, view,
    ):  # fmt: skip
        rgb = read(source).rgb
        assert np.array_equal(rgb, photo)
        rgb[:] = 0  # no view of the source
    assert read(photo).file_bytes is None and read(photo).format is None
    assert read(np.zeros((2, 2, 4), np.uint8)).rgb.min() == 255
    assert arrays.samples(photo) is photo
    assert opened.fp is None  # so that many opened pictures hold no files


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (np.zeros((4, 4, 3)), "uint8 samples in the shape"),
        (Path("missing.png"), "cannot be read .No such file"),
        ("nul\0name.png", "cannot be read"),
        (io.StringIO("text"), "binary mode"),
        (5, "not int"),
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><svg/>", "SVG drawing"),
        (b"\n<!DOCTYPE html><html></html>", "web page"),
        (b"hello, this is text", "open a JPEG, PNG"),
        (b"%PDF-1.7", "no picture that can be read"),
        (ftyp(b"mif1", b"avif"), "AVIF file is damaged"),
        (ftyp(b"mif1", b"heic"), "pip install 'sdae.heic.'"),
        (ftyp(b"crx ", b"isom"), "camera's raw file"),
        (saved(Image.new("RGB", (9, 9)), "TIFF", tiffinfo={50706: b"\1\4\0\0"}), "raw file"),
        (saved(Image.new("RGB", (9, 9)), "TIFF", tiffinfo={254: 1}), "raw file"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (b"\xff\xd8\xff", "JPEG file is damaged"),
        (b"II*\0", "TIFF file is damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP file is damaged"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(content, sentence, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    with pytest.raises(ImageError, match=sentence) as caught:
        read(content)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and message.count(". ") == 0


UNDONE = [
    lambda a: a,
    lambda a: a[:, ::-1],
    lambda a: a[::-1, ::-1],
    lambda a: a[::-1],
    lambda a: a.transpose(1, 0, 2),
    lambda a: np.rot90(a, 1),
    lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    lambda a: np.rot90(a, -1),
]
"""What an upright picture is stored as, by Exif orientation from 1."""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_exif_orientation_is_applied_once(kind):
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16], upright[:16, -16:], upright[-16:, :16] = (
        (250, 9, 9),
        (9, 9, 250),
        (9, 250, 9),
    )
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    for orientation, undo in enumerate(UNDONE, 1):
        exif = Image.Exif()
        exif[0x0112] = orientation
        file = saved(np.ascontiguousarray(undo(upright)), kind, exif=exif, **options)
        for source in (file, Image.open(io.BytesIO(file))):
            rgb = read(source).rgb
            assert rgb.shape == upright.shape
            assert np.abs(rgb.astype(int) - upright).mean() < 8
    # An image that is no opened file is what it is, whatever it was made of.
    copy = Image.open(io.BytesIO(file)).copy()
    assert read(copy).rgb.shape[1::-1] == copy.size


def test_broken_exif_is_no_reason_to_refuse(photo):
    file = saved(photo, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.array_equal(read(file).rgb, photo)
        kept = read(file, keep_metadata=True)
    assert not kept.metadata and np.array_equal(kept.rgb, photo)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_the_first_frame_is_taken_with_a_notice(kind):
    frames = [Image.new("RGB", (32, 32), name) for name in ("red", "blue", "green")]
    picture = read(saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert near(picture.rgb, (255, 0, 0), 8)
    units = "pages" if kind == "TIFF" else "frames"
    wanted = (f"The file holds several {units}; only the first is used.",)
    assert picture.notices == (() if kind == "MPO" else wanted)  # a JPEG with another inside


def test_transparency_is_laid_on_white_with_a_notice(photo):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[..., :3] = (200, 0, 100)
    rgba[..., 3] = [0, 51, 204, 255]
    for kind in ("PNG", "WEBP", "TIFF"):
        picture = read(saved(rgba, kind, lossless=True, exact=True))
        assert picture.notices == ("Transparent parts were laid on white.",)
        assert picture.rgb[0].tolist() == [WHITE, [244, 204, 224], [211, 51, 131], [200, 0, 100]]
    opaque = read(saved(Image.fromarray(photo).convert("RGBA"), "PNG"))
    assert opaque.notices == () and np.array_equal(opaque.rgb, photo)
    for mode in ("LA", "La", "PA", "RGBa"):
        image = Image.new("RGBA", (3, 3), (40, 40, 40, 0))
        image = image.convert({"La": "LA", "PA": "PA"}.get(mode, "RGBA")).convert(mode)
        assert (read(image).rgb == 255).all()


# --- colours --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "RGBX", "CMYK", "L", "1", "P"])
def test_other_colour_modes(photo, mode):
    image = Image.fromarray(photo).convert(mode)
    right = np.asarray(image.convert("RGB"))
    for source in [image] if mode in ("HSV", "YCbCr") else [image, saved(image, "TIFF")]:
        picture = read(source)
        assert np.abs(picture.rgb.astype(int) - right).mean() < 4
        assert any("approximate" in notice for notice in picture.notices) == (mode == "CMYK")


def test_a_transparent_colour_is_compared_at_the_depth_it_is_stated_at():
    def clear(*levels):
        return chunk(b"tRNS", struct.pack(f">{len(levels)}H", *levels))

    deep = (25_607, 51_209, 7_681), (25_607, 51_209, 7_680)
    deep_rows = b"\0" + b"".join(struct.pack(">3H", *samples) for samples in deep)
    for file, right in (
        (png_file(2, 1, 8, 2, b"\0\1\2\3\4\5\6", clear(1, 2, 3)), [WHITE, [4, 5, 6]]),
        (png_file(2, 1, 2, 0, bytes([0, 0b01100000]), clear(1)), [WHITE, [170] * 3]),
        (png_file(2, 1, 16, 2, deep_rows, clear(*deep[0])), [WHITE, [100, 199, 30]]),
    ):
        for source in (file, Image.open(io.BytesIO(file))):
            assert near(read(source).rgb[0], right, 1)


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, **options)
    return file.getvalue()


def test_sixteen_bits_are_reduced_with_a_notice():
    deep = np.array([[0, 128, 129, 257, 32768, 65406, 65407, 65535]], np.uint16)
    right = [0, 0, 1, 1, 128, 254, 255, 255]
    colours = tiff(deep[..., None].repeat(3, 2), photometric="rgb", byteorder=">")
    apart = tiff(deep[None].repeat(3, 0), photometric="rgb", planarconfig="separate")
    for source in (saved(deep, "PNG"), saved(deep, "TIFF"), colours, apart, Image.fromarray(deep)):
        picture = read(source)
        assert picture.rgb[0, :, 0].tolist() == right
        assert picture.notices == ("Samples of 16 bits were reduced to 8.",)


@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "f4"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_layouts_of_tiff_are_read_right_or_refused(kind, tile, planes):
    right = np.linspace(0, 255, 32 * 48 * 3).reshape(32, 48, 3)
    values = (right / 255 * (1 if kind == "f4" else np.iinfo(kind).max)).astype(kind)
    values = values if planes == "contig" else np.moveaxis(values, 2, 0)
    file = tiff(values, photometric="rgb", planarconfig=planes, tile=tile)
    for source in (file, Image.open(io.BytesIO(file))) if kind == "u1" else (file,):
        if kind[0] == "u" and not (planes == "separate" and tile):
            assert near(read(source).rgb, right, 1)
        else:
            with pytest.raises(ImageError, match="save it as"):
                read(source)


def test_sizes_have_a_limit_for_every_source(photo, tmp_path):
    assert read(saved(Image.new("L", (opening.MAX_SIDE, 1), 7), "PNG")).rgb.max() == 7
    for source in (
        saved(Image.new("1", (opening.MAX_SIDE + 1, 1)), "PNG"),
        np.zeros((1, opening.MAX_SIDE + 1, 3), np.uint8),
    ):
        with pytest.raises(ImageError, match="no side may be longer than 16,384"):
            read(source)
    with (tmp_path / "endless.png").open("wb") as file:  # sparse: it takes no disk
        file.truncate((64 << 20) + 8 * 1000 + 1)
    with pytest.raises(ImageError, match="larger than 64 MiB"):
        read(tmp_path / "endless.png", max_pixels=1000)
    for source in (saved(photo, "PNG"), saved(photo, "GIF"), photo, Image.fromarray(photo)):
        assert read(source, max_pixels=9600).rgb.shape == photo.shape
        with pytest.raises(ImageError, match="120 × 80 pixels"):
            read(source, max_pixels=9599)


def test_png_keeps_every_pixel_and_thumb_is_the_centre_square_by_lanczos(photo):
    assert np.array_equal(read(reading.png(photo)).rgb, photo)
    square = Image.fromarray(photo).crop((20, 0, 100, 80))
    expected = np.asarray(square.resize((32, 32), Image.Resampling.LANCZOS))
    assert np.array_equal(reading.thumb(photo, 32), expected)
    assert reading.thumb(np.full((1, 30_000, 3), 9, np.uint8)).tolist() == [[[9] * 3] * 128] * 128


@settings(max_examples=30)
@given(st.integers(1, 120), st.integers(1, 120), st.integers(1, 40), st.integers(1, 9000))
def test_tiles_and_smaller_pictures_of_any_size(height, width, side, pixels):
    rgb = np.arange(height * width * 3, dtype=np.uint32).reshape(height, width, 3).astype(np.uint8)
    tiles, (rows, columns) = reading.tiles(rgb, side), (height // side, width // side)
    assert len(tiles) == rows * columns
    if tiles:
        grid = np.array(tiles).reshape(rows, columns, side, side, 3).swapaxes(1, 2)
        whole = grid.reshape(rows * side, columns * side, 3)
        assert np.array_equal(whole, rgb[: rows * side, : columns * side])
    small = reading.shrink(rgb, pixels)
    assert (small is rgb) == (height * width <= pixels)
    assert small.shape[0] * small.shape[1] <= pixels or 1 in small.shape[:2]
