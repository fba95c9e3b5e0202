"""The SDAE app: one file a page."""

import gc
from pathlib import Path

import streamlit as st

from pages.shared import layout
from pages.shared.navigation import ignore_pages_folder

ICON = str(Path(__file__).parent / "pages" / "shared" / "icon.svg")

st.set_page_config(page_title="SDAE", page_icon=ICON, layout="wide")
ignore_pages_folder()
page = st.navigation(
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
)
layout.buttons()
page.run()


@st.cache_resource(show_spinner=False)
def freeze(title: str) -> None:
    """Once for each page: take all that its imports made out of the garbage collector's sight.

    Streamlit collects after every run of a page, which takes tenths of a second otherwise and
    holds Python's lock meanwhile.
    """
    gc.collect()
    gc.freeze()


freeze(page.title)
