"""What stands left and right of the split of the Denoise page."""

from __future__ import annotations

from pages.denoise.versions import Version
from pages.shared.engine import Prepared
from pages.shared.numbers import decibels
from pages.shared.sources import Source
from pages.shared.split_view import Side
from sdae.measuring import classical_denoisers

SDAE, FILE, CLEAN, NOISY = "SDAE", "SDAE, from its file", "Clean", "Noisy"
FILTERS = {classical_denoisers.DENOISERS[name].label: name for name in classical_denoisers.QUICK}


def choices(kind: str | None) -> tuple[tuple, tuple]:
    """Names for the left and the right side; there is no clean picture where no noise was added."""
    clean = (CLEAN,) if kind else ()
    return (NOISY, *clean), (SDAE, FILE, *FILTERS, *clean)


def left_side(source: Source, left: str, picture: Prepared, start: Version, names) -> Side:
    if left == CLEAN:
        return _clean(source, picture, names)
    return Side(NOISY, f"{source.name} with noise", start.png, _closeness(start), names)


def right_side(
    source: Source, right: str, picture: Prepared, made: dict[str, Version], names
) -> Side:
    """The picture `right` of those that are `made`, SDAE among them; it stands in for others."""
    if right == CLEAN:
        return _clean(source, picture, names)
    if right not in made:
        alt = f"{source.name} denoised by SDAE, in place of {right}"
        return Side(right, alt, made[SDAE].png, "at work …", names, dimmed=True)
    version = made[right]
    return Side(
        right, f"{source.name} denoised by {right}", version.png, _closeness(version), names
    )


def _clean(source, picture, names) -> Side:
    return Side(CLEAN, f"{source.name} without noise", picture.png, choices=names)


def _closeness(version: Version) -> str:
    return "" if version.psnr is None else f"{decibels(version.psnr)} dB"
