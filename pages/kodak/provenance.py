"""Which weights, libraries, dates and protocol the figures of the Kodak page come from."""

import streamlit as st

from pages.kodak import display, tables
from pages.kodak.tables import SETS
from sdae.measuring import results
from sdae.measuring.peers import PEERS
from sdae.measuring.results import Results


def provenance(stored: Results, card: dict) -> None:
    """Draw a box that opens with everything on where the figures come from."""
    with st.expander("Where these figures come from"):
        st.markdown(f"Weights with SHA-256 `{card['sha256']}`. {results.PROTOCOL}")
        st.markdown(
            "The other codecs are as slow as `sdae/measuring/peers.py` allows: JPEG optimised, "
            "JPEG 2000 irreversible, WebP by method 6, AVIF at 4:4:4, `tune=ssim`, speed 0 up to "
            "256×256 pixels and speed 1 above."
        )
        rows = []
        for name, label in SETS.items():
            for codec, note in tables.summary(stored, name).notes.items():
                library = PEERS[codec].library if codec in PEERS else None
                rows.append(
                    (
                        label,
                        results.label(codec),
                        note["count"],
                        note["options"].get("stride"),
                        note["date"],
                        f"{library} {note['versions'][library]}" if library else None,
                    )
                )
        heads = ["pictures", "codec", "number", "one in", "date", "library"]
        display.table(heads, rows, "provenance")
