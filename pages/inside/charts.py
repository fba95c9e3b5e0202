"""The Plotly figures of the Inside page; each function takes figures and returns one drawing."""

from __future__ import annotations

import numpy as np

from pages.shared.palette import BLUE, GREEN, GREY, ORANGE, RED, SEQUENCE, SYMBOLS
from pages.shared.plotly import go, make_subplots

DASHES = "solid", "dash", "dot", "dashdot"
"""Lines without marks in the same order as the colours."""


def slopes(encoder: dict[str, np.ndarray], decoder: dict[str, np.ndarray]) -> go.Figure:
    """PReLU slopes: a dot a channel, a line a layer."""
    figure, names = go.Figure(), [*encoder, *decoder]
    for number, values in enumerate((*encoder.values(), *decoder.values())):
        colour = BLUE if number < len(encoder) else GREEN
        figure.add_box(
            y=[number] * len(values),
            x=values,
            boxpoints="all",
            jitter=0.7,
            pointpos=0,
            orientation="h",
            marker={"size": 3, "color": colour},
            line={"width": 1},
            fillcolor="rgba(0,0,0,0)",
            showlegend=False,
            hovertemplate="%{x:.3f}<extra>" + names[number] + "</extra>",
        )
    for name, colour in (("Encoder", BLUE), ("Decoder", GREEN)):
        figure.add_scatter(x=[None], y=[None], name=name, mode="markers", marker_color=colour)
    for place, name, dash in ((0.2, "Start of the training", "dash"), (0.0, "ReLU", "dot")):
        figure.add_scatter(
            y=[-0.5, len(names) - 0.5],
            x=[place] * 2,
            name=f"{name}: {place:g}",
            mode="lines",
            line={"color": ORANGE, "dash": dash, "width": 1.5},
            hoverinfo="skip",
        )
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed")
    figure.update_layout(xaxis_title="Slope below zero")
    return figure


def histograms(channels: dict[str, np.ndarray]) -> go.Figure:
    """How often each integer occurs in each of some channels, in percent."""
    figure = go.Figure()
    reach = max(2, *(int(np.percentile(np.abs(v), 99)) for v in channels.values()))
    for number, (name, values) in enumerate(channels.items()):
        shown = np.arange(-reach, reach + 1)
        share = [100 * float((values == v).mean()) or None for v in shown]
        figure.add_scatter(
            x=shown,
            y=share,
            name=name,
            mode="lines",
            line={"color": SEQUENCE[number], "width": 1.5, "dash": DASHES[number]},
            hovertemplate="%{x}: %{y:.1f} %",
        )
    figure.update_layout(xaxis_title="Integer")
    figure.update_yaxes(title="Share of places, %", type="log", dtick=1)
    return figure


def energies(values: np.ndarray, count: int) -> go.Figure:
    """Energy of each channel, strongest first, as a share of all; the first ``count`` in blue."""
    share = 100 * values / max(values.sum(), 1e-12)
    rank = np.arange(1, len(share) + 1)
    figure = go.Figure()
    for name, part, colour in (("Kept", slice(0, count), BLUE), ("Zero", slice(count, None), GREY)):
        figure.add_bar(
            x=rank[part],
            y=np.maximum(share[part], 1e-3),
            name=name,
            marker_color=colour,
            hovertemplate="rank %{x}: %{y:.3f} %",
        )
    figure.update_layout(bargap=0.15, xaxis_title="Channel, strongest first")
    figure.update_yaxes(title="Energy, %", type="log", dtick=1)
    return figure


def bytes_by_channel(actual: np.ndarray, ideal: np.ndarray) -> go.Figure:
    """Bytes spent on each channel beside its entropy, both in the order of the file."""
    figure = go.Figure()
    channels = np.arange(1, len(actual) + 1)
    figure.add_bar(
        x=channels, y=actual, name="In the file", marker_color=BLUE, hovertemplate="%{y:.1f} bytes"
    )
    figure.add_scatter(
        x=channels,
        y=ideal,
        name="Entropy, one table a channel",
        mode="markers",
        marker={"color": ORANGE, "size": 5, "symbol": "diamond"},
        hovertemplate="%{y:.1f} bytes",
    )
    figure.update_layout(
        xaxis_title="Channel", yaxis_title="Bytes", hovermode="x unified", bargap=0.15
    )
    return figure


def integers(values: np.ndarray, bits: np.ndarray) -> go.Figure:
    """The integers of one place by channel, and below them the bits that each takes."""
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06)
    channels = np.arange(1, len(values) + 1)
    for row, (title, shown, colour, form) in enumerate(
        (("Integer", values, BLUE, "%{y:d}"), ("Bits", bits, ORANGE, "%{y:.2f} bits")), 1
    ):
        figure.add_bar(
            x=channels.tolist(),
            y=shown.tolist(),
            name=title,
            marker_color=colour,
            showlegend=False,
            hovertemplate=form,
            row=row,
            col=1,
        )
        figure.update_yaxes(title=title, row=row, col=1)
    figure.update_xaxes(title="Channel", row=2, col=1)
    figure.update_layout(hovermode="x unified", bargap=0.1)
    return figure


def shifts(blind: np.ndarray, told: np.ndarray, signal: np.ndarray) -> go.Figure:
    """Change of the integers through noise by channel, and how large the clean ones are."""
    figure = go.Figure()
    channels = np.arange(1, len(blind) + 1)
    for name, values, colour, dash in (
        ("Clean integers", signal, GREY, "dot"),
        ("Change, noise not told", blind, ORANGE, "solid"),
        ("Change, noise told", told, BLUE, "dash"),
    ):
        figure.add_scatter(
            x=channels,
            y=np.maximum(values, 1e-2),
            name=name,
            hovertemplate="%{y:.2f}",
            line={"color": colour, "dash": dash, "width": 2},
        )
    figure.update_layout(xaxis_title="Channel, strongest first", hovermode="x unified")
    figure.update_yaxes(title="Root mean square", type="log", dtick=1)
    return figure


def losses(crops: np.ndarray, loss: np.ndarray, validation: np.ndarray) -> go.Figure:
    """Training and validation loss over the crops seen."""
    figure = go.Figure()
    for name, values, colour, dash in (
        ("Training", loss, ORANGE, "dash"),
        ("Validation", validation, BLUE, "solid"),
    ):
        figure.add_scatter(
            x=crops,
            y=values,
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash},
            hovertemplate="%{y:.3f}",
        )
    figure.update_layout(xaxis_title="Crops seen", hovermode="x unified")
    ticks = [0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8]
    figure.update_yaxes(
        title="Loss (logarithmic)",
        type="log",
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    return figure


def progress(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> go.Figure:
    """Rate–distortion curves of the validation after some epochs: name → bpp, PSNR."""
    figure = go.Figure()
    for number, (name, (rate, psnr)) in enumerate(curves.items()):
        figure.add_scatter(
            x=rate,
            y=psnr,
            name=name,
            mode="lines+markers",
            line={"color": SEQUENCE[number]},
            marker={"symbol": SYMBOLS[number], "size": 7},
            hovertemplate="%{x:.3f} bits a pixel, %{y:.2f} dB",
        )
    figure.update_layout(
        xaxis_title="Bits per pixel (estimate of the loss)", yaxis_title="PSNR, dB"
    )
    return figure


def plane(curves: dict[str, list[tuple]], touch: tuple[float, float], slope: float) -> go.Figure:
    """The rate–distortion plane: bits over squared error, and the line R + λD through a point.

    Args:
        curves: name → rows of quality, bits per pixel, mean squared error.
        touch: bits per pixel and squared error of the point that the line goes through.
        slope: λ, in bits per pixel for each unit of squared error.
    """
    figure = go.Figure()
    for number, (name, rows) in enumerate(curves.items()):
        quality, rate, error = zip(*rows)
        figure.add_scatter(
            x=error,
            y=rate,
            name=name,
            mode="lines+markers",
            customdata=quality,
            line={"color": (BLUE, GREEN)[number], "shape": "spline"},
            marker={"symbol": SYMBOLS[number], "size": 7},
            hovertemplate="quality %{customdata}: %{y:.2f} bits a pixel, squared error %{x:.1f}",
        )
    rate, error = touch
    most = max(row[2] for rows in curves.values() for row in rows)
    high = max(row[1] for rows in curves.values() for row in rows)
    x = np.array([max(0.0, error - (1.1 * high - rate) / slope), error + rate / slope])
    x = np.clip(x, 0, max(most, error))
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


def sizes(rows: list[tuple[int, int, int, int]]) -> go.Figure:
    """Bytes a pixel of squares from one picture, by their side, with PNG beside them."""
    side, file, header, png = map(np.array, zip(*rows))
    figure = go.Figure()
    for name, values, colour, symbol in (
        ("PNG, lossless", png, ORANGE, "square"),
        (".sdae file", file, BLUE, "circle"),
        ("Its header alone", header, GREY, "diamond"),
    ):
        figure.add_scatter(
            x=side,
            y=values / side**2,
            name=name,
            mode="lines+markers",
            line={"color": colour},
            marker={"symbol": symbol, "size": 7},
            hovertemplate="%{y:.3f} bytes a pixel",
        )
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(
        title="Side of the square, pixels",
        type="log",
        tickvals=side.tolist(),
        ticktext=[str(s) for s in side],
    )
    figure.update_yaxes(title="Bytes a pixel", type="log", dtick=1)
    return figure
