"""The colours that a picture file means, and the way from there to sRGB.

Most files hold an ICC profile or mean sRGB. Some tell it in other ways: the chunks cICP, gAMA and
cHRM of PNG, the box nclx of AVIF and HEIC (code points of ITU-T H.273), Exif data after DCF 2.0
(Adobe RGB), primaries in a TIFF. Where these name a space that a profile of three primaries and
one curve describes, such a profile is made, and Little CMS converts.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import ExifTags, Image, ImageCms

_D65, _DCI_WHITE = (0.3127, 0.3290), (0.314, 0.351)
_D50 = 0.9642, 1.0, 0.8249  # the white of all ICC profiles, XYZ
_SRGB_PRIMARIES = 0.64, 0.33, 0.30, 0.60, 0.15, 0.06
_ADOBE_RGB = 0.64, 0.33, 0.21, 0.71, 0.15, 0.06

# By code point of H.273, table 2: white, and red, green and blue, each x and y.
_PRIMARIES = {
    1: (_D65, _SRGB_PRIMARIES),
    5: (_D65, (0.64, 0.33, 0.29, 0.60, 0.15, 0.06)),
    6: (_D65, (0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    7: (_D65, (0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    9: (_D65, (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)),
    11: (_DCI_WHITE, (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
    12: (_D65, (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
}

# By code point of H.273, table 3: the exponent of a pure power, or None for the curve of sRGB.
# The camera curves of video differ little from it and are taken for it, as browsers do.
_CURVES = {1: None, 6: None, 14: None, 15: None, 13: None, 4: 2.2, 5: 2.8, 8: 1.0}

_HIGH_RANGE = {16: "PQ", 18: "HLG"}
_UNSPECIFIED = 2

_AS_STORED = "the colours are shown as stored."


def to_srgb(image: Image.Image, source: Image.Image, notices: list[str]) -> Image.Image:
    """Convert L, RGB, CMYK or LAB to RGB in sRGB, by what the file says of its colours.

    Args:
        image: the decoded samples.
        source: the image as it was opened, for its `info` and its tags.
        notices: gets a sentence for the person where colours were converted or could not be.
    """
    if image.mode == "LAB":
        return _convert(image, ImageCms.createProfile("LAB"))
    profile, name = meant(source, notices)
    if profile is None:
        if image.mode == "CMYK":
            notices.append("Print colours (CMYK) without a profile: the colours are approximate.")
        return image if image.mode == "RGB" else image.convert("RGB")
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if image.mode == "RGB" and _is_srgb(opened):
            return image
        converted = _convert(image, opened)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notices.append(f"The colour profile cannot be used; {_AS_STORED}")
        return image.convert("RGB")
    notices.append(f"The colours were converted from {name} to sRGB.")
    return converted


def rgb_profile(image: Image.Image, source: Image.Image) -> bytes:
    """The file's own ICC profile where samples can stay in it, which takes RGB on both sides."""
    profile, name = meant(source, [])
    if profile is None or name != _OWN_PROFILE or image.mode != "RGB":
        return b""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return profile if opened.profile.xcolor_space.strip() == "RGB" else b""
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return b""  # `to_srgb` says so


_OWN_PROFILE = "the file's own profile"


def meant(source: Image.Image, notices: list[str]) -> tuple[bytes | None, str]:
    """The ICC profile of the colours that a file means, None for sRGB, and a name for them.

    Args as for `to_srgb`.
    """
    info, tags = source.info, getattr(source, "tag_v2", {})
    codes, icc = info.get("cicp"), info.get("icc_profile")
    if codes and not (icc and codes[1] in _HIGH_RANGE):  # then the profile stands in
        return _coded(*codes[:2], notices)
    if icc:
        return icc, _OWN_PROFILE
    if "nclx" in info:
        return _coded(*info["nclx"], notices)
    if info.get("jp2_space", _JP2_SRGB[0]) not in _JP2_SRGB:
        return _unknown(notices)
    if "srgb" in info:
        return None, ""
    if "gamma" in info or "chromaticity" in info:
        return _made(*_png_space(info), "the file's own primaries and gamma", notices)
    if _PRIMARY_CHROMATICITIES in tags:
        white, primaries = tags.get(_WHITE_POINT, _D65), tags[_PRIMARY_CHROMATICITIES]
        return _made(white, primaries, None, "the file's own primaries", notices)
    return _exif_space(source, notices)


_WHITE_POINT, _PRIMARY_CHROMATICITIES = 318, 319  # tags of TIFF
_JP2_SRGB = 16, 17, 18, 12  # sRGB, grey and YCC of its curve; CMYK, which the mode tells


def _coded(primaries: int, curve: int, notices: list[str]) -> tuple[bytes | None, str]:
    """By code points of H.273."""
    if curve in _HIGH_RANGE:
        notices.append(
            f"The picture is of high dynamic range ({_HIGH_RANGE[curve]}); its colours are shown "
            "as stored, paler than they are meant."
        )
        return None, ""
    primaries = 1 if primaries == _UNSPECIFIED else primaries
    curve = 13 if curve == _UNSPECIFIED else curve
    if primaries not in _PRIMARIES or curve not in _CURVES:
        return _unknown(notices)
    name = {9: "BT.2020", 11: "DCI P3", 12: "Display P3"}.get(primaries, "the file's own space")
    return _made(*_PRIMARIES[primaries], _CURVES[curve], name, notices)


def _unknown(notices: list[str]) -> tuple[None, str]:
    notices.append(f"The file's colour space is not known here; {_AS_STORED}")
    return None, ""


def _png_space(info: dict):
    """White, primaries and exponent that gAMA and cHRM state; about 2.2 is the curve of sRGB."""
    white, primaries = _D65, _SRGB_PRIMARIES
    if "chromaticity" in info:
        white, primaries = info["chromaticity"][:2], info["chromaticity"][2:]
    gamma = info.get("gamma") or 1 / 2.2
    return white, primaries, None if abs(1 / gamma - 2.2) < 0.05 else 1 / gamma


def _exif_space(source: Image.Image, notices: list[str]) -> tuple[bytes | None, str]:
    """By Exif 2.32 and DCF 2.0: Adobe RGB is uncalibrated and of interoperability R03."""
    try:
        tags = source.getexif()
        space = tags.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        rule = str(tags.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex, ""))
    except Exception:  # broken Exif is no reason to refuse a picture that decodes
        return None, ""
    if space == 2 or (space == _UNCALIBRATED and rule.startswith("R03")):
        return _made(_D65, _ADOBE_RGB, 563 / 256, "Adobe RGB", notices)
    if space == _UNCALIBRATED:
        notices.append(
            "The file says that its colours are not sRGB, but not which they are; "
            "they are taken as sRGB."
        )
    return None, ""


_UNCALIBRATED = 65_535


def _made(white, primaries, exponent, name, notices) -> tuple[bytes | None, str]:
    try:
        return profile(white, primaries, exponent), name
    except (ValueError, ArithmeticError, TypeError, np.linalg.LinAlgError):
        notices.append(f"What the file says of its colours is impossible; {_AS_STORED}")
        return None, ""


def profile(white, primaries, exponent: float | None) -> bytes:
    """An ICC profile of RGB colours: Little CMS's sRGB, with other primaries and another curve.

    Args:
        white: x and y.
        primaries: x and y of red, green and blue.
        exponent: of the power that leads from samples to light; None for the curve of sRGB.

    Raises:
        ValueError, ArithmeticError, LinAlgError: there is no such space.
    """
    xy = np.array([float(value) for value in primaries]).reshape(3, 2)
    light = _xyz(xy).T @ np.diag(np.linalg.solve(_xyz(xy).T, _xyz(np.array([white], float))[0]))
    # Bradford's adaptation to D50, as ICC.1:2022, annex E, wants it.
    cones = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    scale = (cones @ _D50) / (cones @ light.sum(1))
    columns = np.linalg.solve(cones, np.diag(scale) @ cones @ light).T
    if not np.isfinite(columns).all() or np.abs(columns).max() > 8:
        raise ValueError("no such primaries")
    whole = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(int.from_bytes(whole[128:132], "big")):
        tag, at, _ = struct.unpack_from(">4sII", whole, 132 + 12 * number)
        if tag in (b"rXYZ", b"gXYZ", b"bXYZ"):
            whole[at + 8 : at + 20] = _fixed(columns[b"rgb".index(tag[:1])])
        elif tag == b"rTRC" and exponent is not None:  # green and blue share it
            if not 0.1 <= exponent <= 10:
                raise ValueError("no such curve")
            whole[at + 12 : at + 32] = _fixed([exponent, 1, 0, 0, 0])
    return bytes(whole)


def _xyz(xy: np.ndarray) -> np.ndarray:
    """(n, 2) chromaticities → (n, 3) XYZ with Y = 1."""
    x, y = xy.T
    if not (y > 0).all():
        raise ValueError("no such colour")
    return np.stack([x / y, np.ones_like(x), (1 - x - y) / y], -1)


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
