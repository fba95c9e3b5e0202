"""The record of a training: ``loss.csv`` beside the weights, and of the runs before it."""

from __future__ import annotations

import csv
import io
from pathlib import Path


def read(place: Path | str) -> list[dict[str, float]]:
    """An epoch a row, of all runs that led to the weights; empty where there is no record.

    ``loss.csv`` beside the weights is the last run and ``history.csv``, where there is one, the
    runs before it, each begun with the weights of the one before. To the columns of these files
    come ``run``, counted from 1, and ``all_images`` and ``all_minutes``, counted over all runs.
    """
    run, images, minutes, last, found = 1, 0.0, 0.0, None, []
    for line in lines(place):
        row = {key: float(value) for key, value in line.items() if value}
        if last and row["epoch"] <= last["epoch"]:
            run, minutes = run + 1, minutes + last["minutes"]
            images += last.get("images", 0)
        last = row
        more = {
            "all_images": images + row.get("images", 0),
            "all_minutes": minutes + row["minutes"],
        }
        found.append(row | {"run": run} | more)
    return found


def lines(place: Path | str) -> list[dict[str, str]]:
    """The epochs of all runs that led to weights, as the files have them."""
    rows = []
    for name in ("history.csv", "loss.csv"):
        path = Path(place) / name
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                rows += csv.DictReader(file)
    return rows


def in_bytes(rows: list[dict]) -> bytes:
    """Epochs as the content of such a file."""
    table = io.StringIO()
    columns = dict.fromkeys(key for row in rows for key in row)
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue().encode()
