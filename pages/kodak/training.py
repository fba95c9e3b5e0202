"""The dashboard of the training: all runs, the configuration, one change at a time."""

import streamlit as st

from pages.kodak import charts, findings, parts, tables
from sdae import weights
from sdae.measuring import results
from sdae.measuring.results import OURS, Results
from sdae.training import training_record


def view(found: Results, card: dict) -> None:
    log = training_record.read(weights.folder())
    parts.finding(findings.training(log, card))
    if log:
        parts.figure(
            charts.losses(log),
            "losses",
            "Rate plus distortion; lower is better. Training sees noise and random qualities, "
            "validation does not, so the two lie on different levels; enlarged photographs are "
            "softer and need fewer bits. At a dotted line a new run begins with the weights of the "
            "one before; a step there is a change of the network or of its context model.",
            height=420,
        )
        st.markdown("**Quality on validation photographs**")
        parts.figure(
            charts.validation(log),
            "validation",
            "Each curve is one quality setting; it rises while the network still learns. A fall at "
            "a dotted line of the figure above goes with fewer bits.",
            height=380,
        )
    else:
        st.info(
            "These weights come without a record of their training, `loss.csv`.",
            icon=":material/info:",
        )
    _ablations()
    curves = {
        parts.SETS[name]: curve
        for name in parts.measured_sets(found)
        if "accuracy" in (curve := results.curve(found.rows(name, OURS)))
    }
    if curves:
        st.markdown("**Reconstruction accuracy**")
        parts.figure(
            charts.accuracy(curves),
            "accuracy",
            "The original's own figure: the share of pixels whose largest channel stays the "
            "largest. It ignores brightness, so PSNR and SSIM say more.",
            height=360,
        )
    st.markdown("**Configuration of the network and of the last run**")
    parts.table(["setting", "value"], settings(card), "configuration")


def settings(card: dict) -> list[tuple[str, str]]:
    """What the card of the weights says, a row a setting; limits are called limits."""
    limits = {"epochs": "epochs at most", "minutes": "minutes at most"}
    said = [(key.replace("_", " "), f"{value}") for key, value in card["config"].items()]
    said += [
        (limits.get(key, key.replace("_", " ")), f"{value}")
        for key, value in card["training"].items()
    ]
    more = card.get("noise_removal")
    said += [("parameters for noise removal alone", f"{more['parameters']:,}")] if more else []
    return said + [
        ("epochs that were run", f"{card['epochs']}"),
        ("minutes that they took", f"{card['minutes']:g}"),
        ("parameters", f"{card['parameters']:,}"),
    ]


def _ablations() -> None:
    heads, table, crops = tables.ablations(weights.folder())
    if table:
        st.markdown("**One change at a time**")
        parts.table(heads, table, "ablations")
        st.caption(
            f"`sdae ablations`: every variant trained from the beginning on {crops:,} crops, of "
            "photographs at 1, 0.7 and 0.5 of their size, and judged on the same clean validation "
            "crops, the best first. Crops have 64×64 pixels unless the variant says otherwise. So "
            "short a training shows which choices are clearly wrong, not how good the right ones "
            "become."
        )
