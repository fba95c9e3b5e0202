"""The dashboard of noise: what is restored, and in how many bytes."""

import streamlit as st

from pages.kodak import charts, findings, parts, tables
from sdae.measuring.results import Results

LEVELS = 0.1, 0.2, 0.3


def view(found: Results, card: dict) -> None:
    names = [name for name in parts.SETS if found.noise(name)]
    if not names:
        parts.nothing("sdae evaluate --noise")
        return
    usual = max(names, key=lambda name: len(found.noise(name)["rows"]))
    name = st.segmented_control(
        "Pictures",
        names,
        default=usual,
        required=True,
        key="noise",
        bind="query-params",
        format_func=parts.SETS.get,
    )
    study = found.noise(name)
    rows = [row for row in study["rows"] if row["clipped"]]
    count = len({row["picture"] for row in rows})
    st.caption(f"{parts.ABOUT[name]} {count} pictures, Gaussian noise clipped to 8 bits.")
    sigmas = tuple(s for s in LEVELS if any(row["sigma"] == s for row in rows))
    sigma = st.segmented_control(
        "Noise level",
        sigmas,
        default=sigmas[0],
        required=True,
        key="sigma",
        format_func=lambda value: f"σ {value:g}",
    )
    parts.finding(findings.noise(rows, sigma))
    parts.figure(
        charts.noise_sweep(rows),
        "noise-sweep",
        "Higher is better; the grey line is the noisy picture itself. The classical denoisers "
        "are told the true level, as our solid line is.",
        height=440,
    )
    parts.table(*tables.noise_table(rows), "noise-table")
    st.caption(
        "PSNR in dB / SSIM, means over pictures, every denoiser told the true level; ours also "
        "with the level estimated from the noisy picture. Ours is at its highest quality and has "
        "gone through a whole .sdae file."
    )
    heads, chains = tables.chain_table(study["chains"], sigma)
    if chains:
        st.markdown(f"**Denoised and compressed, σ {sigma:g}**")
        parts.table(heads, chains, "noise-chains")
        st.caption(
            "PSNR in dB / SSIM against the clean picture in files of so many bits per pixel. Ours "
            "does both with one network; the others denoise first and compress then. All are told "
            "the level."
        )
    st.markdown(f"**Every picture, σ {sigma:g}**")
    parts.figure(
        charts.noise_pictures(rows, sigma),
        "noise-pictures",
        "The line between the two marks of a picture is what denoising gains.",
        height=90 + 20 * count,
    )
    st.markdown("**The noise itself**")
    parts.figure(
        charts.noise_distribution(sigmas),
        "noise-distribution",
        "How far noise moves a sample, over all levels of grey alike. Clipping at black and "
        "white leaves more small differences than a bell curve has.",
        height=360,
    )
