"""The SDAE app: one file a page."""

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).parent / "pages" / "shared" / "icon.svg")

st.set_page_config(page_title="SDAE", page_icon=ICON, layout="wide")
st.navigation(
    [
        st.Page(
            "pages/compress/page.py", title="Compress", icon=":material/compress:", default=True
        ),
        st.Page(
            "pages/denoise/page.py", title="Denoise", icon=":material/grain:", url_path="denoise"
        ),
        st.Page(
            "pages/kodak/page.py", title="Kodak", icon=":material/monitoring:", url_path="kodak"
        ),
        st.Page(
            "pages/inside/page.py", title="Inside", icon=":material/school:", url_path="inside"
        ),
    ],
    position="top",
).run()
