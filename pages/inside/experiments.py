"""The experiments of `facts` behind the Inside page: one at a time, remembered in bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.inside import bits, facts, hard_pictures, layers
from pages.inside.square_map import chosen
from pages.shared import comparison, engine
from pages.shared.engine import Prepared
from sdae import Codec, Latent
from sdae.coding import container
from sdae.measuring import metrics
from sdae.measuring.peers import PEERS
from sdae.pictures import noise, reading

PIXELS = 98_304
"""Lessons are given on pictures of at most this size, so that each answer takes a moment."""

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
    def square(self) -> tuple[int, int]:
        """Column and row of the square that the lesson follows: that of the address, else the one
        with the fewest zeros."""
        used = np.count_nonzero(self.latent.values, axis=2)
        row, column = np.unravel_index(used.argmax(), used.shape)
        return chosen(*self.picture.size, (int(column), int(row)))

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
    return picture if width * height <= pixels else _shrink(picture.key, picture, pixels)


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


def reach(codec, shown) -> np.ndarray:
    return facts.reach(codec, shown.picture.rgb, shown.quality)


def unrounded(codec, shown) -> np.ndarray:
    """(h, w, C) what the integers were before they were rounded."""
    return layers.analysed(codec.network, shown.picture.rgb, shown.quality)


def first_convolution(codec, shown) -> facts.FirstConvolution:
    return facts.first_convolution(codec, shown.picture.rgb, shown.quality)


def energy(codec, shown) -> np.ndarray:
    return facts.energy(codec, shown.latent)


def first_channels(codec, shown, count: int) -> np.ndarray:
    """The picture from the ``count`` strongest channels."""
    kept = facts.order(codec, shown.latent)[:count]
    return np.asarray(codec.decode(facts.only(shown.latent, kept)))


def bits_spent(codec, shown) -> np.ndarray:
    """(h, w, C) bits that each integer of the latent takes."""
    return bits.spent(codec, shown.latent)


def plain_bytes(codec, shown) -> int:
    """Bytes of the integers after zlib alone, without a header."""
    data = codec.pack(shown.latent, plain=True)
    return len(data) - header_bytes(data)


@dataclass(frozen=True)
class Noisy:
    """A noisy picture, and what two files give back of it.

    `rgb` is noisy. `kept` comes from a file of it as it is, `cleaned` from one that was made after
    the denoiser had restored it; `kept_bytes` and `cleaned_bytes` are the sizes of these files.
    """

    rgb: np.ndarray
    kept: np.ndarray
    cleaned: np.ndarray
    kept_bytes: int
    cleaned_bytes: int


def with_noise(codec, shown, sigma: float) -> Noisy:
    rgb = noise.add(shown.picture.rgb, sigma)
    latents = [codec.encode(rgb, quality=shown.quality, sigma=level) for level in (0.0, sigma)]
    return Noisy(
        rgb,
        *(np.asarray(codec.decode(latent)) for latent in latents),
        *(len(codec.pack(latent)) for latent in latents),
    )


def header_bytes(data: bytes) -> int:
    """Bytes before the payload of a whole file."""
    return len(data) - len(container.read_header(data)[1])


def example(name: str, quality: float) -> tuple[Prepared, comparison.Result]:
    """One of `pages.inside.hard_pictures.EXAMPLES`, compressed and restored."""
    with engine.turn() as codec:
        return _example(codec, name, quality)


@remembered
def _example(_codec, name, quality):
    rgb = hard_pictures.EXAMPLES[name]()
    picture = Prepared(rgb, reading.png(rgb), f"example {name}", (rgb.shape[1], rgb.shape[0]), ())
    return picture, comparison.compress(_codec, rgb, quality=quality)


def best_other(name: str, quality: float) -> comparison.Rival | None:
    """Of the other codecs the closest picture of an example in at most as many bytes as ours.

    None where no file of another codec is that small.
    """
    picture, result = example(name, quality)
    return _best_other(picture.key, result.file_bytes, picture.rgb)


@remembered
def _best_other(key: str, budget: int, _rgb: np.ndarray) -> comparison.Rival | None:
    others = [comparison.rival(name, _rgb, budget) for name in PEERS]
    return max(filter(None, others), key=lambda other: other.psnr, default=None)
