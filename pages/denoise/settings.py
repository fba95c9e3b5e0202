"""The panel of the Denoise page: which noise is added, and how much the denoisers take away."""

from __future__ import annotations

import streamlit as st

from pages.shared.sources import choose_size
from sdae.network.denoising import WEAKEST
from sdae.pictures.noise import STRONGEST

GAUSSIAN, CAMERA, NONE = "Gaussian", "Camera", "As it is"
_ABOUT = {
    GAUSSIAN: "Each sample is off by a random amount, as from the electronics of a sensor.",
    CAMERA: "As on a sensor: counted photons, one colour a pixel, developed to a picture. "
    "Neighbours share it, so it is harder to remove.",
    NONE: "Nothing is added: for pictures that are noisy by themselves, such as the sample *Grainy "
    "JPEG*. There is no clean one to measure against.",
}
SPEEDS = 400, 800, 1600, 3200, 6400, 12800, 25600
"""Sensitivities of the camera, ISO."""

MEASURED = "Use the measured noise level"


def found(estimate: float) -> str:
    """The noise level that was measured, in words."""
    return f"{estimate:.3f}" if estimate >= WEAKEST else "no noise found"


def choose_noise(grainy: bool) -> tuple[bool, str | None, float]:
    """Whether the picture is scaled to 128×128; kind and strength of the noise to add: the level of
    the Gaussian one, the camera's ISO, or no kind.

    A `grainy` picture has a choice of its own, which begins with no kind.
    """
    small = choose_size()
    kind = st.segmented_control(
        "Noise to add",
        list(_ABOUT),
        default=NONE if grainy else GAUSSIAN,
        required=True,
        key="grainy" if grainy else "noise",
        bind="query-params",
        width="stretch",
    )
    st.caption(_ABOUT[kind])
    if kind == NONE:
        return small, None, 0.0
    if kind == CAMERA:
        iso = st.select_slider("ISO", SPEEDS, 6400, key="iso", bind="query-params")
        return small, kind, float(iso)
    level = st.slider(
        "Noise level",
        0.0,
        STRONGEST,
        0.1,
        0.01,
        key="level",
        bind="query-params",
        help="Standard deviation of the noise, as a share of full range.",
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
    if strength < WEAKEST and st.session_state["auto"]:
        st.info(
            "No noise found, so the picture stays as it is. To smooth it all the same, "
            f"turn off “{MEASURED}” and move the strength.",
            icon=":material/tune:",
        )
