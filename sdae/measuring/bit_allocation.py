"""Where a .sdae file spends its bits, integer by integer.

One byte of the stream may hold several integers, whose bits are shared out by their information.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdae.coding import band_bytes, coding_order, deflate_reader, latent_coder, parse_codes, ranking
from sdae.coding.predictor import Predictor

SQUARE = 8
"""Side in pixels of the squares that the bits are counted for."""


@dataclass(frozen=True)
class Allocation:
    """Where the bytes of a payload went; the parts add up to its length.

    Attributes:
        bits: (h, w, C) float64, bits spent on each integer of the latent.
        tables: bytes of block headers, Huffman tables among them.
        frame: bytes of what marks ends of blocks and buckets, and of the number of channels and
            the layouts.
    """

    bits: np.ndarray
    tables: float
    frame: float

    @property
    def channels(self) -> np.ndarray:
        """(C,) bytes spent on each channel."""
        return self.bits.sum((0, 1)) / 8

    @property
    def squares(self) -> np.ndarray:
        """(h, w) bits spent on each square of 8×8 pixels."""
        return self.bits.sum(2)

    @property
    def total(self) -> float:
        return float(self.bits.sum()) / 8 + self.tables + self.frame


def of_latent(codec, latent) -> Allocation:
    """Where each byte of a latent's payload goes.

    The stream is read symbol by symbol. A packed byte holds integers of several places: the bits
    of a bucket are shared out in proportion to the information of each integer among those of its
    bucket, those of the escapes evenly among the integers that escaped.

    Args:
        codec, latent: a `sdae.Codec` and a `sdae.Latent`.
    """
    code, tables = round(latent.quality * 100), codec.tables
    payload = latent_coder.encode(latent.values, code, tables)
    spent = np.zeros(latent.values.size)
    if payload == b"\0":
        return Allocation(spent.reshape(latent.values.shape), 0.0, 1.0)
    live = payload[0]
    blocks = deflate_reader.read(payload[1:])
    content = deflate_reader.replay(blocks)
    symbols = [token for block in blocks for token in block.tokens if token.size]
    sizes = [token.size for token in symbols]
    bits = np.repeat([len(token.bits) / token.size for token in symbols], sizes)
    start = first = 0
    for band in coding_order.bands(latent.values):
        cell, rank = ranking.survey(band, code, tables, live)
        layout, _, stop = band_bytes.unpack(content, start, len(rank), tables)
        start += 1
        place = first + _places(band, tables, live)
        bucket, escaped = tables.buckets[layout].ravel().take(cell), np.zeros(len(rank), bool)
        for number, tree in enumerate(band_bytes.forest(tables, layout)[0].trees):
            end = content.index(parse_codes.END, start)
            mine = np.flatnonzero(bucket == number)
            symbol = np.minimum(rank[mine], tree.escape)
            escaped[mine] = symbol == tree.escape
            tally = np.bincount(symbol, minlength=tree.escape + 1)
            # One more than counted, so that the only symbol of a bucket is not free.
            information = np.log2((len(mine) + 1) / np.maximum(tally, 1))[symbol]
            _share(spent, place[mine], information, bits[start:end].sum())
            start = end + 1
        _share(spent, place[escaped], np.ones(escaped.sum()), bits[start:stop].sum())
        start, first = stop, first + band.size
    headers = sum(block.header_bits for block in blocks)
    frame = 8 * len(payload) - headers - spent.sum()
    return Allocation(spent.reshape(latent.values.shape), headers / 8, frame / 8)


def _share(spent, place, weights, bits):
    if len(place):
        spent[place] += bits * weights / weights.sum()


def _places(band, tables, live):
    """The place of every integer in the band, row by row, in the order they are coded in."""
    predictor = Predictor(*band.shape[:2], 100, tables, live)
    places = []
    for group, start, stop, _ in predictor.plan:
        own = predictor.slices[group]
        channels = np.arange(own.start, min(live, own.stop))
        position = predictor.steps.order[start:stop, None]
        places.append((position * band.shape[2] + channels).ravel())
    return np.concatenate(places)
