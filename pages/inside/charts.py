"""The Plotly figures of the Inside page; each function takes figures and returns one drawing."""

from __future__ import annotations

import numpy as np

from pages.shared.palette import BLUE, GREEN, ORANGE, RED
from pages.shared.plotly import go, make_subplots


def integers(values: np.ndarray, before: np.ndarray, bits: np.ndarray) -> go.Figure:
    """The integers of one square by channel, what they were before rounding, and their bits."""
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[3, 2])
    channels = list(range(1, len(values) + 1))
    for row, title, heights, colour in ((1, "Integer", values, BLUE), (2, "Bits", bits, ORANGE)):
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
    figure.update_xaxes(title="Channel", row=2, col=1)
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
    figure.update_yaxes(title="Squared error", type="log", exponentformat="power")
    return figure


def plane(rows: list[tuple], touch: tuple[float, float], slope: float) -> go.Figure:
    """The rate–distortion plane: bits over squared error, and the line R + λD through a point.

    Args:
        rows: quality, bits per pixel, mean squared error.
        touch: bits per pixel and squared error of the point that the line goes through.
        slope: λ, in bits per pixel for each unit of squared error.
    """
    quality, rates, errors = zip(*rows)
    figure = go.Figure()
    figure.add_scatter(
        x=errors,
        y=rates,
        name="This picture, scaled down",
        mode="lines+markers",
        customdata=quality,
        line={"color": BLUE, "shape": "spline"},
        hovertemplate="quality %{customdata}: %{y:.2f} bits a pixel, squared error %{x:.1f}",
    )
    rate, error = touch
    x = np.array([error - (1.1 * max(rates) - rate) / slope, error + rate / slope])
    x = np.clip(x, 0, max(errors))
    figure.add_scatter(
        x=x,
        y=rate + slope * (error - x),
        name=f"R + λD, λ = {slope:.4g}",
        mode="lines",
        line={"color": RED, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[error],
        y=[rate],
        name="This quality",
        mode="markers",
        marker={"color": RED, "size": 13, "symbol": "circle-open", "line_width": 3},
        hovertemplate="%{y:.2f} bits a pixel, squared error %{x:.1f}",
    )
    figure.update_xaxes(title="Distortion D: mean squared error, 0–255 scale", rangemode="tozero")
    figure.update_yaxes(title="Rate R: bits per pixel", rangemode="tozero")
    return figure
