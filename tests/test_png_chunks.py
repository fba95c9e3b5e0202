"""PNG: the transparent colour at every depth, and what viewers pass over."""

import io
import struct
import zlib

import numpy as np
import pytest
from odd_files import chunk, png_file, saved
from PIL import Image

from sdae.pictures import png_chunks
from sdae.pictures.reading import ImageError, read

WHITE = [255, 255, 255]


def clear(*levels):
    return chunk(b"tRNS", struct.pack(f">{len(levels)}H", *levels))


@pytest.mark.parametrize(
    ("depth", "row", "level", "opaque"),
    [
        (1, 0b01000000, 0, 255),
        (1, 0b10000000, 1, 0),
        (2, 0b01100000, 1, 170),
        (2, 0b10110000, 2, 255),
        (4, 0x3A, 3, 170),
        (8, 7, 7, None),
    ],
)
def test_a_transparent_level_of_grey_is_white_at_every_depth(depth, row, level, opaque):
    width = 1 if opaque is None else 2
    rgb = read(png_file(width, 1, depth, 0, bytes([0, row]), clear(level))).rgb
    assert rgb[0, 0].tolist() == WHITE
    if opaque is not None:
        assert rgb[0, 1].tolist() == [opaque] * 3


@pytest.mark.parametrize("depth", [2, 4])
def test_other_levels_of_grey_stay_what_they_are(depth):
    # Level 85 or 17 of 255 is level 1; a file that calls level 0 transparent leaves it alone.
    row = 0b01010101 if depth == 2 else 0x11
    rgb = read(png_file(2, 1, depth, 0, bytes([0, row]), clear(0))).rgb
    assert (rgb == 255 // (2**depth - 1)).all()


def test_a_transparent_colour_of_sixteen_bits_is_compared_whole():
    colours = [(25_607, 51_209, 7_681), (25_607, 51_209, 7_680), (25_606, 51_209, 7_681)]
    rows = b"\0" + b"".join(struct.pack(">3H", *colour) for colour in colours)
    for source in (
        png_file(3, 1, 16, 2, rows, clear(*colours[0])),
        Image.open(io.BytesIO(png_file(3, 1, 16, 2, rows, clear(*colours[0])))),
    ):
        picture = read(source)
        assert picture.rgb[0].tolist() == [WHITE, [100, 200, 30], [100, 200, 30]]
        assert "Transparent parts were laid on white." in picture.notices


def test_of_eight_bits_only_the_low_byte_counts():
    rgb = read(png_file(2, 1, 8, 2, b"\0\1\2\3\4\5\6", clear(0x101, 0x102, 0x103))).rgb
    assert rgb[0].tolist() == [WHITE, [4, 5, 6]]


def test_a_palette_has_as_many_transparencies_as_it_wants():
    palette = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60]))
    rgb = read(png_file(2, 1, 8, 3, b"\0\0\1", palette, chunk(b"tRNS", b"\0"))).rgb
    assert rgb[0].tolist() == [WHITE, [40, 50, 60]]


def test_text_of_any_length_is_no_reason_to_refuse():
    texts = [
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3 << 20))),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"a" * (3 << 20))),
        *[chunk(b"zTXt", b"Note\0\0" + zlib.compress(b"a" * 1_000_000))] * 70,
    ]
    for text in (texts[:1], texts[1:2], texts):
        assert read(png_file(1, 1, 8, 2, b"\0\1\2\3", *text)).rgb[0, 0].tolist() == [1, 2, 3]
    behind = png_file(1, 1, 8, 2, b"\0\1\2\3").replace(chunk(b"IEND", b""), texts[0])
    assert read(behind).rgb[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "kind", [b"tEXt", b"gAMA", b"pHYs", b"eXIf", b"tRNS", b"abCd", b"cICP", b"iCCP"]
)
def test_a_wrong_checksum_of_what_no_pixel_depends_on_is_passed_over(kind):
    wrong = bytearray(chunk(kind, b"\0\0\0\1\0\2\0\3"))
    wrong[-1] ^= 1
    picture = read(png_file(1, 1, 8, 2, b"\0\1\2\3", bytes(wrong)))
    assert picture.rgb[0, 0].tolist() == [1, 2, 3] and picture.notices == ()


@pytest.mark.parametrize("kind", [b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tRNS", b"iTXt"])
def test_a_chunk_that_is_cut_short_is_passed_over(kind):
    picture = read(png_file(1, 1, 8, 2, b"\0\1\2\3", chunk(kind, b"\0")))
    assert picture.rgb[0, 0].tolist() == [1, 2, 3]


def test_a_wrong_checksum_of_the_pixels_is_refused():
    file = bytearray(saved(Image.new("RGB", (4, 4)), "PNG"))
    file[file.index(b"IDAT") + 10] ^= 1
    with pytest.raises(ImageError, match="PNG file is damaged"):
        read(bytes(file))


def test_orientation_in_text_still_turns():
    exif = Image.Exif()
    exif[0x0112] = 6
    text = b"\nexif\n%8d\n" % len(exif.tobytes()) + exif.tobytes().hex().encode()
    told = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    assert read(png_file(2, 1, 8, 2, bytes(7), told)).rgb.shape == (2, 1, 3)


def test_a_file_of_endless_chunks_is_refused(monkeypatch):
    monkeypatch.setattr(png_chunks, "_MOST_CHUNKS", 1000)
    row = b"\0\1\2\3"
    assert read(png_file(1, 1, 8, 2, row, *[chunk(b"abCd", b"")] * 900)).rgb.shape == (1, 1, 3)
    with pytest.raises(ImageError, match="PNG file is damaged"):
        read(png_file(1, 1, 8, 2, row, *[chunk(b"abCd", b"")] * 1100))


def test_an_intact_file_is_opened_as_it_is(monkeypatch):
    given = []
    monkeypatch.setattr(
        png_chunks.PngImagePlugin,
        "PngImageFile",
        lambda file: given.append(file.getvalue()) or Image.new("L", (1, 1)),
    )
    file = saved(np.zeros((2, 2, 3), np.uint8), "PNG")
    png_chunks.opened(file)
    assert given == [file]
