"""Which half is the small file? The first screen lets a visitor guess before the halves have names.

The original and what SDAE makes of it stand left and right by lot. Nothing else changes: the slider
moves, another picture can be chosen, and a button shows the names.
"""

from __future__ import annotations

import random

import streamlit as st

from pages.compress.sides import ORIGINAL, OURS, side
from pages.shared.choices import forget, is_kept, keep
from pages.shared.comparison import Result
from pages.shared.numbers import kilobytes
from pages.shared.split_view import Side

_OURS_LEFT, _SAID = "challenge", "challenge said"


def asked() -> bool:
    """Whether the visitor is to guess: nobody has, and the address names no side."""
    return not (is_kept("left") or is_kept("right"))


def sides(source, picture, quality: int, result: Result | None) -> list[Side]:
    """Right and left without names; both wait where there is no result."""
    drawn = []
    for choice in _arranged()[::-1]:
        shown = side(choice if result else ORIGINAL, source, picture, quality, result, {})
        drawn.append(Side("This half", "One half", shown.png, dimmed=not result))
    return drawn


def question(result: Result | None, original_bytes: int) -> str:
    if not result:
        return "Compressing …"
    sizes = kilobytes(result.file_bytes), kilobytes(original_bytes)
    return f"Which half is the file of {sizes[0]}? The other one has {sizes[1]}."


def on_guess(answer: str, about: tuple, result: Result | None) -> None:
    """Take what the visitor clicked: "left", "right", "names" or "again"; `about` names the picture."""
    if answer == "again":
        forget("left")
        forget("right")
        st.session_state.pop(_OURS_LEFT, None)
        return
    names = _arranged() if answer in ("left", "right") else ["JPEG", OURS]
    if answer in ("left", "right") and result:
        ours = "left" if names[0] == OURS else "right"
        st.session_state[_SAID] = (
            about,
            (
                f"{'Right' if answer == ours else 'No'}: the {ours} half is the file of "
                f"{result.file_bytes:,} bytes. Now let the other half be JPEG."
            ),
        )
    for name, choice in zip(("left", "right"), names):
        keep(name, choice)


def said(about: tuple) -> str:
    """What is said of the guess as long as the same picture is shown, else nothing."""
    before, sentence = st.session_state.get(_SAID, (None, ""))
    return sentence if before == about else ""


def _arranged() -> list[str]:
    """What stands left and right."""
    ours_left = st.session_state.setdefault(_OURS_LEFT, random.random() < 0.5)
    return [OURS, ORIGINAL] if ours_left else [ORIGINAL, OURS]
