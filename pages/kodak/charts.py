"""The figures of the Kodak page: results → Plotly figures, with the rows that they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pages.shared import palette
from pages.shared.plotly import go
from sdae.measuring import classical_denoisers, noise_study, results
from sdae.measuring.results import OURS
from sdae.pictures import noise

MEASURES = {
    "PSNR": ("psnr", None, "PSNR, dB"),
    "SSIM": ("ssim", None, "SSIM"),
    "SSIM in dB": ("ssim", results.decibels, "SSIM, dB"),
    "MS-SSIM": ("ms_ssim", None, "MS-SSIM"),
    "MS-SSIM in dB": ("ms_ssim", results.decibels, "MS-SSIM, dB"),
}
"""What a rate–distortion curve can show: the figure of a row, how it is turned, its axis."""


@dataclass(frozen=True)
class Drawn:
    """A figure, a text for those who cannot see it, and what it shows as a table."""

    figure: go.Figure
    alt: str
    heads: list[str]
    rows: list[tuple]


def rates(curves: dict[str, dict], measure: str, published: dict[str, dict]) -> Drawn:
    """Rate–distortion curves: means over pictures at every setting.

    Args:
        curves: codec → `sdae.measuring.results.curve`; codecs without the figure are left out.
        measure: a key of `MEASURES`.
        published: name → the same lists, drawn as dotted lines.
    """
    key, turn, axis = MEASURES[measure]
    figure, rows = go.Figure(), []
    for name, curve in curves.items():
        if key in curve:
            values = [turn(v) if turn else v for v in curve[key]]
            figure.add_scatter(
                x=curve["bpp"],
                y=values,
                name=results.label(name),
                mode="lines+markers",
                line={"color": _colour(name), "width": 3 if name == OURS else 2},
                marker={"symbol": _symbol(name), "size": 8},
                hovertemplate=_rate_hover(measure),
            )
            rows += [(results.label(name), b, v) for b, v in zip(curve["bpp"], values)]
    for (name, curve), dash in zip(published.items(), ("dot", "dash", "dashdot", "longdash")):
        if key in curve:
            values = [turn(v) if turn else v for v in curve[key]]
            figure.add_scatter(
                x=curve["bpp"],
                y=values,
                name=f"{name} (published)",
                mode="lines",
                line={"color": palette.GREY, "dash": dash, "width": 1.5},
                hovertemplate=_rate_hover(measure),
            )
            rows += [(f"{name} (published)", b, v) for b, v in zip(curve["bpp"], values)]
    figure.update_layout(xaxis_title="Bits per pixel", yaxis_title=axis)
    if rows:
        # As far as AVIF goes, where it was measured: beyond it, curves are nearly lossless.
        ends = {name: bits for name, bits, _ in rows}
        most = ends.get(results.label("avif"), max(ends.values()))
        shown = [
            value
            for line in figure.data
            for value in (
                *np.array(line.y)[np.array(line.x) <= most],
                np.interp(most, line.x, line.y),
            )
        ]
        edge = 0.04 * (max(shown) - min(shown))
        figure.update_xaxes(range=[0, 1.02 * most])
        figure.update_yaxes(range=[min(shown) - edge, max(shown) + edge])
    return Drawn(
        figure,
        f"{measure} over bits per pixel, a curve a codec.",
        ["codec", "bits per pixel", measure],
        rows,
    )


def pictures(table: list[dict], key: str) -> Drawn:
    """PSNR or SSIM of every picture over its reduction in size, JPEG's at the same bytes beside.

    Args:
        table: rows of `sdae.measuring.results.per_picture`.
        key: "psnr" or "ssim".
    """
    figure, rows = go.Figure(), []
    unit, form = (" dB", ".2f") if key == "psnr" else ("", ".4f")
    for name, field in ((OURS, key), ("jpeg", f"jpeg_{key}")):
        found = [row for row in table if row[field] is not None]
        figure.add_scatter(
            x=[row["saved"] for row in found],
            y=[row[field] for row in found],
            mode="markers",
            name=results.label(name) if name == OURS else "JPEG in as many bytes",
            text=[row["picture"] for row in found],
            marker={"color": _colour(name), "symbol": _symbol(name), "size": 9},
            hovertemplate="%{text}: %{x:.1f} % smaller, %{y:" + form + "}" + unit,
        )
        rows += [(results.label(name), r["picture"], r["saved"], r[field]) for r in found]
    figure.update_layout(
        xaxis_title="Reduction against PNG, %",
        clickmode="event+select",
        yaxis_title="PSNR, dB" if key == "psnr" else "SSIM",
    )
    return Drawn(
        figure,
        f"{key.upper()} over the reduction in size, a mark a picture.",
        ["codec", "picture", "reduction against PNG, %", key],
        rows,
    )


def methods(table: dict[str, dict], key: str, form: str) -> go.Figure:
    """One figure of every codec, a line each, times in milliseconds.

    Bytes are bars from zero. All else has an axis that begins elsewhere, and so is a dot.

    Args:
        table: of `sdae.measuring.results.methods`, without codecs out of reach.
        key: of its figures.
        form: of the numbers, as in d3.
    """
    held = [name for name in table if key in table[name]][::-1]
    names, values = (
        [results.label(name) for name in held],
        [_shown(table[name], key) for name in held],
    )
    colours, figure = [_colour(name) for name in held], go.Figure()
    said = {
        "texttemplate": "%{x:" + form + "}",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:" + form + "}<extra></extra>",
    }
    if key == "bytes":
        figure.add_bar(
            x=values, y=names, orientation="h", marker_color=colours, textposition="outside", **said
        )
        figure.update_xaxes(range=[0, 1.25 * max(values)])
    else:
        figure.add_scatter(
            x=values,
            y=names,
            mode="markers+text",
            textposition="middle right",
            marker={"color": colours, "size": 12},
            **said,
        )
        low, high = min(values), max(values)
        if key.endswith("seconds"):
            figure.update_xaxes(
                type="log", dtick=1, range=[np.log10(low) - 0.2, np.log10(high) + 0.9]
            )
        else:
            edge = (high - low) or 0.1 * high
            figure.update_xaxes(range=[low - 0.15 * edge, high + 0.5 * edge])
        figure.update_yaxes(showgrid=True)
    figure.update_layout(showlegend=False)
    return figure


def method_rows(table: dict[str, dict], keys: list[str]) -> list[tuple]:
    """Codec and figures of every codec, times in milliseconds; None where there is none."""
    return [
        (results.label(name), *(_shown(found, key) for key in keys))
        for name, found in table.items()
    ]


def _shown(found, key):
    scale = 1000 if key.endswith("seconds") else 1
    return scale * found[key] if key in found else None


def noise_sweep(rows: list[dict]) -> Drawn:
    """Mean PSNR over the noise level: noisy, ours and the classical denoisers, told the level."""
    figure, table = go.Figure(), []
    series = [
        (noise_study.NOISY, None, "Noisy", palette.GREY, "dot"),
        (noise_study.OURS, "known", "SDAE", palette.OURS, "solid"),
        (noise_study.OURS, "estimated", "SDAE, level estimated", palette.SKY, "dash"),
    ]
    others = dict.fromkeys(r["denoiser"] for r in rows)
    colours = (palette.ORANGE, palette.GREEN, palette.PINK, palette.RED, palette.YELLOW)
    classics = [name for name in others if name in classical_denoisers.DENOISERS]
    series += [
        (name, "known", classical_denoisers.DENOISERS[name].label, colour, "solid")
        for name, colour in zip(classics, colours)
    ]
    sigmas = sorted({row["sigma"] for row in rows})
    for number, (name, level, label, colour, dash) in enumerate(series):
        points = [
            (
                s,
                noise_study.mean(rows, "psnr", denoiser=name, level=level, sigma=s),
                noise_study.mean(rows, "ssim", denoiser=name, level=level, sigma=s),
            )
            for s in sigmas
        ]
        figure.add_scatter(
            x=sigmas,
            y=[psnr for _, psnr, _ in points],
            name=label,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3 if name == OURS else 2},
            marker={"symbol": palette.SYMBOLS[number % len(palette.SYMBOLS)], "size": 8},
            hovertemplate="σ %{x}: %{y:.2f} dB",
        )
        table += [(label, *point) for point in points]
    figure.update_layout(xaxis_title="Noise level σ", yaxis_title="PSNR, dB")
    return Drawn(
        figure,
        "PSNR after denoising over the noise level, a curve a denoiser.",
        ["denoiser", "sigma", "psnr", "ssim"],
        table,
    )


def noise_pictures(rows: list[dict], sigma: float) -> Drawn:
    """PSNR in and out of every picture at one noise level, our network told the level."""
    figure, found = go.Figure(), {}
    series = (
        ("Noisy", noise_study.NOISY, None, palette.NOISY, "square"),
        ("SDAE", noise_study.OURS, "known", palette.OURS, "circle"),
    )
    for _, name, level, _, _ in series:
        for r in rows:
            if (r["denoiser"], r["level"], r["sigma"]) == (name, level, sigma):
                found.setdefault(r["picture"], []).append(r["psnr"])
    found = {
        name: values
        for name, values in sorted(found.items(), reverse=True)
        if len(values) == len(series)
    }
    ends = [
        [x for pair in found.values() for x in (*pair, None)],
        [y for name in found for y in (name, name, None)],
    ]
    figure.add_scatter(
        x=ends[0],
        y=ends[1],
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        line={"color": palette.GREY, "width": 2},
    )
    for place, (label, *_, colour, symbol) in enumerate(series):
        figure.add_scatter(
            x=[values[place] for values in found.values()],
            y=list(found),
            name=label,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9},
            hovertemplate="%{y}: %{x:.2f} dB",
        )
    figure.update_layout(xaxis_title="PSNR, dB")
    figure.update_yaxes(dtick=1)
    return Drawn(
        figure,
        f"PSNR of every picture before and after denoising, σ {sigma}.",
        ["picture", "psnr in", "psnr out"],
        [(picture, *values) for picture, values in found.items()],
    )


def noise_distribution(sigmas: tuple[float, ...]) -> Drawn:
    """How often each difference occurs when noise is added to all levels of grey alike."""
    grey = np.repeat(np.arange(256, dtype="uint8"), 3 * 1024).reshape(256, 1024, 3)
    reach = 255
    levels = np.arange(-reach, reach + 1)
    figure, rows = go.Figure(), []
    for sigma, colour, dash in zip(sigmas, palette.SEQUENCE, ("solid", "dash", "dot")):
        added = noise.add(grey, sigma).astype("int16") - grey
        share = np.bincount(added.ravel() + reach, minlength=2 * reach + 1) / added.size * 100
        figure.add_scatter(
            x=levels,
            y=share,
            name=f"σ {sigma}",
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x:+d}: %{y:.2f} %",
        )
        rows += [(sigma, int(level), float(value)) for level, value in zip(levels, share)]
    figure.update_layout(
        xaxis_title="Difference, levels of 255",
        yaxis_title="Share of samples, %",
        hovermode="x unified",
    )
    figure.update_yaxes(range=[0, min(3.0, max(value for *_, value in rows))])
    return Drawn(
        figure,
        "Shares of the differences that noise makes, a curve a noise level.",
        ["sigma", "difference", "share, %"],
        rows,
    )


def losses(log: list[dict]) -> Drawn:
    """Training and validation loss over the crops of all runs, a line where a run begins.

    Args:
        log: rows of `sdae.training.training_record.read`.
    """
    figure, rows = go.Figure(), []
    for key, label, colour, dash in (
        ("loss", "Training", palette.ORANGE, "dash"),
        ("validation_loss", "Validation", palette.OURS, "solid"),
        ("enlarged_validation_loss", "Validation, twice the size", palette.GREEN, "dot"),
    ):
        known = [row for row in log if key in row]
        if known:
            figure.add_scatter(
                x=[row["all_images"] for row in known],
                y=[row[key] for row in known],
                name=label,
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate="%{x:,.0f} crops: %{y:.4g}",
            )
            rows += [
                (label, int(row["run"]), int(row["epoch"]), int(row["all_images"]), row[key])
                for row in known
            ]
    starts = [
        row["all_images"] - row["images"]
        for row, before in zip(log[1:], log)
        if row["run"] != before["run"]
    ]
    for start in starts:
        figure.add_vline(start, line={"color": palette.GREY, "width": 1, "dash": "dot"})
    ticks = [0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8]
    figure.update_layout(xaxis_title="Crops seen", yaxis_title="Loss, logarithmic")
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return Drawn(
        figure,
        "Loss in training and in validation over the crops seen.",
        ["of", "run", "epoch", "crops", "loss"],
        rows,
    )


def validation(log: list[dict]) -> Drawn:
    """PSNR of the validation photographs over the crops of all runs, a curve a quality."""
    figure, rows = go.Figure(), []
    keys = [key for key in log[0] if key.startswith("psnr_")]
    for number, key in enumerate([*keys, "denoised_psnr"] if "denoised_psnr" in log[0] else keys):
        if key == "denoised_psnr":
            label = "denoised"
        else:
            label = f"quality {1 + 99 * float(key.removeprefix('psnr_')):.0f}"
        figure.add_scatter(
            x=[row["all_images"] for row in log],
            y=[row[key] for row in log],
            name=label,
            mode="lines",
            line={
                "color": palette.SEQUENCE[number % len(palette.SEQUENCE)],
                "width": 2,
                "dash": "dash" if key == "denoised_psnr" else "solid",
            },
            hovertemplate="%{x:,.0f} crops: %{y:.2f} dB",
        )
        rows += [(label, int(row["all_images"]), row[key]) for row in log]
    figure.update_layout(xaxis_title="Crops seen", yaxis_title="PSNR, dB")
    return Drawn(
        figure,
        "PSNR of validation photographs over the crops seen, a curve a quality.",
        ["curve", "crops", "psnr"],
        rows,
    )


def accuracy(curves: dict[str, dict]) -> Drawn:
    """Reconstruction accuracy over bits per pixel, a curve a set."""
    figure, rows = go.Figure(), []
    for number, (name, curve) in enumerate(curves.items()):
        figure.add_scatter(
            x=curve["bpp"],
            y=[100 * v for v in curve["accuracy"]],
            name=name,
            mode="lines+markers",
            line={"color": palette.SEQUENCE[number], "width": 2},
            marker={"symbol": palette.SYMBOLS[number], "size": 8},
            hovertemplate="%{x:.2f} bits per pixel: %{y:.1f} %",
        )
        rows += [(name, b, 100 * v) for b, v in zip(curve["bpp"], curve["accuracy"])]
    figure.update_layout(xaxis_title="Bits per pixel", yaxis_title="Accuracy, %")
    return Drawn(
        figure,
        "Reconstruction accuracy over bits per pixel, a curve a set.",
        ["set", "bits per pixel", "accuracy, %"],
        rows,
    )


def _rate_hover(measure):
    form, unit = (".2f", " dB") if "dB" in measure or measure == "PSNR" else (".4f", "")
    return "%{x:.3f} bits per pixel: %{y:" + form + "}" + unit


def _colour(codec_name):
    return palette.CODECS.get(codec_name, palette.SKY)


def _symbol(codec_name):
    names = list(palette.CODECS)
    return palette.SYMBOLS[names.index(codec_name) if codec_name in names else len(names)]
