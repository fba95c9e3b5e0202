"""The screen of the step on training: losses, curves along the way, the price λ."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.inside import charts, experiments, facts, views
from pages.inside.experiments import Subject
from pages.inside.keras_model import keras_model
from pages.shared import figures
from sdae import weights
from sdae.measuring import results
from sdae.network.config import quality_position

CURVE_SET = "kodak-thumb"


def training(shown: Subject) -> None:
    loss, progress, plane = views.tabs("Training")
    folder, card = weights.folder(), shown.codec.card
    found = facts.training(folder)
    if loss.open:
        with loss:
            if found is None:
                st.info("These weights come without a loss curve.", icon=":material/info:")
            else:
                _losses(found, card)
    if progress.open:
        with progress:
            if found is None:
                st.info("These weights come without a loss curve.", icon=":material/info:")
            else:
                _along(found)
    if plane.open:
        with plane:
            _plane(shown, results.Results(folder, card["sha256"]))


def _losses(found: facts.Training, card: dict) -> None:
    with st.container(horizontal=True, gap="medium"):
        for name, value in (
            ("Crops seen", f"{found.crops[-1]:,.0f}"),
            ("Time", f"{found.minutes[-1] / 60:.1f} h"),
            ("Runs", f"{found.runs[-1]}"),
            ("Parameters", f"{card['parameters']:,}"),
        ):
            st.metric(name, value, width="content")
    figures.chart(
        charts.losses(found.crops, found.loss, found.validation),
        f"Validation loss from {found.validation[0]:.3f} to {found.validation[-1]:.3f} in "
        f"{found.crops[-1]:,.0f} crops; training loss from {found.loss[0]:.3f} to "
        f"{found.loss[-1]:.3f}.",
        "loss",
        ["run", "crops", "loss", "validation_loss"],
        [
            (int(run), int(crops), float(loss), float(validation))
            for run, crops, loss, validation in zip(
                found.runs, found.crops, found.loss, found.validation
            )
        ],
    )
    st.caption(
        "All runs that led to these weights, each begun with the weights of the one before. "
        "The two losses are on different crops and qualities, so only their fall can be "
        "compared."
    )


def _along(found: facts.Training) -> None:
    levels, last = sorted(found.rate), len(found.crops) - 1
    epochs = sorted({0, last // 8, last // 3, last})
    rate = {e: np.array([found.rate[t][e] for t in levels]) for e in epochs}
    psnr = {e: np.array([found.psnr[t][e] for t in levels]) for e in epochs}
    first, final = found.psnr[levels[-1]][[0, -1]]
    figures.chart(
        charts.progress({f"{found.crops[e]:,.0f} crops": (rate[e], psnr[e]) for e in epochs}),
        f"Rate–distortion curves at {len(epochs)} times of the training. At the highest quality "
        f"that is validated PSNR went from {first:.1f} to {final:.1f} dB.",
        "along",
        ["crops", "t", "bits_per_pixel", "psnr_db"],
        [
            (int(found.crops[e]), t, float(found.rate[t][e]), float(found.psnr[t][e]))
            for e in epochs
            for t in levels
        ],
    )
    st.caption(
        "Validation crops at five qualities, from the record of the training; bits are the "
        "estimate of the loss, not files. The weights of earlier epochs are not kept, "
        "their figures are."
    )


def _plane(shown: Subject, measured: results.Results) -> None:
    bar = st.progress(0.0, "Compressing this picture at several qualities.")
    rows = experiments.curve(shown, bar.progress)
    bar.empty()
    curves = {"This picture, scaled down": rows}
    mean = mean_curve(measured.rows(CURVE_SET, results.OURS))
    if mean:
        curves[f"Mean of {CURVE_SET}"] = mean
    quality, rate, error = next(row for row in rows if row[0] == shown.quality)
    slope = keras_model(shown.codec).config.lagrangian(quality_position(quality))
    figures.chart(
        charts.plane(curves, (rate, error), slope),
        f"Bits over squared error. At quality {quality} this picture takes {rate:.2f} bits a pixel "
        f"at a squared error of {error:.1f}, and λ is {slope:.4g}.",
        "plane",
        ["curve", "quality", "bits_per_pixel", "squared_error"],
        [(name, *row) for name, found in curves.items() for row in found],
        height=380,
    )
    st.caption(
        f"Every point of the dashed line costs as much as quality {quality}. It touches the curve "
        "only about: training also counts SSIM, and λ is the same for all pictures."
        + (
            f" The mean is of whole files of {CURVE_SET}, measured with these weights."
            if mean
            else ""
        )
    )


def mean_curve(rows: dict) -> list[tuple[float, float, float]]:
    """Quality, mean bits per pixel and mean squared error over the pictures of a set."""
    found = []
    for wanted in sorted({results.setting(row) for picture in rows.values() for row in picture}):
        chosen = [results.at_setting(picture, wanted) for picture in rows.values()]
        found.append(
            (
                wanted,
                float(np.mean([8 * row["bytes"] / row["pixels"] for row in chosen])),
                float(np.mean([255**2 / 10 ** (row["psnr"] / 10) for row in chosen])),
            )
        )
    return found
