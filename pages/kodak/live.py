"""One Kodak picture, worked out anew: fetched if it is missing, compressed, shown, measured."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.kodak import parts
from pages.shared import engine, figures, other_codecs
from pages.shared.engine import Prepared
from pages.shared.figures import Plate
from pages.shared.file_size import card as size_card
from pages.shared.numbers import decibels
from pages.shared.split_view import Side, compare
from sdae.measuring import kodak, results
from sdae.measuring.comparison import Result
from sdae.measuring.peers import PEERS
from sdae.measuring.results import OURS, Results
from sdae.pictures import reading

TICK = 0.5  # seconds between looks at a search


def view(found: Results, card: dict) -> None:
    """The dashboard: any picture of a set at any quality."""
    name = parts.choose_set(found, every=True)
    left, right = st.columns(2, gap="large")
    with left:
        names = [file.removesuffix(".png") for file in kodak.KODAK]
        if name == "kodak-128":
            names = [f"{base}-{tile:02}" for base in names for tile in range(24)]
        picture = st.selectbox("Picture", names, key="picture", bind="query-params")
    with right:
        quality = st.slider("Quality", 1, 100, 48, key="quality", bind="query-params")
    live(name, picture, found.rows(name, OURS).get(picture, []), quality)


def live(set_name: str, name: str, stored: list[dict], quality: float, worst: bool = False) -> None:
    """Draw picture ``name`` of a set before and after, with figures of this very moment.

    Args:
        set_name: key of `sdae.measuring.kodak.SETS`.
        name: of the picture, as in the results.
        stored: its measured rows by our codec, to compare with; may be empty.
        quality: 1 to 100.
        worst: whether to show the square with the largest error beside the rest.
    """
    if not _present(kodak.file_name(name)):
        return
    try:
        rgb = kodak.picture(set_name, name)
    except kodak.KodakError as error:
        st.error(str(error), icon=":material/error:")
        return
    picture = engine.prepare(reading.png(rgb), small=False)
    result = engine.compress(picture, quality)
    panel, stage = st.columns([2, 5], gap="medium")
    with stage:
        compare(
            Side(f"SDAE · {result.file_bytes:,} bytes", f"{name} restored by SDAE", result.png),
            Side("Original", f"Original of {name}", picture.png),
            size=picture.size,
            key="kodak-split",
        )
        if worst:
            _worst(picture.rgb, reading.read(result.png).rgb)
    with panel:
        size_card(
            result.file_bytes,
            {
                "its PNG": len(picture.png),
                "its uncompressed pixels": result.raw_bytes,
            },
        )
        with st.container(horizontal=True, gap="medium"):
            st.metric("PSNR", f"{decibels(result.psnr)} dB", width="content")
            st.metric("SSIM", f"{result.ssim:.4f}", width="content")
            st.metric("Encode", f"{1000 * result.encode_seconds:,.0f} ms", width="content")
            st.metric("Decode", f"{1000 * result.decode_seconds:,.0f} ms", width="content")
        st.caption(_agreement(result, stored, quality))
        answers = other_codecs.search(picture, result.file_bytes)
        waiting = len(answers) < len(PEERS)
        st.fragment(_peers, run_every=TICK if waiting else None)(picture, result, answers)
        st.caption(
            f"Each codec's best picture in at most {result.file_bytes:,} bytes; bold is best. "
            "AVIF is searched at a fast speed here; its slowest is a little better."
        )


SQUARE = 48
"""Side in pixels of the square that is shown as the worst."""


def _worst(original: np.ndarray, restored: np.ndarray) -> None:
    """Draw the square with the largest squared error, before and after."""
    part = worst_square(original, restored)
    apart = original[part].astype("float64") - restored[part]
    error = np.sqrt(np.square(apart).mean())
    top, left = (side.start for side in part)
    figures.plates(
        [
            Plate(original[part], "Its worst square, original", "The worst square of the original"),
            Plate(
                restored[part],
                f"Restored · error {error:.1f} of 255 levels",
                "The same square, restored",
            ),
        ],
        "worst-square",
        width=200,
        blocks=True,
    )
    st.caption(f"{SQUARE} × {SQUARE} pixels, {left} from the left and {top} from the top.")


def worst_square(original: np.ndarray, restored: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the square of `SQUARE` pixels with the largest squared error.

    Squares lie on a raster of half their side; both pictures are (H, W, 3) uint8.
    """
    error = np.square(original.astype("float32") - restored).sum(2)
    corners = [
        (top, left)
        for top in range(0, max(1, error.shape[0] - SQUARE + 1), SQUARE // 2)
        for left in range(0, max(1, error.shape[1] - SQUARE + 1), SQUARE // 2)
    ]
    squares = [(slice(y, y + SQUARE), slice(x, x + SQUARE)) for y, x in corners]
    return max(squares, key=lambda part: error[part].sum())


def _peers(picture: Prepared, result: Result, drawn: dict) -> None:
    """The table of peers, filled while they are searched; the page follows when it is full."""
    answers = other_codecs.search(picture, result.file_bytes)
    other_codecs.table(result, answers)
    if len(answers) == len(PEERS) > len(drawn):
        st.rerun()


def _agreement(result: Result, stored: list[dict], quality: float) -> str:
    """What the results say of the same picture and quality."""
    if not stored:
        return "This picture is not among the stored results."
    row = results.at_setting(stored, quality)
    if results.setting(row) != quality:
        return f"The results hold no quality {quality:g}; the nearest is {results.setting(row):g}."
    return (
        f"The stored results say {row['bytes']:,} bytes, {row['psnr']:.2f} dB and SSIM "
        f"{row['ssim']:.4f}. Times in the results are processor time, here those of the clock."
    )


def _present(file: str) -> bool:
    """Whether a Kodak file is here; where it is not, a button that fetches it is drawn."""
    if file in kodak.available():
        return True
    st.info(
        f"{file} is not on this server yet. It is fetched from its public home, {kodak.HOME}, "
        "about 0.7 MB, and its checksum verified. All figures above work without it.",
        icon=":material/download:",
    )
    if not st.button(f"Fetch {file}", type="primary", key="fetch"):
        return False
    bar = st.progress(0.0, text=f"Fetching {file}.")

    def progress(done: int, total: int) -> None:
        share = min(done / total, 1.0) if total else 0.0
        bar.progress(share, text=f"Fetching {file}: {done / 1e3:,.0f} kB.")

    try:
        kodak.fetch(file, progress=progress, home=kodak.HOME, timeout=10)
    except kodak.KodakError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return False
    bar.empty()
    return True
