"""A progress bar for work that turns out to take its time."""

import time
from contextlib import contextmanager

import streamlit as st

_PATIENCE = 1.0
# Seconds until the bar appears.

_FLOATING = """
<span></span>
<style>
[class*="st-key-late-bar"] {
    position: fixed; bottom: 1rem; left: 50%; transform: translateX(-50%); z-index: 1000;
    width: min(30rem, calc(100vw - 2rem)); padding: 0.25rem 1rem 0.75rem;
    border: 1px solid rgba(128, 128, 128, 0.4); border-radius: 0.5rem;
    background: color-mix(in srgb, Canvas 88%, transparent); backdrop-filter: blur(1rem);
}
</style>
"""
# Streamlit lays styles that come alone with those of other places, and counts: one that comes
# early would take another's place while the page is made again.


@contextmanager
def late_bar():
    """A function that takes a text and the share of the work that is done, 0 to 1.

    Where the work goes on for more than a second, a bar shows both and moves nothing else on the
    page. It is called in the thread of the page, and often: whatever a page draws ends its run
    where the visitor has moved on.
    """
    place, bar, began = None, None, time.monotonic()

    def report(text: str, share: float = 0.0) -> None:
        nonlocal place, bar
        if place is None:
            place = st.empty()
        if time.monotonic() - began < _PATIENCE:
            place.empty()  # nothing to see yet, but this ends an outdated run
            return
        if bar is None:
            panel = place.container(key=f"late-bar-{began}")
            panel.html(_FLOATING)
            bar = panel.progress(0.0)
        bar.progress(min(1.0, share), text)

    try:
        yield report
    finally:
        if place is not None:
            place.empty()
