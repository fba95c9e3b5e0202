"""The view of the training: the loss of all runs, and the configuration."""

import re

from pages.kodak import charts, display, findings
from sdae import weights
from sdae.measuring.results import Results
from sdae.training import training_record


def view(stored: Results, card: dict) -> None:
    """Draw the view."""
    log = training_record.read(weights.folder())
    display.finding(findings.training(log, card))
    if log:
        display.figure(
            charts.losses(log),
            "losses",
            "Rate plus distortion; lower is better. Training sees noise and random qualities, "
            "validation does not, so the two lie on different levels; enlarged photographs are "
            "softer and need fewer bits. At a dotted line a new run begins with the weights of the "
            "one before; a step there is a change of the network or of its context model.",
            height=420,
        )
    display.table(
        ["setting", "value"],
        settings(card),
        "configuration",
        "Configuration of the network and of the last run",
    )


def settings(card: dict) -> list[tuple[str, str]]:
    """What the card of the weights says, a row a setting."""
    said = card["config"] | card["training"]
    return [
        *(
            (key.replace("_", " "), re.sub(r"[\[\]']", "", f"{value}"))
            for key, value in said.items()
        ),
        ("epochs that were run", f"{card['epochs']}"),
        ("minutes that they took", f"{card['minutes']:g}"),
        ("parameters", f"{card['parameters']:,}"),
    ]
