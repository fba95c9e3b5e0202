"""A link that leads to the open view, and its QR code."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import segno
import streamlit as st

LONGEST = 1000
"""Characters of a link; a longer one, which no widget makes, gives no code that can be read."""


def share() -> None:
    """Draw the button that opens the link and its code."""
    with st.popover("Share this view", icon=":material/qr_code_2:", width="stretch"):
        address = link(st.context.url or "", st.query_params.to_dict())
        st.image(code(address), width=260)
        st.code(address, language=None, wrap_lines=True)
        st.caption("Picture, step and sliders are in the link; a file of one's own is not.")


def link(address: str, parameters: dict[str, str]) -> str:
    """The address of the page with the state of its widgets.

    An address that is too long for a code loses its state.
    """
    kept = {key: value for key, value in parameters.items() if key != "carried"}
    bare = address.partition("?")[0]
    whole = f"{bare}?{urlencode(kept)}" if kept else bare
    return whole if len(whole) <= LONGEST else bare


@st.cache_data(max_entries=16, show_spinner=False)
def code(address: str) -> bytes:
    """A QR code of an address as a PNG file, black on white; made here, nobody is asked."""
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind="png", scale=6, border=4)
    return file.getvalue()
