"""The question that opens each step, a guess, and the answer measured on the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.inside import experiments, toy
from pages.inside.experiments import Subject
from pages.inside.texts import STEPS


@dataclass(frozen=True)
class Answer:
    """What was measured, as a number or one of the choices, and a sentence that says it."""

    value: float | str
    sentence: str


@dataclass(frozen=True)
class Question:
    """A question and how it is guessed.

    Attributes:
        text: the question, as a function of the subject.
        answer: subject → `Answer`.
        choices: what can be chosen; empty for a slider.
        low, high, step, unit: of the slider.
    """

    text: Callable[[Subject], str]
    answer: Callable[[Subject], Answer]
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 100
    step: float = 1
    unit: str = "%"


def answered(number: int, shown: Subject) -> bool:
    """Draw the question of a step; whether what follows may be shown.

    Until then the visitor guesses, or goes on without one. Afterwards a line says what is true. Whoever
    comes by a link that names a view of the step is not asked.
    """
    question, opened = QUESTIONS[number], f"answered-{number}"
    if STEPS[number].name.lower() in st.query_params:
        st.session_state.setdefault(opened, ())
    state = st.session_state.get(opened)
    if state is None:
        with st.container(border=True, key="question"):
            st.markdown(f"#### {question.text(shown)}")
            guess = _guess(question, number)
            with st.container(horizontal=True):
                for label, kind, kept in (
                    ("Show the answer", "primary", (guess,)),
                    ("Skip the question", "tertiary", ()),
                ):
                    st.button(
                        label,
                        key=f"{label.split()[0].lower()}-{number}",
                        type=kind,
                        on_click=st.session_state.update,
                        args=[{opened: kept}],
                    )
        return False
    if state:
        answer = question.answer(shown)
        with st.container(key="answer"):
            st.markdown(f"**{answer.sentence}** {verdict(question, *state, answer)}")
    return True


def _guess(question: Question, number: int):
    if question.choices:
        return st.segmented_control(
            "Your guess", question.choices, key=f"guess-{number}", label_visibility="collapsed"
        )
    steps = (question.high - question.low) / question.step
    return st.slider(
        "Your guess",
        question.low,
        question.high,
        question.low + question.step * round(steps / 2),
        question.step,
        key=f"guess-{number}",
        label_visibility="collapsed",
        format="%g " + question.unit.replace("%", "%%"),
    )


def verdict(question: Question, guess, answer: Answer) -> str:
    """How near the guess came."""
    if guess is None:
        return "Nothing was guessed."
    if question.choices:
        return f"Your guess: {guess}. " + ("Right." if guess == answer.value else "Not so.")
    apart = guess - answer.value
    said = f"Your guess: {guess:g} {question.unit}"
    if abs(apart) <= question.step:
        return f"{said}. As near as the slider can come."
    return f"{said}, which is {abs(apart):.3g} too {'high' if apart > 0 else 'low'}."


# --- the seven answers ------------------------------------------------------------------------


def _pipeline(shown: Subject) -> Answer:
    result, png = shown.result, len(shown.picture.png)
    share = 100 * result.file_bytes / result.raw_bytes
    return Answer(
        share,
        f"{share:.1f} %: {result.file_bytes:,} bytes. PNG, which loses nothing, "
        f"takes {100 * png / result.raw_bytes:.0f} %.",
    )


def _units(shown: Subject) -> Answer:
    changed = experiments.run(shown, experiments.reach)
    count = int(np.count_nonzero(changed))
    return Answer(
        count,
        f"{count} squares get other integers, {changed.max()} of them in the "
        "square that changes most.",
    )


def _latent(shown: Subject) -> Answer:
    energy = np.sort(experiments.run(shown, experiments.energy))[::-1]
    share = np.cumsum(energy) / max(energy.sum(), 1e-12)
    count = min(int(np.searchsorted(share, 0.9)) + 1, len(energy))
    zeros = 100 * float((shown.latent.values == 0).mean())
    return Answer(
        count,
        f"{count} of {len(energy)} channels hold 90 % of the energy, and "
        f"{zeros:.0f} % of all integers are zero.",
    )


def _bytes(shown: Subject) -> Answer:
    result, plain = shown.result, experiments.run(shown, experiments.plain_bytes)
    bits = 8 * result.file_bytes / result.latent_bytes
    return Answer(
        bits,
        f"{bits:.2f} bits: {result.latent_bytes:,} integers fit into "
        f"{result.file_bytes:,} bytes. zlib alone takes {plain:,}.",
    )


def _noise(shown: Subject) -> Answer:
    noisy = experiments.run(shown, experiments.with_noise, NOISE)
    times = noisy.kept_bytes / noisy.cleaned_bytes
    return Answer(
        times,
        f"{times:.1f} times: {noisy.kept_bytes:,} bytes with the noise, "
        f"{noisy.cleaned_bytes:,} when it is removed first.",
    )


def _training(shown: Subject) -> Answer:
    samples = toy.squares(shown.picture.rgb)
    share = 100 * (1 - toy.least_error(samples, NUMBERS) / max(float(samples.var(0).mean()), 1e-12))
    return Answer(
        share,
        f"{share:.1f} % of the variance, with the best weights: neighbouring pixels are nearly alike.",
    )


def _limits(shown: Subject) -> Answer:
    picture, result = experiments.example("Text", TEXT_QUALITY)
    png, ours = len(picture.png), result.file_bytes
    smaller = "PNG" if png < ours else "SDAE"
    return Answer(
        smaller,
        f"{smaller}: PNG keeps every pixel in {png:,} bytes, SDAE takes "
        f"{ours:,} and is off by {result.psnr:.1f} dB.",
    )


TEXT_QUALITY = 75
"""Quality of the question on letters."""

NUMBERS = 8
"""Numbers a square in the question on training."""

NOISE = 0.1
"""Noise level of the question on noise, as a share of full range."""

QUESTIONS = (
    Question(
        lambda shown: (
            f"The pixels take {shown.result.raw_bytes:,} bytes. How much of that is "
            f"left in the .sdae file at quality {shown.quality:g}?"
        ),
        _pipeline,
        low=0.0,
        high=50.0,
        step=0.5,
    ),
    Question(
        lambda shown: (
            "One pixel in the middle of the picture is inverted. In how many squares of "
            "8 × 8 pixels does the encoder write other integers?"
        ),
        _units,
        low=0,
        high=60,
        unit="squares",
    ),
    Question(
        lambda shown: (
            f"The latent has {shown.latent.values.shape[2]} channels. How many of them "
            "hold nine tenths of the energy?"
        ),
        _latent,
        low=1,
        high=80,
        unit="channels",
    ),
    Question(
        lambda shown: "How many bits does one integer of the latent take in the file, on average?",
        _bytes,
        low=0.0,
        high=8.0,
        step=0.1,
        unit="bits",
    ),
    Question(
        lambda shown: (
            f"The picture gets noise of σ {NOISE}. How many times as large is its file "
            "when the noise is not removed first?"
        ),
        _noise,
        low=0.5,
        high=10.0,
        step=0.5,
        unit="times",
    ),
    Question(
        lambda shown: (
            f"A square has 8 × 8 × 3 = 192 samples. How much of the variance of all squares can "
            f"{NUMBERS} numbers for each hold?"
        ),
        _training,
    ),
    Question(
        lambda shown: (
            f"A picture of letters: which file is smaller, PNG, which keeps every "
            f"pixel, or SDAE at quality {TEXT_QUALITY}?"
        ),
        _limits,
        choices=("PNG", "SDAE"),
    ),
)
"""The questions, in the order of `pages.inside.texts.STEPS`."""
