"""What stands around the pictures of the Compress page: files, figures and tables."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.compress import card
from pages.compress.card import Half
from pages.shared import other_codecs
from pages.shared.comparison import Counted, Result, Rival
from pages.shared.engine import Prepared
from pages.shared.figures import download
from pages.shared.numbers import milliseconds
from pages.shared.sources import Source
from pages.shared.table import Row, draw_sizes
from sdae.coding import container
from sdae.weights import shipped


def original(source: Source, picture: Prepared) -> tuple[int, str]:
    """What bytes are a share of: the visitor's file, or the PNG of a picture that was scaled."""
    if picture.size == picture.full:
        return len(source.data), "the original"
    return len(picture.png), "its PNG"


def downloads(
    source: Source,
    picture: Prepared,
    answer: Counted | Result | None,
    result: Result | None,
    rival: Rival | None,
) -> None:
    """The file, its picture, and a card of SDAE beside `rival`, or the original without one."""
    with st.container(horizontal=True, gap="xsmall"):
        name, data = f"{source.stem}.sdae", answer.data if answer else b""
        download("Download .sdae", data, name, "application/octet-stream", "primary")
        restored_png(source, result)
        left = Half(picture.png, "Original", original(source, picture)[0])
        if rival:
            left = Half(rival.png, rival.label, rival.file_bytes, rival.psnr)
        made = result and partial(
            card.draw,
            left,
            Half(result.png, "SDAE", result.file_bytes, result.psnr),
            card.public(st.context.url),
        )
        download("Card to post", made or b"", f"{source.stem}-card.png", "image/png", "secondary")


def restored_png(source: Source, result: Result | None) -> None:
    png = result.png if result else b""
    download("Restored PNG", png, f"{source.stem}-restored.png", "image/png", "secondary")


def figures(result: Result | None) -> None:
    """A row of figures, each with its name and an explanation."""
    encoded = milliseconds(result.encode_seconds) if result else None
    decoded = milliseconds(result.decode_seconds) if result else None
    of_file = "Of the whole file; the original's pixels have 24."
    alike = "How alike the structures of both pictures are; 1 is identical."
    with st.container(horizontal=True, gap="medium"):
        for name, value, explanation in (
            ("Bits per pixel", result and f"{result.bits_per_pixel:.3f}", of_file),
            ("SSIM", result and result.ssim and f"{result.ssim:.4f}", alike),
            ("Compressed in", encoded, "On this server; – where it was made beside other work."),
            ("Restored in", decoded, "From the file to pixels, on this server."),
        ):
            st.metric(name, value or "–", help=explanation, width="content")


def weights(source: Source, picture: Prepared, answer: Counted | Result | None) -> None:
    rows = [_uncompressed(*picture.size)]
    rows.append(Row("PNG", (len(picture.png),), "the same pixels, nothing lost"))
    if picture.size == picture.full:
        rows.append(Row("Original", (len(source.data),), source.name))
    _weights(rows, answer)


def weights_of_a_file(result: Result) -> None:
    png = Row("PNG", (len(result.png),), "the restored pixels, nothing lost")
    _weights([_uncompressed(result.width, result.height), png], result)


def _uncompressed(width: int, height: int) -> Row:
    return Row("Uncompressed", (3 * width * height,), f"{width} × {height} pixels of 3 bytes")


def _weights(rows: list[Row], answer: Counted | Result | None) -> None:
    st.header("What it weighs", anchor=False)
    if answer:
        rows = [*rows, Row("SDAE file", (answer.file_bytes,), "the whole of it", ours=True)]
    draw_sizes(rows)


def same_bytes(
    source: Source, picture: Prepared, result: Result | None, rivals: dict[str, Rival | None]
) -> None:
    """The table of codecs; and where a PNG file is smaller, that file."""
    st.header("At the same bytes", anchor=False)
    if not result:
        st.caption("Other codecs are searched as soon as the picture is restored.")
        return
    if len(picture.png) <= result.file_bytes:
        st.info(
            f"PNG suits this picture better, as it does drawings and screenshots: it takes "
            f"{len(picture.png):,} bytes for the {result.file_bytes:,} of SDAE and loses nothing.",
            icon=":material/draw:",
        )
        download("Download PNG", picture.png, f"{source.stem}.png", "image/png", "secondary")
    other_codecs.table(result, rivals)
    st.caption(
        f"Each codec's best picture in at most {result.file_bytes:,} bytes; bold is best. PSNR (dB) "
        "and SSIM say how close it is to the original: higher is closer. AVIF is searched at a "
        "fast speed here; its slowest is a little better."
    )


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
