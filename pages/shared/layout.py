"""How a page with pictures is laid out."""

import streamlit as st

_STYLE = """
<style>
@media (max-width: 640px) {
  .st-key-frame > [data-testid=stLayoutWrapper] > [data-testid=stHorizontalBlock]
    > [data-testid=stColumn]:first-child,
  .st-key-frame > [data-testid=stHorizontalBlock] > [data-testid=stColumn]:first-child
    { order: 2; }
}
</style>
"""


def panel_and_stage():
    """Two columns, for settings and for pictures. On a phone the pictures come first."""
    st.html(_STYLE)
    with st.container(key="frame"):
        return st.columns([2, 5], gap="medium")
