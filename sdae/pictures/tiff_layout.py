"""TIFF files (TIFF 6.0, Adobe 1992) whose samples lie or count otherwise than Pillow takes them."""

from __future__ import annotations

from PIL import Image, ImagePalette, TiffImagePlugin

BITS, COMPRESSION, PHOTOMETRIC, PLANES, COLOUR_MAP, SAMPLE_FORMAT = 258, 259, 262, 284, 320, 339
"""Tags."""

WHITE_IS_ZERO, _YCBCR = 0, 6  # of PHOTOMETRIC
_SEPARATE, _DEFLATE, _SIGNED, _UNSIGNED = 2, 8, 2, 1

# libtiff hands out samples in the order of this machine, Pillow takes them for the file's.
_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}


def put_right(image: TiffImagePlugin.TiffImageFile) -> str | None:
    """Let Pillow decode a file as it is laid out; what of it cannot be read, None where all can.

    An image whose pixels are decoded already is left as it is.
    """
    if not image.tile:
        return None
    tags = image.tag_v2
    separate = tags.get(PLANES) == _SEPARATE
    if separate and image.mode in ("LA", "La", "LAB"):
        return f"{'Lab' if image.mode == 'LAB' else 'grey and alpha'} in separate planes"
    if not image.use_load_libtiff and (separate or tags.get(PHOTOMETRIC) == _YCBCR):
        # Pillow itself takes each plane for one of 8 bits, and overlooks that colours are
        # subsampled. What it takes for compressed it leaves to libtiff, which reads the file alone.
        tags[COMPRESSION] = _DEFLATE
        image._setup()
    if image.use_load_libtiff:
        (tile,) = image.tile
        raw, *place = tuple(tile.args or ())
        image.tile = [tile._replace(args=(_NATIVE.get(raw, raw), *place))]
    levels = tags.get(COLOUR_MAP, ())
    if image.mode in ("P", "PA") and levels and max(levels) < 256:
        # Old programs wrote 8 bits where 16 belong; libtiff's tools make the same guess.
        image.palette = ImagePalette.raw("RGB;L", bytes(levels))
    return None


def kind(image: Image.Image) -> str | None:
    """What the samples are that Pillow decodes as if of the other sign: "signed" bytes, "unsigned"
    words of 32 bits; None for all others."""
    tags = getattr(image, "tag_v2", {})
    bits, stated = set(tags.get(BITS, ())), set(tags.get(SAMPLE_FORMAT, (_UNSIGNED,)))
    if bits == {8} and stated == {_SIGNED}:
        return "signed"
    return "unsigned" if bits == {32} and stated == {_UNSIGNED} else None
