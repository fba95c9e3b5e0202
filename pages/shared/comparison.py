"""What one compression costs and keeps: bytes, quality and time of one picture."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sdae.coding import container
from sdae.measuring import metrics, peer_files
from sdae.measuring.peers import PEERS
from sdae.pictures import metadata, reading
from sdae.progress import stage


@dataclass(frozen=True)
class File:
    """The bytes of a whole file."""

    data: bytes

    @property
    def file_bytes(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Result(File):
    """One picture through the codec and back.

    `data` is that of the .sdae file; `png` the restored picture of `width` × `height` pixels;
    `latent` the shape (h, w, C) of the integers in the file, one byte each as int8; `psnr` is in
    dB, `ssim` at most 1, both None where there is no original. Times are wall-clock seconds on this
    machine, None where they were not taken.
    """

    png: bytes
    width: int
    height: int
    quality: float
    latent: tuple[int, int, int]
    decode_seconds: float | None = None
    encode_seconds: float | None = None
    psnr: float | None = None
    ssim: float | None = None

    @property
    def latent_bytes(self) -> int:
        return math.prod(self.latent)

    @property
    def raw_bytes(self) -> int:
        return 3 * self.width * self.height

    @property
    def bits_per_pixel(self) -> float:
        return 8 * self.file_bytes / (self.width * self.height)


@dataclass(frozen=True)
class Counted(File):
    """A whole .sdae file whose picture is not restored yet, and the seconds it took to make."""

    encode_seconds: float


@dataclass(frozen=True)
class Rival(File):
    """Another codec: its whole file, restored picture (PNG) and quality (dB, at most 1)."""

    label: str
    settings: str
    png: bytes
    psnr: float
    ssim: float


def compress(codec, rgb: np.ndarray, quality: float, progress=None) -> Result:
    """Compress and restore a uint8 (H, W, 3) picture with a `sdae.Codec` and measure both.

    Quality is as for `sdae.Codec.compress`; progress is called with the share of all this that is
    done, 0 to 1.
    """
    counted = count(codec, rgb, quality, stage(progress, 0, 0.7))
    return restore(codec, rgb, counted, stage(progress, 0.7, 0.9))


def count(codec, rgb: np.ndarray, quality: float, progress=None) -> Counted:
    """The first half of `compress`: the file, timed from pixels to its last byte."""
    start = time.perf_counter()
    data = codec.compress(rgb, quality=quality, progress=progress)
    return Counted(data, time.perf_counter() - start)


def restore(codec, rgb: np.ndarray, counted: Counted, progress=None) -> Result:
    """The second half of `compress`: the picture of the file, timed, and how close it is."""
    result, restored = _opened(codec, counted.data, progress)
    with ThreadPoolExecutor() as pool:
        # zlib works outside Python's lock, so another core does this while quality is measured.
        png = pool.submit(reading.png, restored)
        return replace(
            result,
            psnr=metrics.psnr(rgb, restored),
            ssim=metrics.ssim(rgb, restored),
            encode_seconds=counted.encode_seconds,
            png=png.result(),
        )


def open_file(codec, data: bytes, progress=None) -> Result:
    """Restore the picture in a .sdae file; there is no original to compare it with.

    ``progress`` is as for `compress`. Raises `BitstreamError` with one sentence for a file that
    cannot be opened.
    """
    result, restored = _opened(codec, data, stage(progress, 0, 0.9))
    icc = metadata.read(container.read_header(data)[0]).icc
    return replace(result, png=reading.png(restored, icc))


def rival(name: str, rgb: np.ndarray, budget: int, pause=lambda: None) -> Rival | None:
    """Search peer `name` for the best file of at most `budget` bytes; None where none is so small.

    `pause` is as in `sdae.measuring.peer_files.at_bytes`.
    """
    encoded = peer_files.at_bytes(name, rgb, budget, pause)
    if encoded is None:
        return None
    return Rival(
        label=PEERS[name].label,
        settings=encoded.settings,
        data=encoded.data,
        png=reading.png(encoded.rgb),
        psnr=metrics.psnr(rgb, encoded.rgb),
        ssim=metrics.ssim(rgb, encoded.rgb),
    )


def _opened(codec, data: bytes, progress) -> tuple[Result, np.ndarray]:
    """What a file says, with no PNG yet, and its picture."""
    start = time.perf_counter()
    latent = codec.unpack(data)
    restored = np.asarray(codec.decode(latent, progress=progress))
    seconds, size = time.perf_counter() - start, (latent.width, latent.height)
    return Result(data, b"", *size, latent.quality, latent.values.shape, seconds), restored
