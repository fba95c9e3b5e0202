"""The dashboard of rate and distortion: curves, equal bytes, BD-rates."""

import streamlit as st

from pages.kodak import charts, findings, parts, tables
from sdae.measuring import results
from sdae.measuring.results import Results


def view(found: Results, card: dict) -> None:
    name = parts.choose_set(found)
    if name is None:
        return
    rates = tables.bd_rates(found, name)
    parts.finding(findings.rates(name, rates))
    curves = tables.curves(found, name)
    measures = [
        label
        for label, (key, *_) in charts.MEASURES.items()
        if any(key in curve for curve in curves.values())
    ]
    measure = st.segmented_control(
        "Measure",
        measures,
        default=measures[0],
        required=True,
        key="measure",
        bind="query-params",
    )
    reference = results.published()
    lines = reference["curves"] if name == "kodak" else {}
    parts.figure(
        charts.rates(curves, measure, lines),
        "rates",
        "Higher and further left is better: more quality in fewer bits. A mark is the mean of all "
        "pictures at one setting of the encoder. The axis ends where AVIF's curve does."
        + (
            f" Grey lines are published learned codecs, from {reference['source']}."
            if lines
            else ""
        ),
        height=520,
    )
    st.markdown("**BD-rate of SDAE**")
    keys = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM"}
    held = [key for key in keys if any(rates[peer].get(key) is not None for peer in rates)]
    parts.table(
        ["against", *(f"{keys[key]}, %" for key in held)],
        [
            (results.label(peer), *(parts.signed(rates[peer].get(key)) for key in held))
            for peer in rates
        ],
        "bd-rates",
    )
    st.caption(
        "Mean difference in bytes at equal quality, over the range that both curves cover, "
        "mean of all pictures. Below zero, SDAE needs fewer bytes."
    )
    st.markdown("**At equal bytes**")
    parts.table(*tables.equal_bytes(found, name), "equal-bytes")
    st.caption(
        "PSNR in dB / SSIM when every picture takes the same bits per pixel. A picture whose "
        "largest file is smaller counts with that file; a dash means that some picture's "
        "smallest file is larger."
    )
