"""The Plotly figures of the Inside page; each function takes figures and returns one drawing."""

from __future__ import annotations

import numpy as np

from pages.shared.palette import BLUE, GREEN, ORANGE, RED
from pages.shared.plotly import go, make_subplots


def integers(values: np.ndarray, before: np.ndarray, bits: np.ndarray) -> go.Figure:
    """The integers of one square by channel, what they were before rounding, and their bits."""
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[3, 2])
    channels = list(range(1, len(values) + 1))
    for row, title, heights, colour in (
        (1, "Integer a channel", values, BLUE),
        (2, "Bits", bits, ORANGE),
    ):
        figure.add_bar(
            x=channels,
            y=heights.tolist(),
            name=title,
            marker_color=colour,
            showlegend=row == 1,
            hovertemplate="%{y:.3~g}",
            row=row,
            col=1,
        )
    figure.add_scatter(
        x=channels,
        y=before.tolist(),
        name="Before rounding",
        mode="markers",
        marker={"color": RED, "size": 4, "symbol": "diamond"},
        hovertemplate="%{y:.2f}",
        row=1,
        col=1,
    )
    figure.update_yaxes(title="Bits", row=2, col=1)
    figure.update_layout(hovermode="x unified", bargap=0.1)
    return figure


def toy(losses: list[float], least: float, steps: int, most: int) -> go.Figure:
    """The error of the small autoencoder while it learns, and the least that is possible.

    Args:
        losses: mean squared errors, full scale 1, one before and one after every ``steps``.
        least: of the best linear autoencoder.
        most: steps until the end.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[steps * n for n in range(len(losses))],
        y=losses,
        name="Your autoencoder",
        mode="lines",
        line={"color": BLUE},
        hovertemplate="%{y:.5f}",
    )
    figure.add_scatter(
        x=[0, most],
        y=[least, least],
        name="Least possible",
        mode="lines",
        line={"color": GREEN, "dash": "dash"},
        hovertemplate="%{y:.5f}",
    )
    figure.update_xaxes(title="Steps", range=[0, most])
    ticks = [digit * 10.0**power for power in range(-6, 0) for digit in (1, 3)]
    figure.update_yaxes(title="Squared error", type="log", tickvals=ticks)
    return figure
