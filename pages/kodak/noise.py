"""The view of noise: what is restored, and in how many bytes."""

import streamlit as st

from pages.kodak import charts, display, findings, tables
from pages.kodak.tables import SETS
from sdae.measuring.results import OURS, Results

LEVELS = 0.1, 0.2, 0.3


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    studies = {name: study for name in SETS if (study := stored.noise(name))}
    if not studies:
        display.nothing("sdae evaluate --noise")
        return
    usual = max(studies, key=lambda name: len(studies[name]["rows"]))
    name = display.choose_set(list(studies), usual, "noise")
    rows = studies[name]["rows"]
    count = len({row["picture"] for row in rows})
    st.caption(f"{display.ABOUT[name]} {count} pictures, Gaussian noise clipped to 8 bits.")
    sigmas = tuple(s for s in LEVELS if any(row["sigma"] == s for row in rows))
    sigma = st.segmented_control(
        "Noise level",
        sigmas,
        default=sigmas[0],
        required=True,
        key="sigma",
        format_func=lambda value: f"σ {value:g}",
    )
    display.finding(findings.noise(rows, sigma))
    means = tables.noise_means(rows)
    display.figure(
        charts.noise_sweep(means),
        "noise-sweep",
        "Higher is better; the grey line is the noisy picture itself. Every denoiser knows the "
        "true level, but for the dashed line, where SDAE estimates it from the picture.",
        height=440,
    )
    display.table(
        *tables.noise_table(means),
        "noise-table",
        how="PSNR in dB / SSIM, means over pictures. SDAE is at its highest quality, and its picture "
        "has gone through a whole .sdae file.",
    )
    display.table(
        *tables.camera_table(stored.rows(f"camera-noise-{name}", OURS)),
        "noise-camera",
        "As cameras and files leave it",
        "PSNR in dB; SDAE and BM3D are told the level that is estimated. A camera's noise comes before "
        "colours are made of its sensor's mosaic; the picture to come close to is what the same camera "
        "makes of the scene without noise. JPEG files have quality 90.",
    )
    display.table(
        *tables.chain_table(studies[name]["chains"], sigma),
        "noise-chains",
        f"Denoised and compressed, σ {sigma:g}",
        "PSNR in dB / SSIM against the clean picture in files of so many bits per pixel. Every line "
        "is two steps: a denoiser that knows the level restores the picture, then a codec encodes "
        "what it made. SDAE has a network of its own for the first step, and its codec does the "
        "second.",
    )
