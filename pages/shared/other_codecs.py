"""Other codecs at the same bytes: searched while the page is shown, and drawn as they arrive."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pages.shared import comparison, engine
from pages.shared.comparison import Result, Rival
from pages.shared.engine import Prepared
from pages.shared.numbers import decibels
from pages.shared.table import Column, Row, draw_table
from sdae.measuring.peers import PEERS


def key(picture: Prepared, budget: int, name: str) -> tuple:
    """The key of the task that searches peer `name`."""
    return "other codec", picture.key, budget, name


def tasks(picture: Prepared, budget: int) -> dict:
    """Tasks for a `Queue`: each peer's best file of at most `budget` bytes.

    An answer is a `Rival`, None where a peer has no file so small.
    """

    def task(name):
        return lambda wanted: comparison.rival(
            name, picture.rgb, budget, pause=partial(engine.line.wait_until_free, wanted)
        )

    return {key(picture, budget, name): task(name) for name in PEERS}


def by_name(picture: Prepared, budget: int, answers: dict) -> dict[str, Rival | None]:
    """Answers of a `Queue` by peer name."""
    keys = {name: key(picture, budget, name) for name in PEERS}
    return {name: answers[key] for name, key in keys.items() if key in answers}


_COLUMNS = [
    Column("Bytes", "{:,}".format),
    Column("PSNR", decibels, best=True),
    Column("SSIM", "{:.4f}".format, best=True),
]


def table(ours: Result, answers: dict[str, Rival | None]) -> None:
    """Draw our result and the peers' answers so far; the best are bold once all are there."""
    complete = len(answers) == len(PEERS)
    columns = [replace(column, best=column.best and complete) for column in _COLUMNS]

    def row(label, settings, result, ours=False):
        return Row(label, (result.file_bytes, result.psnr, result.ssim), settings, ours)

    rows = [row("SDAE", f"quality {ours.quality:g}", ours, True)]
    for name, peer in PEERS.items():
        if answers.get(name):
            rows.append(row(peer.label, answers[name].settings, answers[name]))
        else:
            said = "searching …" if name not in answers else "no file is this small"
            rows.append(Row(peer.label, said))
    draw_table("Codec", columns, rows)
