"""The view of rate and distortion: curves, BD-rates, equal bytes, speed."""

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
    display.table(
        *tables.bd_rates(measured),
        "bd-rates",
        "BD-rate of SDAE",
        "Mean difference in bytes at equal quality, over the range that both curves cover, mean of "
        "all pictures. Below zero, SDAE needs fewer bytes. SSIM and MS-SSIM count as −10·log10(1 − x).",
    )
    display.table(
        *tables.equal_bytes(measured),
        "equal-bytes",
        "At equal bytes",
        "PSNR in dB / SSIM when every picture takes the same bits per pixel. A picture whose "
        "largest file is smaller counts with that file; a dash means that some picture's smallest "
        "file is larger.",
    )
    _speed(stored, measured, name)


def _curves(measured: tables.Summary, name: str) -> None:
    measures = [label for label, (key, *_) in charts.MEASURES.items() if measured.curves[key]]
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
    curves, published = measured.curves[charts.MEASURES[measure][0]], {}
    if name == "kodak":
        published = results.published()["curves"]
        how += f" Grey lines are published learned codecs, from {results.published()['source']}."
    display.figure(charts.rates(curves, measure, published), "rates", how, height=520)


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
        how="To compress and restore one picture, all threads together. SDAE, and the others at their "
        "slowest: mean of all pictures, files of about one bit per pixel. By Pillow's defaults: "
        "another photograph of this size at quality 75, by “sdae bench”.",
    )
