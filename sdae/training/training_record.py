"""The record of a training: ``loss.csv`` beside the weights, and of the runs before it."""

from __future__ import annotations

import csv
from pathlib import Path


def read(place: Path | str) -> list[dict[str, float]]:
    """An epoch a row, of all runs that led to the weights; empty where there is no record.

    ``loss.csv`` beside the weights is the last run and ``history.csv``, where there is one, the
    runs before it, each begun with the weights of the one before. To the columns of these files
    come ``run``, counted from 1, and ``all_images`` and ``all_minutes``, counted over all runs.
    """
    return counted(lines(place))


def lines(place: Path | str) -> list[dict[str, str]]:
    """The epochs of all runs that led to weights, as the files have them."""
    rows = []
    for name in ("history.csv", "loss.csv"):
        path = Path(place) / name
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                rows += csv.DictReader(file)
    return rows


def counted(rows: list[dict]) -> list[dict[str, float]]:
    """Epochs of one run after another, with the columns that count over all runs; see `read`."""
    run, images, minutes, last, found = 1, 0.0, 0.0, None, []
    for line in rows:
        row = {key: float(value) for key, value in line.items() if value not in ("", None)}
        if last and row["epoch"] <= last["epoch"]:
            run, images, minutes = (
                run + 1,
                images + last.get("images", 0),
                minutes + last["minutes"],
            )
        last = row
        found.append(
            row
            | {
                "run": run,
                "all_images": images + row.get("images", 0),
                "all_minutes": minutes + row["minutes"],
            }
        )
    return found
