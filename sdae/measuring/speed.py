"""Time and memory of whole files beside Pillow's codecs: ``sdae bench codec``.

Each codec works in a process of its own, whose peak memory is its own. They take turns, one
compression and one decompression each round, so that a machine whose speed drifts is the same for
all; a ratio is the median of those of the rounds. The peers run as Pillow runs them by default, at
quality 75, and so does SDAE. The first round is not counted.
"""

from __future__ import annotations

import io
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.metadata import distribution
from multiprocessing import get_context

import numpy as np
from PIL import Image

from sdae.measuring.memory import peak

CODECS = ("SDAE", "JPEG", "WebP", "AVIF")
SIZES = ((128, 128), (768, 512), (4000, 3000))
QUALITY = 75


@dataclass(frozen=True)
class Turn:
    """One compression and decompression: wall-clock and processor seconds, bytes of the file, and
    the most resident memory of the process so far, in MB."""

    compress: float
    decompress: float
    processor: float
    file_bytes: int
    memory: float


def measure(
    size: tuple[int, int], rounds: int, weights=None, tick=lambda: None
) -> dict[str, list[Turn]]:
    """Let all codecs take turns on one picture of `size` (width, height).

    rounds: that count; one more goes before them.
    weights: name or folder, None for those that ship.
    tick: called after each turn.
    """
    # A fresh interpreter, not a copy of this one: its memory is counted.
    pools = {name: ProcessPoolExecutor(1, get_context("spawn")) for name in CODECS}
    try:
        turns = {name: [] for name in CODECS}
        for number in range(rounds + 1):
            for name, pool in pools.items():
                turn = pool.submit(_turn, name, size, weights).result()
                if number:
                    turns[name].append(turn)
                tick()
        return turns
    finally:
        for pool in pools.values():
            pool.shutdown()


def medians(turns: dict[str, list[Turn]]) -> dict[str, dict]:
    """Codec → its medians: seconds, bytes of the file, and its most memory in MB."""
    return {
        name: {
            field.name: statistics.median(getattr(turn, field.name) for turn in own)
            for field in fields(Turn)
        }
        | {"memory": own[-1].memory}
        for name, own in turns.items()
    }


def table(turns: dict[str, list[Turn]]) -> list[str]:
    """The medians and ratios of `measure` as lines."""
    ours = turns["SDAE"]
    lines = [
        f"{'':6}{'compress':>12}{'ratio':>8}{'decompress':>14}{'ratio':>8}"
        f"{'processor':>13}{'ratio':>8}{'bytes':>12}{'memory':>10}"
    ]
    middle = medians(turns)
    for name, own in turns.items():
        cells = [f"{name:6}"]
        for field, width in (("compress", 12), ("decompress", 14), ("processor", 13)):
            ratio = statistics.median(
                getattr(mine, field) / max(getattr(turn, field), 1e-9)
                for mine, turn in zip(ours, own)
            )
            cells.append(f"{f'{1000 * middle[name][field]:,.1f} ms':>{width}}{ratio:>8.2f}")
        cells.append(f"{own[-1].file_bytes:>12,}{f'{own[-1].memory:,.0f} MB':>10}")
        lines.append("".join(cells))
    return lines


def _turn(name, size, weights) -> Turn:
    image = picture(size)
    compress, decompress = _ours(weights) if name == "SDAE" else _peer(name)
    start, cpu = time.perf_counter(), time.process_time()
    data = compress(image)
    middle = time.perf_counter()
    restored = decompress(data)
    end, cpu = time.perf_counter(), time.process_time() - cpu
    if restored.size != size:
        raise RuntimeError(f"{name} gave back a picture of {restored.size}.")
    return Turn(middle - start, end - middle, cpu, len(data), peak())


@lru_cache(maxsize=1)
def _ours(weights):
    import sdae

    codec = sdae.load(weights)
    return lambda picture: codec.compress(picture, QUALITY), codec.decompress


def _peer(name):
    def compress(picture):
        file = io.BytesIO()
        picture.save(file, name, quality=QUALITY)
        return file.getvalue()

    def decompress(data):
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB")

    return compress, decompress


@lru_cache(maxsize=1)
def picture(size) -> Image.Image:
    """A sample, mirrored where it is too small: scaled up it would have no detail."""
    path = distribution("scikit-image").locate_file("skimage/data/coffee.png")
    with Image.open(str(path)) as image:
        rgb = np.asarray(image.convert("RGB"))
    width, height = size
    rows, columns = (_mirrored(n, side) for n, side in zip((height, width), rgb.shape))
    return Image.fromarray(rgb[rows][:, columns])


def _mirrored(length, side):
    place = np.arange(length) % (2 * side)
    return np.where(place < side, place, 2 * side - 1 - place)
