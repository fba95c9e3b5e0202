"""The dashboard of claims: what the original work says of itself, measured again."""

import streamlit as st

from pages.kodak import findings, parts
from sdae.measuring import claims
from sdae.measuring.results import Results


def view(found: Results, card: dict) -> None:
    compared = claims.comparison(found, card)
    parts.finding(findings.claims(compared))
    st.markdown(
        f"Kodak scaled to 128×128, at most {claims.BUDGET:,} bytes a picture, the original's mean."
    )
    parts.table(
        ["Words", "The original says", "We measure", "Why they differ"],
        [(c.words, c.original, c.measured or "not measured yet", c.why) for c in compared],
        "claims",
    )
    st.markdown("**The original's table of four pictures, and ours**")
    heads = [
        "Picture",
        "File, bytes",
        "Latent, bytes",
        "Compressed, bytes",
        "Compression, s",
        "Decompression, s",
        "JPEG's reduction, %",
        "Reduction, %",
    ]

    def line(name, values):
        size, latent, packed, pack, unpack, jpeg, ours = values
        return (
            name,
            f"{size:,}",
            f"{latent:,}",
            f"{packed:,}",
            f"{pack:.4f}",
            f"{unpack:.6f}",
            f"{jpeg:.2f}",
            f"{ours:.2f}",
        )

    lines = [
        line(f"original, {number}", values) for number, values in enumerate(claims.FOUR_ROWS, 1)
    ]
    lines += [line(name, values) for name, *values in claims.four_rows(found)]
    parts.table(heads, lines, "four-pictures")
    st.caption(
        "The original's latent of 2,048 values was counted as text with two decimals, and so is "
        "ours here; our compressed size is that of the whole file. Times are of packing and "
        "unpacking alone, ours in processor time. Our JPEG in this table is at quality 100."
    )
