"""What a camera wrote beside the pixels, carried along in a .sdae file on request.

The metadata section of a file is one raw Deflate stream (RFC 1951) of two byte strings, the Exif
data and the ICC profile, each after its length in 4 bytes, little endian; 0 where there is none.
"""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

from sdae.coding import container, deflate
from sdae.coding.container import MAX_METADATA, BitstreamError
from sdae.pictures.opening import ImageError

_Tag = ExifTags.Base

# How the old file stored its pixels (TIFF 6.0, sections 8 to 22), which are stored anew and upright.
_STORAGE = {*range(254, 269), 273, *range(277, 282), 284, 301, *range(317, 348), *range(529, 533)}
_OF_THE_OLD_FILE = frozenset({*_STORAGE, _Tag.InterColorProfile})

TURN = frozenset({_Tag.Orientation, _Tag.ExifImageWidth, _Tag.ExifImageHeight})
"""Tags that are no longer true of a picture that was turned upright."""

COLOURS = frozenset({_Tag.ColorSpace, _Tag.ExifInteroperabilityOffset})
"""Tags that are no longer true of a picture that was converted to sRGB."""


@dataclass(frozen=True)
class Metadata:
    """Of one picture.

    Attributes:
        exif: Exif data as in a JPEG file, beginning with ``Exif`` and two zero bytes; or empty.
        icc: the ICC profile that the picture's samples are meant in; empty for sRGB.
    """

    exif: bytes = b""
    icc: bytes = b""

    def __bool__(self):
        return bool(self.exif or self.icc)

    def info(self) -> dict[str, bytes]:
        """The same under Pillow's names, for `Image.info` and `Image.save`; nothing empty."""
        named = {"exif": self.exif, "icc_profile": self.icc}
        return {name: content for name, content in named.items() if content}


def exif(image: Image.Image) -> bytes:
    """The Exif data of a picture, less what was only true of its file; empty if there is none.

    Raises whatever Pillow does on damaged data.
    """
    return without(_OF_THE_OLD_FILE | TURN | COLOURS, image.getexif().tobytes())


def without(unwanted: frozenset[int], exif: bytes) -> bytes:
    """Exif data less the tags that are unwanted; empty if no others are left.

    Raises whatever Pillow does on damaged data.
    """
    tags = Image.Exif()
    tags.load(exif)
    proper = tags.get_ifd(ExifTags.IFD.Exif)
    for part in (tags, proper):
        for tag in unwanted & set(part):
            del part[tag]
    if not proper:
        tags.pop(ExifTags.IFD.Exif, None)
    return tags.tobytes() if tags else b""


def section(metadata: Metadata) -> bytes:
    """What `container.Header.metadata` holds for this metadata; empty for none.

    Raises:
        ImageError: there is more than a file can hold.
    """
    if not metadata:
        return b""
    parts = metadata.exif, metadata.icc
    if sum(map(len, parts)) + 8 > MAX_METADATA:
        raise ImageError(
            f"The metadata has {sum(map(len, parts)):,} bytes, more than the "
            f"{MAX_METADATA >> 20} MiB that a .sdae file holds; leave it out."
        )
    content = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def attach(file: bytes, metadata: Metadata) -> bytes:
    """A whole .sdae file with this metadata in the place of what it held before.

    Raises:
        BitstreamError: the file is damaged.
        ImageError: there is more than a file can hold.
    """
    header, payload = container.read_header(file)
    return container.write(dataclasses.replace(header, metadata=section(metadata)), payload)


def read(header: container.Header) -> Metadata:
    """The metadata of a file whose header was read; empty where it holds none.

    Raises:
        BitstreamError: the section is damaged.
    """
    if not header.metadata:
        return Metadata()
    try:
        rest = deflate.Reader(header.metadata).rest(MAX_METADATA)
    except deflate.DeflateError as error:
        raise BitstreamError("The metadata of the file is damaged; get the file again.") from error
    parts = []
    for _ in range(2):
        length = int.from_bytes(rest[:4], "little")
        if len(rest) < 4 + length:
            raise BitstreamError("The metadata of the file is cut short; get the file again.")
        parts.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    return Metadata(*parts)
