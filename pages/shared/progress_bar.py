"""A progress bar for work that turns out to take its time."""

import time
from contextlib import contextmanager

import streamlit as st

_PATIENCE, _AGAIN = 1.0, 0.3
# Seconds until the bar appears, and from one drawing to the next: every browser that waits works on
# each of them.

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
    page. It is called in the thread of the page, and often: each call ends the page's run where
    the visitor has moved on.
    """
    place, bar, shown = None, None, None
    due = time.monotonic() + _PATIENCE

    def report(text: str, share: float = 0.0) -> None:
        nonlocal place, bar, shown, due
        st.session_state.get("late bar")  # whoever looks there is stopped if the run is outdated
        if time.monotonic() < due or (text, share) == shown:
            return
        if bar is None:
            place = st.empty()
            panel = place.container(key=f"late-bar-{due}")
            panel.html(_FLOATING)
            bar = panel.progress(0.0)
        bar.progress(min(1.0, share), text)
        shown, due = (text, share), time.monotonic() + _AGAIN

    try:
        yield report
    finally:
        if place is not None:
            place.empty()
