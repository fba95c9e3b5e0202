"""The way into the app: every page is opened through ``streamlit_app.py``."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx


def ignore_pages_folder() -> None:
    """Make Streamlit take its pages from `st.navigation` alone, from the first visit on.

    Until an app has called that once, Streamlit takes the files of a folder ``pages`` for pages.
    The first visitor of a new server who asks for ``/kodak`` is told "Page not found" before any
    line of the app has run; their browser asks again.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        if get_script_run_ctx().pages_manager.intended_page_name:
            address = json.dumps(f"{st.context.url}?{urlencode(st.query_params, doseq=True)}")
            st.html(f"<script>location.replace({address})</script>", unsafe_allow_javascript=True)
            st.stop()
