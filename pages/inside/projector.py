"""For a projector: large type, one view a screen, arrow keys, and a code that leads to the view."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import segno
import streamlit as st

from pages.inside.views import VIEWS

PARAMETER = "projector"

LONGEST = 1000
"""Characters of a link; a longer one, which no widget makes, gives no code that can be read."""

_STYLE = """
<style>
html { font-size: 150%; }
[data-testid=stMainBlockContainer] { max-width: none; padding: 3.5rem 2rem 1rem; }
.st-key-title, .st-key-step, .st-key-panel, .st-key-lead, .st-key-notes,
[data-testid=stDownloadButton] { display: none; }
</style>
"""

_keys = st.components.v2.component(
    "sdae_keys",
    html="<span></span>",
    js="""
// A presenter's remote sends PageUp and PageDown. Whoever is in a field keeps the keys.
export default ({ parentElement, setTriggerValue }) => {
  const step = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
  const field = "input, textarea, select, [role=slider], [role=tab], [role=radio], [contenteditable]";
  const turn = (event) => {
    const busy = event.composedPath().some((node) => node.matches?.(field));
    if (event.key in step && !busy && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      setTriggerValue("turned", step[event.key]);
    }
  };
  window.addEventListener("keydown", turn);
  parentElement.querySelector("span").dataset.listening = "";
  return () => window.removeEventListener("keydown", turn);
};
""",
)


def projector(step: str) -> bool:
    """Draw the switch and the code of this view; whether the switch is on."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        on = st.toggle(
            "Projector",
            key=PARAMETER,
            bind="query-params",
            help="Large type and one view a screen; the arrow keys go on.",
        )
        with st.popover("Share this view", icon=":material/qr_code_2:", type="tertiary"):
            address = link(st.context.url or "", st.query_params.to_dict())
            st.image(code(address), width=260)
            st.code(address, language=None, wrap_lines=True)
            st.caption("Picture, step and sliders are in the link; a file of one's own is not.")
    if on:
        st.html(_STYLE)
        _keys(key="keys", on_turned_change=lambda: _turn(step))
    return on


def link(address: str, parameters: dict[str, str]) -> str:
    """The address of the page with the state of its widgets, without the switch.

    An address that is too long for a code loses its state.
    """
    kept = {key: value for key, value in parameters.items() if key not in (PARAMETER, "carried")}
    bare = address.partition("?")[0]
    whole = f"{bare}?{urlencode(kept)}" if kept else bare
    return whole if len(whole) <= LONGEST else bare


@st.cache_data(max_entries=16, show_spinner=False)
def code(address: str) -> bytes:
    """A QR code of an address as a PNG file, black on white; made here, nobody is asked."""
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind="png", scale=6, border=4)
    return file.getvalue()


def neighbour(step: str, view: str | None, turn: int) -> tuple[str, str | None]:
    """The view that comes after (turn 1) or before (turn -1) one, through all steps."""
    order = [(name, other) for name, views in VIEWS.items() for other in views or (None,)]
    place = order.index((step, view)) + turn
    return order[min(max(place, 0), len(order) - 1)]


def _turn(step: str) -> None:
    turned = st.session_state["keys"]["turned"]
    usual = VIEWS[step][0] if VIEWS[step] else None
    name, view = neighbour(step, st.session_state.get(step.lower(), usual), turned)
    st.session_state["step"] = name
    if view:
        st.session_state[name.lower()] = view
