"""The figures, files and tables around the pictures of the Denoise page."""

from __future__ import annotations

import streamlit as st

from pages.denoise import charts, versions
from pages.denoise.sides import FILE, FILTERS, SDAE
from pages.denoise.versions import Version
from pages.shared import engine
from pages.shared.figures import table_csv
from pages.shared.file_size import show_size
from pages.shared.numbers import decibels, milliseconds
from pages.shared.sources import Source
from sdae.pictures.noise import STRONGEST


def numbers(start: Version, ours: Version, estimate: float) -> None:
    """The figures above the picture; those that need a clean one are left out without one."""
    figures = [
        (
            "Noise level, measured",
            f"{estimate:.3f}",
            None,
            "In the noisy picture alone; 1 is the full range from black to white.",
        )
    ]
    if start.psnr is not None:
        gain = None if decibels(start.psnr) == "∞" else f"{ours.psnr - start.psnr:+.2f} dB"
        figures += [
            (
                "PSNR",
                f"{decibels(ours.psnr)} dB",
                gain,
                f"How close the denoised picture is; the noisy one has {decibels(start.psnr)} dB.",
            ),
            (
                "SSIM",
                f"{ours.ssim:.4f}",
                f"{ours.ssim - start.ssim:+.4f}",
                f"How alike the structures are, 1 is identical; the noisy picture has "
                f"{start.ssim:.4f}.",
            ),
        ]
    figures += [
        (
            "Processor time",
            milliseconds(ours.seconds),
            None,
            "From noisy pixels to clean ones, without the file.",
        ),
    ]
    with st.container(horizontal=True, gap="medium"):
        for name, value, delta, explanation in figures:
            st.metric(name, value, delta, help=explanation, width="content")


def file_and_downloads(
    source: Source, picture, start: Version, ours: Version, filed: Version | None
) -> None:
    """The size of the .sdae file and the pictures to take home; a word while it is made."""
    if filed is None:
        st.info("Making the .sdae file …", icon=":material/hourglass_empty:")
        return
    data, (width, height) = filed.file, picture.size
    references = {"the noisy picture as PNG": len(start.png)}
    if start.psnr is not None:
        references["the clean one as PNG"] = len(picture.png)
    show_size(len(data), references | {"its uncompressed pixels": picture.rgb.nbytes})
    bits = f"{8 * len(data) / (width * height):.3f} bits per pixel, header included."
    if filed.psnr is not None:
        bits += f" The picture in it has {decibels(filed.psnr)} dB."
    st.caption(bits)
    with st.container(horizontal=True):
        st.download_button(
            "Download .sdae",
            data,
            f"{source.stem}-denoised.sdae",
            "application/octet-stream",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        _download_png("Denoised PNG", ours, source, "denoised")
        if start.psnr is not None:
            _download_png("Noisy PNG", start, source, "noisy")


def _download_png(label: str, version: Version, source: Source, ending: str) -> None:
    st.download_button(
        label,
        version.png,
        f"{source.stem}-{ending}.png",
        "image/png",
        icon=":material/image:",
        on_click="ignore",
    )


def denoisers(source: Source, start, made: dict[str, Version], strength: float, right: str) -> None:
    """The table of denoisers so far, and its downloads once it is full."""
    st.header("Against classical denoisers", anchor=False)
    labels = [SDAE, FILE, *FILTERS]
    charts.table(start, made, labels)
    st.caption(
        "BM3D, the strongest of them, takes minutes and is not tried here; the Kodak page has it. "
        "SDAE is the denoiser alone; what its file holds is compressed as well."
    )
    if len(made) < len(labels):
        return
    with st.container(horizontal=True):
        st.download_button(
            "Table as CSV",
            _denoisers_csv({"Noisy": start} | made, strength),
            f"{source.stem}-denoisers.csv",
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
        )
        if right in labels[1:]:
            _download_png(f"{right} PNG", made[right], source, right.lower().replace(" ", "-"))


def _denoisers_csv(shown: dict[str, Version], strength: float) -> bytes:
    return table_csv(
        ["denoiser", "strength", "psnr_db", "ssim", "processor_seconds"],
        [
            (label, strength if v.seconds else None, v.psnr, v.ssim, v.seconds or None)
            for label, v in shown.items()
        ],
    )


def difference(source: Source, kind: str | None, picture, start: Version, ours: Version) -> None:
    """How strong the noise was, and the error that is left; without a clean picture, what went."""
    if kind:
        st.header("Noise, and the error that is left", anchor=False)
        clean = picture.rgb.astype("int16")
        differences = {"Noise": start.rgb - clean, "Error": ours.rgb - clean}
    else:
        st.header("What was taken away", anchor=False)
        differences = {"Removed": start.rgb.astype("int16") - ours.rgb}
    shares = versions.shares(differences)
    charts.histogram(shares)
    st.download_button(
        "Histogram as CSV",
        versions.histogram_csv(shares),
        f"{source.stem}-histogram.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
    )


def all_levels(source: Source, picture: engine.Prepared, kind: str, seed: int) -> None:
    """PSNR in and out at every level, measured when asked for."""
    st.header("At every noise level", anchor=False)
    question = picture.key, kind, seed
    known, rows = st.session_state.get("curve", (None, None))
    if known != question:
        st.caption(
            f"This picture, its middle {versions.CURVE_SIDE} × {versions.CURVE_SIDE} at most, "
            f"with noise levels from 0 to {STRONGEST}."
        )
        if not st.button("Measure", icon=":material/show_chart:"):
            return
        rows, bar = [], st.progress(0.0)
        for row in versions.curve(picture, kind, seed):
            rows.append(row)
            bar.progress(len(rows) / len(versions.LEVELS), f"Noise level {row[0]:.2f}")
        st.session_state["curve"] = question, rows
        st.rerun()
    charts.curve(rows)
    heads = ["sigma", "noisy_psnr_db", "denoised_measured_psnr_db", "denoised_true_psnr_db"]
    st.download_button(
        "Curve as CSV",
        table_csv(heads, rows),
        f"{source.stem}-noise-levels.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
