"""Any picture file a person has, as one 8-bit RGB array.

    bytes → size limits → decode → upright → 8 bits → sRGB → white paper → (H, W, 3)

Only the formats that `opening` names are tried, whatever the file is called, and a picture's size
is checked before its pixels are decoded.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sdae.pictures import colour, decoding, metadata, opening
from sdae.pictures.metadata import Metadata
from sdae.pictures.opening import MAX_PIXELS, ImageError


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
    other PIL image is taken as it stands. Transparency is laid on white; samples of 16 bits
    are scaled to 8; palette, greyscale and CMYK become RGB; colours that the file says
    are other than sRGB are converted (see `sdae.pictures.colour`); of several frames or pages
    the first is taken.

    `keep_metadata` also returns the Exif data, without what describes the old file's pixels, and
    the ICC profile of RGB pictures, whose samples then stay as they are stored.

    Raises ImageError, with one sentence saying what to do, for whatever is no such picture, is
    damaged, or is wider or higher than MAX_SIDE or larger than `max_pixels`.
    """
    if isinstance(source, np.ndarray):
        source = _image(source)
    if isinstance(source, Image.Image):
        opening.check_size(*source.size, max_pixels)
        if not decoding.is_misread(source):
            with decoding.alone, opening.as_image_error(source.format):
                return _finish(source, source.format, b"", [], keep_metadata)
        source = getattr(source, "fp", None)  # read as the file that it is
    data, notices = opening.file_bytes(source, max_pixels), []
    kind = opening.known(data)
    if kind is None:
        raise ImageError(opening.refusal(data))
    with decoding.alone, opening.as_image_error(kind):
        image = decoding.opened(kind, data, max_pixels, notices)
        return _finish(image, kind, data, notices, keep_metadata)


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


def _image(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8 or not (
        array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    ):
        raise ImageError(
            "An array must hold uint8 samples in the shape (H, W, 3), (H, W, 4) or (H, W); "
            f"this one holds {array.dtype} in the shape {array.shape}."
        )
    opening.check_size(array.shape[1], array.shape[0], 2**62)
    return Image.fromarray(np.ascontiguousarray(array))


def _finish(image, kind: str | None, data: bytes, notices: list[str], keep: bool) -> Picture:
    """An opened image → `Picture`; `data` is the file, empty where there is none."""
    exif, icc = b"", b""
    if keep:  # before decoding, which closes the file
        try:
            exif = metadata.exif(image)
        except Exception:  # Pillow raises anything on damaged data
            notices.append("The Exif data is damaged and was left out.")
    image.load()
    samples, alpha = _colour_and_alpha(decoding.upright(image), notices)
    if keep and samples.mode == "RGB" and colour.is_rgb(image.info.get("icc_profile") or b""):
        icc, rgb = image.info["icc_profile"], samples
    else:
        rgb = colour.to_srgb(samples, kind, data, image, notices)
    if alpha is not None and alpha.getextrema()[0] < 255:
        paper = Image.new("RGB", rgb.size, "white")
        paper.paste(rgb, mask=alpha)
        rgb = paper
        notices.append("Transparent parts were laid on white.")
    array = np.empty((rgb.height, rgb.width, 3), "uint8")
    for top in range(0, rgb.height, 256):  # NumPy alone would copy the whole twice
        bottom = min(top + 256, rgb.height)
        array[top:bottom] = np.asarray(rgb.crop((0, top, rgb.width, bottom)))
    size = len(data) or None
    return Picture(array, tuple(notices), opening.name(kind), size, Metadata(exif, icc))


def _colour_and_alpha(image: Image.Image, notices: list[str]):
    """Bring any mode to L, RGB or CMYK, and an alpha plane (mode L) or None."""
    mode = image.mode
    if mode in ("I", "F"):
        raise ImageError(
            "The image holds numbers of no known scale; bring them to 8 or 16 bits first."
        )
    if mode.startswith("I;16"):
        notices.append(decoding.DEEP)
        return Image.fromarray(((np.asarray(image) + 128.0) / 257).astype("uint8")), None
    if mode == "CMYK":
        return image, None
    grey = mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        plain = "L" if grey else "RGB"
        return image if mode == plain else image.convert(plain), None
    if mode in ("La", "RGBa"):
        image = image.convert(mode.upper())  # undo the premultiplication first
    image = image.convert("RGBA")
    return image.getchannel(0) if grey else image.convert("RGB"), image.getchannel("A")
