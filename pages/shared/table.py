"""The table of all pages: a row for each thing that is compared, ours tinted, the best bold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import streamlit as st

_STYLE = """
<style>
.sdae-table { overflow-x: auto; }
.sdae-table table { width: 100%; border-collapse: collapse; font-size: 0.875rem;
  font-variant-numeric: tabular-nums; }
.sdae-table :is(th, td) { padding: 0.45rem 0.5rem; text-align: right; font-weight: 400;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.sdae-table :is(th:first-child, .said) { text-align: left; }
.sdae-table thead th { font-size: 0.8125rem; }
.sdae-table :is(thead th, small, .said) { opacity: 0.8; }
.sdae-table td { white-space: nowrap; }
.sdae-table small { display: block; font-size: 0.75rem; }
.sdae-table .ours { background: color-mix(in srgb, #2B87C8 14%, transparent); }
.sdae-table .best { font-weight: 700; }
.sdae-table .bar { width: 45%; }
.sdae-table .bar div { border-radius: 0.25rem; height: 0.9rem; min-width: 3px;
  background: #8A97A3; }
.sdae-table .ours .bar div { background: #2B87C8; }
@media (max-width: 640px) { .sdae-table .bar { width: 25%; } }
</style>
"""


@dataclass(frozen=True)
class Column:
    """A column of values.

    form: makes the text of a value; None is a dash.
    best: whether the highest value is bold.
    bar: whether a value is drawn as a bar as well, all on one scale from zero.
    """

    head: str
    form: Callable[..., str] = str
    best: bool = False
    bar: bool = False


@dataclass(frozen=True)
class Row:
    """A row: a name, a value for each column or a sentence in their place, and a small note."""

    name: str
    values: tuple | str
    note: str = ""
    ours: bool = False


def draw_sizes(rows: list[Row]) -> None:
    """Draw forms of one picture, whose only value is their bytes, as bars on one scale."""
    draw_table("Form", [Column("Bytes", "{:,}".format, bar=True)], rows)


def draw_table(head: str, columns: list[Column], rows: list[Row]) -> None:
    """Draw rows under `head`, the name of what they are, and the heads of the columns."""
    cells = [
        _cells(column, [_value(row, place) for row in rows]) for place, column in enumerate(columns)
    ]
    width = sum(1 + column.bar for column in columns)
    heads = "".join(
        f"<th scope='col' colspan='{1 + column.bar}'>{escape(column.head)}</th>"
        for column in columns
    )
    body = ""
    for number, row in enumerate(rows):
        note = f"<small>{escape(row.note)}</small>" if row.note else ""
        said = (
            f"<td class='said' colspan='{width}'>{escape(row.values)}</td>"
            if isinstance(row.values, str)
            else ""
        )
        body += (
            f"<tr{' class=ours' if row.ours else ''}><th scope='row'>{escape(row.name)}{note}</th>"
            f"{said or ''.join(column[number] for column in cells)}</tr>"
        )
    st.html(
        f"{_STYLE}<div class='sdae-table'><table><thead><tr><th scope='col'>{escape(head)}</th>"
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _value(row: Row, place: int):
    return None if isinstance(row.values, str) else row.values[place]


def _cells(column: Column, values: list) -> list[str]:
    """The cells of a column."""
    most = max((value for value in values if value is not None), default=None)
    cells = []
    for value in values:
        text = "–" if value is None else escape(column.form(value))
        bold = " class='best'" if column.best and value is not None and value == most else ""
        bar = (
            f"<td class='bar'><div style='width:{(value or 0) / most:.3%}'></div></td>"
            if column.bar
            else ""
        )
        cells.append(f"{bar}<td{bold}>{text}</td>")
    return cells
