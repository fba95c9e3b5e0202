"""Which is which? Two versions of a picture at equal bytes without names; the closer one is picked.

The tally is kept in the session of the page and nowhere else.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.inside import hard_pictures
from pages.inside.experiments import remembered
from pages.shared import engine, figures
from pages.shared.figures import Plate
from pages.shared.sources import SAMPLES
from sdae.measuring import comparison
from sdae.measuring.peers import PEERS
from sdae.pictures import reading

ROUNDS = 10
SIDE = 192
"""Side in pixels of the part of a sample that is judged."""

QUALITIES = 32, 40, 48, 56
LEAST, APART, TRIES = 1000, 2.0, 6
"""A lot is taken where our file has so many bytes at least and PSNR differs by so many dB at most; after
so many lots the next is taken as it is."""
OURS = "SDAE"
_STATE = "blind"


@dataclass(frozen=True)
class Round:
    """What is drawn by lot for one round: sample, part of it, quality, other codec, our side."""

    sample: str
    place: tuple[float, float]
    quality: int
    peer: str
    left: bool


@dataclass(frozen=True)
class Pair:
    """The two versions of a round. `original` (S, S, 3) uint8; ours and the other one, measured."""

    original: np.ndarray
    ours: comparison.Result
    other: comparison.Rival


@dataclass(frozen=True)
class Pick:
    """How a round went: whether ours was picked, and whether each measure says that it is closer."""

    ours: bool
    psnr: bool
    ssim: bool


def drawn(seed: int, number: int, attempt: int = 0) -> Round:
    """A lot for one round, the same for the same numbers."""
    lot = np.random.default_rng([seed, number, attempt])
    return Round(
        list(SAMPLES)[lot.integers(len(SAMPLES))],
        tuple(lot.random(2).tolist()),
        int(lot.choice(QUALITIES)),
        str(lot.choice([name for name in PEERS if name != "jpeg"])),  # which is seen at once
        bool(lot.integers(2)),
    )


def blind(shown=None) -> None:
    """Draw the test: a round, or after the last one the tally. The picture of the lesson is not used."""
    state = st.session_state.setdefault(_STATE, _begin())
    if len(state["picks"]) == ROUNDS:
        st.markdown(f"### {tally(state['picks'])}")
        _again("Ten more rounds")
        return
    number = len(state["picks"])
    with st.spinner("Compressing a part of a picture."):
        this, pair = _lot(state["seed"], number)
    st.markdown(
        f"**Round {number + 1} of {ROUNDS}.** Both files have at most "
        f"{pair.ours.file_bytes:,} bytes. Which one is closer to the original?"
    )
    ours, other = (reading.read(png).rgb for png in (pair.ours.png, pair.other.png))
    left, right = (ours, other) if this.left else (other, ours)
    figures.plates(
        [
            Plate(left, "A", "Version A"),
            Plate(pair.original, "Original", "The original"),
            Plate(right, "B", "Version B"),
        ],
        "blind",
        width=240,
        blocks=True,
    )
    with st.container(horizontal=True):
        for name, is_left in (("A is closer", True), ("B is closer", False)):
            st.button(
                name,
                key=f"blind-{name[0]}",
                type="primary",
                on_click=_picked,
                args=[pair, is_left == this.left],
            )
        st.caption("For a class: count hands and click what most have raised.")
    if state["picks"]:
        st.markdown(f"The last round: {state['said']} {tally(state['picks'])}")
        _again("Begin again")


def _begin() -> dict:
    return {"seed": int(np.random.default_rng().integers(1 << 31)), "picks": [], "said": ""}


def _again(label: str) -> None:
    st.button(
        label,
        icon=":material/replay:",
        key="blind-again",
        on_click=lambda: st.session_state.update({_STATE: _begin()}),
    )


def _picked(pair: Pair, ours: bool) -> None:
    state = st.session_state[_STATE]
    state["picks"].append(
        Pick(ours, pair.ours.psnr > pair.other.psnr, pair.ours.ssim > pair.other.ssim)
    )
    state["said"] = reveal(pair, ours)


def reveal(pair: Pair, ours: bool) -> str:
    """What the two versions of a round were."""
    picked, left = (OURS, pair.other.label) if ours else (pair.other.label, OURS)
    return (
        f"you picked {picked} over {left}. SDAE has {pair.ours.psnr:.2f} dB and SSIM "
        f"{pair.ours.ssim:.3f}, {pair.other.label} {pair.other.psnr:.2f} dB and "
        f"{pair.other.ssim:.3f}."
    )


def tally(picks: list[Pick]) -> str:
    """How often ours was picked, and how often each measure agrees with the picks."""
    count = len(picks)
    ours = sum(pick.ours for pick in picks)
    psnr, ssim = (
        sum(pick.ours == getattr(pick, key) for pick in picks) for key in ("psnr", "ssim")
    )
    return (
        f"SDAE was picked {ours} of {count} times. PSNR agrees with {psnr} of the picks, SSIM "
        f"with {ssim}."
    )


def _lot(seed: int, number: int) -> tuple[Round, Pair]:
    """The first lot whose two files are close, or the last of some."""
    last = None
    for attempt in itertools.count():
        this = drawn(seed, number, attempt)
        pair = _pair(this)
        last = (this, pair) if pair else last
        if last and (attempt >= TRIES or pair and close(pair)):
            return last


def close(pair: Pair) -> bool:
    """Whether it takes a look to tell which of two files is the better one."""
    apart = abs(pair.ours.psnr - pair.other.psnr)
    return pair.ours.file_bytes >= LEAST and apart <= APART


def _pair(this: Round) -> Pair | None:
    with engine.turn() as codec:
        return _made(codec, this.sample, this.place, this.quality, this.peer)


@remembered
def _made(_codec, name, place, quality, peer) -> Pair | None:
    whole = hard_pictures.packaged(SAMPLES[name])
    top, left = (int(share * (side - SIDE)) for share, side in zip(place, whole.shape))
    part = np.ascontiguousarray(whole[top : top + SIDE, left : left + SIDE])
    ours = comparison.compress(_codec, part, quality=quality)
    other = comparison.rival(peer, part, ours.file_bytes)
    return other and Pair(part, ours, other)
