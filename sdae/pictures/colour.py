"""The colours that a picture file means, and the way from there to sRGB.

Most files hold an ICC profile or mean sRGB. Some name their colours otherwise: by code points of
ITU-T H.273 in the chunk cICP of PNG and the box nclx of AVIF and HEIC, or as Adobe RGB in Exif
data. For these a profile is made, and Little CMS converts.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import ExifTags, Image, ImageCms

# XYZ of red, of green and of blue, adapted to D50 by Bradford's matrix as ICC.1:2022, annex E, has it.
_ADOBE_RGB = 0.6097, 0.3111, 0.0195, 0.2053, 0.6257, 0.0609, 0.1492, 0.0632, 0.7446
_P3 = 0.5151, 0.2412, -0.0011, 0.2920, 0.6922, 0.0419, 0.1571, 0.0666, 0.7841
_BT2020 = 0.6735, 0.2790, -0.0019, 0.1657, 0.6753, 0.0300, 0.1250, 0.0456, 0.7969

_PRIMARIES = {9: ("BT.2020", _BT2020), 12: ("Display P3", _P3)}  # by code point of table 2
_HIGH_RANGE = {16: "PQ", 18: "HLG"}  # by code point of table 3
# Code points that mean sRGB, or are unspecified, or are so near that browsers take them for it.
_SRGB_PRIMARIES, _SRGB_CURVES = {1, 2, 5, 6, 7}, {1, 2, 6, 13, 14, 15}

_UNCALIBRATED = 65_535
_UNUSABLE = ImageCms.PyCMSError, OSError, ValueError, TypeError


def to_srgb(
    image: Image.Image, kind: str | None, data: bytes, source: Image.Image, notices: list[str]
) -> Image.Image:
    """Convert L, RGB or CMYK to RGB in sRGB, by what the file says of its colours.

    Args:
        image: the decoded samples.
        kind: Pillow's name of the file's format.
        data: the whole file; empty for an image that comes from none.
        source: the image as it was opened, for its `info` and its Exif data.
        notices: gets a sentence for the person where colours were converted or could not be.
    """
    profile, name = source.info.get("icc_profile"), "the file's own profile"
    profile = profile or _in_jpeg_2000(kind, data)
    if not profile:
        profile, name = _named(kind, data, source, notices)
    if not profile:
        if image.mode == "CMYK":
            notices.append("Print colours (CMYK) without a profile: the colours are approximate.")
        return image if image.mode == "RGB" else image.convert("RGB")
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode == "L" and is_rgb(profile):
            image = image.convert("RGB")
        if image.mode == "RGB" and _is_srgb(opened):
            return image
        converted = _convert(image, opened)
    except _UNUSABLE:
        notices.append("The colour profile cannot be used; the colours are shown as stored.")
        return image if image.mode == "RGB" else image.convert("RGB")
    notices.append(f"The colours were converted from {name} to sRGB.")
    return converted


def is_rgb(icc: bytes) -> bool:
    """Whether these bytes are an ICC profile of RGB samples."""
    return icc[16:20] == b"RGB " and icc[36:40] == b"acsp"


def _in_jpeg_2000(kind: str | None, data: bytes) -> bytes:
    """The ICC profile of a JPEG 2000 file (ISO/IEC 15444-1, annex I), which Pillow leaves out."""
    at = data.find(b"colr", 0, 1 << 16) if kind == "JPEG2000" else -1
    if at < 4 or data[at + 4] == 1:  # by number: sRGB, or grey and YCC of its curve
        return b""
    return data[at + 7 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]


def _named(kind: str | None, data: bytes, source: Image.Image, notices: list[str]):
    """The profile and the name of colours that a file names without one; b"" for sRGB."""
    if kind == "PNG" and (at := data.find(b"\0\0\0\x04cICP", 0, data.find(b"IDAT"))) > 0:
        return _coded(*data[at + 8 : at + 10], notices)
    if kind in ("AVIF", "HEIF") and (at := data.find(b"colrnclx")) > 0:
        return _coded(*struct.unpack_from(">HH", data, at + 8), notices)
    # By Exif 2.32 and DCF 2.0, Adobe RGB is uncalibrated and of interoperability R03.
    try:
        tags = source.getexif()
        space = tags.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        rule = str(tags.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex, ""))
    except Exception:  # broken Exif is no reason to refuse a picture that decodes
        return b"", ""
    if space == 2 or (space == _UNCALIBRATED and rule.startswith("R03")):
        return profile(_ADOBE_RGB, 563 / 256), "Adobe RGB"
    if space == _UNCALIBRATED:
        notices.append(
            "The file says that its colours are not sRGB, but not which they are; "
            "they are taken as sRGB."
        )
    return b"", ""


def _coded(primaries: int, curve: int, notices: list[str]) -> tuple[bytes, str]:
    """By code points of H.273."""
    if curve in _HIGH_RANGE:
        notices.append(
            f"The picture is of high dynamic range ({_HIGH_RANGE[curve]}); its colours are shown "
            "as stored, paler than they are meant."
        )
    elif primaries in _PRIMARIES and curve in _SRGB_CURVES:
        name, columns = _PRIMARIES[primaries]
        return profile(columns), name
    elif primaries not in _SRGB_PRIMARIES or curve not in _SRGB_CURVES:
        notices.append(
            "The file's colour space is not known here; the colours are shown as stored."
        )
    return b"", ""


def profile(columns: tuple[float, ...], exponent: float | None = None) -> bytes:
    """An ICC profile of RGB colours: Little CMS's sRGB, with other primaries and another curve.

    Args:
        columns: XYZ of red, of green and of blue, adapted to D50.
        exponent: of the power that leads from samples to light; None for the curve of sRGB.
    """
    whole = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(int.from_bytes(whole[128:132], "big")):
        tag, at, _ = struct.unpack_from(">4sII", whole, 132 + 12 * number)
        if tag in (b"rXYZ", b"gXYZ", b"bXYZ"):
            first = 3 * b"rgb".index(tag[:1])
            whole[at + 8 : at + 20] = _fixed(columns[first : first + 3])
        elif tag == b"rTRC" and exponent is not None:  # green and blue share it
            whole[at + 12 : at + 32] = _fixed([exponent, 1, 0, 0, 0])
    return bytes(whole)


def _fixed(values) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


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
