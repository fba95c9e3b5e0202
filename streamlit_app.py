"""The SDAE app: one file a page."""

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).parent / "sdae" / "ui" / "icon.svg")

st.set_page_config(page_title="SDAE", page_icon=ICON, layout="wide")
st.navigation(
    [st.Page("pages/compress.py", title="Compress", icon=":material/compress:", default=True)],
    position="top",
).run()
