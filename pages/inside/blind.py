"""Which is which? Two versions of a picture at equal bytes without names; the closer one is picked.

The tally is kept in the session of the page and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.inside import hard_pictures
from pages.inside.experiments import remembered
from pages.shared import comparison, engine, figures
from pages.shared.figures import Plate
from pages.shared.sources import SAMPLES
from sdae.measuring.peers import PEERS
from sdae.pictures import reading

ROUNDS = 10
SIDE = 192
"""Side in pixels of the part of a sample that is judged."""

QUALITIES = 32, 40, 48, 56
RIVALS = [name for name in PEERS if name != "jpeg"]
"""Codecs that one has to look for; JPEG is seen at once."""

LEAST, APART, TRIES = 1000, 2.0, 6
"""A pair is shown where our file has so many bytes at least and PSNR differs by so many dB at most;
after so many others it is shown as it is."""

_STATE = "blind"


@dataclass(frozen=True)
class Pair:
    """Two versions of `original`, (S, S, 3) uint8: ours, and that of another codec. `left` says
    whether ours is A."""

    original: np.ndarray
    ours: comparison.Result
    other: comparison.Rival
    left: bool

    @property
    def close(self) -> bool:
        """Whether it takes a look to tell which is the better one."""
        apart = abs(self.ours.psnr - self.other.psnr)
        return self.ours.file_bytes >= LEAST and apart <= APART


@dataclass(frozen=True)
class Pick:
    """How a round went: whether ours was picked, and whether each measure says that it is closer."""

    ours: bool
    psnr: bool
    ssim: bool


def blind(shown=None) -> None:
    """Draw a round, or after the last one the tally. The picture of the lesson is not used."""
    state = st.session_state.setdefault(_STATE, _begin())
    number = len(state["picks"])
    if number == ROUNDS:
        st.markdown(f"### {tally(state['picks'])}")
        _again("Ten more rounds")
        return
    with st.spinner("Compressing a part of a picture."), engine.turn() as codec:
        pair = drawn(codec, state["seed"], number)
    st.markdown(
        f"**Round {number + 1} of {ROUNDS}.** Both files have at most "
        f"{pair.ours.file_bytes:,} bytes. Which one is closer to the original?"
    )
    versions = [reading.read(version.png).rgb for version in (pair.ours, pair.other)]
    left, right = versions if pair.left else versions[::-1]
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
                args=[pair, is_left == pair.left],
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
    state, rival = st.session_state[_STATE], pair.other
    state["picks"].append(Pick(ours, pair.ours.psnr > rival.psnr, pair.ours.ssim > rival.ssim))
    names = ("SDAE", rival.label) if ours else (rival.label, "SDAE")
    state["said"] = (
        f"you picked {names[0]} over {names[1]}. SDAE has {pair.ours.psnr:.2f} dB and SSIM "
        f"{pair.ours.ssim:.3f}, {rival.label} {rival.psnr:.2f} dB and {rival.ssim:.3f}."
    )


def tally(picks: list[Pick]) -> str:
    """How often ours was picked, and how often each measure agrees with the picks."""
    psnr, ssim = (
        sum(pick.ours == getattr(pick, key) for pick in picks) for key in ("psnr", "ssim")
    )
    return (
        f"SDAE was picked {sum(pick.ours for pick in picks)} of {len(picks)} times. PSNR agrees with "
        f"{psnr} of the picks, SSIM with {ssim}."
    )


@remembered
def drawn(_codec, seed: int, number: int) -> Pair:
    """The pair of a round, the same for the same numbers: the first by lot that is close."""
    pair, lot = None, np.random.default_rng([seed, number])
    for attempt in range(100):
        if pair and (pair.close or attempt > TRIES):
            break
        pair = _pair(_codec, lot) or pair
    return pair


def _pair(codec, lot: np.random.Generator) -> Pair | None:
    """Sample, part of it, quality and other codec by lot; None where that has no file so small."""
    whole = hard_pictures.packaged(SAMPLES[list(SAMPLES)[lot.integers(len(SAMPLES))]])
    top, left = (lot.integers(length - SIDE + 1) for length in whole.shape[:2])
    part = np.ascontiguousarray(whole[top : top + SIDE, left : left + SIDE])
    ours = comparison.compress(codec, part, quality=int(lot.choice(QUALITIES)))
    other = comparison.rival(str(lot.choice(RIVALS)), part, ours.file_bytes)
    return other and Pair(part, ours, other, bool(lot.integers(2)))
