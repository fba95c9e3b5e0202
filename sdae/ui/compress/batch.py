"""Many pictures at once: a table of bytes and quality, and one ZIP file to take home."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import streamlit as st

from sdae import ImageError, WeightsError
from sdae.measuring import metrics
from sdae.measuring.comparison import reduction
from sdae.pictures import reading
from sdae.ui.shared import engine
from sdae.ui.shared.figures import table_csv
from sdae.ui.shared.file_size import card
from sdae.ui.shared.sources import FORMATS

MAX_PIXELS = 24_000_000
"""Pictures beyond this are refused with a sentence; the others are compressed at full size."""


@dataclass(frozen=True)
class Packed:
    """One picture of the batch: `data`, its whole .sdae file, and what it cost.

    `psnr` is in dB, `ssim` at most 1; `remark` says what was changed on the way, for the reader.
    """

    name: str
    upload_bytes: int
    width: int
    height: int
    data: bytes
    psnr: float
    ssim: float
    remark: str

    @property
    def bits_per_pixel(self) -> float:
        return 8 * len(self.data) / (self.width * self.height)


@st.fragment
def batch() -> None:
    """Draw the whole tab. A fragment, so that the page around it does not run along."""
    panel, stage = st.columns([2, 5], gap="medium")
    with panel:
        uploads = st.file_uploader(
            "Drop photographs, as many as you like", accept_multiple_files=True, key="files",
            type=[ending for ending in FORMATS if ending != "sdae"],
        )
        quality = st.slider("Quality", 1, 100, 75, key="batch_quality", bind="query-params")
    with stage:
        if not uploads:
            st.info(
                "Each photograph becomes a `.sdae` file of its own, at full size. You get a table "
                "of bytes and quality, and one ZIP file that holds them all.",
                icon=":material/photo_library:",
            )
            return
        try:
            answers = compress_all(uploads, quality)
        except WeightsError as error:
            st.error(str(error), icon=":material/error:")
            return
        packed = [answer for answer in answers if isinstance(answer, Packed)]
        if packed:
            table(packed)
        for answer in answers:
            if isinstance(answer, str):
                st.error(answer, icon=":material/error:")
    if packed:
        with panel:
            take_home(packed)


def compress_all(uploads, quality: float) -> list[Packed | str]:
    """Each upload compressed, or a sentence on why it is not; a bar shows the progress.

    What was made before is not made again, also where that run was broken off.

    Raises:
        WeightsError: the weights are missing.
    """
    wanted = {(upload.file_id, quality): upload for upload in uploads}
    known = st.session_state.get("batch", {})
    known = st.session_state["batch"] = {key: known[key] for key in wanted if key in known}
    missing = [key for key in wanted if key not in known]
    if missing:
        bar, begun = st.progress(0.0), time.monotonic()
        for number, key in enumerate(missing):
            name = wanted[key].name

            def report(share):
                done = (number + share) / len(missing)
                left = (time.monotonic() - begun) * (1 - done) / done if done else 0
                text = f"{name}, {number + 1} of {len(missing)}"
                bar.progress(done, text + (f", about {left:.0f} s left" if left >= 1 else ""))

            known[key] = _compress(name, wanted[key].getvalue(), quality, report)
        bar.empty()
    return [known[key] for key in wanted]


def _compress(name: str, upload: bytes, quality: float, report: Callable) -> Packed | str:
    report(0.0)
    try:
        picture = reading.read(upload, MAX_PIXELS)
    except ImageError as error:
        return f"{name}: {error}"
    with engine.turn() as codec:
        data = codec.compress(picture.rgb, quality, progress=lambda share: report(0.5 * share))
        restored = codec.decompress(data, progress=lambda share: report(0.5 + 0.4 * share))
    restored = np.asarray(restored)
    height, width = picture.rgb.shape[:2]
    return Packed(
        name, len(upload), width, height, data, metrics.psnr(picture.rgb, restored),
        metrics.ssim(picture.rgb, restored), " ".join(picture.notices),
    )


def table(packed: list[Packed]) -> None:
    """The pictures with their bytes and quality; a click on a head sorts them."""
    number = st.column_config.NumberColumn
    columns = {
        "Picture": [p.name for p in packed],
        "Pixels": [f"{p.width} × {p.height}" for p in packed],
        "Upload": [p.upload_bytes for p in packed],
        ".sdae file": [len(p.data) for p in packed],
        "Saved": [100 * reduction(len(p.data), p.upload_bytes) for p in packed],
        "Bits per pixel": [p.bits_per_pixel for p in packed],
        "PSNR": [p.psnr for p in packed],
        "SSIM": [p.ssim for p in packed],
    }
    if any(p.remark for p in packed):
        columns["Remark"] = [p.remark for p in packed]
    st.dataframe(
        columns,
        hide_index=True,
        alt="Bytes and quality of each picture, as in the CSV file",
        column_config={
            "Upload": number(format="%,d B"),
            ".sdae file": number(format="%,d B", help="Whole file, header included."),
            "Saved": number(format="%.1f %%", help="Of the upload's bytes."),
            "Bits per pixel": number(format="%.3f"),
            "PSNR": number(format="%.2f dB", help="Peak signal to noise; higher is closer."),
            "SSIM": number(format="%.4f", help="Structural similarity; 1 is identical."),
        },
    )


def take_home(packed: list[Packed]) -> None:
    """What the batch weighs together, and its files."""
    card(sum(len(p.data) for p in packed), {
        "the upload" if len(packed) == 1 else f"{len(packed)} uploads":
            sum(p.upload_bytes for p in packed),
        "raw RGB": sum(3 * p.width * p.height for p in packed),
    })
    names = file_names([p.name for p in packed])
    listing = table_csv(
        ["picture", "file", "width", "height", "upload_bytes", "sdae_bytes", "bits_per_pixel",
         "psnr_db", "ssim"],
        [(p.name, file, p.width, p.height, p.upload_bytes, len(p.data),
          round(p.bits_per_pixel, 4), round(p.psnr, 4), round(p.ssim, 5))
         for p, file in zip(packed, names)],
    )
    with st.container(horizontal=True):
        st.download_button(
            "Download ZIP", zipped(dict(zip(names, (p.data for p in packed))), listing),
            "sdae-pictures.zip", "application/zip", icon=":material/folder_zip:", type="primary",
            on_click="ignore",
        )
        st.download_button(
            "Table as CSV", listing, "sdae-pictures.csv", "text/csv", icon=":material/table:",
            on_click="ignore",
        )


def file_names(names: list[str]) -> list[str]:
    """A name ending in .sdae for each picture, none of them twice, whatever the case."""
    taken, result = set(), []
    for name in names:
        stem = file = PurePath(name).stem
        count = 1
        while file.lower() in taken:
            count += 1
            file = f"{stem}-{count}"
        taken.add(file.lower())
        result.append(f"{file}.sdae")
    return result


def zipped(files: dict[str, bytes], listing: bytes) -> bytes:
    """A ZIP file of the .sdae files, stored as they are, and of the table as ``table.csv``."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("table.csv", listing, zipfile.ZIP_DEFLATED)
    return whole.getvalue()
