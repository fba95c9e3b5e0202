"""PNG files (PNG Specification, Third Edition, 2025) where Pillow stops short of what viewers show."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, PngImagePlugin

_LARGEST_PROFILE = 16 << 20
# Bytes of an ICC profile that are inflated. Pillow takes 1 MiB, profiles of printers have more.

# Ancillary chunks that stand alone, so that Pillow can be asked about each. It inflates at most
# 1 MiB of a text and 64 MiB of all, and refuses the whole file for more.
_ASKED = {b"tEXt", b"zTXt", b"iTXt", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tRNS", b"eXIf"}


def opened(data: bytes) -> PngImagePlugin.PngImageFile:
    """The header of a PNG file as a Pillow image, its pixels not decoded yet.

    Chunks that no pixel depends on are passed over where their checksum or their content is
    wrong, or where they hold more text than Pillow takes, as viewers do. Its `info` also holds
    `cicp`, the 4 bytes of such a chunk, and a long `icc_profile`.

    Raises:
        Exception: whatever Pillow raises on damaged data.
    """
    view, kept, told, faulty, end = memoryview(data), [memoryview(data)[:8]], {}, False, 8
    stream = PngImagePlugin.PngStream(io.BytesIO())
    for kind, start, end in _chunks(data):
        body, check = view[start + 8 : end - 4], view[end - 4 : end]
        if kind[:1].isupper() or kind in (b"acTL", b"fcTL", b"fdAT"):
            good = True
            if kind == b"IHDR":
                _taken(stream, kind, body)
        elif zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(check, "big"):
            good = False
        elif kind == b"iCCP":
            good = _taken(stream, kind, body)
            if not stream.im_info.get("icc_profile"):
                told["icc_profile"] = _profile(bytes(body))
        elif kind == b"cICP":
            told["cicp"], good = bytes(body), True
        else:
            good = kind not in _ASKED or _taken(stream, kind, body)
        if good:
            kept.append(view[start:end])
        faulty |= not good
    image = PngImagePlugin.PngImageFile(
        io.BytesIO(b"".join([*kept, view[end:]]) if faulty else data)
    )
    image.info |= told
    return image


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
        low, high = np.asarray(low), np.asarray(image)
        levels = np.array(clear, np.uint16)
        same = ((low == levels % 256) & (high == levels // 256)).all(-1)
        del image.info["transparency"]
        image.putalpha(Image.fromarray(np.where(same, 0, 255).astype(np.uint8)))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each whole chunk."""
    start = 8
    while start + 12 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        if end > len(data):
            return
        yield data[start + 4 : start + 8], start, end
        start = end


def _taken(stream: PngImagePlugin.PngStream, kind: bytes, body: memoryview) -> bool:
    stream.fp = io.BytesIO(body)
    try:
        stream.call(kind, 0, len(body))
    except Exception:  # a parser may raise anything on hostile data
        return False
    return True


def _profile(body: bytes) -> bytes:
    """The ICC profile of an iCCP chunk: name, zero, method, zlib stream; or what there is of it."""
    packed = body[body.find(b"\0") + 2 :]
    try:
        return zlib.decompressobj().decompress(packed, _LARGEST_PROFILE)
    except zlib.error:
        return packed
