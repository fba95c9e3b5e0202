"""The quality that meets a target: a file of at most so many bytes, or of at least a given PSNR.

Size and PSNR rise with quality on photographs. On flat and on drawn pictures they go up and down,
so there, and on tiny pictures, the whole range is tried in steps.
"""

from __future__ import annotations

import math

import numpy as np

from sdae.measuring import metrics

STEPS = 36
"""The most compressions that one search makes; five are usual for a photograph."""

_EDGE_STEPS, _SCAN = 16, np.linspace(1, 100, 20)
_NARROW = 0.1  # a stretch of quality that is not worth dividing
_SMALL = 4096  # pixels of a picture whose range is always tried
_APART = 3  # qualities so far apart should differ as their order says
_IDENTICAL = 100.0  # dB that identical pictures count with, which have no finite PSNR


class TargetError(ValueError):
    """No quality from 1 to 100 meets the target."""


def within_bytes(codec, rgb, budget: int, step=lambda: None) -> bytes:
    """Compress to the closest picture whose whole file has at most `budget` bytes.

    The search ends once half a per cent of the budget or less is left over.

    Args:
        codec: what `sdae.load` returns.
        rgb: (H, W, 3) uint8.
        budget: bytes, header included.
        step: called after each compression, at most `STEPS` times.

    Raises:
        TargetError: no file is so small.
    """

    def spare(data):
        return math.log(budget / len(data))

    tries = _search(codec, rgb, spare, step, good=1, bad=100, near=0.005)
    fitting = [quality for quality, (_, left) in tries.items() if left >= 0]
    if not fitting:
        smallest = min(len(data) for data, _ in tries.values())
        raise TargetError(
            f"The smallest file takes {smallest:,} bytes; "
            f"allow more than {budget:,} or scale the picture down."
        )
    return tries[max(fitting)][0]


def reaching_psnr(codec, rgb, psnr: float, step=lambda: None) -> bytes:
    """Compress to the smallest file whose decoded picture has at least `psnr` dB.

    The search ends once the picture is at most 0.02 dB better.

    Args:
        codec, rgb, step: as for `within_bytes`.
        psnr: dB, at most 100, over the three channels of 8-bit RGB; identical pictures have 100.

    Raises:
        TargetError: no quality reaches it.
    """

    def spare(data):
        return min(metrics.psnr(rgb, np.asarray(codec.decompress(data))), _IDENTICAL) - psnr

    tries = _search(codec, rgb, spare, step, good=100, bad=1, near=0.02)
    reaching = [(len(data), -left, data) for data, left in tries.values() if left >= 0]
    if not reaching:
        best = psnr + max(left for _, left in tries.values())
        raise TargetError(f"At most {best:.2f} dB are reached; ask for less than {psnr:g} dB.")
    return min(reaching)[2]


def _search(codec, rgb, spare, step, good: float, bad: float, near: float) -> dict:
    """What was tried to close in on the edge between qualities that meet a target and others:
    quality → the file, and what it has to spare.

    `spare(data)` is negative where a file misses the target; it should meet it at `good` rather
    than at `bad`. What is spared is nearly linear in quality, so the next quality lies where a
    straight line says; every other one halves the stretch instead, should the line be a bad guide.
    """
    tries = {}

    def at(quality):
        data = codec.compress(rgb, quality=float(quality))
        step()
        tries[quality] = data, spare(data)
        return tries[quality][1]

    ascending = good > bad
    best, worst = at(good), at(bad)
    for number in range(_EDGE_STEPS - 2):
        if best <= near or worst >= 0 or abs(good - bad) <= _NARROW:
            break
        share = 0.5 if number % 2 else (best - near / 2) / (best - worst)
        quality = good + share * (bad - good)
        left = at(quality)
        if left >= 0:
            best, good = left, quality
        else:
            worst, bad = left, quality
    # Towards the bad end ever less should be spared.
    order = sorted(tries, reverse=ascending)
    pairs = ((a, b) for a, b in zip(order, order[1:]) if abs(a - b) >= _APART)
    uneven = any(tries[a][1] < tries[b][1] for a, b in pairs)
    if uneven or rgb.shape[0] * rgb.shape[1] <= _SMALL:
        for quality in _SCAN:
            at(quality)
    return tries
