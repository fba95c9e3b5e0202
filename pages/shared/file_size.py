"""The size of a file in large figures, and its share of others."""

from __future__ import annotations

import streamlit as st


def show_size(size: int, references: dict[str, int]) -> None:
    """Draw the bytes of the .sdae file and its share of each named reference size."""
    with st.container(border=True, key="file-size"):
        st.metric("SDAE file", f"{size:,} bytes", help="The whole of it, header included.")
        for name, reference in references.items():
            st.markdown(f"**{100 * size / reference:.1f} %** of {name}")
