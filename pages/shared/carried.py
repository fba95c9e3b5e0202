"""The way from the Compress page into the lesson, with the picture that is open there."""

from __future__ import annotations

import streamlit as st

from pages.shared.sources import Source

_KEY = "carried"


def open_squares(source: Source, quality: float) -> None:
    """Draw a link that opens the lesson at the squares of this picture and their bits."""
    wanted = {"step": "Latent", "latent": "Touch a square", "quality": f"{quality:g}"}
    if st.session_state.get("file") is None and st.session_state.get("source") != "Camera":
        wanted |= {
            key: st.session_state[key]
            for key in ("source", "sample", "kodak")
            if key in st.session_state
        }
    else:  # a file of one's own is in no address, so the session keeps it
        st.session_state[_KEY] = source
        wanted[_KEY] = "1"
    st.page_link(
        "pages/inside/page.py",
        label="Where the bits are, square by square",
        icon=":material/touch_app:",
        query_params=wanted,
    )


def source() -> Source | None:
    """The picture that was carried here, with a button to take another one; else None."""
    found = st.session_state.get(_KEY)
    if found is None or _KEY not in st.query_params:
        return None
    if st.button("Take another picture", icon=":material/close:", width="stretch"):
        del st.session_state[_KEY], st.query_params[_KEY]
        return None
    return found
