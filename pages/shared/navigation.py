"""The way into the app: every page is opened through ``streamlit_app.py``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def through_the_app() -> None:
    """Run ``streamlit_app.py`` instead where Streamlit has opened this page without it.

    Until an app has called `st.navigation` once, Streamlit takes the files of a folder ``pages``,
    and the app itself, for pages on their own. The first visit to a page of a new server would
    then lack title, theme and navigation.
    """
    manager = get_script_run_ctx().pages_manager
    scripts = [page["script_path"] for page in manager.get_pages().values()]
    if len(scripts) > 1 and manager.main_script_path in scripts:
        app = Path(manager.main_script_path)
        exec(compile(app.read_bytes(), app, "exec"), {"__name__": "__main__", "__file__": str(app)})
        st.stop()
