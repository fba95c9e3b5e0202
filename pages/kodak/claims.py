"""The view of claims: what the original work says of itself, measured again."""

import streamlit as st

from pages.kodak import display, findings
from sdae.measuring import claims
from sdae.measuring.results import Results

FORMS = ",d", ",d", ",d", ".4f", ".6f", ".2f", ".2f"
"""How the columns of the original's table are written, after the name of the picture."""


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    compared = claims.comparison(stored, card)
    display.finding(findings.claims(compared))
    display.table(
        ["Quantity", "The original says", "We measure", "Why they differ"],
        [(c.words, c.original, c.measured or "not measured yet", c.why) for c in compared],
        "claims",
        f"Kodak scaled to 128×128, at most {claims.BUDGET:,} bytes a picture, the original's mean.",
    )
    st.subheader("The original's table of four pictures, and ours", anchor=False)
    lines = [(f"original, {number}", *row) for number, row in enumerate(claims.FOUR_ROWS, 1)]
    display.table(
        [
            "Picture",
            "File, bytes",
            "Latent, bytes",
            "Compressed, bytes",
            "Compression, s",
            "Decompression, s",
            "JPEG's reduction, %",
            "Reduction, %",
        ],
        [
            (name, *(format(value, form) for value, form in zip(values, FORMS)))
            for name, *values in [*lines, *claims.four_rows(stored)]
        ],
        "four-pictures",
        "The original's latent of 2,048 values was counted as text with two decimals, ours as one "
        "byte an integer; our compressed size is that of the whole file. Times are of packing and "
        "unpacking alone, ours in processor time and a mean. Our JPEG in this table is at quality "
        "95.",
    )
