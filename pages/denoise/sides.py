"""What stands left and right of the split of the Denoise page."""

from __future__ import annotations

from pages.denoise.versions import Version
from pages.shared.engine import Prepared
from pages.shared.numbers import decibels
from pages.shared.sources import Source
from pages.shared.split_view import Side
from sdae.measuring import classical_denoisers

SDAE, CLEAN, NOISY = "SDAE", "Clean", "Noisy"
FILTERS = {classical_denoisers.DENOISERS[name].label: name for name in classical_denoisers.QUICK}


def choices(kind: str | None) -> tuple[tuple, tuple]:
    """Names for the left and the right side; there is no clean picture where no noise was added."""
    clean = (CLEAN,) if kind else ()
    return (NOISY, *clean), (SDAE, *FILTERS, *clean)


def left_side(source: Source, left: str, picture: Prepared, start: Version, names) -> Side:
    if left == CLEAN:
        return Side(CLEAN, f"{source.name} without noise", picture.png, choices=names)
    return Side(NOISY, f"{source.name} with noise", start.png, _closeness(start), names)


def right_side(
    source: Source, right: str, picture: Prepared, ours: Version, filtered: dict, names
) -> Side:
    """What stands right of the split: our picture, also while a filter is still at work."""
    if right == CLEAN:
        return Side(CLEAN, f"{source.name} without noise", picture.png, choices=names)
    found, figures, by = ours, _closeness(ours), SDAE
    if right in FILTERS:
        if FILTERS[right] in filtered:
            found, by = filtered[FILTERS[right]], right
            figures = _closeness(found)
        else:
            figures = f"at work, here SDAE · {figures}"
    return Side(right, f"{source.name} restored by {by}", found.png, figures, names)


def _closeness(version: Version) -> str:
    return "" if version.psnr is None else f"{decibels(version.psnr)} dB"
