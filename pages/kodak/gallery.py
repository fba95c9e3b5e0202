"""The 24 pictures as thumbnails; one of them is chosen by a click."""

from __future__ import annotations

import base64

import numpy as np
import streamlit as st

from pages.shared import engine
from sdae import BitstreamError, WeightsError
from sdae.measuring import kodak
from sdae.pictures import reading

PARAMETER = "shown"
"""Name in the page's address: that of a picture of the set."""

_KEY = "gallery"

_component = st.components.v2.component(
    "sdae_gallery",
    html="<div class='gallery' role='group' aria-label='The 24 pictures'></div>",
    css="""
.gallery { display: grid; gap: 0.4rem; font-family: var(--st-font);
  grid-template-columns: repeat(auto-fill, minmax(4.75rem, 1fr)); }
.gallery button { all: unset; cursor: pointer; position: relative; border-radius: 0.25rem;
  line-height: 0; }
.gallery img { width: 100%; aspect-ratio: 1; display: block; border-radius: inherit; }
.gallery button:is(:focus-visible, [aria-pressed=true]) {
  outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.gallery span { position: absolute; left: 0; bottom: 0; padding: 0.5rem 0.3rem; color: #FFFFFF;
  background: #000000A0; font-size: 0.75rem; font-variant-numeric: tabular-nums; }
""",
    js="""
export default ({ data, parentElement, setStateValue }) => {
  const root = parentElement.querySelector(".gallery");
  root.replaceChildren(...data.pictures.map(({ name, picture }) => {
    const button = document.createElement("button");
    button.setAttribute("aria-pressed", name === data.chosen);
    button.title = name;
    button.setAttribute("aria-label", name);
    button.onclick = () => setStateValue("picture", name);
    const image = new Image();
    image.src = picture;
    image.alt = "";
    const number = document.createElement("span");
    number.textContent = name.replace(/\\D+0*/, "");
    button.append(image, number);
    return button;
  }));
};
""",
)


def gallery(names: list[str]) -> str | None:
    """Draw the thumbnails; the name of the chosen picture, one of ``names``, or None.

    Of a set of tiles the names are those of the tiles: a click chooses the first of a picture.
    """
    firsts = {}
    for name in names:
        firsts.setdefault(_base(name), name)
    chosen = st.query_params.get(PARAMETER)
    chosen = chosen if chosen in names else None
    try:
        pictures = _thumbnails()
    except (BitstreamError, WeightsError) as error:
        st.info(f"The thumbnails cannot be opened: {error}", icon=":material/info:")
        return chosen
    _component(
        key=_KEY,
        on_picture_change=lambda: st.query_params.update(
            {PARAMETER: firsts[st.session_state[_KEY]["picture"]]}
        ),
        data={
            "chosen": chosen and _base(chosen),
            "pictures": [{"name": name, "picture": pictures[name]} for name in firsts],
        },
    )
    return chosen


def _base(name: str) -> str:
    return kodak.file_name(name).removesuffix(".png")


@st.cache_data(show_spinner=False, max_entries=2)
def _thumbnails() -> dict[str, str]:
    """Name → thumbnail as the address of its PNG."""
    addresses = {}
    for file in kodak.KODAK:
        name = file.removesuffix(".png")
        with engine.turn() as codec:
            png = reading.png(np.asarray(codec.decompress(kodak.thumbnail(name))))
        addresses[name] = "data:image/png;base64," + base64.b64encode(png).decode()
    return addresses
