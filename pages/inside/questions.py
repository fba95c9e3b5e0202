"""The question that opens each step, a guess, and the answer measured on the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.inside import experiments, toy
from pages.inside.experiments import Subject
from pages.inside.hard_pictures import EXAMPLES
from pages.inside.squares import framed
from pages.inside.texts import NAMES

TEXT_QUALITY = 75
"""Quality of the question on letters."""

NUMBERS = 8
"""Numbers a square in the question on training."""

NOISE = 0.1
"""Noise level of the question on noise, as a share of full range."""


@dataclass(frozen=True)
class Question:
    """A question, the picture it is about, and the slider that guesses.

    Attributes:
        text: the question, a format string that may look into ``shown``.
        answer: subject → the true number, and a sentence that says it.
        high, step, unit: of the slider, which begins at 0.
        picture: subject → uint8 (H, W, 3).
    """

    text: str
    answer: Callable[[Subject], tuple[float, str]]
    high: float
    step: float
    unit: str
    picture: Callable[[Subject], np.ndarray] = lambda shown: framed(
        shown.picture.rgb, *shown.square, times=2
    )


def answered(number: int, shown: Subject) -> bool:
    """Draw the question of a step; whether what follows may be shown.

    Until then the visitor guesses, or goes on without one. Afterwards a line says what is true.
    Whoever comes by a link that names a view of the step is not asked.
    """
    question, opened = QUESTIONS[number], f"answered-{number}"
    if NAMES[number].lower() in st.query_params:
        st.session_state.setdefault(opened, ())
    guesses = st.session_state.get(opened)
    if guesses is None:
        _ask(question, number, opened, shown)
        return False
    for guess in guesses:
        value, sentence = question.answer(shown)
        st.success(f"**{sentence}** {verdict(question, guess, value)}")
    return True


def _ask(question: Question, number: int, opened: str, shown: Subject) -> None:
    with st.container(border=True, key="question"):
        asked, seen = st.columns([2, 3], gap="medium", vertical_alignment="center")
    seen.image(question.picture(shown), alt="The picture of the question")
    with asked:
        st.markdown(f"##### {question.text.format(shown=shown)}")
        guess = st.slider(
            "Your guess",
            0.0,
            question.high,
            question.high / 2,
            question.step,
            key=f"guess-{number}",
            label_visibility="collapsed",
            format="%g " + question.unit.replace("%", "%%"),
        )
        with st.container(horizontal=True):
            for label, kind, guesses in (
                ("Show the answer", "primary", (guess,)),
                ("Skip the question", "tertiary", ()),
            ):
                st.button(
                    label,
                    key=f"{label.partition(' ')[0].lower()}-{number}",
                    type=kind,
                    on_click=st.session_state.update,
                    args=[{opened: guesses}],
                )


def verdict(question: Question, guess: float, value: float) -> str:
    """How near the guess came."""
    apart = guess - value
    said = f"Your guess: {guess:g} {question.unit}"
    if abs(apart) <= question.step:
        return f"{said}. As near as the slider can come."
    return f"{said}, which is {abs(apart):.3g} too {'high' if apart > 0 else 'low'}."


# --- the seven answers ------------------------------------------------------------------------


def _pipeline(shown):
    result, png = shown.result, len(shown.picture.png)
    share = 100 * result.file_bytes / result.raw_bytes
    return share, (
        f"{share:.1f} %: {result.file_bytes:,} bytes. PNG, which loses nothing, "
        f"takes {100 * png / result.raw_bytes:.0f} %."
    )


def _units(shown):
    changed = experiments.run(shown, experiments.reach)
    count = int(np.count_nonzero(changed))
    return count, (
        f"{count} squares get other integers, {changed.max()} of them in the "
        "square that changes most."
    )


def _latent(shown):
    energy = np.sort(experiments.run(shown, experiments.energy))[::-1]
    share = np.cumsum(energy) / max(energy.sum(), 1e-12)
    count = min(int(np.searchsorted(share, 0.9)) + 1, len(energy))
    zeros = 100 * float((shown.latent.values == 0).mean())
    return count, (
        f"{count} of {len(energy)} channels hold 90 % of the energy, and "
        f"{zeros:.0f} % of all integers are zero."
    )


def _bytes(shown):
    result, plain = shown.result, experiments.run(shown, experiments.plain_bytes)
    bits = 8 * result.file_bytes / result.latent_bytes
    return bits, (
        f"{bits:.2f} bits: {result.latent_bytes:,} integers fit into "
        f"{result.file_bytes:,} bytes. zlib alone takes {plain:,}."
    )


def _noise(shown):
    noisy = experiments.run(shown, experiments.with_noise, NOISE)
    times = noisy.kept_bytes / noisy.cleaned_bytes
    return times, (
        f"{times:.1f} times: {noisy.kept_bytes:,} bytes with the noise, "
        f"{noisy.cleaned_bytes:,} when it is removed first."
    )


def _training(shown):
    samples = toy.squares(shown.picture.rgb)
    variance = max(float(samples.var(0).mean()), 1e-12)
    share = 100 * (1 - toy.least_error(samples, NUMBERS) / variance)
    return share, (
        f"{share:.1f} % of the variance, with the best weights: neighbouring pixels are nearly alike."
    )


def _limits(shown):
    picture, result = experiments.example("Text", TEXT_QUALITY)
    share = 100 * result.file_bytes / len(picture.png)
    return share, (
        f"{share:.0f} %: PNG keeps every pixel in {len(picture.png):,} bytes, SDAE takes "
        f"{result.file_bytes:,} and reaches {result.psnr:.1f} dB."
    )


QUESTIONS = (
    Question(
        "The pixels take {shown.result.raw_bytes:,} bytes. How much of that is left in the .sdae file "
        "at quality {shown.quality:g}?",
        _pipeline,
        50.0,
        0.5,
        "%",
    ),
    Question(
        "One pixel in the middle of the picture is inverted. In how many squares of 8 × 8 pixels "
        "does the encoder write other integers?",
        _units,
        60.0,
        1.0,
        "squares",
        lambda shown: framed(shown.picture.rgb, *(n // 16 for n in shown.picture.size), times=2),
    ),
    Question(
        "The latent has {shown.latent.values.shape[2]} channels. How many of them hold nine tenths "
        "of the energy?",
        _latent,
        80.0,
        1.0,
        "channels",
    ),
    Question(
        "How many bits does one integer of the latent take in the file, on average?",
        _bytes,
        8.0,
        0.1,
        "bits",
    ),
    Question(
        f"The picture gets noise of σ {NOISE}. How many times as large is its file when the noise "
        "is not removed first?",
        _noise,
        10.0,
        0.5,
        "times",
    ),
    Question(
        "A square has 8 × 8 × 3 = 192 samples. How much of the variance of all squares can "
        f"{NUMBERS} numbers for each hold?",
        _training,
        100.0,
        1.0,
        "%",
    ),
    Question(
        "A picture of letters: PNG keeps every pixel. How large is the .sdae file beside it, at "
        f"quality {TEXT_QUALITY}?",
        _limits,
        300.0,
        5.0,
        "%",
        lambda shown: EXAMPLES["Text"](),
    ),
)
"""The questions, in the order of `pages.inside.texts.STEPS`."""
