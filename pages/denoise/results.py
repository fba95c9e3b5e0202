"""The figures, files and tables around the pictures of the Denoise page."""

from __future__ import annotations

import streamlit as st

from pages.denoise.settings import found
from pages.denoise.sides import FILE, FILTERS, SDAE
from pages.denoise.versions import Version
from pages.shared.figures import download, table_csv
from pages.shared.file_size import show_size
from pages.shared.numbers import decibels, milliseconds
from pages.shared.sources import Source
from pages.shared.table import Column, Row, draw_table


def numbers(start: Version, ours: Version, estimate: float) -> None:
    """The figures above the picture; those that need a clean one are left out without one."""
    about = "In the noisy picture alone; 1 is the full range from black to white."
    shown = [("Noise level, measured", found(estimate), None, about)]
    if start.psnr is not None:
        noisy = decibels(start.psnr)
        gain = None if noisy == "∞" else f"{ours.psnr - start.psnr:+.2f} dB"
        about = f"How close the denoised picture is; the noisy one has {noisy} dB."
        shown.append(("PSNR", f"{decibels(ours.psnr)} dB", gain, about))
        about = (
            f"How alike the structures are, 1 is identical; the noisy picture has {start.ssim:.4f}."
        )
        shown.append(("SSIM", f"{ours.ssim:.4f}", f"{ours.ssim - start.ssim:+.4f}", about))
    about = "From noisy pixels to clean ones, without the file."
    shown.append(("Processor time", milliseconds(ours.seconds or None), None, about))
    with st.container(horizontal=True, gap="medium"):
        for name, value, delta, explanation in shown:
            st.metric(name, value, delta, help=explanation, width="content")


def file_and_downloads(
    source: Source, picture, start: Version, ours: Version, filed: Version | None
) -> None:
    """The size of the .sdae file and the pictures to take home; a sentence while it is made."""
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
        name = f"{source.stem}-denoised.sdae"
        download("Download .sdae", data, name, "application/octet-stream", "primary")
        _download_png("Denoised PNG", ours, source, "denoised")
        if start.psnr is not None:
            _download_png("Noisy PNG", start, source, "noisy")


def _download_png(label: str, version: Version, source: Source, ending: str) -> None:
    download(label, version.png, f"{source.stem}-{ending}.png", "image/png", "secondary")


def denoisers(source: Source, start: Version, made: dict, strength: float, right: str) -> None:
    """The table of denoisers so far, and its downloads once it is full; `made` holds versions."""
    st.header("Against classical denoisers", anchor=False)
    labels = [SDAE, FILE, *FILTERS]
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
    st.caption(
        "BM3D, the strongest of the classical ones, takes minutes and is not tried here; the Kodak "
        "page has it. SDAE is the denoiser alone; what comes out of its file was compressed too."
    )
    if not complete:
        return
    heads = ["denoiser", "strength", "psnr_db", "ssim", "processor_seconds"]
    table = [
        (label, strength if v.seconds else None, v.psnr, v.ssim, v.seconds or None)
        for label, v in ({"Noisy": start} | made).items()
    ]
    with st.container(horizontal=True):
        listing = table_csv(heads, table)
        download("Table as CSV", listing, f"{source.stem}-denoisers.csv", "text/csv")
        if right in labels[1:]:
            _download_png(f"{right} PNG", made[right], source, right.lower().replace(" ", "-"))
