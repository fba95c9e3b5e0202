"""The payload of a file: the integers of a latent as one byte and a Deflate stream.

integers ──► mean and width of each (`predictor`) ──► rank (`ranking`) ──┐
payload  ◄── Deflate (`deflate`) ◄── bytes of words (`band_bytes`) ◄─────┘
"""

import bisect

import numpy as np

from sdae.coding import band_bytes, deflate
from sdae.coding.coding_order import band_rows, bands, stacked
from sdae.coding.container import PLAIN, BitstreamError
from sdae.coding.deflate import DeflateError
from sdae.coding.predictor import Predictor
from sdae.coding.ranking import cells, offsets, survey
from sdae.coding.tables import Tables
from sdae.threads import in_one_blas_thread, one_blas_thread

_SIZES = 300, 9_000, 200_000
_LAYOUTS = 1, 3, 5, 6
# The layout that serves best up to each of these numbers of integers other than 0, and above.

_FEW = 4_000
# Up to so many integers other than 0 the layouts beside that one are tried as well. They save 0.7 %
# of a file of 500 bytes and 0.2 % of one of 2,700 (validation photographs at 128×128).


def stored(values) -> np.ndarray:
    """Whole numbers as files hold them, int16; larger ones become the largest."""
    return np.clip(values, -32768, 32767).astype("int16")


@one_blas_thread()
def encode(values: np.ndarray, quality_code: int, tables: Tables, effort: int = 0) -> bytes:
    """Integers → payload.

    Args:
        values: (h, w, C) integers within int16, h and w at least 1.
        quality_code: quality in hundredths, 100 to 10000; `decode` needs the same.
        tables: the context tables of the weights.
        effort: 0 is fast; 1 and more also try slower encodings of the same stream.
    """
    c = values.shape[2]
    if c != tables.channels:
        raise ValueError(f"The latent has {c} channels and the tables are for {tables.channels}.")
    used = np.flatnonzero(values.any((0, 1)))
    if not len(used):
        return b"\0"
    live, parts = int(used[-1]) + 1, bands(values)
    if len(parts) > 1:
        return encode_bands(parts, quality_code, tables, effort, live)
    segments = _segments(values, quality_code, tables, live, effort)
    stream = min(deflate.write(segments, effort), deflate.squeeze(segments), key=len)
    return bytes([live]) + stream


@one_blas_thread()
def encode_bands(
    parts, quality_code: int, tables: Tables, effort: int = 0, live: int | None = None
) -> bytes:
    """As `encode`, for the `bands` of a latent as they come one after another.

    ``live``: how many leading channels are not all zero, where that is known beforehand.
    """
    live = live or tables.channels
    writer = deflate.Writer(effort)
    for part in parts:
        writer.add(_segments(part, quality_code, tables, live, effort))
    return bytes([live]) + writer.getvalue()


def _segments(band, quality_code, tables, live, effort):
    """A band → the segments for Deflate, of the usual layout or, where few integers make the trial
    cheap, of the cheapest beside it; with effort of the cheapest of all."""
    found = survey(band, quality_code, tables, live)
    count, last = np.count_nonzero(band), len(tables.words) - 1
    usual = min(_LAYOUTS[bisect.bisect(_SIZES, count)], last)
    if effort:
        tried = range(last + 1)
    elif count < _FEW:
        tried = range(max(0, usual - 1), min(last, usual + 1) + 1)
    else:
        return band_bytes.pack(*found, tables, usual)
    packed = (band_bytes.pack(*found, tables, layout) for layout in tried)
    return min(packed, key=lambda segments: deflate.cost(segments, effort))


def decode(payload: bytes, h: int, w: int, quality_code: int, tables: Tables) -> np.ndarray:
    """Payload → the integers that `encode` packed, (h, w, C) int16.

    Raises:
        DeflateError: the payload is damaged or belongs to another size.
    """
    return stacked(decode_bands(payload, h, w, quality_code, tables), h)


def decode_bands(payload: bytes, h: int, w: int, quality_code: int, tables: Tables):
    """As `decode`, but yields one of the `bands` after another."""
    sizes = band_rows(h, w)
    if payload == b"\0":
        for rows in sizes:
            yield np.zeros((rows, w, tables.channels), "int16")
        return
    if len(payload) < 2 or not 0 < payload[0] <= tables.channels:
        raise DeflateError("The packed integers are damaged.")
    live = payload[0]
    # A byte of a bucket stands for one integer at least; an escape takes six more bytes at most.
    limit = 7 * h * w * live + len(sizes) * (tables.words.shape[1] + 1)
    content, position = deflate.inflate(payload[1:], limit), 0
    while sizes:
        rows = sizes.pop(0)
        layout, streams, position = band_bytes.unpack(content, position, rows * w * live, tables)
        if not sizes:
            if position < len(content):
                raise DeflateError("The packed integers are more than the picture has room for.")
            del content  # a hostile one may be large
        yield _decoded(rows, w, quality_code, tables, live, layout, band_bytes.Queues(streams))


def _decoded(h, w, quality_code, tables, live, layout, queues):
    lookup = tables.buckets[layout].ravel()
    predictor = Predictor(h, w, quality_code, tables, live)
    rows = np.zeros((h * w, tables.channels), "int32")
    for step in predictor.plan:
        group, start, stop, _ = step
        own = predictor.slices[group]
        expected, width = predictor.predict(*step)
        kept = min(live, own.stop) - own.start
        cell, nearest, above = cells(expected[:, :kept], width[:, :kept])
        rank = queues.take(lookup.take(cell.ravel()))
        offset = offsets(rank).reshape(-1, kept)
        known = rows[start:stop, own]
        known[:, :kept] = nearest + np.where(above, offset, -offset)
        predictor.fill(*step, known)
    if rows.min() < -32768 or rows.max() > 32767:
        raise DeflateError("The packed integers are out of range.")
    values = np.empty(rows.shape, "int16")
    values[predictor.steps.order] = rows
    return values.reshape(h, w, -1)


def read(mode: int, payload: bytes, size: tuple[int, int], quality_code: int, tables):
    """Payload → the integers of one band after another, (n, w, C) int16.

    Args:
        size: (h, w) of the latent.

    Raises:
        BitstreamError: the payload is damaged or belongs to another size.
    """
    try:
        if mode == PLAIN:
            yield deflate.unplain(payload, *size, tables.channels)
        else:
            found = decode_bands(payload, *size, quality_code, tables)
            yield from in_one_blas_thread(found)
    except DeflateError as error:
        raise BitstreamError(f"The file is damaged: {error}") from error
