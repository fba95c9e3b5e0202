"""A progress bar for work that turns out to take its time."""

import threading
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx

_PATIENCE, _TICK = 1.0, 0.2
# Seconds until the bar appears, and between its moves.

_FLOATING = """
<span></span>
<style>
.st-key-late-bar {
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
def late_bar(text: str):
    """A function that takes the share of the work that is done, 0 to 1; where the work goes on for
    more than a second, a bar shows it that moves nothing else on the page.

    A thread of its own draws the bar, so the work may be a function whose answers Streamlit
    remembers: what such a function draws itself would be remembered as well.
    """
    place, done, share = st.empty(), threading.Event(), 0.0

    def draw() -> None:
        if done.wait(_PATIENCE):
            return
        panel = place.container(key="late-bar")
        panel.html(_FLOATING)
        bar = panel.progress(share)
        while not done.is_set():
            bar.progress(share, f"{text}, {share:.0%}")
            done.wait(_TICK)

    def report(reached: float) -> None:
        nonlocal share
        share = min(1.0, reached)
        # A run of the page whose answer nobody wants any more ends where it looks at the state.
        st.session_state.get("quality")

    drawing = threading.Thread(target=draw, daemon=True)
    add_script_run_ctx(drawing)
    drawing.start()
    try:
        yield report
    finally:
        done.set()
        drawing.join()
        place.empty()
