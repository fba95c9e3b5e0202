"""A picture file → an image of Pillow's.

libvips decodes PNG, JPEG and TIFF, of which it reads more kinds right than Pillow. Pillow decodes
all else, and PNG and JPEG that libvips does not take. Each loader of libvips is called by its name,
so that no other can be reached. Pixels are asked for strip by strip on the
thread that asks: threads of libvips's own would be missing in a forked child, which would hang.
"""

from __future__ import annotations

import io
import os
import threading
from contextlib import suppress
from functools import lru_cache

from PIL import ExifTags, Image, ImageFile, ImageOps, JpegImagePlugin

from sdae.pictures import opening
from sdae.pictures.opening import ImageError

_LOADERS = {"PNG": "pngload_buffer", "JPEG": "jpegload_buffer", "TIFF": "tiffload_buffer"}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_NAMES = {"icc_profile": "icc-profile-data", "exif": "exif-data"}  # Pillow's and libvips's
_ROWS = 256  # of a strip

# A progressive JPEG decodes all its pixels again for every scan; cameras and editors write
# about ten, and a file of a few kilobytes can hold thousands.
_MAX_JPEG_SCANS = 100

DEEP = "Samples of 16 bits were reduced to 8."

alone = threading.RLock()
"""Held while a picture is decoded: a fork then leaves no lock of libvips behind in the child, and
memory is needed for one picture at a time."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=alone.acquire, after_in_parent=alone.release, after_in_child=alone.release
    )


def opened(kind: str, data: bytes, max_pixels: int, notices: list[str]) -> Image.Image:
    """A file as an image, whose pixels libvips has decoded or Pillow has yet to decode.

    Args:
        kind: what `opening.known` says.
        notices: gets sentences for the person about what of the file is left out.

    Raises:
        ImageError: it is too large, or not to be decoded here.
        Exception: any other, on damaged data.
    """
    if kind == "JPEG" and b"\xff\xc2" in data and data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise ImageError(
            f"This JPEG holds more than {_MAX_JPEG_SCANS} scans, as no camera writes them; "
            "save it again in an image editor and open the new file."
        )
    picture = _by_vips(kind, data)
    if picture is not None:
        opening.check_size(picture.width, picture.height, max_pixels)
        several = picture.get_typeof("n-pages") and picture.get("n-pages") > 1
        image = _pixels(picture, notices)
        for name, own in _NAMES.items():
            if picture.get_typeof(own):
                image.info[name] = picture.get(own)
        image.format = kind
        if kind == "TIFF":
            image.info["exif"] = data  # Exif data is laid out as TIFF is
    else:
        image = _by_pillow(kind, data)
        opening.check_size(*image.size, max_pixels)
        several = getattr(image, "is_animated", False) and kind != "JPEG"
    # Raw files are TIFFs whose first picture is only a small preview (NewSubfileType).
    if kind == "TIFF" and (50706 in image.getexif() or image.getexif().get(254, 0) & 1):
        raise ImageError(opening.RAW)
    if several or (kind == "PNG" and b"acTL" in data[: data.find(b"IDAT")]):
        units = "pages" if kind == "TIFF" else "frames"
        notices.append(f"The file holds several {units}; only the first is used.")
    return image


def upright(image: Image.Image) -> Image.Image:
    """An image that is a file, turned as its Exif data says; any other as it is.

    Pillow's images keep the Exif data of the file that they were made of, turned or not.
    """
    with suppress(Exception):  # broken Exif is no reason to refuse a picture that decodes
        is_file = isinstance(image, ImageFile.ImageFile) or image.format in _LOADERS
        if is_file and image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            return ImageOps.exif_transpose(image)
    return image


def is_misread(image: Image.Image) -> bool:
    """Whether Pillow may take the samples of an opened file for other than they are.

    So it does with some TIFFs, and with a transparent colour of other than 8 bits in a PNG.
    """
    if not isinstance(image, ImageFile.ImageFile) or not image.tile or not image.fp:
        return False
    unsure = image.format == "TIFF" or (image.format == "PNG" and "transparency" in image.info)
    return unsure and not image.tell()


def _by_pillow(kind: str, data: bytes) -> Image.Image:
    file = io.BytesIO(data)
    if kind == "TIFF":
        raise ValueError("a TIFF that libvips does not read")
    if kind == "HEIF":
        return opening.heif_opener()(file)
    # Image.open() would warn, by a switch that all threads share, about any picture above its own
    # limit, and would take a JPEG with an embedded second picture for an animation.
    if kind == "JPEG":
        return JpegImagePlugin.JpegImageFile(file)
    if kind not in Image.OPEN:
        Image.init()
    return Image.OPEN[kind][0](file, "")


@lru_cache(maxsize=1)
def _vips():
    """The module pyvips, which takes a while to load."""
    import pyvips

    pyvips.cache_set_max(0)  # it would keep files and pixels
    return pyvips


def _by_vips(kind: str, data: bytes):
    """The header of a file that libvips decodes; None for all others."""
    if kind not in _LOADERS:
        return None
    vips = _vips()
    try:
        # "error" refuses what is cut short, not what makes a library warn.
        return vips.Operation.call(_LOADERS[kind], data, access="sequential", fail_on="error")
    except vips.Error:
        return None


def _pixels(picture, notices: list[str]) -> Image.Image:
    """Mode L, LA, RGB, RGBA or CMYK."""
    if picture.format == "ushort":
        notices.append(DEEP)
        picture = picture.linear(1 / 257, 0.5, uchar=True)
    width, height = picture.width, picture.height
    region = _vips().Region.new(picture)
    if picture.format != "uchar":
        raise ValueError("numbers of no known scale")
    mode = "CMYK" if picture.interpretation == "cmyk" else _MODES[picture.bands]
    image = Image.new(mode, (width, height))
    for top in range(0, height, _ROWS):
        size = width, min(_ROWS, height - top)
        image.paste(Image.frombytes(mode, size, region.fetch(0, top, *size)), (0, top))
    return image
