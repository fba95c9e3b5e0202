"""Integers ↔ Deflate streams (RFC 1951), raw: no zlib or gzip wrapper around them.

Reading is zlib's business, with the size checked before memory is taken.
"""

import zlib

import numpy as np

_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)
_INT8, _INT16 = 0, 1


class DeflateError(ValueError):
    """Packed integers that are damaged or belong to another latent."""


def inflate(data: bytes, limit: int) -> bytes:
    """The content of one raw Deflate stream.

    Args:
        data: the stream, nothing before and nothing after it.
        limit: most bytes that the content may have; no more memory than that is taken.

    Raises:
        DeflateError: the stream is damaged, cut short, followed by something, or too long.
    """
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = reader.decompress(data, limit + 1)
    except zlib.error as error:
        raise DeflateError("The packed integers are damaged.") from error
    if len(content) > limit:
        raise DeflateError("The packed integers are more than the picture has room for.")
    if not reader.eof or reader.unused_data:
        raise DeflateError("The packed integers are cut short or followed by something else.")
    return content


def plain(values: np.ndarray) -> bytes:
    """Pack integers as the original work did: one after another, then zlib.

    Args:
        values: (h, w, C) integers within int16.

    Returns:
        one byte, 0 for 8-bit and 1 for little-endian 16-bit integers, and the shortest raw stream
        that zlib's strategies make of them at level 9.
    """
    wide = values.size > 0 and (values.min() < -128 or values.max() > 127)
    raw = values.astype("<i2" if wide else "i1").tobytes()
    return bytes([_INT16 if wide else _INT8]) + min(
        (_zlib(raw, strategy) for strategy in _STRATEGIES), key=len
    )


def unplain(data: bytes, h: int, w: int, channels: int) -> np.ndarray:
    """The integers that `plain` packed: (h, w, channels) int16.

    Raises:
        DeflateError: ``data`` is damaged or holds another number of integers.
    """
    if data[:1] not in (bytes([_INT8]), bytes([_INT16])):
        raise DeflateError("The packed integers are damaged.")
    kind = np.dtype("i1" if data[0] == _INT8 else "<i2")
    size = h * w * channels
    content = inflate(data[1:], size * kind.itemsize)
    if len(content) != size * kind.itemsize:
        raise DeflateError("The packed integers are fewer than the picture has room for.")
    return np.frombuffer(content, kind).astype("int16").reshape(h, w, channels)


def _zlib(raw, strategy):
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
    return packer.compress(raw) + packer.flush()
