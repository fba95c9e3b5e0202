"""The figures of the Kodak page: results → Plotly figures, with the rows that they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pages.shared import palette
from pages.shared.plotly import go
from sdae.measuring import results
from sdae.measuring.metrics import similarity_decibels
from sdae.measuring.results import OURS

MEASURES = {
    "PSNR": ("psnr", None, "PSNR, dB"),
    "SSIM": ("ssim", None, "SSIM"),
    "SSIM in dB": ("ssim", similarity_decibels, "SSIM, dB"),
    "MS-SSIM": ("ms_ssim", None, "MS-SSIM"),
    "MS-SSIM in dB": ("ms_ssim", similarity_decibels, "MS-SSIM, dB"),
    "Accuracy": ("accuracy", None, "Reconstruction accuracy"),
}
"""What a rate–distortion curve can show: the figure of a row, how it is turned, its axis."""


@dataclass(frozen=True)
class Drawn:
    """A figure, a text for those who cannot see it, and what it shows as a table."""

    figure: go.Figure
    alt: str
    heads: list[str]
    rows: list[tuple]


def _draw(curves: list[tuple], x_title: str, y_title: str, hover: str, of: str) -> Drawn:
    """A figure of curves (label, x, y, style), and their points as rows; `of` heads the labels."""
    figure = go.Figure()
    for label, x, y, style in curves:
        figure.add_scatter(x=x, y=y, name=label, hovertemplate=hover, **style)
    figure.update_layout(xaxis_title=x_title, yaxis_title=y_title)
    return Drawn(
        figure,
        f"{y_title.split(',')[0]} over {x_title.split(',')[0].lower()} for "
        + ", ".join(label for label, *_ in curves),
        [of, x_title, y_title],
        [(label, *point) for label, x, y, _ in curves for point in zip(x, y)],
    )


def _line(colour: str, dash: str = "solid", width: float = 2, symbol: str | None = None) -> dict:
    """The style of a curve, with marks where a symbol is named."""
    style = {"mode": "lines", "line": {"color": colour, "dash": dash, "width": width}}
    if symbol:
        style |= {"mode": "lines+markers", "marker": {"symbol": symbol, "size": 8}}
    return style


def rates(curves: dict[str, dict], measure: str, published: dict[str, dict]) -> Drawn:
    """Rate–distortion curves: means over pictures at every setting.

    Args:
        curves: codec → `sdae.measuring.curves.curve`.
        measure: a key of `MEASURES`.
        published: name → the same lists, drawn as dotted lines.
    """
    key, turn, axis = MEASURES[measure]
    styles = {}
    for name in curves:
        symbol = palette.SYMBOLS[list(palette.CODECS).index(name)]
        styles[name] = _line(palette.CODECS[name], width=3 if name == OURS else 2, symbol=symbol)
    for name, dash in zip(published, ("dot", "dash", "dashdot", "longdash")):
        styles[name] = _line(palette.GREY, dash, 1.5)
    form, unit = (".2f", " dB") if axis.endswith("dB") else (".4f", "")
    drawn = _draw(
        [
            (
                name if name in published else results.label(name),
                curve["bpp"],
                [turn(value) if turn else value for value in curve[key]],
                styles[name],
            )
            for name, curve in (curves | published).items()
            if key in curve
        ],
        "Bits per pixel",
        axis,
        "%{x:.3f} bits per pixel: %{y:" + form + "}" + unit,
        "codec",
    )
    if drawn.rows:
        _as_far_as_avif(drawn)
    return drawn


def _as_far_as_avif(drawn: Drawn) -> None:
    """End the axes where AVIF does, if it was measured: beyond it, curves are nearly lossless."""
    ends = {label: bits for label, bits, _ in drawn.rows}
    most = ends.get(results.label("avif"), max(ends.values()))
    shown = [value for _, bits, value in drawn.rows if bits <= most]
    shown += [np.interp(most, line.x, line.y) for line in drawn.figure.data]
    edge = 0.04 * (max(shown) - min(shown))
    drawn.figure.update_xaxes(range=[0, 1.02 * most])
    drawn.figure.update_yaxes(range=[min(shown) - edge, max(shown) + edge])


def noise_sweep(means: dict[str, dict[float, tuple]]) -> Drawn:
    """Mean PSNR over the noise level, a curve a denoiser.

    Args:
        means: as `pages.kodak.tables.noise_means`.
    """
    colours = palette.ORANGE, palette.GREEN, palette.PINK, palette.SKY, palette.RED
    styles = [(palette.GREY, "dot"), (palette.OURS, "solid", 3), (palette.OURS, "dash")]
    styles += [(colour, "solid") for colour in colours]
    return _draw(
        [
            (
                label,
                list(points),
                [psnr for psnr, _ in points.values()],
                _line(*style, symbol=symbol),
            )
            for (label, points), style, symbol in zip(means.items(), styles, palette.SYMBOLS)
        ],
        "Noise level σ",
        "PSNR, dB",
        "σ %{x}: %{y:.2f} dB",
        "denoiser",
    )


def losses(log: list[dict]) -> Drawn:
    """Training and validation loss over the crops of all runs, a line where a run begins.

    Args:
        log: rows of `sdae.training.training_record.read`.
    """
    curves = []
    for key, label, *style in (
        ("loss", "Training", palette.ORANGE, "dash"),
        ("validation_loss", "Validation", palette.OURS, "solid"),
        ("enlarged_validation_loss", "Validation, twice the size", palette.GREEN, "dot"),
    ):
        known = [row for row in log if key in row]
        if known:
            crops = [row["all_images"] for row in known]
            curves.append((label, crops, [row[key] for row in known], _line(*style)))
    drawn = _draw(
        curves, "Crops seen", "Loss, logarithmic", "%{x:,.0f} crops: %{y:.4g}", "measured on"
    )
    for row, before in zip(log[1:], log):
        if row["run"] != before["run"]:
            start = row["all_images"] - row["images"]
            drawn.figure.add_vline(start, line={"color": palette.GREY, "width": 1, "dash": "dot"})
    ticks = [0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8]
    drawn.figure.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return drawn
