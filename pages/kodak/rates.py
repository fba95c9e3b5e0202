"""The view of rate and distortion: curves, BD-rates, equal bytes, other packings, speed."""

import streamlit as st

from pages.kodak import charts, display, findings, tables
from sdae.measuring import results
from sdae.measuring.results import Results


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    name = display.choose_measured(stored)
    if name is None:
        return
    measured = tables.summary(stored, name)
    display.finding(findings.rates(name, measured.bd_rates))
    _curves(measured, name)
    st.subheader("BD-rate of SDAE", anchor=False)
    display.table(
        *tables.bd_rates(measured),
        "bd-rates",
        "Mean difference in bytes at equal quality, over the range that both curves cover, mean of "
        "all pictures. Below zero, SDAE needs fewer bytes.",
    )
    st.subheader("At equal bytes", anchor=False)
    display.table(
        *tables.equal_bytes(measured),
        "equal-bytes",
        "PSNR in dB / SSIM when every picture takes the same bits per pixel. A picture whose "
        "largest file is smaller counts with that file; a dash means that some picture's smallest "
        "file is larger.",
    )
    _speed(stored, measured, name)
    _packings(stored)


def _curves(measured: tables.Summary, name: str) -> None:
    measures = [
        label
        for label, (key, *_) in charts.MEASURES.items()
        if any(key in curve for curve in measured.curves.values())
    ]
    measure = st.segmented_control(
        "Measure",
        measures,
        default=measures[0],
        required=True,
        key="measure",
        bind="query-params",
    )
    how = (
        "Higher and further left is better: more quality in fewer bits. A mark is the mean of all "
        "pictures at one setting of the encoder. The axis ends where AVIF's curve does."
    )
    published = {}
    if measure == "Accuracy":
        how += (
            " The original's own figure: the share of pixels whose largest channel stays the "
            "largest. It ignores brightness, so PSNR and SSIM say more."
        )
    elif name == "kodak":
        published = results.published()["curves"]
        how += f" Grey lines are published learned codecs, from {results.published()['source']}."
    display.figure(charts.rates(measured.curves, measure, published), "rates", how, height=520)


def _speed(stored: Results, measured: tables.Summary, name: str) -> None:
    times = tables.times(stored, measured, name)
    if not times:
        return
    st.subheader("Speed", anchor=False)
    st.markdown(display.whole_numbers(findings.speed(times)))
    display.table(
        ["codec", "how it ran", "processor time, ms"],
        [(codec, how or None, f"{1000 * seconds:,.1f}") for (codec, how), seconds in times.items()],
        "speed",
        "To compress and restore one picture, all threads together. SDAE and the codecs as in the "
        "curves: mean of all pictures, files of about one bit per pixel. Pillow's defaults: another "
        "photograph of the same size at quality 75, by `sdae bench`.",
    )


def _packings(stored: Results) -> None:
    heads, rows = tables.packings(stored)
    if rows:
        st.subheader("Other ways to pack the same integers", anchor=False)
        display.table(
            heads,
            rows,
            "packings",
            "Mean bytes of a latent of the pictures scaled to 128×128, by `sdae bench coder`. The "
            "ideal coders spend the entropy of their symbols and write no tables.",
        )
