"""The payload of a file: the integers of a latent as one byte and Deflate streams.

integers ──► mean and width of each (`predictor`) ──► symbol (`residuals`) ──┐
payload  ◄── Deflate (`deflate`) ◄── Tunstall codes (`band_bytes`) ◄─────────┘
"""

from itertools import chain

import numpy as np

from sdae.coding import band_bytes, deflate
from sdae.coding.coding_order import band_rows, bands, stacked
from sdae.coding.container import PLAIN, BitstreamError
from sdae.coding.deflate import DeflateError
from sdae.coding.latent import live_channels
from sdae.coding.predictor import walk
from sdae.coding.residuals import Survey, cells, integers, survey
from sdae.coding.tables import Tables
from sdae.threads import in_one_blas_thread, one_blas_thread


def stored(values) -> np.ndarray:
    """Whole numbers as files hold them, int16; larger ones become the largest."""
    return np.clip(values, -32768, 32767).astype("int16")


def encode(
    values: np.ndarray, quality_code: int, tables: Tables, met: Survey | None = None
) -> bytes:
    """Integers → payload.

    Args:
        values: (h, w, C) integers within int16, h and w at least 1.
        quality_code: quality in hundredths, 100 to 10000; `decode` needs the same.
        tables: the context tables of the weights.
        met: what a walk of these integers met, if they are one band and were walked before.
    """
    c = values.shape[2]
    if c != tables.channels:
        raise ValueError(f"The latent has {c} channels and the tables are for {tables.channels}.")
    live = live_channels(values)
    if not live:
        return b"\0"
    if met is None:
        return encode_bands(bands(values), quality_code, tables, live)
    return _packed([met.symbols(live)], tables, live)


@one_blas_thread()
def encode_bands(values, quality_code: int, tables: Tables, live: int | None = None) -> bytes:
    """As `encode`, for the `bands` of a latent as they come one after another.

    ``live``: how many leading channels are not all zero, where that is known beforehand.
    """
    live = live or tables.channels
    return _packed((survey(band, quality_code, tables, live) for band in values), tables, live)


def _packed(surveyed, tables, live):
    writer = deflate.Writer(tables.presets)
    for cell, symbol in surveyed:
        writer.add(band_bytes.pack(cell, symbol, tables))
    return bytes([live]) + writer.getvalue()


def decode(payload: bytes, h: int, w: int, quality_code: int, tables: Tables) -> np.ndarray:
    """Payload → the integers that `encode` packed, (h, w, C) int16.

    Raises:
        DeflateError: the payload is damaged or belongs to another size.
    """
    return stacked(decode_bands(payload, h, w, quality_code, tables), h)


def decode_bands(payload: bytes, h: int, w: int, quality_code: int, tables: Tables):
    """As `decode`, but yields one of the `bands` after another."""
    if payload == b"\0":
        for rows in band_rows(h, w):
            yield np.zeros((rows, w, tables.channels), "int16")
        return
    if len(payload) < 2 or not 0 < payload[0] <= tables.channels:
        raise DeflateError("The packed integers are damaged.")
    live, content, left = payload[0], deflate.Reader(payload[1:], tables.presets), h
    for rows in band_rows(h, w):
        symbols, left = band_bytes.unpack(content, rows * w * live, tables), left - rows
        if not left:
            content.rest()
        yield _decoded(rows, w, quality_code, tables, live, symbols)


def _decoded(h, w, quality_code, tables, live, symbols):
    lookup, queues = tables.buckets.ravel(), band_bytes.Queues(symbols)

    def next_integers(places, channels, mean, width):
        cell, nearest, above = cells(mean, width)
        symbol = queues.take(lookup.take(cell.ravel())).reshape(cell.shape)
        return integers(symbol, nearest, above)

    values = walk((h, w), quality_code, tables, live, next_integers)
    if values.min() < -32768 or values.max() > 32767:
        raise DeflateError("The packed integers are out of range.")
    return values.astype("int16")


def read(mode: int, payload: bytes, size: tuple[int, int], quality_code: int, tables: Tables):
    """Payload → an iterator over the integers, one band after another, (n, w, C) int16.

    The first band is decoded at once, so that a payload of nonsense is refused before anybody takes
    memory for the picture that its header claims.

    ``size``: (h, w) of the latent.

    Raises:
        BitstreamError: the payload is damaged or belongs to another size.
    """
    if mode == PLAIN:
        decoded = deflate.plain_bands(payload, *size, tables.channels)
    else:
        decoded = in_one_blas_thread(decode_bands(payload, *size, quality_code, tables))
    decoded = _refused(decoded)
    return chain([next(decoded)], decoded)


def _refused(decoded):
    """The bands of an iterator, damage as a BitstreamError."""
    try:
        yield from decoded
    except DeflateError as error:
        raise BitstreamError(f"The file is damaged: {error}") from error
