"""Pictures that fail, beside the codec that does better."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.inside import experiments
from pages.inside.hard_pictures import EXAMPLES
from pages.shared import figures
from pages.shared.comparison import Result, Rival
from pages.shared.figures import Plate
from pages.shared.numbers import decibels
from sdae.pictures import reading

QUALITY = 25
"""Where the examples open: the failures can be seen without looking for them."""


def limits(shown=None) -> None:
    """One of the hard pictures in three versions, whole and where it is worst. The picture of the
    lesson is not used."""
    with st.container(horizontal=True):
        name = st.segmented_control(
            "Picture",
            list(EXAMPLES),
            default="Text",
            required=True,
            key="hard",
            bind="query-params",
        )
        quality = st.slider(
            "Quality of this picture", 1, 100, QUALITY, key="example", bind="query-params"
        )
    picture, result = experiments.example(name, quality)
    with st.spinner("Searching the other codecs at the same bytes."):
        other = experiments.best_other(name, quality)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.markdown(f"**{verdict(result, other, len(picture.png))}**", width="content")
        st.page_link(
            "pages/compress/page.py",
            label="And on photographs? Guess",
            icon=":material/compress:",
            width="content",
        )
    versions = [(f"Original · {len(picture.png):,} bytes as PNG", picture.rgb)]
    versions += [
        (
            f"{label} · {decibels(made.psnr)} dB in {made.file_bytes:,} bytes",
            reading.read(made.png).rgb,
        )
        for label, made in (("SDAE", result), (other and other.label, other))
        if made
    ]
    part = worst_part(picture.rgb, versions[1][1])
    for kind, place in (("whole", ...), ("detail", part)):
        figures.plates(
            [Plate(rgb[place], label, f"{name}, {kind}: {label}") for label, rgb in versions],
            f"{name.lower().replace(' ', '-')}-{kind}",
            width=200,
            blocks=True,
        )


def verdict(result: Result, other: Rival | None, png_bytes: int) -> str:
    """Who does better at the same bytes, and whether PNG, which loses nothing, is smaller yet."""
    if png_bytes <= result.file_bytes:
        return (
            f"PNG keeps every pixel in {png_bytes:,} bytes; SDAE takes "
            f"{result.file_bytes:,} and reaches {decibels(result.psnr)} dB."
        )
    said = f"In {result.file_bytes:,} bytes SDAE reaches {decibels(result.psnr)} dB"
    if other is None:
        return f"{said}; no other codec has a file this small."
    return f"{said}, {other.label} {decibels(other.psnr)} dB."


def worst_part(original: np.ndarray, restored: np.ndarray, height=36, width=96):
    """Where in a picture the squared error is largest, on a raster of half a window: slices."""
    error = np.square(original.astype("float32") - restored).sum(2)
    tops = range(0, error.shape[0] - height + 1, height // 2)
    lefts = range(0, error.shape[1] - width + 1, width // 2)
    parts = [(slice(y, y + height), slice(x, x + width)) for y in tops for x in lefts]
    return max(parts, key=lambda part: error[part].sum())
