"""The .sdae container: a short header before one payload.

    offset  bytes  field
    0       3      magic "SDA"
    3       1      version, 3
    4       4      model id: the first bytes of the weights' SHA-256
    8       1      mode: 0 plain (the original's int8 + Deflate), 1 contexts + Deflate;
                   bit 7 set: metadata stands before the payload
    9       1–3    width, LEB128 varint
    …       1–3    height, LEB128 varint
    …       2      quality × 100, little endian
    …       4      CRC-32 (RFC 1952) of everything before and after it, little endian
    …              metadata, only where bit 7 of the mode says so: its length in bytes as a
                   varint of 1–3 bytes, then so many bytes, see `sdae.pictures.metadata`
    …              payload, to the end of the file

A 128×128 picture has a header of 19 bytes. Every field is checked before memory is taken. Varints are
written here, as neither Python nor NumPy has them.
"""

import zlib
from dataclasses import dataclass

MAGIC = b"SDA"
VERSION = 3
PLAIN, CONTEXTS = 0, 1
MAX_SIDE = 65535
"""Longest side in pixels that a file may state."""

MAX_METADATA = 1 << 20
"""Most bytes of metadata that a file may hold."""

_METADATA = 0x80


class BitstreamError(ValueError):
    """The bytes are no intact .sdae file that this codec can read."""


@dataclass(frozen=True)
class Header:
    """What stands before the payload.

    Attributes:
        model_id: 4 bytes, the first of the weights' SHA-256.
        mode: PLAIN or CONTEXTS.
        width, height: size of the picture in pixels, 1 to 65535.
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
            raise BitstreamError("The file ends inside its header; it was cut short, get it again.")
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
    return data[:3] == MAGIC and data[3:4] < b" "


def read_header(data: bytes, max_pixels: int | None = None) -> tuple[Header, bytes]:
    """The bytes of a whole file → header and payload, every check passed.

    ``max_pixels``: pictures of more are refused.

    Raises:
        BitstreamError: not a .sdae file, another version, truncated or altered bytes, or too large.
    """
    if not begins(data):
        raise BitstreamError("This is not a .sdae file; choose one that this codec has written.")
    if len(data) < 17:
        raise BitstreamError("The file ends inside its header; it was cut short, get it again.")
    if data[3] != VERSION:
        raise BitstreamError(
            f"The file has format version {data[3]} and this codec reads version {VERSION}; "
            "update sdae."
        )
    width, at = _read_varint(data, 9)
    height, at = _read_varint(data, at)
    if len(data) < at + 6:
        raise BitstreamError("The file ends inside its header; it was cut short, get it again.")
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
