"""The quality that meets a target: a file of at most so many bytes, or of at least a given PSNR."""

from __future__ import annotations

import math

import numpy as np

from sdae.measuring import metrics

STEPS = 16
"""The most compressions that one search makes; five are usual."""

_NARROW = 0.1
"""A stretch of quality that is not worth dividing."""


class TargetError(ValueError):
    """No quality from 1 to 100 meets the target."""


def within_bytes(codec, rgb, budget: int, effort: int = 0, step=lambda: None) -> bytes:
    """Compress at the highest quality whose whole file has at most `budget` bytes.

    The search ends once half a per cent of the budget or less is left over.

    Args:
        codec: what `sdae.load` returns.
        rgb: (H, W, 3) uint8.
        budget: bytes, header included.
        effort: as for `Codec.compress`.
        step: called after each compression, at most `STEPS` times.

    Raises:
        TargetError: the file is larger even at quality 1.
    """
    def attempt(quality):
        data = codec.compress(rgb, quality=quality, effort=effort)
        step()
        return data, math.log(budget / len(data))

    data, spare = _edge(attempt, good=1, bad=100, near=0.005)
    if spare < 0:
        raise TargetError(f"Quality 1 already takes {len(data):,} bytes; "
                          f"allow more than {budget:,} or scale the picture down.")
    return data


def reaching_psnr(codec, rgb, psnr: float, effort: int = 0, step=lambda: None) -> bytes:
    """Compress at the lowest quality whose decoded picture has at least `psnr` dB.

    The search ends once the picture is at most 0.02 dB better.

    Args:
        codec, rgb, effort, step: as for `within_bytes`.
        psnr: dB, over the three channels of 8-bit RGB.

    Raises:
        TargetError: quality 100 stays below.
    """
    def attempt(quality):
        data = codec.compress(rgb, quality=quality, effort=effort)
        spare = metrics.psnr(rgb, np.asarray(codec.decompress(data))) - psnr
        step()
        return data, spare

    data, spare = _edge(attempt, good=100, bad=1, near=0.02)
    if spare < 0:
        raise TargetError(f"Quality 100 reaches {psnr + spare:.2f} dB; "
                          f"ask for less than {psnr:g} dB.")
    return data


def _edge(attempt, good: float, bad: float, near: float):
    """Close in on the edge between qualities that meet a target and qualities that do not.

    `attempt(quality)` returns a result and what it has to spare, negative where it misses the
    target; it should meet it at `good` rather than at `bad`. Returned is the pair with the least
    to spare, or the one at `good` where that one misses.

    What is spared is nearly linear in quality, so the next quality lies where a straight line
    says; every other one halves the stretch instead, should the line be a bad guide.
    """
    best = attempt(good)
    if best[1] <= near:
        return best
    worst = attempt(bad)
    if worst[1] >= 0:
        return worst
    for number in range(STEPS - 2):
        if best[1] <= near or abs(good - bad) <= _NARROW:
            break
        share = 0.5 if number % 2 else (best[1] - near / 2) / (best[1] - worst[1])
        quality = good + share * (bad - good)
        found = attempt(quality)
        if found[1] >= 0:
            best, good = found, quality
        else:
            worst, bad = found, quality
    return best
