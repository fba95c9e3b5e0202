"""How the Denoise page shows its figures: a table of denoisers, a histogram and a curve."""

from __future__ import annotations

import math
from html import escape

import numpy as np
import streamlit as st

from pages.denoise.versions import Version
from pages.shared.figures import legible
from pages.shared.numbers import decibels, milliseconds
from pages.shared.palette import NOISY, OURS, TRUE
from sdae.measuring import classical_denoisers

_COLOURS = {"Noise": NOISY, "Removed": NOISY, "Error": OURS}

_STYLE = """
<style>
.sdae-denoisers { width: 100%; border-collapse: collapse; font-size: 0.875rem;
  font-variant-numeric: tabular-nums; }
.sdae-denoisers th, .sdae-denoisers td { padding: 0.45rem 0.5rem; text-align: right;
  font-weight: 400; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.sdae-denoisers th:first-child { text-align: left; padding-left: 0; }
.sdae-denoisers thead th { opacity: 0.8; font-size: 0.8125rem; }
.sdae-denoisers .ours th, .sdae-denoisers .ours td, .sdae-denoisers td.best { font-weight: 600; }
.sdae-denoisers td.wait { opacity: 0.7; text-align: left; }
</style>
"""


def table(start: Version, ours: Version, filtered: dict[str, Version]) -> None:
    """Draw the noisy picture, ours and the classical denoisers so far; the best are bold."""
    measured = start.psnr is not None
    tried = [ours, *filtered.values()]
    best = {
        name: max(getattr(v, name) for v in tried) if measured else None
        for name in ("psnr", "ssim")
    }
    rows = [_row("Noisy", start, {}, measured)] if measured else []
    rows.append(_row("SDAE", ours, best, measured, "ours"))
    for name in classical_denoisers.QUICK:
        label = classical_denoisers.DENOISERS[name].label
        if name in filtered:
            rows.append(_row(label, filtered[name], best, measured))
        else:
            columns = 3 if measured else 1
            rows.append(
                f"<tr><th scope='row'>{escape(label)}</th>"
                f"<td class='wait' colspan='{columns}'>at work …</td></tr>"
            )
    names = ("Denoiser", *(("PSNR", "SSIM") if measured else ()), "Processor time")
    heads = "".join(f"<th scope='col'>{name}</th>" for name in names)
    st.html(
        f"{_STYLE}<table class='sdae-denoisers'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(label, version, best, measured, kind="") -> str:
    cells = ""
    if measured:
        for name, text in (("psnr", decibels(version.psnr)), ("ssim", f"{version.ssim:.4f}")):
            mark = " class='best'" if getattr(version, name) == best.get(name) else ""
            cells += f"<td{mark}>{text}</td>"
    time = milliseconds(version.seconds) if version.seconds else "–"
    return f"<tr class='{kind}'><th scope='row'>{escape(label)}</th>{cells}<td>{time}</td></tr>"


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
        ("Restored, estimated level", "lines+markers", {"color": OURS}, lines[1]),
        ("Restored, true level", "markers", rings, lines[2]),
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
