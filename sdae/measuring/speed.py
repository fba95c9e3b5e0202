"""Time of whole files beside Pillow's codecs: ``sdae bench``.

The codecs take turns, one compression and one decompression each round, so that a machine whose
speed drifts is the same for all. The peers run as Pillow runs them by default, at quality 75, and so
does SDAE.
"""

from __future__ import annotations

import io
import statistics
import time
from importlib.metadata import distribution

import numpy as np
from PIL import Image

CODECS = ("SDAE", "JPEG", "WebP", "AVIF")
BESIDE = "AVIF"
"""Whose times those of all are compared with."""

SIZES = ((128, 128), (768, 512), (4000, 3000))
QUALITY = 75
ROUNDS = 3
"""Turns that count; one more goes before them."""


def measure(codec, size: tuple[int, int], tick=lambda: None) -> dict[str, dict]:
    """Let all codecs take turns on one picture of `size` (width, height).

    codec: a `sdae.Codec`.
    tick: called after each turn, `ROUNDS` + 1 times for each of `CODECS`.

    Returns codec → medians of the seconds ``compress`` and ``decompress`` by the clock and of
    ``processor`` time for both, and ``file_bytes``.
    """
    image, turns = picture(size), {name: [] for name in CODECS}
    for _ in range(ROUNDS + 1):
        for name, own in turns.items():
            begun, cpu = time.perf_counter(), time.process_time()
            data = _compress(codec, name, image)
            middle = time.perf_counter()
            # Pillow opens .sdae files, too, but with the weights that ship.
            codec.decompress(data) if name == "SDAE" else Image.open(io.BytesIO(data)).load()
            turn = {
                "compress": middle - begun,
                "decompress": time.perf_counter() - middle,
                "processor": time.process_time() - cpu,
                "file_bytes": len(data),
            }
            own.append(turn)
            tick()
    return {
        name: {key: statistics.median(turn[key] for turn in own[1:]) for key in own[0]}
        for name, own in turns.items()
    }


def table(measured: dict[str, dict]) -> list[str]:
    """What `measure` returns as lines, each time also as a multiple of that of `BESIDE`."""
    keys, beside = ("compress", "decompress", "processor"), measured[BESIDE]
    return [
        f"{name:6}"
        + "".join(
            f"{key} {1000 * row[key]:>8,.0f} ms {row[key] / beside[key]:>6.1f}×  " for key in keys
        )
        + f"{row['file_bytes']:>10,.0f} bytes"
        for name, row in measured.items()
    ]


def _compress(codec, name, image) -> bytes:
    if name == "SDAE":
        return codec.compress(image, quality=QUALITY)
    file = io.BytesIO()
    image.save(file, name, quality=QUALITY)
    return file.getvalue()


def picture(size) -> Image.Image:
    """A sample, mirrored where it is too small: scaled up it would have no detail."""
    path = distribution("scikit-image").locate_file("skimage/data/coffee.png")
    with Image.open(str(path)) as image:
        rgb = np.asarray(image.convert("RGB"))
    width, height = size
    more = ((0, max(0, height - rgb.shape[0])), (0, max(0, width - rgb.shape[1])), (0, 0))
    return Image.fromarray(np.pad(rgb, more, "symmetric")[:height, :width])
