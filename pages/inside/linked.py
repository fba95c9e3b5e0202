"""A drawing and its sentences, linked: pointing at one marks the other."""

from __future__ import annotations

import streamlit as st

from pages.shared import figures

_component = st.components.v2.component(
    "sdae_linked",
    html="<div class='drawing'></div><ol></ol>",
    css="""
.drawing { overflow-x: auto; font-family: var(--st-font); color: var(--st-text-color); }
.drawing svg { display: block; width: 100%; min-width: 40rem; height: auto; }
[data-station] { cursor: pointer; outline: none; }
g[data-station].marked > rect:first-child { stroke-width: 4; fill-opacity: 0.3; }
ol { list-style: none; margin: 0.75rem 0 0; padding: 0; display: grid; gap: 0.25rem 1.5rem;
  font-family: var(--st-font); color: var(--st-text-color); font-size: 0.9375rem;
  grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
li { padding: 0.35rem 0.6rem; border-left: 3px solid transparent; border-radius: 0.25rem; }
li.marked { border-color: var(--st-primary-color);
  background: color-mix(in srgb, var(--st-primary-color) 14%, transparent); }
li:focus-visible { outline: 2px solid var(--st-primary-color); }
li small { font-variant-numeric: tabular-nums; opacity: 0.8; white-space: nowrap; }
""",
    js="""
export default ({ data, parentElement }) => {
  const drawing = parentElement.querySelector(".drawing"), list = parentElement.querySelector("ol");
  drawing.innerHTML = data.svg;
  list.replaceChildren(...data.sentences.map(([name, sentence, size], station) => {
    const line = document.createElement("li");
    line.dataset.station = station;
    line.tabIndex = 0;
    const strong = document.createElement("strong"), small = document.createElement("small");
    strong.textContent = name;
    small.textContent = size;
    line.append(strong, ` ${sentence} `, small);
    return line;
  }));
  const linked = [...parentElement.querySelectorAll("[data-station]")];
  const mark = (station) => linked.forEach((part) =>
    part.classList.toggle("marked", part.dataset.station === station));
  for (const part of linked) {
    part.onpointerenter = part.onfocus = part.onclick = () => mark(part.dataset.station);
    part.onpointerleave = part.onblur = () => mark(null);
  }
};
""",
)


def linked(svg: str, sentences: list[tuple[str, str, str]], name: str) -> None:
    """Draw an SVG picture whose groups ``data-station`` count up from 0, and a sentence for each.

    A sentence comes as its name, its text and its bytes in words.
    """
    _component(key=f"{name}-linked", data={"svg": svg, "sentences": sentences})
    figures.save_drawing(svg, name)
