"""Compress: a photograph in, a .sdae file out, every byte counted."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sdae import BitstreamError, ImageError, WeightsError
from sdae.coding import container
from sdae.measuring.comparison import Result
from sdae.measuring.peers import PEERS
from sdae.ui.compress.batch import batch
from sdae.ui.inside.carried import open_squares
from sdae.ui.shared import engine, other_codecs
from sdae.ui.shared.file_size import card
from sdae.ui.shared.ledger import Row, ledger
from sdae.ui.shared.navigation import through_the_app
from sdae.ui.shared.numbers import milliseconds
from sdae.ui.shared.sources import Source, choose
from sdae.ui.shared.split_view import Side, compare

through_the_app()

OURS = "SDAE"
PEER_NAMES = {peer.label: name for name, peer in PEERS.items()}
TICK = 0.5  # seconds between looks at a search


@dataclass
class Places:
    """Where things stand. The frame is the same for every source, so nothing jumps or doubles."""

    source: DeltaGenerator
    settings: DeltaGenerator
    result: DeltaGenerator
    notices: DeltaGenerator
    figures: DeltaGenerator
    right: DeltaGenerator
    split: DeltaGenerator
    ledger: DeltaGenerator
    details: DeltaGenerator


def frame() -> Places:
    panel, stage = st.columns([2, 5], gap="medium")
    return Places(
        *(panel.container() for _ in range(3)),
        *(stage.container() for _ in range(4)),
        *st.columns(2, gap="large"),
    )


def main() -> None:
    st.title("Compress a photograph", anchor=False)
    st.markdown(
        "A neural network turns it into a small `.sdae` file and back. "
        "Every number below is counted on real files, while the slider moves."
    )
    one, many = st.tabs(["One picture", "Many pictures"], key="tab", bind="query-params")
    with one:
        one_picture()
    with many:
        batch()


def one_picture() -> None:
    places = frame()
    with places.source:
        source = choose()
    try:
        if source is None:
            places.notices.info("Take a picture with the camera.", icon=":material/photo_camera:")
        elif source.is_sdae:
            open_file(source, places)
        else:
            compress_picture(source, places)
    except (ImageError, BitstreamError) as error:
        places.notices.error(f"{source.name}: {error}", icon=":material/error:")
    except WeightsError as error:
        places.notices.error(str(error), icon=":material/error:")


def compress_picture(source: Source, places: Places) -> None:
    with places.settings:
        quality = st.slider("Quality", 1, 100, 75, key="quality", bind="query-params")
        size = st.segmented_control(
            "Size", ["Original", "128×128"], default="Original", required=True, key="size",
            bind="query-params", width="stretch",
            help="128×128 is the centre square scaled down, as in the original work.",
        )
        effort = st.slider(
            "Effort", 0, 10, 0, key="effort", bind="query-params",
            help="More effort looks at the restored picture again and again and corrects the "
            "integers: a closer picture in fewer bytes, but no longer at once.",
        )
    with places.notices:
        picture = engine.prepare(source.data, small=size != "Original")
        for notice in picture.notices:
            st.info(notice, icon=":material/info:")
        result = compressed(picture, quality, effort)

    width, height = picture.full
    with places.result:
        upload = "the upload" if picture.size == picture.full else f"{width} × {height} upload"
        card(result.file_bytes, {
            upload: len(source.data),
            "PNG": len(picture.png),
            "raw RGB": result.raw_bytes,
        })
        with st.container(horizontal=True):
            st.download_button(
                "Download .sdae", result.data, f"{source.stem}.sdae", "application/octet-stream",
                icon=":material/download:", type="primary", on_click="ignore",
            )
            download_png(source, result)
    figures(places, [
        bits_per_pixel(result),
        ("PSNR", f"{result.psnr:.2f} dB", "Peak signal to noise; higher is closer."),
        ("SSIM", f"{result.ssim:.4f}", "Structural similarity; 1 is identical."),
        ("Encode", milliseconds(result.encode_seconds), "From pixels to the whole file."),
        ("Decode", milliseconds(result.decode_seconds), "From the file to pixels."),
    ])

    with places.right:
        right = st.segmented_control(
            "Right of the split", [OURS, *PEER_NAMES], default=OURS, required=True, key="right",
            bind="query-params",
        )
    peer = PEER_NAMES.get(right)
    answers = other_codecs.search(picture, result.file_bytes, peer, patience=0.3)
    with places.split:
        compare(
            right_side(source, result, right, answers),
            Side("Original", f"Original of {source.name}", picture.png),
            size=picture.size, key="split",
        )
    with places.ledger:
        st.subheader("Where the bytes go", anchor=False)
        ledger([
            Row("Upload", len(source.data), f"{source.name}, {width} × {height}"),
            raw(result),
            Row("PNG", len(picture.png), "the same pixels, lossless"),
            *coded(result),
        ])
        open_squares(source, quality)
    with places.details:
        st.subheader("At the same bytes", anchor=False)
        waiting = len(answers) < len(PEERS)
        st.fragment(peers, run_every=TICK if waiting else None)(picture, result, peer, answers)
        st.caption(
            f"Each codec's best picture in at most {result.file_bytes:,} bytes; bold is best. "
            "AVIF is searched at a fast speed here; its slowest is a little better."
        )


def compressed(picture: engine.Prepared, quality: int, effort: int) -> Result:
    """The picture through the codec, with the effort that its size allows."""
    width, height = picture.size
    if effort and width * height > engine.REFINED_PIXELS:
        st.info(
            f"Effort is for pictures of up to {engine.REFINED_PIXELS / 1e6:g} megapixels here; "
            f"`python -m sdae compress --effort {effort}` takes larger ones.",
            icon=":material/info:",
        )
        effort = 0
    return engine.compress(picture, quality, effort)


def peers(picture: engine.Prepared, result: Result, peer: str | None, drawn: dict) -> None:
    """The table of peers, filled while they are searched; the page follows what it waits for."""
    answers = other_codecs.search(picture, result.file_bytes, peer)
    other_codecs.table(result, answers)
    complete = len(answers) == len(PEERS) > len(drawn)
    if complete or (peer in answers and peer not in drawn):
        st.rerun()


def right_side(source: Source, result: Result, right: str, answers: dict) -> Side:
    """What stands right of the split: our picture, also while a peer's is searched or missing."""
    peer = PEER_NAMES.get(right)
    found = answers.get(peer)
    if found:
        return restored(source, right, found.png, found.file_bytes)
    label = OURS
    if peer:
        label += f" (no {right} is this small)" if peer in answers else f" (searching {right} …)"
    return restored(source, label, result.png, result.file_bytes)


def open_file(source: Source, places: Places) -> None:
    header, payload = container.read_header(source.data)
    with places.notices:
        result = engine.open_file(source.data)
    with places.result:
        card(result.file_bytes, {"PNG": len(result.png), "raw RGB": result.raw_bytes})
        download_png(source, result)
    figures(places, [
        bits_per_pixel(result),
        ("Decode", milliseconds(result.decode_seconds), "From the file to pixels."),
    ])
    with places.split:
        compare(
            restored(source, OURS, result.png, result.file_bytes),
            size=(result.width, result.height), key="split",
        )
    with places.ledger:
        st.subheader("Where the bytes go", anchor=False)
        ledger([
            raw(result),
            Row("PNG", len(result.png), "the restored pixels, lossless"),
            *coded(result),
        ])
    with places.details:
        st.subheader("What the header says", anchor=False)
        st.table({
            "Size": f"{header.width} × {header.height} pixels",
            "Quality": f"{header.quality:g}",
            "Coding": header.coding,
            "Weights": header.model_id.hex(),
            "Header": f"{len(source.data) - len(payload)} bytes",
            "Payload": f"{len(payload):,} bytes",
        })


def figures(places: Places, shown: list[tuple[str, str, str]]) -> None:
    """A row of figures, each with its name and an explanation."""
    with places.figures, st.container(horizontal=True, gap="medium"):
        for name, value, explanation in shown:
            st.metric(name, value, help=explanation, width="content")


def bits_per_pixel(result: Result) -> tuple[str, str, str]:
    return "Bits per pixel", f"{result.bits_per_pixel:.3f}", "The whole file, header included."


def download_png(source: Source, result: Result) -> None:
    st.download_button(
        "Restored PNG", result.png, f"{source.stem}-restored.png", "image/png",
        icon=":material/image:", on_click="ignore",
    )


def restored(source: Source, label: str, png: bytes, file_bytes: int) -> Side:
    return Side(f"{label} · {file_bytes:,} bytes", f"{source.name} restored by {label}", png)


def raw(result: Result) -> Row:
    return Row("Raw RGB", result.raw_bytes, f"{result.width} × {result.height} × 3 bytes")


def coded(result: Result) -> list[Row]:
    """The rungs below the picture: what the network and the coders make of it."""
    h, w, channels = result.latent
    return [
        Row("int8 latent", result.latent_bytes, f"{h} × {w} × {channels} integers"),
        Row("Plain zlib stream", result.plain_bytes, "the latent, as in the original work"),
        Row(".sdae file", result.file_bytes, "whole file, header included", ours=True),
    ]


main()
