"""The byte ledger: every form of one picture and what it weighs, as a ladder of bars."""

from __future__ import annotations

from dataclasses import dataclass

from pages.shared import table


@dataclass(frozen=True)
class Row:
    """One rung: a name, its bytes, a few words on what it is; `ours` for the .sdae file."""

    name: str
    size: int
    note: str = ""
    ours: bool = False


def ledger(rows: list[Row]) -> None:
    """Draw the rows as bars on one linear scale, with their bytes."""
    table.draw_table(
        "Form",
        [table.Column("Bytes", "{:,}".format, bar=True)],
        [table.Row(row.name, (row.size,), row.note, row.ours) for row in rows],
    )
