"""Time and memory of whole files beside Pillow's codecs: ``sdae bench codec``.

Each codec works in a process of its own, whose peak memory is its own. They take turns, one
compression and one decompression each round, so that a machine whose speed drifts is the same for
all. The peers run as Pillow runs them by default, at quality 75, and so does SDAE.
"""

from __future__ import annotations

import io
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from importlib.metadata import distribution
from multiprocessing import get_context

import numpy as np
from PIL import Image

from sdae.measuring.memory import peak

CODECS = ("SDAE", "JPEG", "WebP", "AVIF")
SIZES = ((128, 128), (768, 512), (4000, 3000))
QUALITY = 75
ROUNDS = 3
"""Turns that count; one more goes before them."""


def measure(size: tuple[int, int], weights=None, tick=lambda: None) -> dict[str, dict]:
    """Let all codecs take turns on one picture of `size` (width, height).

    weights: name or folder, None for those that ship.
    tick: called after each turn, `ROUNDS` + 1 times for each of `CODECS`.

    Returns codec → medians of the seconds ``compress`` and ``decompress`` by the clock and of
    ``processor`` time for both; ``file_bytes``; and ``memory``, the most of its process in MB.
    """
    # A fresh interpreter, not a copy of this one: its memory is counted.
    pools = {name: ProcessPoolExecutor(1, get_context("spawn")) for name in CODECS}
    turns = {name: [] for name in CODECS}
    try:
        for _ in range(ROUNDS + 1):
            for name, pool in pools.items():
                turns[name].append(pool.submit(_turn, name, size, weights).result())
                tick()
    finally:
        for pool in pools.values():
            pool.shutdown()
    return {
        name: {key: statistics.median(turn[key] for turn in own[1:]) for key in own[0]}
        | {"memory": own[-1]["memory"]}
        for name, own in turns.items()
    }


def table(measured: dict[str, dict]) -> list[str]:
    """What `measure` returns as lines."""
    lines = [
        f"{'':6}{'compress':>13}{'decompress':>13}{'processor':>13}{'bytes':>12}{'memory':>10}"
    ]
    for name, row in measured.items():
        times = (f"{1000 * row[key]:,.1f} ms" for key in ("compress", "decompress", "processor"))
        cells = "".join(f"{cell:>13}" for cell in times)
        lines.append(f"{name:6}{cells}{row['file_bytes']:>12,.0f}{row['memory']:>7,.0f} MB")
    return lines


def _turn(name, size, weights) -> dict[str, float]:
    image = picture(size)
    compress, decompress = _ours(weights) if name == "SDAE" else _peer(name)
    start, cpu = time.perf_counter(), time.process_time()
    data = compress(image)
    middle = time.perf_counter()
    restored = decompress(data)
    end, cpu = time.perf_counter(), time.process_time() - cpu
    if restored.size != size:
        raise RuntimeError(f"{name} gave back a picture of {restored.size}.")
    return {
        "compress": middle - start,
        "decompress": end - middle,
        "processor": cpu,
        "file_bytes": len(data),
        "memory": peak(),
    }


@lru_cache(maxsize=1)
def _ours(weights):
    import sdae

    codec = sdae.load(weights)
    return lambda picture: codec.compress(picture, quality=QUALITY), codec.decompress


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
    mirrored = np.pad(
        rgb, ((0, max(0, height - 400)), (0, max(0, width - 600)), (0, 0)), "symmetric"
    )
    return Image.fromarray(mirrored[:height, :width])
