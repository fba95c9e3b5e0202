"""The views of each step: what its tabs are called, and the one that is open."""

import streamlit as st

VIEWS = {
    "Pipeline": ("The whole way", "The two networks", "Which is which?"),
    "Units": ("Units", "Feature maps", "PReLU slopes", "Sub-pixel"),
    "Latent": (
        "Touch a square",
        "Channels",
        "First channels only",
        "One channel off",
        "Coarser or finer",
    ),
    "Bytes": ("The ledger", "Channel by channel", "LZ77", "Huffman"),
    "Noise": (),
    "Training": ("Loss", "Along the training", "The price λ"),
    "Limits": ("Text", "Line art", "Faces far away", "Starry sky", "Tiny sizes"),
}
"""Step → the names of its views; a step without them is one view."""


def tabs(step: str):
    """The parts of a screen; only the open one is computed, and the link names it."""
    return st.tabs(VIEWS[step], key=step.lower(), bind="query-params")
