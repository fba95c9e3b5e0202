"""Touch the latent: one square of the photograph, its integers, its bits, its channels."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.inside import charts, experiments
from pages.inside.experiments import Subject
from pages.inside.square_map import Panel, square_map
from pages.shared import figures
from pages.shared.figures import Plate
from sdae.measuring.bit_allocation import SQUARE, Allocation

COUNTS = 1, 3, 10, 40
"""So many of the strongest channels are shown alone."""

_STOPS = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]])
_ENLARGED, _AROUND = 6, 2


def touch(shown: Subject) -> None:
    """The maps of bits, and below them what is known of the square that was clicked."""
    ours = experiments.run(shown, experiments.allocation)
    jpeg = experiments.run(shown, experiments.jpeg_squares)
    st.markdown(
        "Click a square of 8 × 8 pixels in any of the pictures. Bright squares take more bits."
    )
    row, column = np.unravel_index(ours.squares.argmax(), ours.squares.shape)
    column, row = square_map(panels(shown, ours, jpeg), (int(column), int(row)))
    st.markdown(
        f"**{allocation_sentence(ours.squares, jpeg)}** "
        + square_sentence(shown, ours, jpeg, column, row)
    )
    values, bits = shown.latent.values[row, column], ours.bits[row, column]
    left, right = st.columns([5, 6], gap="medium")
    with left:
        figures.chart(
            charts.integers(values, bits),
            f"The {len(values)} integers of the square by channel, and the bits of each. "
            f"{np.count_nonzero(values)} are not zero; the square takes {bits.sum():.0f} bits.",
            "square",
            ["channel", "integer", "bits"],
            [(k, int(v), float(b)) for k, (v, b) in enumerate(zip(values, bits), 1)],
            height=330,
        )
        st.caption(
            "Channels in the order of the file. Bits are the coder's own account: integers "
            "share a byte by their information."
        )
    with right:
        figures.plates(
            _by_channels(shown, column, row), "square-by-channels", width=130, blocks=True
        )
        st.caption(
            "The square in its frame, from the strongest channels alone. The error is the "
            "root mean square inside the frame, of 255 levels."
        )


def panels(shown: Subject, ours: Allocation, jpeg) -> list[Panel]:
    """The photograph, and over it both maps of bits on one scale."""
    rgb, found = shown.picture.rgb, [ours.squares] + ([jpeg[0]] if jpeg else [])
    most = max(float(np.percentile(np.concatenate([f.ravel() for f in found]), 99.5)), 1.0)
    drawn = [
        Panel(rgb, "Photograph", "The photograph in squares of 8 by 8 pixels."),
        Panel(
            heat(ours.squares, most, rgb),
            f"SDAE · {shown.result.file_bytes:,} bytes · yellow: {most:,.0f} bits or more",
            "Where the .sdae file spends its bits, bright for many.",
        ),
    ]
    if jpeg:
        drawn.append(
            Panel(
                heat(jpeg[0], most, rgb),
                f"JPEG · {jpeg[1]:,} bytes · on the same scale",
                "Where a JPEG file of the same bytes spends its bits.",
            )
        )
    return drawn


def allocation_sentence(ours: np.ndarray, jpeg) -> str:
    """How unevenly the bits lie over the picture."""
    said = f"A tenth of the squares takes {busiest(ours):.0f} % of the bits"
    return f"{said}; in JPEG {busiest(jpeg[0]):.0f} %." if jpeg else f"{said}."


def busiest(squares: np.ndarray) -> float:
    """Per cent of the bits that the costliest tenth of the squares takes."""
    ordered = np.sort(squares, axis=None)[::-1]
    total = ordered.sum()
    return 100 * float(ordered[: -(-len(ordered) // 10)].sum() / total) if total else 0.0


def square_sentence(shown: Subject, ours: Allocation, jpeg, column: int, row: int) -> str:
    """What the chosen square costs in both codecs."""
    values = shown.latent.values[row, column]
    said = (
        f"Square {column + 1} across, {row + 1} down: {np.count_nonzero(values)} of "
        f"{len(values)} integers are not zero, and all take {ours.squares[row, column]:.0f} "
        "bits."
    )
    return said + (f" JPEG spends {jpeg[0][row, column]:.0f} bits on it." if jpeg else "")


def heat(squares: np.ndarray, most: float, rgb: np.ndarray) -> np.ndarray:
    """(h, w) numbers as colours, a square of 8×8 each, shaded by the picture below.

    Black is 0 and yellow ``most``; ``rgb`` is (H, W, 3) uint8, and so is the answer.
    """
    place = np.clip(squares / most, 0, 1) * (len(_STOPS) - 1)
    colours = np.stack([np.interp(place, range(len(_STOPS)), c) for c in _STOPS.T], -1)
    large = colours.repeat(SQUARE, 0).repeat(SQUARE, 1)[: rgb.shape[0], : rgb.shape[1]]
    return np.uint8(large * (0.55 + 0.45 * rgb.mean(2, keepdims=True) / 255))


def _by_channels(shown: Subject, column: int, row: int) -> list[Plate]:
    """The surroundings of a square in the photograph, then of ever more channels."""
    top, left = SQUARE * row, SQUARE * column
    square = slice(top, top + SQUARE), slice(left, left + SQUARE)
    channels = shown.latent.values.shape[2]
    plates = [
        Plate(
            framed(shown.picture.rgb, column, row),
            "Photograph",
            "The square and its surroundings in the photograph",
        )
    ]
    for count in [*(c for c in COUNTS if c < channels), channels]:
        rgb, _ = experiments.run(shown, experiments.first_channels, count)
        apart = shown.picture.rgb[square].astype("float64") - rgb[square]
        error = np.sqrt(np.square(apart).mean())
        name = f"All {count}" if count == channels else f"First {count}"
        plates.append(
            Plate(
                framed(rgb, column, row),
                f"{name} · error {error:.1f}",
                f"The same place from {count} channels, error {error:.1f} levels",
            )
        )
    return plates


def framed(rgb: np.ndarray, column: int, row: int) -> np.ndarray:
    """A square with its neighbours, enlarged, the square in a white frame: uint8."""
    top, left = (SQUARE * max(0, place - _AROUND) for place in (row, column))
    bottom, right = (SQUARE * (place + _AROUND + 1) for place in (row, column))
    part = rgb[top:bottom, left:right].repeat(_ENLARGED, 0).repeat(_ENLARGED, 1)
    y, x = (_ENLARGED * (SQUARE * place - first) for place, first in ((row, top), (column, left)))
    inner = part[y : y + SQUARE * _ENLARGED, x : x + SQUARE * _ENLARGED].copy()
    for width, level in ((3, 0), (2, 255)):  # a dark line around the white one
        part[
            max(0, y - width) : y + len(inner) + width,
            max(0, x - width) : x + inner.shape[1] + width,
        ] = level
    part[y : y + len(inner), x : x + inner.shape[1]] = inner
    return part
