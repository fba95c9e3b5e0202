"""Any file a person has becomes RGB, or one clear sentence."""

import io
import os
import struct
import sys
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_files import chunk, ftyp, png_file, saved, tiff_of
from PIL import Image, ImageCms
from skimage import data

from sdae.pictures import reading
from sdae.pictures.reading import ImageError, read


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.coffee()[40:120, 200:320])


def swapped_profile():
    """An ICC profile that is sRGB with red and green changed about."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"oXYZ").replace(b"gXYZ", b"rXYZ").replace(b"oXYZ", b"gXYZ")


def tiny_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# --- formats --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "options", "exact"),
    [
        ("PNG", "PNG", {}, True),
        ("BMP", "BMP", {}, True),
        ("TIFF", "TIFF", {}, True),
        ("TIFF", "TIFF", {"compression": "tiff_lzw"}, True),
        ("TIFF", "TIFF", {"compression": "tiff_adobe_deflate"}, True),
        ("WEBP", "WebP", {"lossless": True}, True),
        ("JPEG2000", "JPEG 2000", {}, True),
        ("JPEG2000", "JPEG 2000", {"no_jp2": True}, True),
        ("JPEG", "JPEG", {"quality": 95, "subsampling": 0}, False),
        ("JPEG", "JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, False),
        ("WEBP", "WebP", {"quality": 95}, False),
        ("AVIF", "AVIF", {"quality": 90, "subsampling": "4:4:4", "speed": 9}, False),
    ],
)
def test_every_format_gives_its_pixels_and_its_size(photo, kind, name, options, exact):
    file = saved(photo, kind, **options)
    picture = read(file)
    assert picture.format == name
    assert picture.file_bytes == len(file)
    assert picture.notices == ()
    assert picture.rgb.dtype == np.uint8 and picture.rgb.flags.c_contiguous
    assert picture.rgb.shape == photo.shape
    error = np.abs(picture.rgb.astype(int) - photo).mean()
    assert error == 0 if exact else error < 4


def test_gif_gives_its_palette_colours():
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[:, 4:] = (250, 120, 10)
    picture = read(saved(Image.fromarray(colours).convert("P", palette=1), "GIF"))
    assert picture.format == "GIF"
    assert np.array_equal(picture.rgb, colours)


def test_content_decides_not_the_name(photo, tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(saved(photo, "PNG"))
    picture = read(path)
    assert picture.format == "PNG"
    assert np.array_equal(picture.rgb, photo)


# --- sources --------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same_pixels(photo, tmp_path):
    file = saved(photo, "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(file)
    stream = io.BytesIO(file)
    stream.seek(5)  # someone has looked at it before
    with path.open("rb") as handle:
        sources = [
            file,
            bytearray(file),
            memoryview(file),
            path,
            str(path),
            stream,
            handle,
            Image.fromarray(photo),
            Image.open(path),
            photo,
        ]
        for source in sources:
            assert np.array_equal(read(source).rgb, photo), source


def test_arrays_and_pil_images_come_from_no_file(photo):
    assert read(photo).file_bytes is None and read(photo).format is None
    picture = read(Image.open(io.BytesIO(saved(photo, "PNG"))))
    assert picture.file_bytes is None and picture.format == "PNG"


def test_the_result_is_no_view_of_the_source(photo):
    source = photo.copy()
    read(source).rgb[:] = 0
    assert np.array_equal(source, photo)
    image = Image.fromarray(photo)
    read(image).rgb[:] = 0
    assert np.array_equal(np.asarray(image), photo)


def test_arrays_of_one_and_four_planes():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(read(grey).rgb, np.repeat(grey[..., None], 3, axis=2))
    clear = np.zeros((2, 2, 4), np.uint8)
    assert (read(clear).rgb == 255).all()


def test_a_transposed_array_view_is_taken(photo):
    view = photo.transpose(1, 0, 2)
    assert np.array_equal(read(view).rgb, view)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((4, 4), bool),
    ],
)
def test_other_arrays_are_refused(array):
    with pytest.raises(ImageError, match="uint8 samples in the shape"):
        read(array)


# --- orientation ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(kind, orientation):
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = (250, 10, 10)  # red at the top left
    upright[:16, -16:] = (10, 10, 250)  # blue at the top right
    upright[-16:, :16] = (10, 250, 10)  # green at the bottom left
    undone = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(undone[orientation](upright))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif}
    if kind in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = 95
    if kind == "AVIF":
        options["speed"] = 9
    file = saved(stored, kind, **options)
    for source in (file, Image.open(io.BytesIO(file))):
        rgb = read(source).rgb
        assert rgb.shape == upright.shape
        assert np.abs(rgb.astype(int) - upright).mean() < 8


def test_an_image_that_is_no_opened_file_is_what_it_is():
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = Image.open(io.BytesIO(saved(Image.new("RGB", (5, 3)), "PNG", exif=exif)))
    assert read(opened).rgb.shape == (5, 3, 3)
    for image in (opened.transpose(Image.Transpose.ROTATE_270), opened.copy().resize((3, 5))):
        assert image.getexif()[0x0112] == 6
        assert read(image).rgb.shape == (5, 3, 3)


def test_broken_exif_is_no_reason_to_refuse(photo):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = read(saved(photo, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))
    assert np.array_equal(picture.rgb, photo)


# --- modes ----------------------------------------------------------------------------------


def test_greyscale_and_one_bit(photo):
    grey = Image.fromarray(photo).convert("L")
    rgb = read(saved(grey, "PNG")).rgb
    assert np.array_equal(rgb, np.repeat(np.asarray(grey)[..., None], 3, axis=2))
    black_and_white = read(saved(grey.convert("1"), "PNG")).rgb
    assert set(np.unique(black_and_white)) == {0, 255}


def test_transparency_is_laid_on_white_with_a_notice():
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[..., :3] = (200, 0, 100)
    rgba[..., 3] = [0, 51, 204, 255]
    picture = read(saved(rgba, "PNG"))
    assert picture.notices == ("Transparent parts were laid on white.",)
    assert picture.rgb[0].tolist() == [[255] * 3, [244, 204, 224], [211, 51, 131], [200, 0, 100]]


def test_an_opaque_alpha_plane_changes_nothing(photo):
    picture = read(saved(Image.fromarray(photo).convert("RGBA"), "PNG"))
    assert picture.notices == ()
    assert np.array_equal(picture.rgb, photo)


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_a_transparent_colour_becomes_white(mode):
    image = Image.new("RGB", (4, 2), (0, 0, 0))
    image.paste((255, 250, 255), (2, 0, 4, 2))
    image = image.convert(mode)
    clear = image.getpixel((0, 0))
    picture = read(saved(image, "PNG", transparency=clear))
    assert picture.notices == ("Transparent parts were laid on white.",)
    assert picture.rgb[0, 0].tolist() == [255, 255, 255]
    assert picture.rgb[0, 3].tolist() == list(image.convert("RGB").getpixel((3, 0)))


@pytest.mark.parametrize("mode", ["LA", "La", "PA", "RGBa"])
def test_rare_modes_with_alpha(mode):
    image = Image.new("RGBA", (3, 3), (40, 40, 40, 0)).convert(
        {"La": "LA", "PA": "PA"}.get(mode, "RGBA")
    )
    image = image.convert(mode)
    assert (read(image).rgb == 255).all()


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "RGBX"])
def test_other_colour_modes(photo, mode):
    image = Image.fromarray(photo).convert(mode)
    assert np.abs(read(image).rgb.astype(int) - photo).mean() < 4


def test_cmyk_is_converted_with_a_notice(photo):
    image = Image.fromarray(photo).convert("CMYK")
    for file in (saved(image, "TIFF"), saved(image, "JPEG", quality=95)):
        picture = read(file)
        assert np.abs(picture.rgb.astype(int) - photo).mean() < 8
        assert "approximate" in picture.notices[0]


def test_lab_is_converted(photo):
    lab = ImageCms.profileToProfile(
        Image.fromarray(photo),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert np.abs(read(saved(lab, "TIFF")).rgb.astype(int) - photo).mean() < 4


# --- more than eight bits -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(kind):
    deep = np.array([[0, 128, 129, 257, 32768, 65406, 65407, 65535]], np.uint16)
    picture = read(saved(deep, kind))
    assert picture.rgb[0, :, 0].tolist() == [0, 0, 1, 1, 128, 254, 255, 255]
    assert picture.notices == ("Samples of 16 bits were reduced to 8.",)


def test_big_endian_sixteen_bit_tiff():
    deep = np.array([[0, 32768, 65535]], ">u2")
    tags = [(256, 3), (257, 1), (258, 16), (259, 1), (262, 1), (273, 200), (277, 1), (279, 6)]
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    file = b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + bytes(4)
    file = file.ljust(200, b"\0") + deep.tobytes()
    assert read(file).rgb[0, :, 0].tolist() == [0, 128, 255]


def test_twelve_bit_tiff_goes_by_twelve_bits():
    # Two samples in three bytes: 0xFFF and 0x800.
    assert read(tiff_of([0xFF, 0xF8, 0x00], 12, 1)).rgb[0, :, 0].tolist() == [255, 128]


def test_white_is_zero_tiff():
    assert read(tiff_of([0, 0, 0xFF, 0xFF], 16, 0)).rgb[0, :, 0].tolist() == [255, 0]
    assert read(tiff_of([0, 255], 8, 0)).rgb[0, :, 0].tolist() == [255, 0]


def test_sixteen_bit_colour_png():
    rows = b"\0" + struct.pack(">6H", 65535, 32768, 255, 0, 257, 65280)
    picture = read(png_file(2, 1, 16, 2, rows))
    assert picture.rgb[0].tolist() in (
        [[255, 128, 0], [0, 1, 255]],
        [[255, 128, 1], [0, 1, 254]],
    )
    assert picture.notices == ("Samples of 16 bits were reduced to 8.",)


def test_sixteen_bit_grey_png_with_a_transparent_level():
    rows = b"\0" + struct.pack(">2H", 1000, 32768)
    transparent = chunk(b"tRNS", struct.pack(">H", 1000))
    assert read(png_file(2, 1, 16, 0, rows, transparent)).rgb[0, :, 0].tolist() == [255, 128]


def test_floats_from_zero_to_one_are_full_scale():
    values = np.array([[0, 0.25, 0.5, 1]], np.float32)
    picture = read(saved(values, "TIFF"))
    assert picture.rgb[0, :, 0].tolist() == [0, 64, 128, 255]
    assert picture.notices == ()


def test_floats_up_to_255_stay():
    values = np.array([[0, 1.2, 99.6, 255]], np.float32)
    assert read(saved(values, "TIFF")).rgb[0, :, 0].tolist() == [0, 1, 100, 255]


@pytest.mark.parametrize(
    "values",
    [
        np.array([[-2, 0, 2]], np.float32),
        np.array([[-40_000, 0, 40_000]], np.int32),
    ],
)
def test_values_of_no_known_scale_are_stretched_with_a_notice(values):
    picture = read(saved(values, "TIFF"))
    assert picture.rgb[0, :, 0].tolist() == [0, 128, 255]
    assert "stretched" in picture.notices[0]


def test_floats_that_are_no_numbers():
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rgb = read(Image.fromarray(values)).rgb
        flat = read(Image.fromarray(np.full((2, 2), 1e30, np.float32))).rgb
        nothing = read(Image.fromarray(np.full((2, 2), np.nan, np.float32))).rgb
    assert rgb[0, :, 0].tolist() == [0, 255, 0, 128]
    assert (flat == 0).all() and (nothing == 0).all()


# --- frames ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("GIF", {}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 95, "speed": 9}),
        ("TIFF", {}),
    ],
)
def test_the_first_frame_is_taken_with_a_notice(kind, options):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "green")]
    picture = read(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert np.abs(picture.rgb.astype(int) - (255, 0, 0)).max() < 6
    part = "pages" if kind == "TIFF" else "frames"
    assert picture.notices == (f"The file holds several {part}; only the first is used.",)


def test_a_jpeg_with_a_second_picture_inside_is_just_a_jpeg():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    picture = read(saved(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert picture.format == "JPEG" and picture.notices == ()
    assert picture.rgb[0, 0, 0] > 245


# --- colour profiles ------------------------------------------------------------------------


def test_a_profile_is_converted_to_srgb():
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    for kind in ("PNG", "TIFF"):
        picture = read(saved(image, kind, icc_profile=swapped_profile()))
        assert np.abs(picture.rgb.astype(int) - (0, 255, 0)).max() <= 2
        assert "converted" in picture.notices[0]


def test_an_srgb_profile_changes_no_sample(photo):
    picture = read(saved(photo, "PNG", icc_profile=tiny_profile()))
    assert picture.notices == ()
    assert np.array_equal(picture.rgb, photo)


def test_a_profile_and_transparency_together():
    rgba = np.full((2, 2, 4), (255, 0, 0, 0), np.uint8)
    rgba[0, 0, 3] = 255
    rgb = read(saved(rgba, "PNG", icc_profile=swapped_profile())).rgb
    assert np.abs(rgb[0, 0].astype(int) - (0, 255, 0)).max() <= 2
    assert rgb[1, 1].tolist() == [255, 255, 255]


def test_a_colour_profile_on_a_grey_picture(photo):
    grey = Image.fromarray(photo).convert("L")
    picture = read(saved(grey, "PNG", icc_profile=tiny_profile()))
    assert picture.notices == ()
    assert np.array_equal(picture.rgb[..., 0], np.asarray(grey))


def test_a_profile_that_is_none_leaves_the_colours(photo):
    picture = read(saved(photo, "PNG", icc_profile=b"this is no profile"))
    assert np.array_equal(picture.rgb, photo)
    assert "colour profile cannot be used" in picture.notices[0]


# --- limits ---------------------------------------------------------------------------------


def test_long_strips_are_pictures():
    for size in ((30_000, 1), (1, 30_000), (reading.MAX_SIDE, 1)):
        rgb = read(saved(Image.new("L", size, 7), "PNG")).rgb
        assert rgb.shape == (size[1], size[0], 3) and (rgb == 7).all()


def test_a_side_has_a_limit():
    with pytest.raises(ImageError, match="no side may be longer than 65535"):
        read(saved(Image.new("1", (reading.MAX_SIDE + 1, 1)), "PNG"))
    with pytest.raises(ImageError, match="no side may be longer than 65535"):
        read(np.zeros((1, reading.MAX_SIDE + 1, 3), np.uint8))


def test_pixels_have_a_limit_for_every_source(photo):
    pixels = photo.shape[0] * photo.shape[1]
    file = saved(photo, "PNG")
    for source in (file, photo, Image.fromarray(photo)):
        assert read(source, max_pixels=pixels).rgb.shape == photo.shape
        with pytest.raises(ImageError, match="120 × 80 pixels"):
            read(source, max_pixels=pixels - 1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "WEBP", "JPEG", "JPEG2000"])
def test_the_pixel_limit_comes_before_decoding(kind, monkeypatch):
    from PIL import ImageFile, TiffImagePlugin, WebPImagePlugin

    file = saved(Image.new("RGB", (64, 64)), kind)

    def decoded(*_):
        raise AssertionError("decoded")

    for plugin in (
        ImageFile.ImageFile,
        TiffImagePlugin.TiffImageFile,
        WebPImagePlugin.WebPImageFile,
    ):
        monkeypatch.setattr(plugin, "load", decoded)
    with pytest.raises(ImageError, match="scale it down"):
        read(file, max_pixels=64 * 63)


def test_a_bomb_is_refused_without_a_warning():
    bomb = png_file(60_000, 60_000, 8, 2, b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="60000 × 60000 pixels"):
            read(bomb)


def test_above_pillows_own_limit_no_warning_leaks(monkeypatch):
    # The limit is lowered for the test alone; a picture of 90 million pixels takes long.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    image = Image.new("RGB", (12, 12), "red")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "AVIF", "JPEG2000"):
            assert read(saved(image, kind)).rgb.shape == (12, 12, 3)
        with pytest.raises(ImageError, match="12 × 12 pixels"):
            read(saved(image, "TIFF"))


def test_a_file_has_a_limit(photo, tmp_path):
    path = tmp_path / "endless.png"
    with path.open("wb") as file:  # sparse: it takes no disk
        file.truncate((64 << 20) + 8 * 1000 + 1)
    with pytest.raises(ImageError, match="larger than 64 MiB"):
        read(path, max_pixels=1000)


def test_a_jpeg_of_thousands_of_scans_is_refused_at_once():
    file = saved(Image.new("L", (64, 64), 90), "JPEG", progressive=True)
    last_scan = file[file.rindex(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match="100 scans"):
        read(file[:-2] + last_scan * 5000 + file[-2:])
    assert read(file[:-2] + last_scan * 20 + file[-2:]).rgb.shape == (64, 64, 3)


def test_what_follows_a_jpeg_is_not_counted_as_its_scans(photo):
    assert read(saved(photo, "JPEG") + b"\xff\xda" * 500).rgb.shape == photo.shape


# --- what is no picture ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><svg/>", "SVG drawing"),
        (b"\n<!DOCTYPE html><html></html>", "web page"),
        (b"<html>", "web page"),
        (b"hello, this is text", "open a JPEG, PNG"),
        (b"%PDF-1.7", "PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "no picture that can be read"),
        (ftyp(b"mif1", b"miaf", b"jpeg"), "HEIF file of a kind"),
        (ftyp(b"mif1", b"avif"), "AVIF file is damaged"),
        (ftyp(b"crx ", b"isom"), "camera's raw file"),
        (ftyp(b"isom", b"mp42"), "video"),
        (ftyp(b"qt  "), "video"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (bytes(1000), "no picture that can be read"),
        (b"\x89PNG\r\n\x1a\n", "PNG file is damaged"),
        (b"\xff\xd8\xff", "JPEG file is damaged"),
        (b"GIF89a", "GIF file is damaged"),
        (b"BM", "BMP file is damaged"),
        (b"II*\0", "TIFF file is damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP file is damaged"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(content, sentence):
    with pytest.raises(ImageError, match=sentence) as caught:
        read(content)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and message.count(". ") == 0


HEIC_BRANDS = [(b"heic", b"mif1"), (b"mif1", b"heic"), (b"msf1", b"hevc"), (b"heix",), (b"heis",)]


@pytest.mark.parametrize("brands", HEIC_BRANDS)
def test_heic_is_told_by_any_of_its_brands(brands, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)  # as where it is not installed
    with pytest.raises(ImageError, match="pip install 'sdae.heic.'"):
        read(ftyp(*brands))


def test_heic_is_read_where_pillow_heif_is_installed(photo):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(photo)).save(file, quality=90)
    picture = read(file.getvalue())
    assert picture.format == "HEIC"
    assert np.abs(picture.rgb.astype(int) - photo).mean() < 4
    with pytest.raises(ImageError, match="HEIC file is damaged"):
        read(file.getvalue()[:300])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("AVIF", {"speed": 9}),
        ("JPEG2000", {}),
    ],
)
def test_a_truncated_file_is_refused(photo, kind, options):
    file = saved(photo, kind, **options)
    for length in (len(file) // 20, len(file) // 2):
        with pytest.raises(ImageError, match="cut short"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(file[:length])


def test_camera_raw_is_told_from_its_preview(photo):
    for tag, value in ((50706, b"\1\4\0\0"), (254, 1)):
        with pytest.raises(ImageError, match="raw file"):
            read(saved(photo, "TIFF", tiffinfo={tag: value}))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ImageError, match="cannot be read .No such file"):
        read(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="cannot be read"):
        read(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        read("nul\0name.png")
    with pytest.raises(ImageError, match="binary mode"):
        read(io.StringIO("text"))
    with pytest.raises(ImageError, match="not int"):
        read(5)


def test_nothing_but_image_error_escapes_a_parser(photo, monkeypatch):
    from PIL import PngImagePlugin

    for raised in (
        SyntaxError,
        struct.error,
        OSError,
        ValueError,
        MemoryError,
        OverflowError,
        EOFError,
        IndexError,
        TypeError,
        KeyError,
        RecursionError,
        Image.DecompressionBombError,
    ):

        def load(*_, raised=raised):
            raise raised("hostile")

        with monkeypatch.context() as patch:
            patch.setattr(PngImagePlugin.PngImageFile, "load", load)
            with pytest.raises(ImageError):
                read(saved(photo, "PNG"))


FUZZED = [
    saved(Image.linear_gradient("L").resize((40, 30)).convert("RGB"), kind, **options)
    for kind, options in (
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("AVIF", {"speed": 9}),
        ("JPEG2000", {}),
    )
]


@settings(max_examples=300, deadline=None)
@given(
    file=st.sampled_from(FUZZED),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    end=st.one_of(st.none(), st.integers(0, 600)),
)
def test_altered_files_give_a_picture_or_a_sentence(file, changes, end):
    altered = bytearray(file)
    for position, value in changes:
        altered[position % len(altered)] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rgb = read(bytes(altered[:end]), max_pixels=1_000_000).rgb
        except ImageError as error:
            assert str(error).endswith(".")
        else:
            assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3
            assert 0 < rgb.shape[0] * rgb.shape[1] <= 1_000_000


def test_threads_may_read_at_once(photo):
    files = [saved(photo, kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF")]
    expected = [read(file).rgb for file in files]
    wrong = []

    def work():
        for _ in range(5):
            for file, rgb in zip(files, expected, strict=True):
                if not np.array_equal(read(file).rgb, rgb):
                    wrong.append(file)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_reading_leaves_pillow_as_it_was(photo):
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    read(saved(photo, "TIFF"), max_pixels=10**6)
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


# --- thumb, shrink, tiles, png --------------------------------------------------------------


def test_png_keeps_every_pixel(photo):
    assert np.array_equal(read(reading.png(photo)).rgb, photo)


def test_thumb_is_the_centre_square_by_lanczos(photo):
    square = Image.fromarray(photo).crop((20, 0, 100, 80))
    expected = np.asarray(square.resize((32, 32), Image.Resampling.LANCZOS))
    assert np.array_equal(reading.thumb(photo, 32), expected)
    assert reading.thumb(photo).shape == (128, 128, 3)
    assert reading.thumb(np.full((1, 30_000, 3), 9, np.uint8)).tolist() == [[[9] * 3] * 128] * 128


def test_shrink_keeps_the_shape_and_the_limit(photo):
    assert reading.shrink(photo, 80 * 120) is photo
    small = reading.shrink(photo, 2400)
    assert small.shape == (40, 60, 3)
    assert reading.shrink(np.zeros((1, 30_000, 3), np.uint8), 100).shape[0] == 1


@settings(deadline=None, max_examples=50)
@given(height=st.integers(1, 300), width=st.integers(1, 300), pixels=st.integers(1, 20_000))
def test_shrink_for_any_size(height, width, pixels):
    small = reading.shrink(np.zeros((height, width, 3), np.uint8), pixels)
    assert small.shape[0] <= height and small.shape[1] <= width
    assert small.shape[0] * small.shape[1] <= pixels or 1 in small.shape[:2]


@settings(deadline=None, max_examples=50)
@given(height=st.integers(1, 70), width=st.integers(1, 70), side=st.integers(1, 40))
def test_tiles_are_whole_and_do_not_overlap(height, width, side):
    rgb = np.arange(height * width * 3, dtype=np.uint32).reshape(height, width, 3).astype(np.uint8)
    tiles = reading.tiles(rgb, side)
    rows, columns = height // side, width // side
    assert len(tiles) == rows * columns
    if tiles:
        grid = np.array(tiles).reshape(rows, columns, side, side, 3).swapaxes(1, 2)
        whole = grid.reshape(rows * side, columns * side, 3)
        assert np.array_equal(whole, rgb[: rows * side, : columns * side])


def test_a_path_like_object_is_a_path(photo, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(photo, "PNG"))

    class Entry(os.PathLike):
        def __fspath__(self):
            return str(path)

    assert np.array_equal(read(Entry()).rgb, photo)


def test_samples_of_an_rgb_array_are_the_array_itself():
    rgb = np.zeros((4, 5, 3), "uint8")
    assert reading.samples(rgb) is rgb
    assert reading.samples(rgb[:, :, 0]).shape == (4, 5, 3)
    with pytest.raises(ImageError, match="no pixels"):
        reading.samples(rgb[:0])
    with pytest.raises(ImageError, match="uint8"):
        reading.samples(rgb.astype("int32"))
