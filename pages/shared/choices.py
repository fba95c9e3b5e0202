"""What a visitor has chosen in a component: kept for the session, and in the address of the page."""

from __future__ import annotations

import streamlit as st


def kept(name: str, default, allowed):
    """The choice called `name`: made before, or stated by the address, or the default.

    It is one of `allowed`, whatever the address says.
    """
    value = st.session_state.get(_key(name))
    if value not in allowed:
        stated = {str(choice): choice for choice in allowed}
        return stated.get(st.query_params.get(name), default)
    if st.query_params.get(name) != str(value):
        # What a browser asks comes with the address it has: not yet one that it is being told.
        st.query_params[name] = str(value)
    return value


def keep(name: str, value) -> None:
    st.session_state[_key(name)] = value
    st.query_params[name] = str(value)


def is_kept(name: str) -> bool:
    """Whether the visitor or the address has said anything about `name`."""
    return _key(name) in st.session_state or name in st.query_params


def forget(name: str) -> None:
    st.session_state.pop(_key(name), None)
    st.query_params.pop(name, None)


def _key(name: str) -> str:
    return f"{name} kept"
