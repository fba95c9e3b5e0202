"""How a page with pictures is laid out."""

import streamlit as st

_STYLE = """
<style>
/* White on the dark theme's own blue has a contrast of 3.9:1, on this one 5:1. */
[data-testid=stBaseButton-primary]:not(:disabled) {
  background-color: #1F74B1; border-color: #1F74B1;
}
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
