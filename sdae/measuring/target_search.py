"""The quality that meets a target: a file of at most so many bytes, or of at least a given PSNR.

Size and PSNR rise with quality on photographs. On flat and on drawn pictures they go up and down,
so there, and on tiny pictures, the whole range is tried in steps.
"""

from __future__ import annotations

import math
from functools import cached_property

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

    def spare(attempt):
        return math.log(budget / len(attempt.data))

    tries = _search(codec, rgb, step, spare, good=1, bad=100, near=0.005)
    fitting = [attempt for attempt in tries if len(attempt.data) <= budget]
    if not fitting:
        smallest = min(len(attempt.data) for attempt in tries)
        raise TargetError(
            f"The smallest file takes {smallest:,} bytes; "
            f"allow more than {budget:,} or scale the picture down."
        )
    return max(fitting, key=lambda attempt: attempt.quality).data


def reaching_psnr(codec, rgb, psnr: float, step=lambda: None) -> bytes:
    """Compress to the smallest file whose decoded picture has at least `psnr` dB.

    The search ends once the picture is at most 0.02 dB better.

    Args:
        codec, rgb, step: as for `within_bytes`.
        psnr: dB, at most 100, over the three channels of 8-bit RGB; identical pictures have 100.

    Raises:
        TargetError: no quality reaches it.
    """

    def spare(attempt):
        return attempt.psnr - psnr

    tries = _search(codec, rgb, step, spare, good=100, bad=1, near=0.02)
    reaching = [attempt for attempt in tries if attempt.psnr >= psnr]
    if not reaching:
        best = max(attempt.psnr for attempt in tries)
        raise TargetError(f"At most {best:.2f} dB are reached; ask for less than {psnr:g} dB.")
    return min(reaching, key=lambda attempt: (len(attempt.data), -attempt.psnr)).data


class _Try:
    """One picture compressed once."""

    def __init__(self, codec, rgb, quality):
        self.quality = quality
        self.data = codec.compress(rgb, quality=quality)
        self._codec, self._rgb = codec, rgb

    @cached_property
    def psnr(self) -> float:
        """In dB, at most `_IDENTICAL`."""
        restored = np.asarray(self._codec.decompress(self.data))
        return min(metrics.psnr(self._rgb, restored), _IDENTICAL)


def _search(codec, rgb, step, spare, good: float, bad: float, near: float) -> list[_Try]:
    """What was tried to close in on the edge between qualities that meet a target and others.

    `spare(attempt)` says what a try has to spare, negative where it misses the target; it should
    meet it at `good` rather than at `bad`. What is spared is nearly linear in quality, so the next
    quality lies where a straight line says; every other one halves the stretch instead, should the
    line be a bad guide.
    """
    tries, spared = [], {}

    def at(quality):
        tries.append(_Try(codec, rgb, float(quality)))
        step()
        spared[quality] = spare(tries[-1])
        return spared[quality]

    start, end = good, bad
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
    order = sorted(spared, reverse=start > end)
    pairs = ((a, b) for a, b in zip(order, order[1:]) if abs(a - b) >= _APART)
    if rgb.shape[0] * rgb.shape[1] <= _SMALL or any(spared[a] < spared[b] for a, b in pairs):
        for quality in _SCAN:
            at(quality)
    return tries
