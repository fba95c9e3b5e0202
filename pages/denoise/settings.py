"""The panel of the Denoise page: which noise is added, and how much the denoisers take away."""

from __future__ import annotations

import streamlit as st

from pages.shared.sources import choose_size
from sdae.pictures.noise import STRONGEST

KINDS = {
    "Gaussian": "gaussian",
    "Shot (Poisson)": "shot",
    "Salt and pepper": "salt and pepper",
    "Speckle": "speckle",
    "None: it is noisy already": None,
}
_ABOUT = {
    "gaussian": "Each sample is off by a random amount, as from the electronics of a sensor.",
    "shot": "Counted photons: more noise where it is bright, relatively less.",
    "salt and pepper": "Single samples turn black or white, as from dead pixels.",
    "speckle": "Noise in proportion to the brightness, as in radar and ultrasound.",
    None: "Your picture is denoised as it comes. There is no clean one to measure against.",
}
MEASURED = "Use the measured noise level"
_WEAKEST = 0.02
# Noise below this level is left where it is: it may be texture.


def choose_noise() -> tuple[bool, str | None, float]:
    """Whether the picture is scaled to 128×128; kind and level of the noise to add."""
    small = choose_size()
    kind = KINDS[st.selectbox("Noise to add", list(KINDS), key="noise", bind="query-params")]
    st.caption(_ABOUT[kind])
    level = 0.0
    if kind:
        level = st.slider(
            "Noise level",
            0.0,
            STRONGEST,
            0.1,
            0.01,
            key="level",
            bind="query-params",
            help="Standard deviation of the noise on mid-grey, as a share of full range.",
        )
    return small, kind, level


def choose_strength(estimate: float) -> float:
    """The noise level that all denoisers get: the measured one, unless the user knows better."""
    if st.toggle(
        MEASURED,
        True,
        key="auto",
        bind="query-params",
        help="It is measured in the noisy picture alone.",
    ):
        return estimate
    return st.slider(
        "Strength",
        0.0,
        STRONGEST,
        round(estimate * 200) / 200,
        0.005,
        format="%.3f",
        key="strength",
        bind="query-params",
        help="More removes more noise, and fine texture with it.",
    )


def warn_of_unseen_noise(strength: float) -> None:
    """Say so where next to nothing is taken away, and what to do."""
    if strength < _WEAKEST and st.session_state["auto"]:
        st.info(
            "Hardly any noise is measured here, so the picture stays as it is. To smooth it all the "
            f"same, turn off “{MEASURED}” and move the strength.",
            icon=":material/tune:",
        )
