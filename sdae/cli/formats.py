"""What may be written into a file by the ending of its name, and pictures as bytes of such files."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from sdae.cli.job import STREAM, Refused
from sdae.pictures.metadata import Metadata

_FORMATS = {"PNG", "JPEG", "WEBP", "TIFF", "AVIF"}
# Those of Pillow's formats that hold an RGB picture in all its colours, and its metadata.


def picture_format(target: Path) -> str:
    """The Pillow format that a file name's ending stands for; PNG for standard output.

    Raises:
        Refused: there is none, or it does not hold every picture as it is.
    """
    kind = "PNG" if target == STREAM else Image.registered_extensions().get(target.suffix.lower())
    if kind not in _FORMATS:
        raise Refused(
            f"files that end in {target.suffix or 'nothing'} do not hold every picture as it is; "
            "use .png, .jpg, .webp, .tif or .avif."
        )
    return kind


def is_packed(target: Path) -> bool:
    """Whether a name is that of a .sdae file."""
    return target.suffix.lower() == ".sdae"


def encoded(image: Image.Image, kind: str, kept: Metadata = Metadata()) -> bytes:
    """A picture as the bytes of a file of Pillow's format `kind`, with its metadata.

    Raises:
        Refused: the format does not hold the picture or its metadata.
    """
    content = io.BytesIO()
    try:
        image.save(content, kind, quality=95, **kept.info())
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be written as {kind} ({error}); use .png.") from error
    return content.getvalue()
