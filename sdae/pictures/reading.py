"""Any picture file a person has, as one 8-bit RGB array.

    bytes → size limits → decode → upright → 8 bits → sRGB → white paper → (H, W, 3)

Only the formats below are tried, whatever the file is called, and a picture's size is checked
before its pixels are decoded. Nothing global in Pillow is touched, so threads may read at once.
Decoding takes at most about 20 bytes of memory a pixel (JPEG 2000; the others need less).
"""

from __future__ import annotations

import io
import math
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from sdae.pictures import metadata
from sdae.pictures.metadata import Metadata

MAX_SIDE = 65_535
"""Largest width and height, in pixels."""

MAX_PIXELS = 120_000_000
"""Largest width × height that `read` takes unless told otherwise; 89 million for TIFF."""

FORMATS = ("JPEG", "PNG", "WebP", "AVIF", "GIF", "TIFF", "BMP", "JPEG 2000")
"""What `read` understands, for messages and file dialogs."""

# Image.open() would warn, by a switch that all threads share, about any picture above its own
# limit, and would take a JPEG with an embedded second picture for an animation.
_PLUGINS = (
    JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile,
    WebPImagePlugin.WebPImageFile,
    AvifImagePlugin.AvifImageFile,
    GifImagePlugin.GifImageFile,
    TiffImagePlugin.TiffImageFile,
    BmpImagePlugin.BmpImageFile,
    Jpeg2KImagePlugin.Jpeg2KImageFile,
)

# A progressive JPEG decodes all its pixels again for every scan; cameras and editors write
# about ten, and a file of a few kilobytes can hold thousands.
_MAX_JPEG_SCANS = 100

_LISTED = ", ".join(FORMATS[:-1]) + " or " + FORMATS[-1]


class ImageError(ValueError):
    """What was given is no picture that can be used; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    rgb: uint8 (H, W, 3), sRGB, upright, C-contiguous and owned by the caller.
    notices: sentences about what was changed on the way, for the person to read.
    format: "JPEG", "PNG", …; None when the source was an array.
    file_bytes: size of the file, None when the source was no file.
    metadata: of the file, when `read` was told to keep it; empty otherwise.
    """

    rgb: np.ndarray
    notices: tuple[str, ...] = ()
    format: str | None = None
    file_bytes: int | None = None
    metadata: Metadata = Metadata()


def read(source, max_pixels: int = MAX_PIXELS, keep_metadata: bool = False) -> Picture:
    """Read a picture from almost anything.

    source: bytes of a file, a path, a binary file object, a PIL image (its current frame), or a
    uint8 array (H, W), (H, W, 3) or (H, W, 4).

    EXIF orientation is applied; transparency is laid on white; 16-bit and float samples are
    scaled to 8 bits; palette, greyscale, CMYK and Lab become RGB; an embedded colour profile
    other than sRGB is converted; of several frames or pages the first is taken.

    `keep_metadata` also returns the EXIF data, without what describes the old file's pixels, and
    the profile of RGB pictures, whose samples then stay as they are stored.

    Raises ImageError, with one sentence saying what to do, for whatever is no such picture, is
    damaged, or is wider or higher than MAX_SIDE or larger than `max_pixels`.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        _check_size(*source.size, max_pixels)
        return _finish(source, [], None, keep_metadata)
    data = _file_bytes(source, max_pixels)
    image = _open(data)
    if image.format == "TIFF":
        # Decoding a TIFF warns above Pillow's own limit, by a switch that all threads share.
        max_pixels = min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels)
    _check_size(*image.size, max_pixels)
    if image.format == "JPEG" and _jpeg_scans(data) > _MAX_JPEG_SCANS:
        raise ImageError(
            f"This JPEG holds more than {_MAX_JPEG_SCANS} scans, as no camera writes them; "
            "save it again in an image editor and open the new file."
        )
    notices, file_bytes = _frame_notice(image), len(data)
    del data  # so that the file goes when it is decoded, before its pixels are copied
    return _finish(image, notices, file_bytes, keep_metadata)


def samples(source) -> np.ndarray:
    """The samples that `read` finds; an array of uint8 (H, W, 3) itself, not a copy of it."""
    if isinstance(source, np.ndarray) and source.dtype == np.uint8 and source.shape[2:] == (3,):
        _check_size(source.shape[1], source.shape[0], MAX_PIXELS)
        return source
    return read(source).rgb


def png(rgb: np.ndarray, icc: bytes = b"") -> bytes:
    """The array uint8 (H, W, 3) as bytes of a PNG file, every pixel exact; sRGB without `icc`."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", icc_profile=icc or None)
    return file.getvalue()


def thumb(rgb: np.ndarray, side: int = 128) -> np.ndarray:
    """The centre square of uint8 (H, W, 3), scaled by a Lanczos filter to (side, side, 3).

    A picture smaller than `side` is scaled up.
    """
    height, width = rgb.shape[:2]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    centre = Image.fromarray(rgb[top : top + square, left : left + square])
    return np.array(centre.resize((side, side), Image.Resampling.LANCZOS))


def shrink(rgb: np.ndarray, pixels: int) -> np.ndarray:
    """uint8 (H, W, 3) scaled down by a Lanczos filter to at most `pixels`, its shape kept.

    A picture that is small enough comes back as it is. A very long one keeps at least one
    pixel a side and may hold more than `pixels`.
    """
    height, width = rgb.shape[:2]
    scale = math.sqrt(pixels / (width * height))
    if scale >= 1:
        return rgb
    size = max(1, int(width * scale)), max(1, int(height * scale))
    return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def tiles(rgb: np.ndarray, side: int = 128) -> list[np.ndarray]:
    """The whole non-overlapping (side, side, 3) tiles of uint8 (H, W, 3), row by row.

    What is left over at the right and at the bottom belongs to no tile; a picture smaller than
    `side` has none.
    """
    height, width = rgb.shape[:2]
    return [
        rgb[y : y + side, x : x + side].copy()
        for y in range(0, height - side + 1, side)
        for x in range(0, width - side + 1, side)
    ]


# --- from a source to an opened image -------------------------------------------------------


def _from_array(array: np.ndarray, max_pixels: int) -> Picture:
    if array.dtype != np.uint8 or not (
        array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    ):
        raise ImageError(
            "An array must hold uint8 samples in the shape (H, W, 3), (H, W, 4) or (H, W); "
            f"this one holds {array.dtype} in the shape {array.shape}."
        )
    _check_size(array.shape[1], array.shape[0], max_pixels)
    return _finish(Image.fromarray(np.ascontiguousarray(array)), [], None)


def _file_bytes(source, max_pixels: int) -> bytes:
    # Eight bytes a pixel is 16-bit RGBA without compression; the rest is for metadata.
    limit = 8 * max_pixels + (64 << 20)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        try:
            with Path(source).open("rb") as file:
                data = file.read(limit + 1)
        except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
            reason = getattr(error, "strerror", None) or str(error)
            raise ImageError(
                f"{os.fspath(source)!r} cannot be read ({reason}); check the name and try again."
            ) from error
    elif hasattr(source, "read"):
        if hasattr(source, "seekable") and source.seekable():
            source.seek(0)
        data = source.read(limit + 1)
        if not isinstance(data, bytes):
            raise ImageError("The file is open as text; open it in binary mode ('rb').")
    else:
        raise ImageError(
            "A picture must be bytes, a path, a binary file, a PIL image or a uint8 array, "
            f"not {type(source).__name__}."
        )
    if not data:
        raise ImageError("The file is empty; choose one that holds a picture.")
    if len(data) > limit:
        raise ImageError(
            f"The file is larger than {limit >> 20} MiB; save the picture as JPEG or PNG "
            "and open that."
        )
    return data


@contextmanager
def _as_image_error(pillow_format: str | None):
    """Turn what a parser raises on hostile data, which can be any exception, into ImageError."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(
            "There is not enough memory for this picture; scale it down first."
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError("The picture has too many pixels; scale it down first.") from error
    except Exception as error:
        raise ImageError(
            f"The {_name(pillow_format) or 'image'} file is damaged, cut short or of a kind that "
            "cannot be read; copy or download it again, or save it as JPEG or PNG."
        ) from error


def _open(data: bytes) -> Image.Image:
    """The header of a file, as a PIL image whose pixels are not decoded yet."""
    for plugin in _PLUGINS:
        _, accept = Image.OPEN[str(plugin.format)]
        # Some plugins answer with a sentence, not True, for a format this build lacks.
        if accept is not None and accept(data[:16]) is True:
            with _as_image_error(plugin.format):
                image = plugin(io.BytesIO(data))
                if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_camera_raw(image):
                    raise ImageError(
                        "This is a camera's raw file; export the photograph as JPEG and open that."
                    )
                return image
    raise ImageError(_not_a_picture(data))


def _is_camera_raw(image: TiffImagePlugin.TiffImageFile) -> bool:
    # Raw files are TIFFs whose first picture is only a small preview (NewSubfileType).
    return _DNG_VERSION in image.tag_v2 or bool(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & 1)


_DNG_VERSION, _NEW_SUBFILE_TYPE = 50706, 254


def _not_a_picture(data: bytes) -> str:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "This is an SVG drawing, not a photograph; export it as PNG and open that."
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "This is a web page, not a picture; save the picture itself and open that."
    if start.startswith(b"%pdf"):
        return "This is a PDF document; export the page as PNG and open that."
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc"):
        return "HEIC pictures cannot be read here; export the photograph as JPEG and open that."
    if data[:2] == b"\xff\x0a" or data[4:12] == b"JXL \r\n\x87\n":
        return "JPEG XL pictures cannot be read here; save it as JPEG or PNG and open that."
    return f"This is no picture that can be read; open a {_LISTED} file."


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels; choose another one.")
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"The picture is {width} × {height} pixels; no side may be longer than {MAX_SIDE}, "
            "so scale it down or cut it first."
        )
    if width * height > max_pixels:
        raise ImageError(
            f"The picture is {width} × {height} pixels, and at most {max_pixels / 1e6:g} million "
            "are taken; scale it down first."
        )


def _frame_notice(image: Image.Image) -> list[str]:
    with _as_image_error(image.format):
        if not getattr(image, "is_animated", False):
            return []
    parts = "pages" if image.format == "TIFF" else "frames"
    return [f"The file holds several {parts}; only the first is used."]


# All markers that begin a segment: not stuffing, TEM or RST, which stand alone.
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd7\xff])")


def _jpeg_scans(data: bytes) -> int:
    """How many scans a JPEG file starts, counted up to its end-of-image marker."""
    scans, position = 0, 2
    while scans <= _MAX_JPEG_SCANS:
        marker = _JPEG_MARKER.search(data, position)
        if marker is None or marker[1] == b"\xd9":
            break
        scans += marker[1] == b"\xda"
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        position = marker.end() + max(length, 2)
    return scans


# --- from an opened image to RGB ------------------------------------------------------------


def _finish(
    image: Image.Image, notices: list[str], file_bytes: int | None, keep_metadata: bool = False
) -> Picture:
    with _as_image_error(image.format):
        # Decoding forgets how the samples were stored.
        deep = ";16" in str(getattr(image, "tile", ""))
        # Decoding closes the file, where a TIFF's Exif data still lies.
        exif = _exif(image, notices) if keep_metadata else b""
        image.load()
        colour, alpha = _colour_and_alpha(_upright(image), image, notices)
        if deep or image.mode.startswith("I;16"):
            notices.append("Samples of 16 bits were reduced to 8.")
        profile, kept = image.info.get("icc_profile"), Metadata()
        if keep_metadata:
            kept = Metadata(exif, _rgb_profile(colour, profile))
        rgb = colour if kept.icc else _to_srgb(colour, profile, notices)
        if alpha is not None and alpha.getextrema()[0] < 255:
            paper = Image.new("RGB", rgb.size, "white")
            paper.paste(rgb, mask=alpha)
            rgb = paper
            notices.append("Transparent parts were laid on white.")
        return Picture(_array(rgb), tuple(notices), _name(image.format), file_bytes, kept)


def _array(rgb: Image.Image) -> np.ndarray:
    """The samples as an array of their own, strip by strip: NumPy alone would copy them twice."""
    array = np.empty((rgb.height, rgb.width, 3), "uint8")
    for top in range(0, rgb.height, 256):
        bottom = min(top + 256, rgb.height)
        array[top:bottom] = np.asarray(rgb.crop((0, top, rgb.width, bottom)))
    return array


def _exif(image: Image.Image, notices: list[str]) -> bytes:
    try:
        return metadata.exif(image)
    except Exception:  # as for `_upright`
        notices.append("The Exif data is damaged and was left out.")
        return b""


def _rgb_profile(colour: Image.Image, profile: bytes | None) -> bytes:
    """The profile where the samples can stay in its colours, which takes RGB on both sides."""
    if profile is None or colour.mode != "RGB":
        return b""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return profile if source.profile.xcolor_space.strip() == "RGB" else b""
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return b""  # `_to_srgb` says so


def _name(pillow_format: str | None) -> str | None:
    return {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(pillow_format, pillow_format)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # broken EXIF is no reason to refuse a picture that decodes
        turn = None
    return image if turn is None else image.transpose(turn)


def _colour_and_alpha(image: Image.Image, source: Image.Image, notices: list[str]):
    """Bring any mode to L, RGB, CMYK or LAB, and an alpha plane (mode L) or None.

    `source` is the image as opened: it knows the tags of its file, `image` may not.
    """
    mode = image.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _eight_bits(image, source, notices)
    if mode in ("CMYK", "LAB"):
        return image, None
    grey = mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        plain = "L" if grey else "RGB"
        return image if mode == plain else image.convert(plain), None
    if mode in ("La", "RGBa"):
        image = image.convert(mode.upper())  # undo the premultiplication first
    image = image.convert("RGBA")
    return image.getchannel(0) if grey else image.convert("RGB"), image.getchannel("A")


def _eight_bits(image: Image.Image, source: Image.Image, notices: list[str]):
    """Scale one plane of integers or floats to L.

    Integers of 12 and 16 bits and floats in [0, 1] go by their full scale. Wider integers and
    other floats have no known scale: [0, 255] stays, all else is stretched, with a notice. What
    is no number counts as darkest; infinities are clipped.
    """
    values = np.asarray(image)
    tags = getattr(source, "tag_v2", {})
    alpha = None
    if image.mode.startswith("I;16"):
        if "transparency" in source.info:
            alpha = Image.fromarray(
                np.where(values == source.info["transparency"], 0, 255).astype(np.uint8)
            )
        low, high = 0, 4095 if tags.get(_BITS_PER_SAMPLE) == (12,) else 65_535
    else:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        if image.mode == "F" and 0 <= low and high <= 1:
            low, high = 0, 1
        elif 0 <= low and high <= 255:
            low, high = 0, 255
        else:
            notices.append("The brightness range was stretched to the full 8 bits.")
        values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    span = high - low or 1
    grey = ((values.astype(np.float64) - low) * 255 / span + 0.5).clip(0, 255).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey = 255 - grey
    return Image.fromarray(grey), alpha


_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0


def _to_srgb(image: Image.Image, profile: bytes | None, notices: list[str]) -> Image.Image:
    """Convert L, RGB, CMYK or LAB to RGB in sRGB, by `profile` (ICC) where there is one."""
    if image.mode == "LAB":
        return _convert(image, ImageCms.createProfile("LAB"))
    if profile is None:
        if image.mode == "CMYK":
            notices.append("Print colours (CMYK) without a profile: the colours are approximate.")
        return image if image.mode == "RGB" else image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if image.mode == "RGB" and _is_srgb(source):
            return image
        converted = _convert(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notices.append("The colour profile cannot be used; the colours are shown as stored.")
        return image.convert("RGB")
    notices.append("The colours were converted from the file's own profile to sRGB.")
    return converted


def _convert(image: Image.Image, profile) -> Image.Image:
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        image.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return transform.apply(image)


def _is_srgb(profile) -> bool:
    """Whether a profile moves no colour by more than rounding: most files are sRGB and must
    keep their exact samples, and profiles of sRGB differ in name and in bytes."""
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    converted = np.asarray(_convert(Image.fromarray(colours), profile))
    return int(np.abs(converted.astype(int) - colours).max()) <= 2
