"""What may be written into a file by the ending of its name, and pictures as bytes of such files."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from sdae.cli.job import STREAM, Refused, is_special
from sdae.pictures import metadata
from sdae.pictures.metadata import Metadata

_FORMATS = {"PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA"}
# Those of Pillow's formats that hold an RGB picture of any size in all its colours.

_BARE = {"BMP", "JPEG2000", "PPM", "TGA"}
# Those of them into which Pillow writes no metadata.


def picture_format(target: Path) -> str:
    """The Pillow format that a file name's ending stands for; PNG for streams and devices.

    Raises:
        Refused: there is none, or it does not hold every picture as it is.
    """
    if target == STREAM or is_special(target):
        return "PNG"
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind not in _FORMATS:
        raise Refused(
            f"files that end in {target.suffix or 'nothing'} do not hold every picture as it is; "
            "use .png, .jpg or .webp."
        )
    return kind


def check_packed(target: Path) -> None:
    """Raises `Refused` for a name that a .sdae file must not have."""
    if target.suffix.lower() != ".sdae" and target != STREAM and not is_special(target):
        raise Refused(f"{target} is to hold a .sdae file; end its name in .sdae.")


def encoded(image: Image.Image, kind: str, kept: Metadata = Metadata()) -> bytes:
    """A picture as the bytes of a file of Pillow's format `kind`, with its metadata.

    Raises:
        Refused: the format does not hold the picture or its metadata.
    """
    if kept and kind in _BARE:
        raise Refused(
            f"{kind} files hold no metadata, and this picture has some; use .png, .jpg or .webp."
        )
    content = io.BytesIO()
    try:
        image.save(content, kind, quality=95, **kept.info())
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be written as {kind} ({error}); use .png.") from error
    return content.getvalue()


def section(kept: Metadata) -> bytes:
    """What a .sdae file holds of metadata; raises `Refused` where that is too much."""
    try:
        return metadata.section(kept)
    except ValueError as error:
        raise Refused(error) from error
