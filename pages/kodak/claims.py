"""The view of claims: what the original work says of itself, measured again."""

from pages.kodak import display, findings
from sdae.measuring import claims
from sdae.measuring.results import Results


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
