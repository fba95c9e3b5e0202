"""Colours that a file means other than sRGB, and what becomes of them."""

import io
import struct

import numpy as np
import pytest
from odd_files import box, chunk, png_file, saved, swapped_profile
from PIL import ExifTags, Image, ImageCms
from skimage import data

from sdae.pictures.reading import read

ADOBE_GREEN, SRGB_GREEN = (60, 200, 91), (0, 201, 80)
P3_RED, SRGB_RED = (200, 60, 40), (217, 42, 23)


def near(rgb, wanted, tolerance=2):
    return np.abs(rgb.astype(int) - wanted).max() <= tolerance


def test_a_profile_is_converted_to_srgb():
    photo = np.ascontiguousarray(data.coffee()[40:120, 200:320])
    for kind in ("PNG", "TIFF", "JPEG", "WEBP"):
        image = Image.new("RGB", (16, 16), (255, 0, 0))
        picture = read(saved(image, kind, icc_profile=swapped_profile()))
        assert near(picture.rgb, (0, 255, 0), 4) and "converted" in picture.notices[0]
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image in (photo, Image.fromarray(photo).convert("L")):  # every sample stays
        picture = read(saved(image, "PNG", icc_profile=srgb))
        assert picture.notices == () and np.array_equal(picture.rgb, read(image).rgb)
    picture = read(saved(photo, "JPEG", icc_profile=b"this is no profile"))
    assert "colour profile cannot be used" in picture.notices[0]


def test_a_profile_in_jpeg_2000():
    file = saved(Image.new("RGB", (16, 16), (255, 0, 0)), "JPEG2000")
    start = file.index(b"jp2h") - 4
    end = start + int.from_bytes(file[start : start + 4], "big")
    colr = box(b"colr", b"\2\0\0", swapped_profile())
    jp2h = box(b"jp2h", file[start + 8 : start + 30], colr)
    assert near(read(file[:start] + jp2h + file[end:]).rgb, (0, 255, 0))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_adobe_rgb_of_a_camera_is_converted(kind):
    def dcf(space, rule):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif).update(
            {ExifTags.Base.ColorSpace: space, ExifTags.Base.ExifInteroperabilityOffset: {1: rule}}
        )
        exif[ExifTags.IFD.Exif] = exif.get_ifd(ExifTags.IFD.Exif)
        return exif

    image = Image.new("RGB", (16, 16), ADOBE_GREEN)
    lossless = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    for (space, rule), right, notice in (
        ((65535, "R03"), SRGB_GREEN, "converted from Adobe RGB to sRGB"),
        ((65535, "R98"), ADOBE_GREEN, "not sRGB"),
        ((1, "R98"), ADOBE_GREEN, None),
    ):
        file = saved(image, kind, exif=dcf(space, rule), **lossless.get(kind, {}))
        for source in (file, Image.open(io.BytesIO(file))):
            picture = read(source)
            assert near(picture.rgb[0, 0], right)
            assert notice in picture.notices[0] if notice else picture.notices == ()
    assert not read(saved(image, kind, exif=dcf(65535, "R03")), keep_metadata=True).metadata


def test_colours_by_code_points():
    file = saved(Image.new("RGB", (16, 16), P3_RED), "AVIF", quality=100, subsampling="4:4:4")
    at = file.index(b"colrnclx") + 8
    for primaries, curve, right, notice in (
        (1, 13, P3_RED, None),
        (2, 2, P3_RED, None),
        (12, 13, SRGB_RED, "converted from Display P3"),
        (9, 16, P3_RED, "high dynamic range (PQ)"),
        (9, 18, P3_RED, "high dynamic range (HLG)"),
        (99, 13, P3_RED, "not known here"),
    ):
        avif = file[:at] + struct.pack(">HH", primaries, curve) + file[at + 4 :]
        cicp = chunk(b"cICP", bytes([primaries, curve, 0, 1]))
        for coded in (avif, png_file(1, 1, 8, 2, bytes([0, *P3_RED]), cicp)):
            picture = read(coded)
            assert near(picture.rgb[0, 0], right, 4)
            assert notice in picture.notices[0] if notice else picture.notices == ()
