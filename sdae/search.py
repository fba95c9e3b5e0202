"""The quality that meets a target: a file of at most so many bytes, or of at least a given PSNR."""

from __future__ import annotations

import numpy as np

from sdae import metrics

_STEP = 0.1
STEPS = 12
"""The most compressions that one search makes."""


class TargetError(ValueError):
    """No quality from 1 to 100 meets the target."""


def within_bytes(codec, rgb, budget: int, effort: int = 0, step=lambda: None) -> bytes:
    """Compress at the highest quality whose whole file has at most `budget` bytes.

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
        return data, len(data) <= budget

    data, met = _edge(attempt, good=1, bad=100)
    if not met:
        raise TargetError(f"Quality 1 already takes {len(data):,} bytes; "
                          f"allow more than {budget:,} or scale the picture down.")
    return data


def reaching_psnr(codec, rgb, psnr: float, effort: int = 0, step=lambda: None) -> bytes:
    """Compress at the lowest quality whose decoded picture has at least `psnr` dB.

    Args:
        codec, rgb, effort, step: as for `within_bytes`.
        psnr: dB, over the three channels of 8-bit RGB.

    Raises:
        TargetError: quality 100 stays below.
    """
    def attempt(quality):
        data = codec.compress(rgb, quality=quality, effort=effort)
        reached = metrics.psnr(rgb, np.asarray(codec.decompress(data)))
        step()
        return data, reached >= psnr

    data, met = _edge(attempt, good=100, bad=1)
    if not met:
        reached = metrics.psnr(rgb, np.asarray(codec.decompress(data)))
        raise TargetError(f"Quality 100 reaches {reached:.2f} dB; ask for less than {psnr:g} dB.")
    return data


def _edge(attempt, good: float, bad: float):
    """Bisect from a quality that should meet the target towards one that should not.

    `attempt(quality)` returns a result and whether it meets the target; returned is the pair
    nearest to `bad` that does, or the one at `good` where that one does not.
    """
    best = attempt(good)
    if not best[1]:
        return best
    furthest = attempt(bad)
    if furthest[1]:
        return furthest
    while abs(good - bad) > _STEP:
        middle = (good + bad) / 2
        found = attempt(middle)
        if found[1]:
            best, good = found, middle
        else:
            bad = middle
    return best
