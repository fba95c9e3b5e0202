"""Many pictures at once: a table of bytes and quality, and one ZIP file to take home."""

from __future__ import annotations

import base64
import io
import re
import time
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import PureWindowsPath

import numpy as np
import streamlit as st
from PIL import Image

from pages.shared import engine
from pages.shared.figures import download, table_csv
from pages.shared.file_size import show_size
from pages.shared.sources import ENDINGS, IN_WORDS
from pages.shared.words import literal
from sdae import ImageError, WeightsError
from sdae.measuring import metrics
from sdae.pictures import reading
from sdae.progress import stage

MAX_PIXELS = 24_000_000
"""Pictures beyond this are refused with a sentence; the others are compressed at full size."""

SIDE = 64
"""Pixels of the longer side of a small picture in the table."""


@dataclass(frozen=True)
class Packed:
    """One picture of the batch: `data`, its whole .sdae file, and what it cost.

    `preview` is a small picture, as an URL, and `remark` says what was changed on the way. `psnr`
    is in dB, `ssim` at most 1.
    """

    name: str
    upload_bytes: int
    width: int
    height: int
    preview: str
    remark: str
    data: bytes
    psnr: float
    ssim: float

    @property
    def bits_per_pixel(self) -> float:
        return 8 * len(self.data) / (self.width * self.height)


@st.fragment
def batch() -> None:
    """Draw the whole tab. A fragment, so that the page around it does not run along."""
    panel, stage = st.columns([2, 5], gap="medium")
    with panel:
        uploads = st.file_uploader(
            f"Drop photographs ({IN_WORDS}), as many as you like",
            accept_multiple_files=True,
            key="files",
            type=ENDINGS,
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
            answers = compress_all(uploads, quality, st.empty())
        except WeightsError as error:
            st.error(str(error), icon=":material/error:")
            return
        for answer in answers:
            if isinstance(answer, str):
                st.error(answer, icon=":material/error:")
    packed = [answer for answer in answers if isinstance(answer, Packed)]
    if packed:
        with panel:
            take_home(packed)


def compress_all(uploads, quality: float, place) -> list[Packed | str]:
    """Each upload compressed, or a sentence on why it is not. The table at `place` grows meanwhile.

    Raises:
        WeightsError: the weights are missing.
    """
    answers = []
    for number, upload in enumerate(uploads, 1):
        text = f"{literal(upload.name)}, {number} of {len(uploads)}"
        try:
            answers.append(_compress(upload, quality, text))
        except ImageError as error:
            answers.append(f"{literal(upload.name)}: {error}")
        table(place, [answer for answer in answers if isinstance(answer, Packed)])
    return answers


def _compress(upload, quality: float, text: str) -> Packed:
    def work(codec, report):
        picture = reading.read(upload.getvalue(), MAX_PIXELS)
        rgb, (height, width) = picture.rgb, picture.rgb.shape[:2]
        data = codec.compress(rgb, quality=quality, progress=stage(report, 0, 0.5))
        restored = np.asarray(codec.decompress(data, progress=stage(report, 0.5, 0.9)))
        return Packed(
            name=upload.name,
            upload_bytes=upload.size,
            width=width,
            height=height,
            preview=_preview(rgb),
            remark=" ".join(picture.notices),
            data=data,
            psnr=metrics.psnr(rgb, restored),
            ssim=metrics.ssim(rgb, restored),
        )

    return engine.answer(("batch", upload.file_id, quality), text, work)


def _preview(rgb: np.ndarray) -> str:
    step = -(-max(rgb.shape[:2]) // (4 * SIDE))  # scaling takes long where a picture is large
    small = Image.fromarray(rgb[::step, ::step])
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def table(place, packed: list[Packed]) -> None:
    """The pictures with their bytes and quality; a click on a head sorts them."""
    if not packed:
        return
    number = st.column_config.NumberColumn
    columns = {
        "Preview": [p.preview for p in packed],
        "Picture": [p.name for p in packed],
        "Pixels": [f"{p.width} × {p.height}" for p in packed],
        "Original": [p.upload_bytes for p in packed],
        "SDAE file": [len(p.data) for p in packed],
        "Of the original": [100 * len(p.data) / p.upload_bytes for p in packed],
        "Bits per pixel": [p.bits_per_pixel for p in packed],
        "PSNR": [p.psnr for p in packed],
        "SSIM": [p.ssim for p in packed],
    }
    if any(p.remark for p in packed):
        columns["Remark"] = [p.remark for p in packed]
    place.dataframe(
        columns,
        hide_index=True,
        alt="Bytes and quality of each picture, as in the CSV file",
        column_config={
            "Preview": st.column_config.ImageColumn(width="small"),
            "Original": number(format="%,d B"),
            "SDAE file": number(format="%,d B", help="Whole file, header included."),
            "Of the original": number(format="%.1f %%", help="Share of the original's bytes."),
            "Bits per pixel": number(format="%.3f"),
            "PSNR": number(format="%.2f dB", help="Peak signal to noise; higher is closer."),
            "SSIM": number(format="%.4f", help="Structural similarity; 1 is identical."),
        },
    )


def take_home(packed: list[Packed]) -> None:
    """What the batch weighs together, and its files."""
    originals = "the original" if len(packed) == 1 else f"{len(packed)} originals"
    show_size(
        sum(len(p.data) for p in packed),
        {
            originals: sum(p.upload_bytes for p in packed),
            "the uncompressed pixels": sum(3 * p.width * p.height for p in packed),
        },
    )
    names = file_names([p.name for p in packed])
    heads = "picture file width height upload_bytes sdae_bytes bits_per_pixel psnr_db ssim".split()
    rows = [
        (p.name, file, p.width, p.height, p.upload_bytes, len(p.data))
        + (round(p.bits_per_pixel, 4), round(p.psnr, 4), round(p.ssim, 5))
        for p, file in zip(packed, names)
    ]
    listing = table_csv(heads, rows)
    whole = zipped(dict(zip(names, (p.data for p in packed))), listing)
    with st.container(horizontal=True):
        download("Download ZIP", whole, "sdae-pictures.zip", "application/zip", "primary")
        download("Table as CSV", listing, "sdae-pictures.csv", "text/csv", "secondary")


def file_names(names: list[str]) -> list[str]:
    """A name ending in .sdae for each picture, none of them twice, whatever the case and the Unicode
    form, and none that leads into another folder or that Windows keeps for itself."""
    taken, chosen = set(), []
    for name in names:
        stem = PureWindowsPath(unicodedata.normalize("NFC", name).replace("/", "\\")).stem
        stem = re.sub(r'[\x00-\x1f<>:"|?*]', "_", stem).strip(". ") or "picture"
        if PureWindowsPath(stem).is_reserved():
            stem = f"_{stem}"
        file, number = stem, 1
        while file.casefold() in taken:
            number += 1
            file = f"{stem}-{number}"
        taken.add(file.casefold())
        chosen.append(f"{file}.sdae")
    return chosen


def zipped(files: dict[str, bytes], listing: bytes) -> bytes:
    """A ZIP file of the .sdae files, stored as they are, and of the table as ``table.csv``."""
    whole = io.BytesIO()
    now = max(time.localtime()[:6], (1980, 1, 1, 0, 0, 0))  # ZIP knows no earlier time
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in {**files, "table.csv": listing}.items():
            entry = zipfile.ZipInfo(name, now)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return whole.getvalue()
