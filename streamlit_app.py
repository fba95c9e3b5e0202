"""The SDAE app: one file a page."""

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).parent / "sdae" / "ui" / "icon.svg")

st.set_page_config(page_title="SDAE", page_icon=ICON, layout="wide")
st.navigation(
    [
        st.Page("pages/compress.py", title="Compress", icon=":material/compress:", default=True),
        st.Page("pages/denoise.py", title="Denoise", icon=":material/grain:"),
        st.Page("pages/kodak.py", title="Kodak", icon=":material/monitoring:"),
        st.Page("pages/inside.py", title="Inside", icon=":material/school:"),
    ],
    position="top",
).run()
