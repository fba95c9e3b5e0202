"""One Kodak picture, worked out anew: fetched if it is missing, compressed, shown, measured."""

from __future__ import annotations

import streamlit as st

from sdae.measuring import kodak, results
from sdae.measuring.comparison import Result
from sdae.measuring.peers import PEERS
from sdae.pictures import reading
from sdae.ui.shared import engine, other_codecs
from sdae.ui.shared.engine import Prepared
from sdae.ui.shared.file_size import card
from sdae.ui.shared.split_view import Side, compare

TICK = 0.5  # seconds between looks at a search


def live(set_name: str, name: str, stored: list[dict], quality: float) -> None:
    """Draw picture ``name`` of a set before and after, with figures of this very moment.

    Args:
        set_name: key of `sdae.measuring.kodak.SETS`.
        name: of the picture, as in the results.
        stored: its measured rows by our codec, to compare with; may be empty.
        quality: 1 to 100.
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
            size=picture.size, key="kodak-split",
        )
    with panel:
        card(result.file_bytes, {"PNG": len(picture.png), "raw RGB": result.raw_bytes})
        with st.container(horizontal=True, gap="medium"):
            st.metric("PSNR", f"{result.psnr:.2f} dB", width="content")
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
