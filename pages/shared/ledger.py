"""The byte ledger: every form of one picture and what it weighs, as a ladder of bars."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

_STYLE = """
<style>
.sdae-ledger { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
.sdae-ledger th { font-weight: 400; text-align: left; padding: 0.45rem 0.75rem 0.45rem 0; }
.sdae-ledger th small { display: block; opacity: 0.7; font-size: 0.75rem; }
.sdae-ledger td { padding: 0.45rem 0; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.sdae-ledger td.bar { width: 45%; padding-right: 0.75rem; }
.sdae-ledger td.share { padding-left: 0.75rem; opacity: 0.75; min-width: 3.5rem; }
.sdae-ledger .track { border-radius: 0.25rem; height: 0.9rem;
  background: color-mix(in srgb, currentColor 7%, transparent); }
.sdae-ledger .fill { border-radius: 0.25rem; height: 100%; min-width: 3px; background: #8A97A3; }
.sdae-ledger tr.ours .fill { background: #2B87C8; }
.sdae-ledger tr.ours th, .sdae-ledger tr.ours td { font-weight: 600; opacity: 1; }
@media (max-width: 640px) { .sdae-ledger td.bar { width: 25%; } }
</style>
"""


@dataclass(frozen=True)
class Row:
    """One rung: a name, its bytes, a few words on what it is; `ours` for the .sdae file."""

    name: str
    size: int
    note: str = ""
    ours: bool = False


def ledger(rows: list[Row]) -> None:
    """Draw the rows as bars on one linear scale, with bytes and the share of the largest."""
    most = max(row.size for row in rows)
    st.html(_STYLE + "<table class='sdae-ledger'>" + "".join(map(_row(most), rows)) + "</table>")


def _row(most: int):
    def draw(row: Row) -> str:
        share = row.size / most
        return (
            f"<tr{' class=ours' if row.ours else ''}>"
            f"<th scope='row'>{escape(row.name)}<small>{escape(row.note)}</small></th>"
            "<td class='bar'><div class='track'>"
            f"<div class='fill' style='width:{share:.3%}'></div></div></td>"
            f"<td>{row.size:,} B</td><td class='share'>{100 * share:.1f} %</td></tr>"
        )

    return draw
