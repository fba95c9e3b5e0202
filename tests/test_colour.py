"""Colours told otherwise than by an ICC profile in the usual place."""

import io
import struct

import numpy as np
import pytest
from odd_files import box, chunk, png_file, saved
from PIL import ExifTags, Image, ImageCms

from sdae.pictures import boxes, colour
from sdae.pictures.reading import read

ADOBE_GREEN, SRGB_GREEN = (60, 200, 91), (0, 201, 80)
P3_RED, SRGB_RED = (200, 60, 40), (217, 31, 23)


def dcf(space, rule):
    """Exif data with a colour space and an interoperability rule."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.ColorSpace: space, ExifTags.Base.ExifInteroperabilityOffset: {1: rule}}
    )
    exif[ExifTags.IFD.Exif] = exif.get_ifd(ExifTags.IFD.Exif)
    return exif


def swapped_profile():
    """sRGB with red and green changed about."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")


def near(rgb, colour, tolerance=2):
    return np.abs(rgb[0, 0].astype(int) - colour).max() <= tolerance


def reference(colour, white, primaries, curve):
    """A colour in sRGB, by the definitions and in floats; no chromatic adaptation is needed."""

    def matrix(xy):
        x, y = np.array(xy).reshape(3, 2).T
        columns = np.stack([x / y, np.ones(3), (1 - x - y) / y])
        w = np.array([white[0] / white[1], 1, (1 - sum(white)) / white[1]])
        return columns * np.linalg.solve(columns, w)

    light = matrix(primaries) @ curve(np.array(colour) / 255)
    linear = np.linalg.solve(matrix((0.64, 0.33, 0.30, 0.60, 0.15, 0.06)), light).clip(0, 1)
    return 255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_curve(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


D65 = 0.3127, 0.3290


@pytest.mark.parametrize(
    "primaries, exponent",
    [
        ((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 2.2),
        ((0.68, 0.32, 0.265, 0.69, 0.15, 0.06), None),
        ((0.708, 0.292, 0.17, 0.797, 0.131, 0.046), None),
        ((0.64, 0.33, 0.30, 0.60, 0.15, 0.06), 1.0),
    ],
)
def test_a_made_profile_converts_by_the_definitions(primaries, exponent):
    colours = np.random.default_rng(1).integers(40, 216, (1, 40, 3), dtype="uint8")
    image = Image.fromarray(colours)
    image.info["icc_profile"] = colour.profile(D65, primaries, exponent)
    found = read(image).rgb.astype(float)
    curve = srgb_curve if exponent is None else lambda v: v**exponent
    right = np.stack([reference(c, D65, primaries, curve) for c in colours[0]])
    assert np.abs(found[0] - right).max() < 1.5


def test_the_profile_of_srgb_itself_changes_nothing():
    profile = colour.profile(D65, (0.64, 0.33, 0.30, 0.60, 0.15, 0.06), None)
    picture = read(saved(Image.new("RGB", (1, 1), ADOBE_GREEN), "PNG", icc_profile=profile))
    assert picture.rgb[0, 0].tolist() == list(ADOBE_GREEN) and picture.notices == ()


# --- Exif -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_adobe_rgb_of_a_camera_is_converted(kind):
    options = {"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    if kind == "JPEG":
        options["subsampling"] = 0
    file = saved(Image.new("RGB", (16, 16), ADOBE_GREEN), kind, exif=dcf(65535, "R03"), **options)
    for source in (file, Image.open(io.BytesIO(file))):
        picture = read(source)
        assert near(picture.rgb, SRGB_GREEN)
        assert picture.notices == ("The colours were converted from Adobe RGB to sRGB.",)


def test_srgb_of_a_camera_stays():
    file = saved(Image.new("RGB", (1, 1), ADOBE_GREEN), "PNG", exif=dcf(1, "R98"))
    picture = read(file)
    assert near(picture.rgb, ADOBE_GREEN, 0) and picture.notices == ()


def test_colours_that_are_not_srgb_but_unnamed_are_said_to_be():
    file = saved(Image.new("RGB", (1, 1), ADOBE_GREEN), "PNG", exif=dcf(65535, "R98"))
    picture = read(file)
    assert near(picture.rgb, ADOBE_GREEN, 0) and "not sRGB" in picture.notices[0]


def test_a_profile_comes_before_exif():
    exif, icc = dcf(65535, "R03"), swapped_profile()
    file = saved(Image.new("RGB", (1, 1), (255, 0, 0)), "PNG", exif=exif, icc_profile=icc)
    assert near(read(file).rgb, (0, 255, 0))


def test_colours_that_were_converted_are_not_kept_as_told():
    file = saved(Image.new("RGB", (1, 1), ADOBE_GREEN), "PNG", exif=dcf(65535, "R03"))
    picture = read(file, keep_metadata=True)
    assert near(picture.rgb, SRGB_GREEN) and not picture.metadata


# --- PNG ------------------------------------------------------------------------------------


def gama(value):
    return chunk(b"gAMA", struct.pack(">I", value))


def chrm(*values):
    return chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * value) for value in values)))


P3 = 0.680, 0.320, 0.265, 0.690, 0.150, 0.060
SRGB = 0.64, 0.33, 0.30, 0.60, 0.15, 0.06


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"cICP", bytes([12, 13, 0, 1]))],
        [chrm(*D65, *P3), gama(45_455)],
        [chrm(*D65, *P3)],
        [chunk(b"cICP", bytes([12, 13, 0, 1])), chrm(*D65, *SRGB), gama(100_000)],
        [chunk(b"cICP", bytes([12, 13, 0, 1])), chunk(b"sRGB", b"\0")],
    ],
)
def test_display_p3_of_a_png(chunks):
    picture = read(png_file(1, 1, 8, 2, bytes([0, *P3_RED]), *chunks))
    assert near(picture.rgb, reference(P3_RED, D65, P3, srgb_curve))
    assert "converted" in picture.notices[0]


@pytest.mark.parametrize(
    "chunks",
    [
        [gama(45_455)],
        [gama(45_455), chrm(*D65, *SRGB)],
        [chunk(b"sRGB", b"\0"), gama(100_000)],
        [chunk(b"cICP", bytes([1, 13, 0, 1])), gama(100_000)],
        [gama(0)],
    ],
)
def test_what_is_srgb_in_other_words_stays(chunks):
    picture = read(png_file(1, 1, 8, 2, bytes([0, *P3_RED]), *chunks))
    assert picture.rgb[0, 0].tolist() == list(P3_RED) and picture.notices == ()


@pytest.mark.parametrize("colour_type", [0, 2])
def test_light_that_is_stored_linearly(colour_type):
    row = b"\0\x80" if colour_type == 0 else b"\0\x80\x80\x80"
    picture = read(png_file(1, 1, 8, colour_type, row, gama(100_000)))
    assert near(picture.rgb, (188, 188, 188), 1)


@pytest.mark.parametrize(
    "chunks",
    [
        [chrm(0.3127, 0.329, 0, 0, 0, 0, 0, 0)],
        [chrm(*D65, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)],
        [gama(1)],
        [gama(2**31)],
    ],
)
def test_impossible_colours_are_shown_as_stored(chunks):
    picture = read(png_file(1, 1, 8, 2, bytes([0, *P3_RED]), *chunks))
    assert picture.rgb[0, 0].tolist() == list(P3_RED)
    assert "shown as stored" in picture.notices[0]


def test_high_dynamic_range_is_said_and_a_profile_stands_in_for_it():
    image = Image.new("RGB", (1, 1), (255, 0, 0))
    cicp = chunk(b"cICP", bytes([9, 16, 0, 1]))
    plain, with_profile = (
        saved(image, "PNG", **options).replace(b"\0\0\0\x0dIHDR", b"\0\0\0\x0dIHDR")
        for options in ({}, {"icc_profile": swapped_profile()})
    )
    picture = read(plain[:33] + cicp + plain[33:])
    assert picture.rgb[0, 0].tolist() == [255, 0, 0]
    assert "high dynamic range (PQ)" in picture.notices[0]
    assert near(read(with_profile[:33] + cicp + with_profile[33:]).rgb, (0, 255, 0))


@pytest.mark.parametrize("length", [1 << 20, 3 << 20])
def test_a_long_profile_is_used(length):
    profile = swapped_profile()
    profile = (length).to_bytes(4, "big") + profile[4:].ljust(length - 4, b"\0")
    file = saved(Image.new("RGB", (1, 1), (255, 0, 0)), "PNG", icc_profile=profile)
    assert near(read(file).rgb, (0, 255, 0))


def test_a_profile_that_does_not_inflate_is_said_to_be_none():
    picture = read(png_file(1, 1, 8, 2, b"\0\1\2\3", chunk(b"iCCP", b"name\0\0no zlib stream")))
    assert picture.rgb[0, 0].tolist() == [1, 2, 3]
    assert "cannot be used" in picture.notices[0]


# --- boxes, BMP and TIFF --------------------------------------------------------------------


def avif(primaries, curve):
    """An AVIF file of one colour, with these code points in the place of Pillow's."""
    file = saved(Image.new("RGB", (16, 16), P3_RED), "AVIF", quality=100, subsampling="4:4:4")
    at = file.index(b"colrnclx") + 8
    return file[:at] + struct.pack(">HH", primaries, curve) + file[at + 4 :]


def test_code_points_of_avif():
    stored = read(avif(1, 13))
    assert near(stored.rgb, P3_RED, 3) and stored.notices == ()
    for primaries, curve in ((2, 2), (1, 1), (1, 6)):
        assert near(read(avif(primaries, curve)).rgb, P3_RED, 3)
    picture = read(avif(12, 13))
    assert near(picture.rgb, reference(P3_RED, D65, P3, srgb_curve), 4)
    assert picture.notices == ("The colours were converted from Display P3 to sRGB.",)
    for curve, name in ((16, "PQ"), (18, "HLG")):
        picture = read(avif(9, curve))
        assert near(picture.rgb, P3_RED, 3) and f"({name})" in picture.notices[0]
    assert "not known here" in read(avif(99, 13)).notices[0]


def test_a_profile_in_jpeg_2000():
    file = saved(Image.new("RGB", (16, 16), (255, 0, 0)), "JPEG2000")
    start = file.index(b"jp2h") - 4
    end = start + int.from_bytes(file[start : start + 4], "big")
    ihdr = file[start + 8 : start + 30]
    jp2h = box(b"jp2h", ihdr, box(b"colr", b"\2\0\0", swapped_profile()))
    assert near(read(file[:start] + jp2h + file[end:]).rgb, (0, 255, 0))
    other = box(b"jp2h", ihdr, box(b"colr", b"\1\0\0", struct.pack(">I", 21)))
    assert "not known here" in read(file[:start] + other + file[end:]).notices[0]


def test_a_profile_in_bmp():
    file = saved(Image.new("RGB", (1, 1), (255, 0, 0)), "BMP")
    pixels, profile = file[54:], swapped_profile()
    header = bytearray(file[14:54].ljust(124, b"\0"))
    struct.pack_into("<I", header, 0, 124)
    header[56:60] = b"DEBM"
    struct.pack_into("<II", header, 112, 124 + len(pixels), len(profile))
    start = struct.pack("<2sIHHI", b"BM", 138 + len(pixels) + len(profile), 0, 0, 138)
    assert near(read(start + header + pixels + profile).rgb, (0, 255, 0))


def test_primaries_in_a_tiff():
    image = Image.new("RGB", (1, 1), P3_RED)
    file = saved(image, "TIFF", tiffinfo={318: D65, 319: P3})
    assert near(read(file).rgb, reference(P3_RED, D65, P3, srgb_curve))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\1meta" + bytes(20),
        box(b"meta", bytes(4), box(b"iprp", bytes(7))),
        box(b"meta", bytes(4), box(b"iprp", box(b"ipco", box(b"colr", b"nclx")))),
        bytes(1 << 20),
        box(b"free") * 100_000 + box(b"meta", bytes(4)),
        b"\0\0\0\0meta\0\0\0\0\xff",
    ],
)
def test_boxes_that_are_none_say_nothing(data):
    assert boxes.colours("AVIF", data) == {} and boxes.colours("JPEG2000", data) == {}
