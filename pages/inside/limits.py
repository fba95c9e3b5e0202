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

ENLARGED = 4
"""So many times the part is enlarged that is shown below the whole."""


def limits(shown=None) -> None:
    """One of the hard pictures in three versions, each whole and below that where SDAE is worst.
    The picture of the lesson is not used."""
    settings, seen = st.columns([1, 4], gap="medium")
    with settings:
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
    with seen, st.spinner("Searching the other codecs at the same bytes."):
        other = experiments.best_other(name, quality)
    with settings:
        st.markdown(f"**{verdict(result, other, len(picture.png))}**")
        st.page_link(
            "pages/compress/page.py",
            label="Guess on photographs",
            icon=":material/compress:",
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
    with seen:
        figures.plates(
            [
                Plate(
                    np.concatenate([rgb, rgb[part].repeat(ENLARGED, 0).repeat(ENLARGED, 1)]),
                    label,
                    f"{name}, whole and a detail: {label}",
                )
                for label, rgb in versions
            ],
            name.lower().replace(" ", "-"),
            width=240,
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


def worst_part(original: np.ndarray, restored: np.ndarray) -> tuple[slice, slice]:
    """Where in a picture the squared error is largest, on a raster of half a window."""
    error = np.square(original.astype("float32") - restored).sum(2)
    height, width = 36, error.shape[1] // ENLARGED
    tops = range(0, error.shape[0] - height + 1, height // 2)
    lefts = range(0, error.shape[1] - width + 1, width // 2)
    parts = [(slice(y, y + height), slice(x, x + width)) for y in tops for x in lefts]
    return max(parts, key=lambda part: error[part].sum())
