"""Any picture file a person has, as one 8-bit RGB array.

    bytes → size limits → decode → upright → 8 bits → sRGB → white paper → (H, W, 3)

Only the formats below are tried, whatever the file is called, and a picture's size is checked
before its pixels are decoded. Nothing global in Pillow is touched, so threads may read at once.
Decoding takes at most about 20 bytes of memory a pixel (JPEG 2000; the others need less).
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, TiffImagePlugin

from sdae.pictures import colour, metadata, opening, png_chunks, tiff_layout
from sdae.pictures.metadata import Metadata
from sdae.pictures.opening import FORMATS, MAX_SIDE, ImageError

__all__ = [
    "FORMATS",
    "ImageError",
    "MAX_PIXELS",
    "MAX_SIDE",
    "Picture",
    "named",
    "png",
    "read",
    "samples",
    "shrink",
    "thumb",
    "tiles",
    "upright",
]

MAX_PIXELS = 120_000_000
"""Largest width × height that `read` takes unless told otherwise; 89 million for TIFF."""


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

    The Exif orientation of a file is applied, and of a PIL image that is an opened file; any
    other PIL image is taken as it stands. Transparency is laid on white; 16-bit and float samples
    are scaled to 8 bits; palette, greyscale, CMYK and Lab become RGB; colours that the file says
    are other than sRGB are converted (see `sdae.pictures.colour`); of several frames or pages
    the first is taken. What Pillow does not tell of a file's colours is known of files alone.

    `keep_metadata` also returns the Exif data, without what describes the old file's pixels, and
    the ICC profile of RGB pictures, whose samples then stay as they are stored.

    Raises ImageError, with one sentence saying what to do, for whatever is no such picture, is
    damaged, or is wider or higher than MAX_SIDE or larger than `max_pixels`.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        opening.check_size(*source.size, max_pixels)
        return _finish(source, [], None, keep_metadata)
    data = opening.file_bytes(source, max_pixels)
    image = opening.opened(data)
    if image.format == "TIFF":
        # Decoding a TIFF warns above Pillow's own limit, by a switch that all threads share.
        max_pixels = min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels)
    opening.check_size(*image.size, max_pixels)
    notices, file_bytes = _frame_notice(image), len(data)
    del data  # so that the file goes when it is decoded, before its pixels are copied
    return _finish(image, notices, file_bytes, keep_metadata)


def samples(source) -> np.ndarray:
    """The samples that `read` finds; an array of uint8 (H, W, 3) itself, not a copy of it."""
    if isinstance(source, np.ndarray) and source.dtype == np.uint8 and source.shape[2:] == (3,):
        opening.check_size(source.shape[1], source.shape[0], MAX_PIXELS)
        return source
    return read(source).rgb


def named(path) -> np.ndarray:
    """The samples in a file; ImageError names it, for who reads many."""
    try:
        return read(path).rgb
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


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


# --- from a source to RGB -------------------------------------------------------------------


def _from_array(array: np.ndarray, max_pixels: int) -> Picture:
    if array.dtype != np.uint8 or not (
        array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    ):
        raise ImageError(
            "An array must hold uint8 samples in the shape (H, W, 3), (H, W, 4) or (H, W); "
            f"this one holds {array.dtype} in the shape {array.shape}."
        )
    opening.check_size(array.shape[1], array.shape[0], max_pixels)
    return _finish(Image.fromarray(np.ascontiguousarray(array)), [], None)


def _frame_notice(image: Image.Image) -> list[str]:
    with opening.as_image_error(image.format):
        if not getattr(image, "is_animated", False):
            return []
    parts = "pages" if image.format == "TIFF" else "frames"
    return [f"The file holds several {parts}; only the first is used."]


def _finish(
    image: Image.Image, notices: list[str], file_bytes: int | None, keep_metadata: bool = False
) -> Picture:
    with opening.as_image_error(image.format):
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            layout = tiff_layout.put_right(image)
            if layout:
                raise ImageError(
                    f"This TIFF file holds {layout}, which cannot be read here; "
                    "save it as PNG and open that."
                )
        # Decoding forgets how the samples were stored.
        deep = ";16" in str(getattr(image, "tile", ""))
        # Decoding closes the file, where a TIFF's Exif data still lies.
        exif = _exif(image, notices) if keep_metadata else b""
        if isinstance(image, PngImagePlugin.PngImageFile):
            png_chunks.put_right(image)
        image.load()
        samples, alpha = _colour_and_alpha(upright(image), image, notices)
        if deep or image.mode.startswith("I;16"):
            notices.append("Samples of 16 bits were reduced to 8.")
        kept = Metadata()
        if keep_metadata:
            kept = Metadata(exif, colour.rgb_profile(samples, image))
        rgb = samples if kept.icc else colour.to_srgb(samples, image, notices)
        if alpha is not None and alpha.getextrema()[0] < 255:
            paper = Image.new("RGB", rgb.size, "white")
            paper.paste(rgb, mask=alpha)
            rgb = paper
            notices.append("Transparent parts were laid on white.")
        name = opening.name(image.format)
        return Picture(_array(rgb), tuple(notices), name, file_bytes, kept)


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
    except Exception:  # as for `upright`
        notices.append("The Exif data is damaged and was left out.")
        return b""


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(image: Image.Image) -> Image.Image:
    """An image that is an opened file, turned as the file's Exif data says; any other as it is.

    Pillow's images keep the Exif data of the file that they were made of, turned or not.
    """
    if not isinstance(image, ImageFile.ImageFile):
        return image
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
    if mode in ("I", "F") or mode.startswith("I;16") or tiff_layout.kind(source) == "signed":
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

    Unsigned integers of 12 and 16 bits and floats in [0, 1] go by their full scale. Wider integers and
    other floats have no known scale: [0, 255] stays, all else is stretched, with a notice. What
    is no number counts as darkest; infinities are clipped.
    """
    values = np.asarray(image)
    tags = getattr(source, "tag_v2", {})
    kind = tiff_layout.kind(source)
    if kind == "signed" and image.mode == "L":
        values = values.view(np.int8)
    elif kind == "unsigned" and image.mode == "I":
        values = values.view(np.uint32)
    alpha = None
    if image.mode.startswith("I;16"):
        if "transparency" in source.info:
            alpha = Image.fromarray(
                np.where(values == source.info["transparency"], 0, 255).astype(np.uint8)
            )
        low, high = 0, 4095 if tags.get(tiff_layout.BITS) == (12,) else 65_535
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
    if tags.get(tiff_layout.PHOTOMETRIC) == tiff_layout.WHITE_IS_ZERO:
        grey = 255 - grey
    return Image.fromarray(grey), alpha
