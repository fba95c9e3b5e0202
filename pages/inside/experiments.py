"""The experiments of `facts` behind the Inside page: one at a time, remembered in bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.inside import facts
from pages.shared import engine
from pages.shared.engine import Prepared
from sdae import Codec, Latent
from sdae.coding import container, deflate
from sdae.measuring import bit_allocation, comparison, metrics
from sdae.measuring.bit_allocation import Allocation
from sdae.measuring.peers import PEERS
from sdae.pictures import noise, reading

PIXELS = 98_304
"""Lessons are given on pictures of at most this size, so that each answer takes a moment."""

CURVE_PIXELS = 16_384
CURVE_QUALITIES = 5, 20, 35, 50, 65, 80, 95
SIDES = 8, 16, 32, 64, 128, 256

remembered = st.cache_data(max_entries=64, max_size="100MB", show_spinner=False)
"""Keeps the answers of a function within bounds; arguments with an underscore do not count."""


@dataclass(frozen=True)
class Subject:
    """The picture of a lesson, compressed: `picture`, `quality`, `result`, `latent`, `codec`."""

    codec: Codec
    picture: Prepared
    quality: float
    result: comparison.Result
    latent: Latent

    @property
    def key(self) -> tuple:
        return self.picture.key, self.quality

    @property
    def restored(self) -> np.ndarray:
        """(H, W, 3) uint8, what the file gives back."""
        return reading.read(self.result.png).rgb

    @property
    def plain_bytes(self) -> int:
        """The bytes of the integers after the best zlib stream alone."""
        return len(deflate.plain(self.latent.values))

    def psnr(self, rgb: np.ndarray) -> float:
        """PSNR in dB of a picture against the one of the lesson."""
        return metrics.psnr(self.picture.rgb, rgb)


def subject(data: bytes, quality: float) -> Subject:
    """A picture file, scaled down where it is large, compressed at one quality.

    Raises `ImageError` with one sentence for what is no picture.
    """
    picture = _shrunk(engine.prepare(data, small=False), PIXELS)
    result = engine.compress(picture, quality)
    with engine.turn() as codec:
        return Subject(codec, picture, quality, result, _latent(codec, result.data))


@remembered
def _latent(_codec, data: bytes) -> Latent:
    return _codec.unpack(data)


def _shrunk(picture: Prepared, pixels: int) -> Prepared:
    width, height = picture.size
    if width * height <= pixels:
        return picture
    return _shrink(picture.key, picture, pixels)


@remembered
def _shrink(key, _picture, pixels) -> Prepared:
    rgb = reading.shrink(_picture.rgb, pixels)
    return Prepared(rgb, reading.png(rgb), f"{key}-{pixels}", _picture.full, ())


def run(shown: Subject, experiment, *arguments):
    """The answer of one of the functions below for a subject, computed once."""
    with engine.turn() as codec:
        return _run(shown.key, experiment.__name__, arguments, experiment, codec, shown)


@remembered
def _run(key, name, arguments, _experiment, _codec, _shown):
    return _experiment(_codec, _shown, *arguments)


def feature_maps(codec, shown) -> dict[str, np.ndarray]:
    """The three liveliest channels of every unit of the analysis: name → (h, w, 3)."""
    found = {}
    for name, maps in facts.activations(codec, shown.picture.rgb, shown.quality).items():
        liveliest = np.argsort(-maps.var((0, 1)), kind="stable")[:3]
        found[name] = maps[..., liveliest]
    return found


def reach(codec, shown) -> np.ndarray:
    return facts.reach(codec, shown.picture.rgb, shown.quality)


def up_sampling(codec, shown) -> facts.UpSampling:
    return facts.up_sampling(codec, shown.latent)


def energy(codec, shown) -> np.ndarray:
    return facts.energy(codec, shown.latent)


def first_channels(codec, shown, count: int) -> tuple[np.ndarray, float]:
    """The picture from the ``count`` strongest channels, and the ideal bytes of those."""
    kept = facts.order(codec, shown.latent)[:count]
    part = facts.only(shown.latent, kept)
    return np.asarray(codec.decode(part)), float(facts.entropy(part.values).sum())


def without_channel(codec, shown, channel: int) -> np.ndarray:
    return np.asarray(codec.decode(facts.without(shown.latent, channel)))


def requantised(codec, shown, step: float) -> tuple[np.ndarray, float]:
    """The picture at another step, and the ideal bytes of its integers."""
    values, rgb = facts.requantised(codec, shown.picture.rgb, shown.quality, step)
    return rgb, float(facts.entropy(values).sum())


def allocation(codec, shown) -> Allocation:
    """Where the bits of the file are."""
    return bit_allocation.of_latent(codec, shown.latent)


def jpeg_squares(codec, shown) -> tuple[np.ndarray, int] | None:
    """Bits of each square of 8×8 in a JPEG file of at most as many bytes, and the bytes of that.

    None where no JPEG file is that small.
    """
    found = bit_allocation.sequential_jpeg(shown.picture.rgb, shown.result.file_bytes)
    return found and (bit_allocation.of_jpeg(found.data), len(found.data))


@dataclass(frozen=True)
class Noisy:
    """A noisy picture and what the network makes of it.

    `rgb` is noisy; `blind` and `told` restored with noise level 0 and with the true one. Under
    the same names `bytes_` has the size of each file and `shift` the (C,) root mean square change
    of the integers against those of the clean picture. `maps` has, under these names and "clean",
    the (h, w) integers of `channel`, the one in which telling the noise level helps the most.
    """

    rgb: np.ndarray
    blind: np.ndarray
    told: np.ndarray
    bytes_: dict[str, int]
    shift: dict[str, np.ndarray]
    channel: int
    maps: dict[str, np.ndarray]


def with_noise(codec, shown, sigma: float) -> Noisy:
    rgb = noise.add(shown.picture.rgb, sigma)
    found = {
        "clean": codec.encode(shown.picture.rgb, shown.quality),
        "blind": codec.encode(rgb, shown.quality),
        "told": codec.encode(rgb, shown.quality, sigma),
    }
    values = {name: latent.values.astype("int32") for name, latent in found.items()}
    shift = {
        name: np.sqrt(np.square(values[name] - values["clean"]).mean((0, 1)))
        for name in ("blind", "told")
    }
    # Beside its clean integers, and beside 1, so that a channel of zeros is not the one.
    usual = np.sqrt(np.square(values["clean"]).mean((0, 1))) + 1
    channel = int(((shift["blind"] - shift["told"]) / usual).argmax())
    return Noisy(
        rgb,
        *(np.asarray(codec.decode(found[name])) for name in shift),
        {name: len(codec.pack(found[name])) for name in shift},
        shift,
        channel,
        {name: v[..., channel] for name, v in values.items()},
    )


def curve(shown: Subject, progress) -> list[tuple[float, float, float]]:
    """Quality, bits per pixel and mean squared error of the picture scaled down, by quality.

    The subject's quality is among them; ``progress`` is told the share that is done.
    """
    small, rows = _shrunk(shown.picture, CURVE_PIXELS), []
    qualities = sorted({*CURVE_QUALITIES, shown.quality})
    for number, quality in enumerate(qualities, 1):
        with engine.turn() as codec:
            rows.append((quality, *_point(codec, small.key, small.rgb, quality)))
        progress(number / len(qualities))
    return rows


@remembered
def _point(_codec, key, _rgb, quality) -> tuple[float, float]:
    latent = _codec.encode(_rgb, quality)
    size = len(_codec.pack(latent))
    error = _rgb.astype("float64") - np.asarray(_codec.decode(latent))
    return 8 * size / (latent.width * latent.height), float(np.square(error).mean())


def header_bytes(data: bytes) -> int:
    """Bytes before the payload of a whole file."""
    return len(data) - len(container.read_header(data)[1])


def tiny(shown: Subject, progress) -> list[tuple[int, int, int, int]]:
    """Squares from the picture's middle: side, bytes of the whole file, of its header, of a PNG.

    A picture smaller than the smallest side gives one row, its own shorter side.
    """
    rgb, rows = shown.picture.rgb, []
    sides = [side for side in SIDES if side <= min(rgb.shape[:2])] or [min(rgb.shape[:2])]
    for number, side in enumerate(sides, 1):
        top, left = ((length - side) // 2 for length in rgb.shape[:2])
        part = np.ascontiguousarray(rgb[top : top + side, left : left + side])
        with engine.turn() as codec:
            data = _packed(codec, (shown.key, side), part, shown.quality)
        rows.append((side, len(data), header_bytes(data), len(reading.png(part))))
        progress(number / len(sides))
    return rows


@remembered
def _packed(_codec, key, _rgb, quality) -> bytes:
    return _codec.compress(_rgb, quality)


def example(name: str, quality: float) -> tuple[Prepared, comparison.Result]:
    """One of `pages.inside.facts.EXAMPLES`, compressed and restored."""
    rgb = facts.EXAMPLES[name]()
    picture = Prepared(rgb, reading.png(rgb), f"example {name}", (rgb.shape[1], rgb.shape[0]), ())
    return picture, engine.compress(picture, quality)


def best_other(name: str, quality: float) -> comparison.Rival | None:
    """Of the other codecs the closest picture of an example in at most as many bytes as ours.

    None where no file of another codec is that small.
    """
    picture, result = example(name, quality)
    return _best_other(picture.key, result.file_bytes, picture.rgb)


@remembered
def _best_other(key: str, budget: int, _rgb: np.ndarray) -> comparison.Rival | None:
    found = [comparison.rival(name, _rgb, budget) for name in PEERS]
    return max(filter(None, found), key=lambda other: other.psnr, default=None)
