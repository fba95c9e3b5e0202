"""How the pages look: their names, their heading, and how one with pictures is laid out."""

import streamlit as st

_STYLE = """
<style>
/* White on the dark theme's own blue has a contrast of 2.3:1, on this one 5:1. */
[data-testid=stBaseButton-primary]:not(:disabled) {
  background-color: #1F74B1; border-color: #1F74B1;
}
/* A fade at each run of a page, and an icon while it runs, keep a browser painting. */
[data-testid=stElementContainer] { transition: none !important; }
[data-testid=stStatusWidget]:not(:has([data-testid=stConnectionStatus])) { display: none; }
[data-testid=stMainBlockContainer] { padding-left: 2rem; padding-right: 2rem; }
.st-key-names { position: fixed; top: 1rem; left: 1.25rem; z-index: 999991; width: auto; }
.st-key-heading { gap: 0 1.5rem; margin: -0.75rem 0 0; align-items: baseline; }
.st-key-heading h1 { padding: 0; font-size: 1.5rem; }
.st-key-heading :is([data-testid=stMarkdownContainer], p) { margin: 0; }
@media (min-width: 641px) {
  .st-key-frame { display: grid; grid-template: auto 1fr / minmax(0, 1fr) clamp(17rem, 39%, 32rem);
    gap: 1rem 1.5rem; }
  .st-key-frame > :nth-child(2) { grid-area: 1 / 2 / 3; }
}
@media (max-width: 640px) {
  [data-testid=stMainBlockContainer] { padding-left: 1rem; padding-right: 1rem; }
  .st-key-names { left: 0.25rem; gap: 0; }
  .st-key-names a > span:first-child { display: none; }
}
</style>
"""


def style() -> None:
    """Give main buttons a colour that can be read on, and the parts below their places."""
    st.html(_STYLE)


def names(pages: list) -> None:
    """A row of links to all pages, at the top of every screen, a phone's as well."""
    with st.container(horizontal=True, key="names"):
        for page in pages:
            st.page_link(page, width="content")


def heading(title: str, lead: str) -> None:
    with st.container(horizontal=True, key="heading"):
        st.title(title, anchor=False, width="content")
        st.markdown(lead, width="content")


def frame():
    """Places for pictures, for settings, and for what is read afterwards.

    This is their order on a phone and for the Tab key. Elsewhere the settings stand right of both
    others.
    """
    with st.container(key="frame"):
        return st.container(), st.container(), st.container()
