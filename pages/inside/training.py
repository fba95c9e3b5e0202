"""The view of the step on training: an autoencoder to train."""

from __future__ import annotations

import time

import streamlit as st

from pages.inside import charts, toy
from pages.inside.experiments import Subject
from pages.inside.squares import framed
from pages.shared import figures
from pages.shared.figures import Plate
from sdae.measuring.metrics import psnr

FRAMES, STEPS = 60, 25
"""So often the screen is drawn anew while an autoencoder learns, after so many steps each."""

PAUSE = 0.25
"""Seconds between two of them, so that people can watch."""


def train(shown: Subject) -> None:
    """A small autoencoder that learns the picture of the lesson while one looks."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.select_slider(
            "Numbers for each square of 192 samples", (1, 2, 4, 8, 16, 32), 8, key="numbers"
        )
        begin = st.button("Train", icon=":material/play_arrow:", type="primary", key="train")
    key = shown.picture.key, count
    if begin:
        st.session_state["trained"] = key, _watch(shown, count)
    before, model = st.session_state.get("trained", (None, None))
    if before != key:
        model = toy.Autoencoder(toy.squares(shown.picture.rgb), count)
    if not begin:
        _draw(shown, model)


def _watch(shown: Subject, count: int) -> toy.Autoencoder:
    """Train, and draw what has been learned so far again and again."""
    model = toy.Autoencoder(toy.squares(shown.picture.rgb), count)
    screen = st.empty()
    for frame in range(FRAMES):
        with screen.container():
            _draw(shown, model, live=frame)
        model.learn(STEPS)
        time.sleep(PAUSE)
    with screen.container():
        _draw(shown, model, live=FRAMES)
    return model


def _draw(shown: Subject, model: toy.Autoencoder, live: int | None = None) -> None:
    rgb = shown.picture.rgb
    restored = toy.picture(model.restored(), *rgb.shape[:2])
    steps, least = STEPS * (len(model.losses) - 1), toy.least_error(model.samples, model.count)
    name = "toy" if live is None else f"toy-{live}"
    left, right = st.columns([3, 1], gap="medium")
    with left:
        figures.chart(
            charts.toy(model.losses, least, STEPS, STEPS * FRAMES),
            f"Squared error after {steps} steps: {model.losses[-1]:.5f}, from "
            f"{model.losses[0]:.5f}; {least:.5f} is the least possible.",
            name,
            ["steps", "squared_error"],
            [(STEPS * number, loss) for number, loss in enumerate(model.losses)],
            height=180,
        )
        figures.plates(
            [
                Plate(
                    figures.signed(weights_of.reshape(8, 8, 3).mean(2)),
                    f"Number {number}",
                    f"What number {number} paints: blue below zero, brown above",
                )
                for number, weights_of in enumerate(model.decoder[:9], 1)
            ],
            f"{name}-weights",
            width=64,
            blocks=True,
        )
    with right:
        figures.plates(
            [
                Plate(
                    framed(restored, *shown.square),
                    f"{model.count} numbers a square, {steps} steps · {psnr(rgb, restored):.2f} dB",
                    "The picture that the small autoencoder gives back",
                )
            ],
            f"{name}-picture",
        )
        st.caption(
            "The small pictures are what each number paints: random at first, then smooth waves like "
            "those JPEG is built on, here learned. The loss of the real network stands on the page "
            "*Kodak*."
        )
