"""What every dashboard is made of: a finding, a figure, a table, each with its download."""

from __future__ import annotations

import re
from html import escape

import streamlit as st

from pages.kodak import tables
from pages.kodak.charts import Drawn
from pages.shared import figures
from pages.shared.figures import table_csv
from sdae.measuring.results import OURS, Results

SETS = {
    "kodak": "Whole pictures",
    "kodak-128": "Tiles of 128×128",
    "kodak-thumb": "Scaled to 128×128",
}
ABOUT = {
    "kodak": "The pictures as they are, 768×512 or 512×768.",
    "kodak-128": "Tiles of 128×128 pixels, cut from the pictures without scaling.",
    "kodak-thumb": "The centre square of each of the 24 pictures, scaled to 128×128: the "
    "resolution of the original work.",
}

_STYLE = """
<style>
.sdae-figures { overflow-x: auto; }
.sdae-figures table { border-collapse: collapse; font-size: 0.875rem; min-width: 100%;
  font-variant-numeric: tabular-nums; }
.sdae-figures th, .sdae-figures td { padding: 0.4rem 0.75rem; text-align: left; font-weight: 400;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent);
  vertical-align: top; min-width: min(10rem, 40vw); }
.sdae-figures .number { text-align: right; white-space: nowrap; min-width: 0; }
.sdae-figures thead th { opacity: 0.75; font-size: 0.8125rem; }
.sdae-figures tbody th { min-width: 4rem; }
@media (max-width: 640px) { .sdae-figures th, .sdae-figures td { padding: 0.4rem; } }
</style>
"""
_NUMBER = re.compile(r"[-−+]?[\d.,∞]+( / [\d.,]+)?( %)?|–")


def finding(sentence: str) -> None:
    """The result in one sentence, before everything else."""
    st.header(arithmetic(sentence), anchor=False)


def arithmetic(text: str) -> str:
    """The text with spaces that do not break between numbers and their units."""
    return re.sub(r"(\d) (%|dB|ms|bytes|M)(?!\w)", "\\1\u00a0\\2", text)


def figure(drawn: Drawn, name: str, how: str, height: int, on_select=None) -> None:
    """A figure, how to read it, and its CSV file.

    ``on_select`` is called with the key of the figure's state when a mark was clicked.
    """
    figures.legible(drawn.figure)
    drawn.figure.update_layout(
        height=height,
        margin={"l": 0, "r": 40, "t": 24, "b": 0},
        legend={"orientation": "h", "y": 1.04, "yanchor": "bottom", "x": 0},
        # In the right margin the toolbar covers neither the legend nor a curve.
        modebar={"orientation": "v"},
    )
    key, selecting = f"{name}-chart", {}
    if on_select:
        selecting = {"on_select": lambda: on_select(key), "selection_mode": "points"}
    st.plotly_chart(
        drawn.figure, key=key, alt=drawn.alt, config={"displaylogo": False}, **selecting
    )
    st.caption(how)
    figures.download(
        "Figures as CSV", table_csv(drawn.heads, drawn.rows), f"{name}.csv", "text/csv"
    )


def table(heads: list[str], rows: list[tuple], name: str) -> None:
    """A table that scrolls sideways where it is too wide, and its CSV file; None is a dash.

    Numbers never break. The first column names the row.
    """
    texts = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    numeric = [all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*texts)]

    def line(cells, kind):
        found = []
        for place, (cell, number) in enumerate(zip(cells, numeric)):
            mark = (
                "td"
                if kind == "row" and place
                else f"th scope='{'row' if kind == 'row' else 'col'}'"
            )
            cls = " class='number'" if number else ""
            found.append(f"<{mark}{cls}>{escape(arithmetic(cell))}</{mark[:2]}>")
        return f"<tr>{''.join(found)}</tr>"

    body = "".join(line(row, "row") for row in texts)
    st.html(
        f"{_STYLE}<div class='sdae-figures' tabindex='0'><table><thead>{line(heads, 'head')}"
        f"</thead><tbody>{body}</tbody></table></div>"
    )
    figures.download("Table as CSV", table_csv(heads, rows), f"{name}.csv", "text/csv")


def nothing(command: str) -> None:
    """Say that there are no results yet, and what makes them."""
    st.info(
        f"Nothing was measured with these weights yet; `{command}` does it.", icon=":material/info:"
    )


def choose_set(found: Results, every: bool = False) -> str | None:
    """Draw the choice of sets; None, with a sentence, where nothing was measured.

    With ``every`` also sets without results can be chosen.
    """
    names = list(SETS) if every else measured_sets(found)
    if not names:
        nothing("sdae evaluate")
        return None
    name = st.segmented_control(
        "Pictures",
        names,
        default=names[0],
        required=True,
        key="set",
        bind="query-params",
        format_func=SETS.get,
    )
    count = "" if every else f" {len(next(iter(tables.common(found, name).values())))} pictures."
    st.caption(ABOUT[name] + count)
    return name


def measured_sets(found: Results) -> list[str]:
    """The sets that our codec was measured on."""
    return [name for name in SETS if OURS in tables.codecs(found, name)]


def signed(value: float | None) -> str | None:
    """A change in percent as people read it, such as −4.1."""
    return None if value is None else f"{value:+.1f}".replace("-", "−")
