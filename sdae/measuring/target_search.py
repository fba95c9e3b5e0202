"""The quality that meets a target: a file of at most so many bytes, or of at least a given PSNR.

Size and PSNR rise with quality on photographs. On flat and on drawn pictures they go up and down,
so there the whole range is tried.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from sdae.measuring import metrics

STEPS = 116
"""The most compressions that one search makes; five are usual for a photograph."""

_EDGE_STEPS, _SCAN_STEPS = 16, 100

_NARROW = 0.1
"""A stretch of quality that is not worth dividing."""

_APART = 3
"""Qualities so far apart should differ in bytes and in PSNR as their order says."""

_SMALL = 4096
"""Pixels of a picture whose whole range is tried in any case, which takes a second."""

_SCANNED = 4_000_000
"""Pixels that all tries of a whole range may have together."""

_IDENTICAL = 100.0
"""PSNR in dB that counts as reached by identical pictures, which have no finite one."""


class TargetError(ValueError):
    """No quality from 1 to 100 meets the target."""


def within_bytes(codec, rgb, budget: int, step=lambda: None) -> bytes:
    """Compress to the closest picture whose whole file has at most `budget` bytes.

    The search ends once half a per cent of the budget or less is left over, on flat and drawn
    pictures when their whole range was tried.

    Args:
        codec: what `sdae.load` returns.
        rgb: (H, W, 3) uint8.
        budget: bytes, header included.
        step: called after each compression, at most `STEPS` times.

    Raises:
        TargetError: no file is so small.
    """
    tries = _Tries(codec, rgb, step)
    tries.edge(lambda attempt: math.log(budget / len(attempt.data)), good=1, bad=100, near=0.005)
    scanned = tries.scan(lambda low, high: len(low.data) > len(high.data))
    fitting = [attempt for attempt in tries.made if len(attempt.data) <= budget]
    if not fitting:
        smallest = min(len(attempt.data) for attempt in tries.made)
        raise TargetError(
            f"The smallest file takes {smallest:,} bytes; "
            f"allow more than {budget:,} or scale the picture down."
        )
    if not scanned:
        return max(fitting, key=lambda attempt: attempt.quality).data
    return max(fitting, key=lambda attempt: (attempt.psnr, -len(attempt.data))).data


def reaching_psnr(codec, rgb, psnr: float, step=lambda: None) -> bytes:
    """Compress to the smallest file whose decoded picture has at least `psnr` dB.

    The search ends once the picture is at most 0.02 dB better, on flat and drawn pictures when
    their whole range was tried.

    Args:
        codec, rgb, step: as for `within_bytes`.
        psnr: dB, at most 100, over the three channels of 8-bit RGB; identical pictures have 100.

    Raises:
        TargetError: no quality reaches it.
    """
    tries = _Tries(codec, rgb, step)
    tries.edge(lambda attempt: attempt.psnr - psnr, good=100, bad=1, near=0.02)
    tries.scan(lambda low, high: low.psnr > high.psnr or len(low.data) > len(high.data))
    reaching = [attempt for attempt in tries.made if attempt.psnr >= psnr]
    if not reaching:
        best = max(attempt.psnr for attempt in tries.made)
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


class _Tries:
    """All that one search has made of a picture."""

    def __init__(self, codec, rgb, step):
        self.made: list[_Try] = []
        self._codec, self._rgb, self._step = codec, rgb, step

    def at(self, quality: float) -> _Try:
        attempt = _Try(self._codec, self._rgb, quality)
        self.made.append(attempt)
        self._step()
        return attempt

    def edge(self, spare, good: float, bad: float, near: float) -> None:
        """Close in on the edge between qualities that meet a target and qualities that do not.

        `spare(attempt)` says what a try has to spare, negative where it misses the target; it
        should meet it at `good` rather than at `bad`. What is spared is nearly linear in
        quality, so the next quality lies where a straight line says; every other one halves the
        stretch instead, should the line be a bad guide.
        """
        best = spare(self.at(good))
        if best <= near:
            return
        worst = spare(self.at(bad))
        if worst >= 0:
            return
        for number in range(_EDGE_STEPS - 2):
            if best <= near or abs(good - bad) <= _NARROW:
                return
            share = 0.5 if number % 2 else (best - near / 2) / (best - worst)
            quality = good + share * (bad - good)
            left = spare(self.at(quality))
            if left >= 0:
                best, good = left, quality
            else:
                worst, bad = left, quality

    def scan(self, contradict) -> bool:
        """Try the whole range where the picture is small or the tries contradict the order of
        their qualities, `contradict(low, high)`; returns whether it was tried."""
        pixels = self._rgb.shape[0] * self._rgb.shape[1]
        number = min(_SCAN_STEPS, _SCANNED // pixels)
        wrong = any(
            contradict(low, high)
            for low in self.made
            for high in self.made
            if low.quality + _APART <= high.quality
        )
        if number < 2 or not (wrong or pixels <= _SMALL):
            return False
        for quality in np.linspace(1, 100, number):
            self.at(float(quality))
        return True
