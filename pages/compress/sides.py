"""What stands left and right of the split, the original, SDAE or another codec, and what it shows."""

from __future__ import annotations

import streamlit as st

from pages.shared import engine
from pages.shared.comparison import Result, Rival
from pages.shared.engine import Prepared
from pages.shared.numbers import decibels
from pages.shared.sources import Source
from pages.shared.split_view import Side
from sdae.measuring.peers import PEERS

ORIGINAL, OURS = "Original", "SDAE"
NAMES = {peer.label: name for name, peer in PEERS.items()}
CHOICES = ORIGINAL, OURS, *NAMES


def side(
    choice: str,
    source: Source,
    picture: Prepared,
    quality: float,
    result: Result | None,
    rivals: dict[str, Rival | None],
) -> Side:
    """The picture of one of `CHOICES`; while it is made, the nearest there is, dimmed."""
    if choice == ORIGINAL:
        return Side(ORIGINAL, f"Original of {source.name}", picture.png, choices=CHOICES)
    if choice == OURS:
        shown, stand_in, why = result, _nearest(picture, quality), "at work …"
    else:
        shown, stand_in = rivals.get(NAMES[choice]), _before(choice, picture, rivals)
        why = "no file is this small" if NAMES[choice] in rivals else "searching …"
    if shown:
        figures = f"{shown.file_bytes:,} bytes · {decibels(shown.psnr)} dB"
        return Side(choice, f"{source.name} restored by {choice}", shown.png, figures, CHOICES)
    png = stand_in.png if stand_in else picture.png
    return Side(choice, f"{choice} of {source.name}: {why}", png, why, CHOICES, dimmed=True)


def _nearest(picture: Prepared, quality: float) -> Result | None:
    """The result that is there already whose quality lies nearest."""
    return min(
        engine.results(picture), key=lambda result: abs(result.quality - quality), default=None
    )


def _before(choice: str, picture: Prepared, rivals: dict[str, Rival | None]) -> Rival | None:
    """The last picture of a peer, which stands in for the next one."""
    before, name = st.session_state.setdefault("rivals before", {}), NAMES[choice]
    if name in rivals:
        before[choice] = picture.key, rivals[name]
    key, rival = before.get(choice, (None, None))
    return rival if key == picture.key else None


def point(ours: Result | None, rivals: dict[str, Rival | None], label: str) -> str:
    """What is to be seen: SDAE and the codec `label` at about the same bytes, and who is closest."""
    if not ours:
        return "Compressing …"
    sdae, name = f"SDAE in {ours.file_bytes:,} bytes: {_decibels(ours)} dB", NAMES[label]
    if name not in rivals:
        return f"{sdae}; searching the best {label} file of that size …"
    if rivals[name] is None:
        return f"{sdae}; no {label} file is this small."
    text = f"{label} in {rivals[name].file_bytes:,} bytes: {_decibels(rivals[name])} dB; {sdae}."
    best = max(filter(None, rivals.values()), key=lambda rival: rival.psnr)
    if best.psnr <= ours.psnr:
        return text
    if best.label == label:
        return f"{text} Here {label} is closer to the original."
    return f"{text} {best.label} is closer still, with {_decibels(best)} dB."


def _decibels(result: Result | Rival) -> str:
    return "∞" if result.psnr == float("inf") else f"{result.psnr:.1f}"
