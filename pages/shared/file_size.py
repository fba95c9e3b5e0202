"""The result card: one size in large figures, and its share of others."""

from __future__ import annotations

import streamlit as st

_STYLE = """
<style>
.sdae-card { border: 1px solid color-mix(in srgb, currentColor 20%, transparent);
  border-radius: 0.5rem; padding: 0.9rem 1.1rem; font-variant-numeric: tabular-nums; }
.sdae-card .size { font-size: 2.1rem; line-height: 1.15; font-weight: 600; }
.sdae-card .size small { font-size: 1rem; font-weight: 400; opacity: 0.75; }
.sdae-card table { margin-top: 0.5rem; font-size: 0.875rem; }
.sdae-card td { font-weight: 600; text-align: right; padding: 0.1rem 0.75rem 0.1rem 0; }
.sdae-card th { font-weight: 400; text-align: left; opacity: 0.75; }
</style>
"""


def card(size: int, references: dict[str, int]) -> None:
    """Draw the bytes of the .sdae file and its share of each named reference size."""
    rows = "".join(
        f"<tr><td>{share(size, bytes_)}</td><th scope='row'>of {name}</th></tr>"
        for name, bytes_ in references.items()
    )
    st.html(
        f"{_STYLE}<div class='sdae-card'><div class='size'>{size:,} <small>bytes</small></div>"
        f"<table>{rows}</table></div>"
    )


def share(size: int, reference: int) -> str:
    """A share as all pages write it: 5.9 % for a file of that part of the reference."""
    return f"{100 * size / reference:.1f} %"
