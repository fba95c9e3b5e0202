"""What stands around the pictures of the Compress page: settings, files, figures and tables."""

from __future__ import annotations

import streamlit as st

from pages.compress.later import Later
from pages.shared import other_codecs
from pages.shared.engine import Prepared
from pages.shared.ledger import Row, ledger
from pages.shared.numbers import milliseconds
from pages.shared.sources import Source
from sdae.coding import container
from sdae.measuring.comparison import Counted, Result
from sdae.weights import shipped


def original(source: Source, picture: Prepared) -> tuple[int, str]:
    """What bytes are a share of: the visitor's file, or the PNG of a picture that was scaled."""
    if picture.size == picture.full:
        return len(source.data), "the original"
    return len(picture.png), "its PNG"


def downloads(source: Source, answer: Counted | Result | None, result: Result | None) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Download .sdae",
            answer.data if answer else b"",
            f"{source.stem}.sdae",
            "application/octet-stream",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
            disabled=not answer,
        )
        restored_png(source, result)


def restored_png(source: Source, result: Result | None) -> None:
    st.download_button(
        "Restored PNG",
        result.png if result else b"",
        f"{source.stem}-restored.png",
        "image/png",
        icon=":material/image:",
        on_click="ignore",
        disabled=not result,
    )


def figures(result: Result | None) -> None:
    """A row of figures, each with its name and an explanation."""
    shown = [
        (
            "Bits per pixel",
            result and f"{result.bits_per_pixel:.3f}",
            "Of the whole file; the original's pixels have 24.",
        ),
        (
            "SSIM",
            result and result.ssim and f"{result.ssim:.4f}",
            "How alike the structures of both pictures are; 1 is identical.",
        ),
        (
            "Compressed in",
            result and milliseconds(result.encode_seconds),
            "From pixels to the whole file, on this server; – where it was made beside other work.",
        ),
        (
            "Restored in",
            result and milliseconds(result.decode_seconds),
            "From the file to pixels, on this server.",
        ),
    ]
    with st.container(horizontal=True, gap="medium"):
        for name, value, explanation in shown:
            st.metric(name, value or "–", help=explanation, width="content")


def weights(source: Source, picture: Prepared, answer: Counted | Result | None) -> None:
    width, height = picture.size
    st.header("What it weighs", anchor=False)
    rows = [
        Row("Uncompressed", 3 * width * height, f"{width} × {height} pixels of 3 bytes"),
        Row("PNG", len(picture.png), "the same pixels, nothing lost"),
    ]
    if picture.size == picture.full:
        rows.append(Row("Original", len(source.data), source.name))
    if answer:
        rows.append(_whole_file(answer))
    ledger(rows)


def weights_of_a_file(result: Result) -> None:
    st.header("What it weighs", anchor=False)
    ledger(
        [
            Row(
                "Uncompressed",
                result.raw_bytes,
                f"{result.width} × {result.height} pixels of 3 bytes",
            ),
            Row("PNG", len(result.png), "the restored pixels, nothing lost"),
            _whole_file(result),
        ]
    )


def _whole_file(answer: Counted | Result) -> Row:
    return Row("SDAE file", answer.file_bytes, "the whole of it", ours=True)


def same_bytes(source: Source, picture: Prepared, result: Result | None, more: Later) -> None:
    """The table of codecs, and whatever would serve this picture better."""
    st.header("At the same bytes", anchor=False)
    if not result:
        st.caption("Other codecs are searched as soon as the picture is restored.")
        return
    offer(source, picture, result, more)
    other_codecs.table(result, more.rivals)
    st.caption(
        f"Each codec's best picture in at most {result.file_bytes:,} bytes; bold is best. PSNR (dB) "
        "and SSIM say how close it is to the original: higher is closer. AVIF is searched at a "
        "fast speed here; its slowest is a little better."
    )


def offer(source: Source, picture: Prepared, result: Result, more: Later) -> None:
    """Say so where a PNG file or another codec is smaller at the same quality, and hand it out."""
    smaller = more.smaller
    size = f"the {result.file_bytes:,} bytes of SDAE"
    if len(picture.png) <= min(result.file_bytes, smaller.file_bytes if smaller else 1 << 60):
        st.info(
            f"PNG suits this picture better, as it does drawings and screenshots: it takes "
            f"{len(picture.png):,} bytes for {size} and loses nothing.",
            icon=":material/draw:",
        )
        name, data, ending = "PNG", picture.png, "png"
    elif smaller and smaller.file_bytes < result.file_bytes:
        share = 100 * (1 - smaller.file_bytes / result.file_bytes)
        st.info(
            f"{smaller.label} is {share:.0f} % smaller for this picture: {smaller.file_bytes:,} "
            f"bytes at the same PSNR, for {size}.",
            icon=":material/compare_arrows:",
        )
        name, data, ending = smaller.label, smaller.data, _ENDINGS[smaller.label]
    else:
        return
    st.download_button(
        f"Download {name}",
        data,
        f"{source.stem}.{ending}",
        icon=":material/download:",
        on_click="ignore",
    )


_ENDINGS = {"JPEG": "jpg", "JPEG 2000": "j2k", "WebP": "webp", "AVIF": "avif"}


def header(source: Source) -> None:
    """What the header of a .sdae file says."""
    about, payload = container.read_header(source.data)
    st.header("What the file says of itself", anchor=False)
    st.table(
        {
            "Size": f"{about.width} × {about.height} pixels",
            "Quality": f"{about.quality:g}",
            "Coding": about.coding,
            "Weights": " ".join(filter(None, (shipped(about.model_id), about.model_id.hex()))),
            "Header": f"{len(source.data) - len(payload)} bytes",
            "Payload": f"{len(payload):,} bytes",
        }
    )
