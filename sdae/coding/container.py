"""The .sdae container: a short header before one payload, as docs/format.md lays it out.

A 128×128 picture has a header of 19 bytes. Every field is checked before memory is taken. Varints are
written here, as neither Python nor NumPy has them.
"""

import zlib
from dataclasses import dataclass

MAGIC = b"SDA"
VERSION = 4
PLAIN, CONTEXTS = 0, 1
"""How a payload is packed: as the original work did, or by `sdae.coding.latent_coder`."""

MAX_SIDE = 16_384
"""Longest side in pixels that a file may state."""

MAX_METADATA = 1 << 20
"""Most bytes of metadata that a file may hold."""

_METADATA = 0x80
_VERSIONS = range(1, 9)
# Other bytes after the magic are those of a text that happens to begin with these letters.

_CUT_SHORT = "The file ends inside its header; it was cut short, get it again."


class BitstreamError(ValueError):
    """The bytes are no intact .sdae file that this codec can read."""


@dataclass(frozen=True)
class Header:
    """What stands before the payload.

    Attributes:
        model_id: 4 bytes, the first of the weights' SHA-256.
        mode: PLAIN or CONTEXTS.
        width, height: size of the picture in pixels, 1 to `MAX_SIDE`.
        quality_code: quality × 100, 100 to 10000.
        metadata: what `sdae.pictures.metadata` packed, at most `MAX_METADATA` bytes; empty where
            the file holds none.
    """

    model_id: bytes
    mode: int
    width: int
    height: int
    quality_code: int
    metadata: bytes = b""

    @property
    def quality(self) -> float:
        return self.quality_code / 100

    @property
    def coding(self) -> str:
        """How the payload is packed: "contexts", or "plain" as the original work did."""
        return "plain" if self.mode == PLAIN else "contexts"


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in (0, 7, 14):
        if at >= len(data):
            raise BitstreamError(_CUT_SHORT)
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise BitstreamError("The header states an impossible size; the file is damaged, get it again.")


def write(header: Header, payload: bytes) -> bytes:
    """Header and payload → the bytes of a whole file."""
    head = (
        MAGIC
        + bytes([VERSION])
        + header.model_id
        + bytes([header.mode | (_METADATA if header.metadata else 0)])
        + _varint(header.width)
        + _varint(header.height)
        + header.quality_code.to_bytes(2, "little")
    )
    if header.metadata:
        payload = _varint(len(header.metadata)) + header.metadata + payload
    return head + zlib.crc32(payload, zlib.crc32(head)).to_bytes(4, "little") + payload


def begins(data: bytes) -> bool:
    """Whether bytes begin as a .sdae file of any version does; a text that begins so does not."""
    return data[:3] == MAGIC and (len(data) == 3 or data[3] in _VERSIONS)


def read_header(data: bytes, max_pixels: int | None = None) -> tuple[Header, bytes]:
    """The bytes of a whole file → header and payload, every check passed.

    ``max_pixels``: pictures of more are refused.

    Raises:
        BitstreamError: not a .sdae file, another version, truncated or altered bytes, or too large.
    """
    if not begins(data):
        raise BitstreamError("This is not a .sdae file; choose one that this codec has written.")
    if len(data) < 17:
        raise BitstreamError(_CUT_SHORT)
    if data[3] < VERSION:
        raise BitstreamError(
            f"The file has format version {data[3]}, of before release 1.0, which this sdae does not "
            "read; make it again from the picture."
        )
    if data[3] > VERSION:
        raise BitstreamError(
            f"The file has format version {data[3]} and this sdae reads version {VERSION}; "
            "update sdae."
        )
    width, at = _read_varint(data, 9)
    height, at = _read_varint(data, at)
    if len(data) < at + 6:
        raise BitstreamError(_CUT_SHORT)
    quality_code = int.from_bytes(data[at : at + 2], "little")
    check = int.from_bytes(data[at + 2 : at + 6], "little")
    payload = data[at + 6 :]
    if zlib.crc32(payload, zlib.crc32(data[: at + 2])) != check:
        raise BitstreamError("The file is damaged or cut short: its checksum does not match.")
    mode = data[8] & ~_METADATA
    if mode not in (PLAIN, CONTEXTS):
        raise BitstreamError(f"The file uses coding mode {mode}, unknown here; update sdae.")
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise BitstreamError(f"The file states a size of {width}×{height}, which no picture has.")
    if max_pixels is not None and width * height > max_pixels:
        raise BitstreamError(
            f"The file holds {width}×{height} pixels, more than the {max_pixels / 1e6:g} million "
            "that are restored here; use `sdae decompress` on a machine with more memory."
        )
    if not 100 <= quality_code <= 10000:
        raise BitstreamError("The file states a quality outside 1 to 100; it is damaged.")
    metadata = b""
    if data[8] & _METADATA:
        length, begin = _read_varint(payload, 0)
        if not 1 <= length <= min(MAX_METADATA, len(payload) - begin):
            raise BitstreamError("The file states an impossible size of its metadata.")
        metadata, payload = payload[begin : begin + length], payload[begin + length :]
    return Header(data[4:8], mode, width, height, quality_code, metadata), payload
