"""What Pillow leaves unread of files made of boxes (ISO/IEC 14496-12, 15444-1) and of BMP files.

Which kind of file it is, and what it says of its colours.
"""

from __future__ import annotations

from collections.abc import Iterator

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
"""Brands of pictures and sequences coded by HEVC (ISO/IEC 23008-12, annex B)."""

AVIF_BRANDS = {b"avif", b"avis"}

_MOST_BOXES = 10_000
# That are looked at in one box: a file of a hundred megabytes can hold millions.


def brands(data: bytes) -> list[bytes]:
    """The brands that a file says it is readable as, the major one first; none for other files."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return [data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))]


def colours(kind: str, data: bytes) -> dict:
    """What a file says of its colours and Pillow does not tell, as it would stand in `Image.info`.

    Args:
        kind: Pillow's name of the format.
        data: the whole file.

    Returns:
        `nclx`, the code points of primaries and transfer (ITU-T H.273) of an AVIF or HEIC file;
        `icc_profile` of a JPEG 2000 or BMP file; `jp2_space`, the number of a JPEG 2000 file's
        enumerated space. Nothing that the file does not say.
    """
    if kind in ("AVIF", "HEIF"):
        for body in _colour_boxes(data, b"meta", 4, b"iprp", b"ipco"):
            if body[:4] == b"nclx" and len(body) >= 8:
                return {
                    "nclx": (int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:8], "big"))
                }
    if kind == "JPEG2000":
        for body in _colour_boxes(data, b"jp2h", 0):
            if body[:1] in (b"\2", b"\3"):  # method; then precedence and approximation
                return {"icc_profile": body[3:]}
            if body[:1] == b"\1":
                return {"jp2_space": int.from_bytes(body[3:7], "big")}
    if kind == "BMP" and data[14] == 124 and data[70:74] == b"DEBM":  # PROFILE_EMBEDDED
        at, length = (int.from_bytes(data[i : i + 4], "little") for i in (126, 130))
        return {"icc_profile": data[14 + at : 14 + at + length]}
    return {}


def _colour_boxes(data: bytes, outer: bytes, skip: int, *inner: bytes) -> Iterator[bytes]:
    """The content of each `colr` box inside the boxes named; `skip` bytes stand in the outermost."""
    spans = [
        (start + skip, end) for kind, start, end in _boxes(data, 0, len(data)) if kind == outer
    ]
    for name in inner:
        spans = [
            (start, end)
            for span in spans
            for kind, start, end in _boxes(data, *span)
            if kind == name
        ]
    for span in spans:
        for kind, start, end in _boxes(data, *span):
            if kind == b"colr":
                yield data[start:end]


def _boxes(data: bytes, at: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box."""
    for _ in range(_MOST_BOXES):
        if at + 8 > stop:
            return
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        end = stop if size == 0 else at + size
        if end < start or end > stop:
            return
        yield data[at + 4 : at + 8], start, end
        at = end
