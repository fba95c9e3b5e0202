"""Compress: a photograph in, a .sdae file out, every byte counted."""

import streamlit as st

from sdae import BitstreamError, ImageError, WeightsError, bitstream
from sdae.measure import Result
from sdae.peers import PEERS
from sdae.ui import engine, rivals
from sdae.ui.card import card
from sdae.ui.compare import Side, compare
from sdae.ui.ledger import Row, ledger
from sdae.ui.sources import Source, choose

OURS = "SDAE"
PEER_NAMES = {peer.label: name for name, peer in PEERS.items()}


def main() -> None:
    st.title("Compress a photograph", anchor=False)
    st.markdown(
        "A neural network turns it into a small `.sdae` file and back. "
        "Every number below is counted on real files, while the slider moves."
    )
    panel, stage = st.columns([5, 12], gap="large")
    with panel:
        source = choose()
    try:
        if source is None:
            stage.info("Take a picture with the camera.", icon=":material/photo_camera:")
        elif source.is_sdae:
            open_file(source, panel, stage)
        else:
            compress_picture(source, panel, stage)
    except (ImageError, BitstreamError) as error:
        stage.error(f"{source.name}: {error}", icon=":material/error:")
    except WeightsError as error:
        stage.error(str(error), icon=":material/error:")


def compress_picture(source: Source, panel, stage) -> None:
    with panel:
        quality = st.slider("Quality", 1, 100, 75, key="quality", bind="query-params")
        size = st.segmented_control(
            "Size", ["Original", "128×128"], default="Original", required=True, key="size",
            bind="query-params", width="stretch",
            help="128×128 is the centre square scaled down, as in the original work.",
        )
    with stage:
        picture = engine.prepare(source.data, small=size != "Original")
        result = engine.compress(picture, quality)
        for notice in picture.notices:
            st.info(notice, icon=":material/info:")
        numbers(result)
        right = st.segmented_control(
            "Right of the split", [OURS, *PEER_NAMES], default=OURS, required=True, key="right",
            bind="query-params",
        )
        split = st.empty()
    width, height = picture.full
    with panel:
        upload = "the upload" if picture.size == picture.full else f"{width} × {height} upload"
        card(result.file_bytes, {
            upload: len(source.data),
            "PNG": len(picture.png),
            "raw RGB": result.raw_bytes,
        })
        downloads(source, result)

    original = Side("Original", f"Original of {source.name}", picture.png)

    def draw(label: str, png: bytes, file_bytes: int) -> None:
        with split:
            compare(restored(source, label, png, file_bytes), original,
                    size=picture.size, key="split")

    if right == OURS:
        draw(OURS, result.png, result.file_bytes)

    left_half, right_half = st.columns(2, gap="large")
    with left_half:
        st.subheader("Where the bytes go", anchor=False)
        ledger([
            Row("Upload", len(source.data), f"{source.name}, {width} × {height}"),
            raw(result),
            Row("PNG", len(picture.png), "the same pixels, lossless"),
            *coded(result),
        ])
    with right_half:
        st.subheader("At the same bytes", anchor=False)
        table = st.empty()
        st.caption(
            f"Each codec's best picture in at most {result.file_bytes:,} bytes. "
            "AVIF is searched at a fast speed here; its slowest is a little better."
        )

    waiting = right != OURS
    for answers in rivals.search(picture, result.file_bytes, first=PEER_NAMES.get(right)):
        with table:
            rivals.table(result, answers)
        if waiting and PEER_NAMES[right] in answers:
            waiting = False
            peer = answers[PEER_NAMES[right]]
            if peer:
                draw(right, peer.png, peer.file_bytes)
            else:
                draw(f"{OURS} (no {right} is this small)", result.png, result.file_bytes)


def open_file(source: Source, panel, stage) -> None:
    header, payload = bitstream.read_header(source.data)
    with stage, st.spinner("Restoring the picture."):
        result = engine.open_file(source.data)
    with panel:
        card(result.file_bytes, {"PNG": len(result.png), "raw RGB": result.raw_bytes})
        downloads(source, result)
    with stage:
        numbers(result)
        compare(restored(source, OURS, result.png, result.file_bytes),
                size=(result.width, result.height), key="opened")
    left_half, right_half = st.columns(2, gap="large")
    with left_half:
        st.subheader("Where the bytes go", anchor=False)
        ledger([
            raw(result),
            Row("PNG", len(result.png), "the restored pixels, lossless"),
            *coded(result),
        ])
    with right_half:
        st.subheader("What the header says", anchor=False)
        st.table({
            "Size": f"{header.width} × {header.height} pixels",
            "Quality": f"{header.quality:g}",
            "Coding": "plain" if header.mode == bitstream.PLAIN else "contexts",
            "Weights": header.model_id.hex(),
            "Header": f"{len(source.data) - len(payload)} bytes",
            "Payload": f"{len(payload):,} bytes",
        })


def numbers(result: Result) -> None:
    """The figures above the picture; those that need an original are left out without one."""
    figures = [("Bits per pixel", f"{result.bits_per_pixel:.3f}", "The whole file, header included.")]
    if result.psnr is not None:
        figures += [
            ("PSNR", f"{result.psnr:.2f} dB", "Peak signal to noise; higher is closer."),
            ("SSIM", f"{result.ssim:.4f}", "Structural similarity; 1 is identical."),
            ("Encode", milliseconds(result.encode_seconds), "From pixels to the whole file."),
        ]
    figures += [("Decode", milliseconds(result.decode_seconds), "From the file to pixels.")]
    with st.container(horizontal=True, gap="medium"):
        for name, value, explanation in figures:
            st.metric(name, value, help=explanation, width="content")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def downloads(source: Source, result: Result) -> None:
    with st.container(horizontal=True):
        if not source.is_sdae:
            st.download_button(
                "Download .sdae", result.data, f"{source.stem}.sdae", "application/octet-stream",
                icon=":material/download:", type="primary", on_click="ignore",
            )
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
