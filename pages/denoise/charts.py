"""How the Denoise page shows its figures: a table of denoisers, a histogram and a curve."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from pages.denoise.sides import SDAE
from pages.denoise.versions import Version
from pages.shared.figures import legible
from pages.shared.numbers import decibels, milliseconds
from pages.shared.palette import NOISY, OURS, TRUE
from pages.shared.table import Column, Row, draw_table

_COLOURS = {"Noise": NOISY, "Removed": NOISY, "Error": OURS}


def table(start: Version, made: dict[str, Version], labels: list[str]) -> None:
    """Draw the noisy picture and the versions `made` of all `labels`; the best are bold once all
    are made."""
    measured, complete = start.psnr is not None, len(made) == len(labels)
    columns = [Column("Processor time", milliseconds)]
    if measured:
        closeness = [("PSNR", decibels), ("SSIM", "{:.4f}".format)]
        columns = [Column(head, form, best=complete) for head, form in closeness] + columns

    def values(version):
        return (version.psnr, version.ssim)[: 2 * measured] + (version.seconds or None,)

    rows = [Row("Noisy", values(start))] if measured else []
    for label in labels:
        text = values(made[label]) if label in made else "at work …"
        rows.append(Row(label, text, ours=label == SDAE))
    draw_table("Denoiser", columns, rows)


def histogram(shares: dict[str, np.ndarray]) -> None:
    """Draw the shares of `pages.denoise.versions.shares`, a curve for each name."""
    from pages.shared.plotly import go

    figure = go.Figure()
    levels = np.arange(-255, 256)
    # As far as the widest curve stands out from the axis.
    reach = max(np.abs(levels)[share > 0.02].max(initial=8) for share in shares.values())
    for name, share in shares.items():
        figure.add_scatter(
            x=levels[255 - reach : 256 + reach],
            y=share[255 - reach : 256 + reach],
            name=name,
            line={"color": _COLOURS[name], "shape": "hvh", "width": 1.5},
            fill="tozeroy",
            hovertemplate="%{x:+d}: %{y:.2f} %",
        )
    _draw(figure, "Noise and error, levels of 255", "Share of samples, %", "histogram")


def curve(rows: list[tuple]) -> None:
    """Draw the rows of `pages.denoise.versions.curve`: PSNR in and out over the noise level."""
    from pages.shared.plotly import go

    figure = go.Figure()
    sigma, *lines = zip(*rows)
    rings = {"color": TRUE, "symbol": "circle-open", "size": 13}
    for name, mode, style, values in (
        ("Denoised, measured level", "lines+markers", {"color": OURS}, lines[1]),
        ("Denoised, true level", "markers", rings, lines[2]),
        ("Noisy", "lines+markers", {"color": NOISY}, lines[0]),
    ):
        figure.add_scatter(
            x=sigma,
            y=[None if math.isinf(v) else v for v in values],
            name=name,
            mode=mode,
            line={"color": style["color"]},
            marker={"size": 6, **style},
            hovertemplate="%{y:.2f} dB",
        )
    _draw(figure, "Noise level", "PSNR, dB", "curve")


def _draw(figure, x: str, y: str, key: str) -> None:
    figure.update_layout(
        height=320,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        hovermode="x unified",
        xaxis_title=x,
        yaxis_title=y,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    legible(figure)
    st.plotly_chart(figure, key=key, alt=f"{y} by {x.lower()}.", config={"displayModeBar": False})
