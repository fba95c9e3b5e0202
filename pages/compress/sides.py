"""What stands left and right of the split: the original, SDAE or any other codec."""

from __future__ import annotations

import streamlit as st

from pages.compress.words import NAMES
from pages.shared import engine
from pages.shared.engine import Prepared
from pages.shared.numbers import decibels
from pages.shared.sources import Source
from pages.shared.split_view import Side
from sdae.measuring.comparison import Result, Rival

ORIGINAL, OURS = "Original", "SDAE"
CHOICES = ORIGINAL, OURS, *NAMES


def side(
    choice: str,
    source: Source,
    picture: Prepared,
    quality: float,
    result: Result | None,
    answers: dict[str, Rival | None],
) -> Side:
    """The picture of one of `CHOICES`; while it is made, the nearest there is, and what it is."""
    if choice == ORIGINAL:
        return Side(ORIGINAL, f"Original of {source.name}", picture.png, choices=CHOICES)
    if choice == OURS:
        shown, why = result or _nearest(picture, quality), "at work"
        note = "" if result or not shown else f"quality {shown.quality:g} · "
    else:
        shown, why, note = _rival(choice, picture, answers), "searching", ""
        if NAMES[choice] in answers:
            why = "no file is this small"
    if not shown:
        alt = f"Original of {source.name}, in place of {choice}"
        return Side(choice, alt, picture.png, f"{why}, here the original", CHOICES)
    figures = f"{note}{shown.file_bytes:,} bytes · {decibels(shown.psnr)} dB"
    return Side(choice, f"{source.name} restored by {choice}", shown.png, figures, CHOICES)


def _nearest(picture: Prepared, quality: float) -> Result | None:
    """The result that is there already whose quality lies nearest."""
    return min(
        engine.results(picture), key=lambda result: abs(result.quality - quality), default=None
    )


def _rival(choice: str, picture: Prepared, answers) -> Rival | None:
    """A peer's picture; while it is searched at these bytes, that of the bytes before."""
    before, name = st.session_state.setdefault("rivals before", {}), NAMES[choice]
    if name in answers:
        before[choice] = picture.key, answers[name]
    key, rival = before.get(choice, (None, None))
    return rival if key == picture.key else None
