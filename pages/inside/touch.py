"""Touch the latent: one square of the photograph, its integers, its bits, its channels."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.inside import charts, experiments
from pages.inside.bits import SQUARE
from pages.inside.experiments import Subject
from pages.inside.square_map import Panel, square_map
from pages.inside.squares import cut, squared_error
from pages.shared import figures
from pages.shared.figures import Plate

COUNTS = 1, 3, 10, 40
"""So many of the strongest channels are shown alone."""

_STOPS = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]])


def touch(shown: Subject) -> None:
    """The map of bits, and beside it what is known of the square that was clicked."""
    spent = experiments.run(shown, experiments.bits_spent)
    squares = spent.sum(2)
    column, row = shown.square
    values, bits = shown.latent.values[row, column], spent[row, column]
    before = experiments.run(shown, experiments.unrounded)[row, column]
    left, right = st.columns([1, 1], gap="medium")
    with left:
        square_map(panels(shown, squares), shown.square)
    with right:
        figures.chart(
            charts.integers(values, before, bits),
            f"The {len(values)} integers of the square by channel, before and after rounding, and "
            f"the bits of each. {np.count_nonzero(values)} are not zero; the square takes "
            f"{bits.sum():.0f} bits.",
            "square",
            ["channel", "before_rounding", "integer", "bits"],
            [
                (number, float(exact), int(value), float(cost))
                for number, (exact, value, cost) in enumerate(zip(before, values, bits), 1)
            ],
            height=140,
        )
    st.markdown(
        f"Square {column + 1} across, {row + 1} down: {np.count_nonzero(values)} of {len(values)} "
        f"integers are not zero, and all take {bits.sum():.0f} bits; a tenth of the squares takes "
        f"{busiest(squares):.0f} % of the bits."
    )
    left, right = st.columns([9, 4], gap="medium")
    with left:
        figures.plates(by_channels(shown), "square-by-channels", width=90, blocks=True)
    right.caption(
        "What the strongest channels paint alone; ± is the root mean square of the error, of 255 levels."
    )


def panels(shown: Subject, squares: np.ndarray) -> list[Panel]:
    """The photograph, and over it the map of bits."""
    rgb, most = shown.picture.rgb, max(float(np.percentile(squares, 99.5)), 1.0)
    return [
        Panel(rgb, "Click a square of 8 × 8 pixels", "The photograph in squares of 8 by 8 pixels."),
        Panel(
            heat(squares, most, rgb),
            f"Its bits in the file · yellow: {most:,.0f} or more",
            "Where the .sdae file spends its bits, bright for many.",
        ),
    ]


def busiest(squares: np.ndarray) -> float:
    """Per cent of the bits that the costliest tenth of the squares takes."""
    ordered = np.sort(squares, axis=None)[::-1]
    total = ordered.sum()
    return 100 * float(ordered[: -(-len(ordered) // 10)].sum() / total) if total else 0.0


def heat(squares: np.ndarray, most: float, rgb: np.ndarray) -> np.ndarray:
    """(h, w) numbers as colours, a square of 8×8 each, shaded by the picture below.

    Black is 0 and yellow ``most``; ``rgb`` is (H, W, 3) uint8, and so is the answer.
    """
    place = np.clip(squares / most, 0, 1) * (len(_STOPS) - 1)
    colours = np.stack([np.interp(place, range(len(_STOPS)), c) for c in _STOPS.T], -1)
    large = colours.repeat(SQUARE, 0).repeat(SQUARE, 1)[: rgb.shape[0], : rgb.shape[1]]
    return np.uint8(large * (0.55 + 0.45 * rgb.mean(2, keepdims=True) / 255))


def by_channels(shown: Subject) -> list[Plate]:
    """The square in the photograph, then of ever more channels."""
    channels, rgb = shown.latent.values.shape[2], shown.picture.rgb
    plates = [Plate(cut(rgb, *shown.square), "Photograph", "The square in the photograph")]
    for count in [*(c for c in COUNTS if c < channels), channels]:
        restored = experiments.run(shown, experiments.first_channels, count)
        error = squared_error(rgb, restored, *shown.square)
        name = f"All {count}" if count == channels else f"First {count}"
        plates.append(
            Plate(
                cut(restored, *shown.square),
                f"{name}: ± {error:.1f}",
                f"The same square from {count} channels, error {error:.1f} levels",
            )
        )
    return plates
