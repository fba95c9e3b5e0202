"""What a file is by its first bytes, the limits of size, and the sentences that refuse a file."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from sdae.coding.container import MAX_SIDE

MAX_PIXELS = 120_000_000
"""Largest width × height that is read unless told otherwise."""

FORMATS = ("JPEG", "PNG", "WebP", "AVIF", "GIF", "TIFF", "BMP", "JPEG 2000")
"""What is understood, for messages and file dialogs; HEIC too, where pillow-heif is installed."""

ENDINGS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .avif .gif .tif .tiff .bmp .dib .jp2 .j2k .jpx .jpf "
    ".heic .heif .hif".split()
)
"""Endings of the names that such files usually have, in lower case."""

_SIGNATURES = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "BMP": b"BM",
    "JPEG2000": (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"),
}

# Brands of pictures and sequences coded by HEVC (ISO/IEC 23008-12, annex B), and by AV1.
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}


RAW = "This is a camera's raw file; export the photograph as JPEG and open that."


class ImageError(ValueError):
    """What was given is no picture that can be used; the message says what to do."""


def known(data: bytes) -> str | None:
    """Pillow's name of the format that a file begins as; None for what cannot be read."""
    brands = _brands(data)
    # The major brand may name no more than the container, and any other come first.
    if brands & _AVIF:
        return "AVIF"
    if brands:
        return "HEIF" if brands & _HEIC and heif_opener() else None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for kind, start in _SIGNATURES.items() if data.startswith(start)), None)


def unreadable(data: bytes) -> str | None:
    """What to do about a photograph of a kind that is not read; None for everything else.

    data: the file, or its first kilobyte.
    """
    brands = _brands(data)
    if data[:2] == b"\xff\x0a" or data[4:12] == b"JXL \r\n\x87\n":
        return "JPEG XL pictures cannot be read here; save it as JPEG or PNG and open that."
    if b"crx " in brands:
        return RAW
    if brands & _HEIC and not known(data):
        return (
            "HEIC pictures are read once pillow-heif is installed (pip install 'sdae[heic]'); "
            "or export the photograph as JPEG and open that."
        )
    return None


def refusal(data: bytes) -> str:
    """The sentence for a file that is of no format in FORMATS."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "This is an SVG drawing, not a photograph; export it as PNG and open that."
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "This is a web page, not a picture; save the picture itself and open that."
    listed = ", ".join(FORMATS[:-1]) + " or " + FORMATS[-1]
    return unreadable(data) or f"This is no picture that can be read; open a {listed} file."


def _brands(data: bytes) -> set[bytes]:
    """The brands that a file of boxes says it is readable as (ISO/IEC 14496-12)."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}


def heif_opener():
    """Pillow's class of HEIC files, which an extra brings; None where it is not installed."""
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile


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
def as_image_error(kind: str | None):
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
            f"The {name(kind) or 'image'} file is damaged, cut short or of a kind that "
            "cannot be read; copy or download it again, or save it as JPEG or PNG."
        ) from error


def name(kind: str | None) -> str | None:
    """The name that people know a format of Pillow's by."""
    return {"WEBP": "WebP", "JPEG2000": "JPEG 2000", "HEIF": "HEIC"}.get(kind or "", kind)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageError for a picture that is wider, higher or larger than is taken."""
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels; choose another one.")
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"The picture is {width} × {height} pixels; no side may be longer than {MAX_SIDE:,}, "
            "so scale it down or cut it first."
        )
    if width * height > max_pixels:
        raise ImageError(
            f"The picture is {width} × {height} pixels, and at most {max_pixels / 1e6:g} million "
            "are taken; scale it down first."
        )
