"""Where a file spends its bits: ours integer by integer, JPEG square by square.

Nothing is estimated for JPEG: its entropy-coded data are read code by code. In a .sdae file one
byte of the stream may hold several integers, whose bits are shared out by their information.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdae.coding import band_bytes, coding_order, deflate_reader, latent_coder, residuals, tunstall
from sdae.coding.predictor import Predictor
from sdae.measuring import peers

SQUARE = 8
"""Side in pixels of the squares that the bits are counted for, in both codecs."""


@dataclass(frozen=True)
class Allocation:
    """Where the bytes of a payload went; the parts add up to its length.

    Attributes:
        bits: (h, w, C) float64, bits spent on each integer of the latent.
        tables: bytes of block headers, Huffman tables among them.
        frame: bytes of what marks ends of blocks and buckets, and of the number of channels.
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
    *own, last = band_bytes.codes(tables)
    for band in coding_order.bands(latent.values):
        cell, symbol = residuals.survey(band, code, tables, live)
        place = first + _places(band, tables, live)
        bucket, beyond = tables.buckets.ravel().take(cell), np.full(len(symbol), -1)
        for number, tunstall_code in enumerate(own):
            end = content.index(tunstall.END, start)
            mine = np.flatnonzero(bucket == number)
            beyond[mine] = symbol[mine] - tunstall_code.escape
            kept = np.minimum(symbol[mine], tunstall_code.escape)
            tally = np.bincount(kept, minlength=tunstall_code.escape + 1)
            # One more than counted, so that the only symbol of a bucket is not free.
            information = np.log2((len(mine) + 1) / np.maximum(tally, 1))[kept]
            _share(spent, place[mine], information, bits[start:end].sum())
            start = end + 1
        stop = content.index(tunstall.END, start)
        far = stop + 1 + 4 * np.count_nonzero(beyond >= last.escape)
        escaped = beyond >= 0
        paid = bits[start:stop].sum() + bits[stop + 1 : far].sum()
        _share(spent, place[escaped], np.ones(escaped.sum()), paid)
        start, first = far, first + band.size
    headers = sum(block.header_bits for block in blocks)
    frame = 8 * len(payload) - headers - spent.sum()
    return Allocation(spent.reshape(latent.values.shape), headers / 8, frame / 8)


def _share(spent, place, weights, bits):
    if len(place):
        spent[place] += bits * weights / weights.sum()


def _places(band, tables, live):
    """The place of every integer in the band, row by row, in the order they are coded in."""
    predictor = Predictor(*band.shape[:2], 100, tables, live)
    found = []
    for group, start, stop, _ in predictor.plan:
        own = predictor.slices[group]
        channels = np.arange(own.start, min(live, own.stop))
        position = predictor.steps.order[start:stop, None]
        found.append((position * band.shape[2] + channels).ravel())
    return np.concatenate(found)


# --- JPEG -------------------------------------------------------------------------------------


def sequential_jpeg(rgb: np.ndarray, budget: int) -> peers.Encoded | None:
    """The best JPEG file of one scan in at most ``budget`` bytes, as `peers.at_bytes`.

    A progressive file spreads a square over many scans, so it has no such map.
    """
    return peers.at_bytes("jpeg", rgb, budget, variants=("4:2:0", "4:4:4"))


def of_jpeg(data: bytes) -> np.ndarray:
    """The bits that a JPEG file spends on each square of 8×8 pixels.

    ITU-T T.81, sequential Huffman coding in one scan (SOF0 or SOF1) without restarts. Bits of a
    block that is stretched over several squares are shared out evenly.

    Args:
        data: the whole file.

    Returns:
        (⌈height/8⌉, ⌈width/8⌉) float64; squares at the lower and right edge carry what is coded
        beyond them.

    Raises:
        ValueError: the file is coded in another way or is damaged.
    """
    segments, scan = _segments(data)
    height, width, factors = _frame(segments)
    tables = _huffman_tables(segments)
    selectors = _selectors(segments)
    reader = _Reader(scan)
    down, across = (max(sides) for sides in zip(*factors.values()))
    rows, columns = (
        -(-side // (SQUARE * most)) for side, most in ((height, down), (width, across))
    )
    found = np.zeros((rows * down, columns * across))
    for i in range(rows * columns):
        top, left = i // columns * down, i % columns * across
        for component, (v, h) in factors.items():
            direct, alternating = (tables[key] for key in selectors[component])
            tall, wide = down // v, across // h
            for k in range(v * h):
                bits = reader.block(direct, alternating)
                y, x = top + k // h * tall, left + k % h * wide
                found[y : y + tall, x : x + wide] += bits / (tall * wide)
    reader.finish()
    for axis, side in enumerate((height, width)):  # what lies beyond joins the last squares
        found = np.add.reduceat(found, range(-(-side // SQUARE)), axis)
    return found


def _segments(data):
    """Marker → the contents of its segments, and the bits of the scan without stuffed zeros."""
    found, at = {}, 2
    if data[:2] != b"\xff\xd8":
        raise ValueError("This is no JPEG file.")
    while at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        found.setdefault(marker, []).append(data[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == 0xDA:
            end = data.rfind(b"\xff\xd9")
            return found, data[at : end if end > 0 else None].replace(b"\xff\x00", b"\xff")
    raise ValueError("The JPEG file holds no scan.")


def _frame(segments):
    """Height, width, and component → how many blocks it has in a unit, down and across."""
    frames = [found for marker in (0xC0, 0xC1) for found in segments.get(marker, ())]
    if len(frames) != 1 or any(any(found) for found in segments.get(0xDD, ())):
        raise ValueError("Only JPEG files of one sequential scan without restarts can be read.")
    (frame,) = frames
    parts = [frame[at : at + 3] for at in range(6, 6 + 3 * frame[5], 3)]
    factors = {part[0]: (part[1] & 15, part[1] >> 4) for part in parts}
    if len(factors) == 1:  # alone, a component comes block by block
        factors = dict.fromkeys(factors, (1, 1))
    return int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), factors


def _huffman_tables(segments):
    """(class, number) → for each 16 bits that may come next, length << 8 | symbol; 0 for none."""
    found = {}
    for content in segments.get(0xC4, ()):
        while content:
            counts = content[1:17]
            symbols = content[17 : 17 + sum(counts)]
            lengths = np.repeat(np.arange(1, 17), list(counts))
            table = np.repeat(lengths << 8 | list(symbols), 1 << (16 - lengths))
            table = np.append(table, np.zeros(max(0, (1 << 16) - len(table)), int))
            found[content[0] >> 4, content[0] & 15] = table[: 1 << 16].tolist()
            content = content[17 + len(symbols) :]
    return found


def _selectors(segments):
    """Component → the keys of its two tables."""
    (scan,) = segments[0xDA]
    parts = [scan[at : at + 2] for at in range(1, 1 + 2 * scan[0], 2)]
    return {part[0]: ((0, part[1] >> 4), (1, part[1] & 15)) for part in parts}


class _Reader:
    """Walks through the codes of a scan and counts their bits; values are stepped over."""

    def __init__(self, scan: bytes):
        bits = np.unpackbits(np.frombuffer(scan + b"\xff\xff\xff", "uint8"))
        ahead = np.zeros(len(bits) - 16, "int32")
        for k in range(16):
            ahead = ahead << 1 | bits[k : k + len(ahead)]
        self._ahead, self._at, self._end = ahead.tolist(), 0, 8 * len(scan)

    def block(self, direct, alternating) -> int:
        """Step over one block of 64 coefficients; its bits."""
        start = self._at
        category = self._symbol(direct)
        self._at += category
        k = 1
        while k < 64:
            symbol = self._symbol(alternating)
            if symbol == 0:  # nothing but zeros follows
                break
            k += (symbol >> 4) + 1
            self._at += symbol & 15
        return self._at - start

    def _symbol(self, table):
        found = table[self._ahead[self._at]] if self._at < self._end else 0
        if not found:
            raise ValueError("The scan of the JPEG file is damaged.")
        self._at += found >> 8
        return found & 255

    def finish(self):
        if not 0 <= self._end - self._at < 8:
            raise ValueError("The scan of the JPEG file has another length than its blocks.")
