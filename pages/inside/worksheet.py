"""For a class: the plan of twenty minutes, and a page to print for each student."""

from __future__ import annotations

import base64
from functools import partial
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from pages.inside.experiments import Subject
from pages.inside.questions import QUESTIONS
from pages.inside.squares import cut, framed
from pages.inside.texts import STEPS
from pages.shared.figures import download
from sdae.pictures import reading

_PLAN = (Path(__file__).parent / "plan.md").read_text(encoding="utf-8")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Worksheet: one square, from pixels to bits</title>
<style>
@page { size: A4; margin: 10mm 15mm; }
body { font: 9.5pt/1.3 sans-serif; color: #000; background: #FFF; max-width: 180mm; margin: auto; }
h1 { font-size: 15pt; margin: 0 0 2mm; } h2 { font-size: 10pt; margin: 2mm 0 0; }
p { margin: 0 0 1mm; } .blank { display: flex; gap: 4mm; align-items: flex-end; height: 5.5mm; }
.blank span { flex: 1; border-bottom: 0.3mm solid #000; } section { break-inside: avoid; }
figure { display: inline-block; margin: 0 6mm 0 0; }
img { height: 28mm; image-rendering: pixelated; display: block; }
</style>
<h1>One square, from pixels to bits and back</h1>
<p class="blank">Name <span></span> Date <span></span></p>
%s
</html>
"""


def for_teachers(shown: Subject) -> None:
    """Draw the button that opens the plan, and the worksheet of this picture and square."""
    with st.popover("For the teacher", icon=":material/school:", width="stretch"):
        st.markdown(_PLAN)
        download(
            "Worksheet to print", partial(page, shown), "worksheet.html", "text/html", "primary"
        )


def page(shown: Subject) -> bytes:
    """An HTML page of one sheet A4: the picture, its square, the question of each step and its first
    exercise, with room to write; no answers."""
    rgb, (column, row) = shown.picture.rgb, shown.square
    pictures = (
        (framed(rgb, column, row), f"The picture: {rgb.shape[1]} × {rgb.shape[0]} pixels"),
        (cut(rgb, column, row), f"Its square {column + 1} across, {row + 1} down: 8 × 8 pixels"),
    )
    parts = [_figure(*picture) for picture in pictures]
    for number, (step, question) in enumerate(zip(STEPS, QUESTIONS), 1):
        asked = question.text.format(shown=shown)
        parts.append(
            f"<section><h2>{number} · {escape(step.title)}</h2><p>{escape(asked)}</p>"
            f"<p class='blank'>Guess <span></span> {question.unit} · Measured <span></span> "
            f"{question.unit}</p><p>{escape(step.exercises[0][0])}</p>"
            "<p class='blank'><span></span></p></section>"
        )
    return (_PAGE % "\n".join(parts)).encode()


def _figure(rgb: np.ndarray, caption: str) -> str:
    data = base64.b64encode(reading.png(rgb)).decode()
    return (
        f"<figure><img src='data:image/png;base64,{data}' alt=''>"
        f"<figcaption>{caption}</figcaption></figure>"
    )
