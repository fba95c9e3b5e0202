"""The SDAE app: one file a page."""

import ctypes
import gc
import sys
from pathlib import Path

import streamlit as st

from pages.shared import layout
from pages.shared.navigation import ignore_pages_folder

PAGES = (
    (
        "compress",
        ":material/compress:",
        "Compress a photograph",
        "SDAE, a stacked denoising autoencoder, is a neural network that makes a small file of it.",
    ),
    (
        "denoise",
        ":material/grain:",
        "Denoise a photograph",
        "A neural network takes the noise away; another compresses what it leaves.",
    ),
    (
        "kodak",
        ":material/monitoring:",
        "Measured on Kodak",
        "24 pictures that were never trained or tuned on, and every figure measured on them.",
    ),
    (
        "inside",
        ":material/school:",
        "Inside the model",
        "A lesson in seven steps; every figure is computed from the picture you choose.",
    ),
)
"""Folder and address, icon, title and lead of each page, the first of them at the root."""

ICON = str(Path(__file__).parent / "pages" / "shared" / "icon.svg")

st.set_page_config(page_title="SDAE", page_icon=ICON, layout="wide")
ignore_pages_folder()
pages = [
    st.Page(
        f"pages/{name}/page.py",
        title=name.capitalize(),
        icon=icon,
        url_path=name,
        default=name == PAGES[0][0],
    )
    for name, icon, *_ in PAGES
]
page = st.navigation(pages, position="hidden")
layout.style()
layout.names(pages)
# Drawn before the page is imported, which takes seconds on a new server.
layout.heading(*PAGES[pages.index(page)][2:])
try:
    page.run()
finally:
    # A page runs in a thread of its own, for which glibc keeps what the codec has given back.
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


@st.cache_resource(show_spinner=False)
def freeze(title: str) -> None:
    """Once for each page: take all that its imports made out of the garbage collector's sight.

    Streamlit collects after every run of a page, which takes tenths of a second otherwise and
    holds Python's lock meanwhile.
    """
    gc.collect()
    gc.freeze()


freeze(page.title)
