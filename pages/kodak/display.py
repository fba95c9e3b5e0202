"""What every view of the Kodak page is made of: a finding, a figure, a table, a choice of pictures."""

from __future__ import annotations

import re

import pandas
import streamlit as st

from pages.kodak import tables
from pages.kodak.charts import Drawn
from pages.kodak.tables import SETS
from pages.shared import figures
from pages.shared.figures import table_csv
from sdae.measuring.results import OURS, Results

ABOUT = {
    "kodak": "The pictures as they are, 768×512 or 512×768.",
    "kodak-128": "Tiles of 128×128 pixels, cut from the pictures without scaling.",
    "kodak-thumb": "The centre square of each of the 24 pictures, scaled to 128×128: the "
    "resolution of the original work.",
}


def finding(sentence: str) -> None:
    """The result in one sentence, before everything else."""
    st.header(whole_numbers(sentence), anchor=False)


def whole_numbers(text: str) -> str:
    """The text with spaces that do not break between numbers, and between them and their units."""
    return re.sub(r"(\d) (%|dB|ms|bytes|/ \d)", "\\1\u00a0\\2", text).replace(
        "\u00a0/ ", "\u00a0/\u00a0"
    )


def figure(drawn: Drawn, name: str, how: str, height: int) -> None:
    """A figure, how to read it, and its CSV file."""
    figures.chart(drawn.figure, drawn.alt, name, drawn.heads, drawn.rows, height, how)


def table(heads: list[str], rows: list[tuple], name: str, title: str = "", how: str = "") -> None:
    """A table under its title, how to read it, and its CSV file; nothing where there are no rows.

    The first column names the row; None is a dash.
    """
    if not rows:
        return
    if title:
        st.subheader(title, anchor=False)
    texts = [["–" if cell is None else whole_numbers(str(cell)) for cell in row] for row in rows]
    st.table(pandas.DataFrame(texts, columns=heads), border="horizontal", hide_index=True)
    if how:
        st.caption(how)
    figures.download("Table as CSV", table_csv(heads, rows), f"{name}.csv", "text/csv")


def nothing(command: str) -> None:
    """Say that there are no results yet, and what makes them."""
    st.info(
        f"Nothing was measured with these weights yet; `{command}` does it.", icon=":material/info:"
    )


def choose_set(names: list[str], default: str, key: str) -> str:
    """Draw the choice of a set among `names`; it is kept in the page's address as `key`."""
    return st.segmented_control(
        "Pictures",
        names,
        default=default,
        required=True,
        key=key,
        bind="query-params",
        format_func=SETS.get,
    )


def choose_measured(stored: Results) -> str | None:
    """Draw the choice of the sets with results; None, with a sentence, where there are none."""
    names = [name for name in SETS if OURS in tables.summary(stored, name).pictures]
    if not names:
        nothing("sdae evaluate")
        return None
    name = choose_set(names, names[0], "set")
    st.caption(f"{ABOUT[name]} {len(tables.summary(stored, name).pictures[OURS])} pictures.")
    return name
