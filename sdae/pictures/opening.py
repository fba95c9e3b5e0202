"""From whatever holds a picture to an image that Pillow has opened, its pixels not decoded yet.

Only the formats below are tried, whatever the file is called. Nothing global in Pillow is touched,
so threads may open files at once.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import contextmanager
from pathlib import Path

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from sdae.pictures import boxes, png_chunks

MAX_SIDE = 65_535
"""Largest width and height, in pixels."""

FORMATS = ("JPEG", "PNG", "WebP", "AVIF", "GIF", "TIFF", "BMP", "JPEG 2000")
"""What is understood, for messages and file dialogs; HEIC too, where pillow-heif is installed."""

ENDINGS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .avif .gif .tif .tiff .bmp .dib .jp2 .j2k .jpx .jpf "
    ".heic .heif .hif".split()
)
"""Endings of the names that such files usually have, in lower case."""

# Image.open() would warn, by a switch that all threads share, about any picture above its own
# limit, and would take a JPEG with an embedded second picture for an animation.
_OPENERS = {
    "JPEG": lambda data: JpegImagePlugin.JpegImageFile(io.BytesIO(data)),
    "PNG": png_chunks.opened,
    "WEBP": lambda data: WebPImagePlugin.WebPImageFile(io.BytesIO(data)),
    "AVIF": lambda data: AvifImagePlugin.AvifImageFile(io.BytesIO(data)),
    "GIF": lambda data: GifImagePlugin.GifImageFile(io.BytesIO(data)),
    "TIFF": lambda data: TiffImagePlugin.TiffImageFile(io.BytesIO(data)),
    "BMP": lambda data: BmpImagePlugin.BmpImageFile(io.BytesIO(data)),
    "JPEG2000": lambda data: Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(data)),
}

# A progressive JPEG decodes all its pixels again for every scan; cameras and editors write
# about ten, and a file of a few kilobytes can hold thousands.
_MAX_JPEG_SCANS = 100

_LISTED = ", ".join(FORMATS[:-1]) + " or " + FORMATS[-1]


class ImageError(ValueError):
    """What was given is no picture that can be used; the message says what to do."""


def opened(data: bytes) -> Image.Image:
    """The header of a file, as a PIL image whose pixels are not decoded yet.

    Its `info` also holds what `boxes.colours` and `png_chunks.opened` find.

    Raises:
        ImageError: the file is of no format in FORMATS, or its header is damaged.
    """
    kind = known(data)
    if kind is None:
        raise ImageError(unreadable(data) or _no_picture(data))
    with as_image_error(kind):
        image = _heif_opener()(data) if kind == "HEIF" else _OPENERS[kind](data)
        if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_camera_raw(image):
            raise ImageError(
                "This is a camera's raw file; export the photograph as JPEG and open that."
            )
        if kind == "JPEG" and _jpeg_scans(data) > _MAX_JPEG_SCANS:
            raise ImageError(
                f"This JPEG holds more than {_MAX_JPEG_SCANS} scans, as no camera writes them; "
                "save it again in an image editor and open the new file."
            )
        image.info |= boxes.colours(kind, data)
        return image


def known(data: bytes) -> str | None:
    """Pillow's name of the format that a file begins as; None for what cannot be read."""
    brands = set(boxes.brands(data))
    if brands:
        # The major brand may name no more than the container, and any other come first.
        if brands & boxes.AVIF_BRANDS:
            return "AVIF"
        return "HEIF" if brands & boxes.HEIC_BRANDS and _heif_opener() else None
    for kind in _OPENERS:
        _, accept = Image.OPEN[kind]
        # Some plugins answer with a sentence, not True, for a format this build lacks.
        if accept is not None and accept(data[:16]) is True:
            return kind
    return None


def unreadable(data: bytes) -> str | None:
    """What to do about a photograph of a kind that is not read; None for everything else.

    data: the file, or its first kilobyte.
    """
    if data[:2] == b"\xff\x0a" or data[4:12] == b"JXL \r\n\x87\n":
        return "JPEG XL pictures cannot be read here; save it as JPEG or PNG and open that."
    brands = set(boxes.brands(data))
    if brands & boxes.HEIC_BRANDS:
        return (
            None
            if _heif_opener()
            else (
                "HEIC pictures are read once pillow-heif is installed (pip install 'sdae[heic]'); "
                "or export the photograph as JPEG and open that."
            )
        )
    if b"crx " in brands:
        return "This is a camera's raw file; export the photograph as JPEG and open that."
    if brands & {b"mif1", b"msf1", b"mif2", b"miaf"} and not brands & boxes.AVIF_BRANDS:
        return "This is a HEIF file of a kind that cannot be read; export it as JPEG and open that."
    return None


def file_bytes(source, max_pixels: int) -> bytes:
    """The bytes of a file that is given as such, as a path or as a binary file object.

    Raises:
        ImageError: there are none, or more than a picture of so many pixels can take.
    """
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
def as_image_error(pillow_format: str | None):
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
            f"The {name(pillow_format) or 'image'} file is damaged, cut short or of a kind that "
            "cannot be read; copy or download it again, or save it as JPEG or PNG."
        ) from error


def name(pillow_format: str | None) -> str | None:
    """The name that people know a format of Pillow's by."""
    known = {"WEBP": "WebP", "JPEG2000": "JPEG 2000", "HEIF": "HEIC"}
    return known.get(pillow_format, pillow_format)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageError for a picture that is wider, higher or larger than is taken."""
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


def _heif_opener():
    """What opens HEIC files for Pillow, an extra; None where it is not installed."""
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        return None
    return lambda data: HeifImageFile(io.BytesIO(data))


def _is_camera_raw(image: TiffImagePlugin.TiffImageFile) -> bool:
    # Raw files are TIFFs whose first picture is only a small preview (NewSubfileType).
    return _DNG_VERSION in image.tag_v2 or bool(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & 1)


_DNG_VERSION, _NEW_SUBFILE_TYPE = 50706, 254


def _no_picture(data: bytes) -> str:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "This is an SVG drawing, not a photograph; export it as PNG and open that."
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "This is a web page, not a picture; save the picture itself and open that."
    if start.startswith(b"%pdf"):
        return "This is a PDF document; export the page as PNG and open that."
    if boxes.brands(data):
        return "This is a video; save a picture of it as PNG or JPEG and open that."
    return f"This is no picture that can be read; open a {_LISTED} file."


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
