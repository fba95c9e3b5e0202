"""How the pages look and how one with pictures is laid out."""

import streamlit as st

_BUTTONS = """
<style>
/* White on the dark theme's own blue has a contrast of 2.3:1, on this one 5:1. */
[data-testid=stBaseButton-primary]:not(:disabled) {
  background-color: #1F74B1; border-color: #1F74B1;
}
</style>
"""

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


def buttons() -> None:
    """Give the main buttons of the page a colour on which their text can be read."""
    st.html(_BUTTONS)


def panel_and_stage():
    """Two columns, for settings and for pictures. On a phone the pictures come first."""
    st.html(_STYLE)
    with st.container(key="frame"):
        return st.columns([2, 5], gap="medium")
