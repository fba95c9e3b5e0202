"""PNG files (PNG Specification, Third Edition, 2025) where Pillow stops short of what viewers show."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, PngImagePlugin

_LARGEST_PROFILE = 16 << 20
# Bytes of an ICC profile that are inflated. Pillow takes 1 MiB, profiles of printers have more.

_MOST_CHUNKS = 1_000_000
# Programs write one for every 8 KiB of packed pixels; each takes some microseconds to look at.

# Ancillary chunks that stand alone, so that Pillow can be asked about each. It inflates at most
# 1 MiB of a text and 64 MiB of all, and refuses the whole file for more.
_ASKED = set(b"IHDR iCCP tEXt zTXt iTXt gAMA cHRM sRGB pHYs tRNS eXIf".split())
_FRAMES = {b"acTL", b"fcTL", b"fdAT"}  # of an animation; they hang together


def opened(data: bytes) -> PngImagePlugin.PngImageFile:
    """The header of a PNG file as a Pillow image, its pixels not decoded yet.

    Chunks that no pixel depends on are passed over where their checksum or their content is
    wrong, or where they hold more text than Pillow takes, as viewers do. Its `info` also holds
    `cicp`, the 4 bytes of such a chunk, and a long `icc_profile`.

    Raises:
        Exception: whatever Pillow raises on damaged data.
    """
    view, stream, told, faulty = memoryview(data), _Stream(), {}, []
    for kind, start, end in _chunks(data):
        body = bytes(view[start + 8 : end - 4]) if kind != b"IDAT" else b""
        if kind == b"IHDR":
            stream.takes(kind, body)  # as what tRNS means depends on it
        if kind[:1].isupper() or kind in _FRAMES:
            continue
        check = int.from_bytes(view[end - 4 : end], "big")
        intact = zlib.crc32(body, zlib.crc32(kind)) == check
        if not intact or not stream.takes(kind, body):
            faulty.append((start, end))
        if intact and kind == b"cICP" and len(body) == 4:
            told["cicp"] = body
        elif intact and kind == b"iCCP" and not stream.im_info.get("icc_profile"):
            told["icc_profile"] = _profile(body)
    image = PngImagePlugin.PngImageFile(io.BytesIO(_without(faulty, data)))
    image.info |= told
    return image


class _Stream(PngImagePlugin.PngStream):
    """Pillow's reader of chunks, to be asked what it makes of one."""

    def __init__(self):
        super().__init__(io.BytesIO())

    def takes(self, kind: bytes, body: bytes) -> bool:
        self.fp = io.BytesIO(body)
        try:
            if kind in _ASKED:
                self.call(kind, 0, len(body))
        except Exception:  # a parser may raise anything on hostile data
            return False
        return True


def _without(faulty: list[tuple[int, int]], data: bytes) -> bytes:
    """The bytes outside some spans of them."""
    if not faulty:
        return data
    edges = [0, *(edge for span in faulty for edge in span), len(data)]
    return b"".join(memoryview(data)[a:b] for a, b in zip(edges[::2], edges[1::2]))


def put_right(image: PngImagePlugin.PngImageFile) -> None:
    """Bring the transparent colour to the scale of the samples that Pillow decodes.

    The file states it at its own depth (section 11.3.1.1). Samples of 2 and 4 bits are decoded to
    8, those of 16 bits in colour are cut to 8: there the whole samples are compared, and `image`
    is decoded to RGBA. An image whose pixels are decoded already is left as it is.
    """
    clear = image.info.get("transparency")
    raw = image.tile[0].args if image.tile else None
    if clear is None or raw is None or image.fp is None:
        return
    if raw in ("L;2", "L;4"):
        depth = int(raw[-1])
        image.info["transparency"] = (clear & (2**depth - 1)) * (255 // (2**depth - 1))
    elif raw in ("L", "RGB"):
        image.info["transparency"] = clear & 255 if raw == "L" else tuple(c & 255 for c in clear)
    elif raw == "RGB;16B":
        at = image.fp.tell()
        image.fp.seek(0)
        low = PngImagePlugin.PngImageFile(io.BytesIO(image.fp.read()))
        image.fp.seek(at)
        # Read in the other order of bytes, what is cut off is the upper half.
        low.tile = [low.tile[0]._replace(args="RGB;16L")]
        opaque = np.empty((image.height, image.width), np.uint8)
        for top in range(0, image.height, 256):  # strips spare memory
            rows = 0, top, image.width, min(top + 256, image.height)
            upper, lower = (np.asarray(part.crop(rows)).astype(np.uint16) for part in (image, low))
            opaque[top : rows[3]] = np.where(((upper << 8 | lower) == clear).all(-1), 0, 255)
        del image.info["transparency"]
        image.putalpha(Image.fromarray(opaque))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each whole chunk."""
    start = 8
    for _ in range(_MOST_CHUNKS):
        if start + 12 > len(data):
            return
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        if end > len(data):
            return
        yield data[start + 4 : start + 8], start, end
        start = end
    raise ValueError("too many chunks")


def _profile(body: bytes) -> bytes:
    """The ICC profile of an iCCP chunk: name, zero, method, zlib stream; or what there is of it."""
    packed = body[body.find(b"\0") + 2 :]
    try:
        return zlib.decompressobj().decompress(packed, _LARGEST_PROFILE)
    except zlib.error:
        return packed
