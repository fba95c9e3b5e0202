"""The view of claims: what the original work says of itself, measured again."""

from pages.kodak import display, findings
from sdae.measuring import claims
from sdae.measuring.results import Results

COLUMNS = {
    "File, bytes": ",d",
    "Latent, bytes": ",d",
    "Compressed, bytes": ",d",
    "Compression, s": ".4f",
    "Decompression, s": ".6f",
    "JPEG's reduction, %": ".2f",
    "Reduction, %": ".2f",
}
"""The original's table, after the name of the picture: head → format of its numbers."""


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    compared = claims.comparison(stored, card)
    display.finding(findings.claims(compared))
    display.table(
        ["Quantity", "The original says", "We measure", "Why they differ"],
        [(c.words, c.original, c.measured or "not measured yet", c.why) for c in compared],
        "claims",
        how=f"Kodak scaled to 128×128, at most {claims.BUDGET:,} bytes a picture, the original's mean.",
    )
    lines = [(f"original, {number}", *row) for number, row in enumerate(claims.FOUR_ROWS, 1)]
    display.table(
        ["Picture", *COLUMNS],
        [
            (name, *(format(value, form) for value, form in zip(values, COLUMNS.values())))
            for name, *values in [*lines, *claims.four_rows(stored)]
        ],
        "four-pictures",
        "The original's table of four pictures, and ours",
        "The original's latent of 2,048 values was counted as text with two decimals, ours as one "
        "byte an integer; our compressed size is that of the whole file. Times are of packing and "
        "unpacking alone, ours in processor time and a mean. Our JPEG in this table is at quality "
        "95.",
    )
