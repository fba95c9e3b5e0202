"""Compress: a photograph in, a .sdae file out, every byte counted."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.compress import challenge, details
from pages.compress.batch import batch
from pages.compress.later import later
from pages.compress.sides import CHOICES, NAMES, OURS, point, side
from pages.shared import engine
from pages.shared.carried import open_squares
from pages.shared.choices import keep, kept
from pages.shared.comparison import Result
from pages.shared.layout import frame
from pages.shared.sources import Source, choose, choose_size
from pages.shared.split_view import Bar, Side, compare
from pages.shared.words import literal
from sdae import BitstreamError, ImageError, WeightsError

START = 30  # a quality at which the difference between codecs is to be seen


@dataclass
class Places:
    """Where things stand. The frame is the same for every source, so nothing jumps or doubles."""

    notices: DeltaGenerator
    split: DeltaGenerator
    source: DeltaGenerator
    settings: DeltaGenerator
    files: DeltaGenerator
    codecs: DeltaGenerator
    figures: DeltaGenerator
    sizes: DeltaGenerator


def main() -> None:
    one, many = st.tabs(["One picture", "Many pictures"], key="tab", bind="query-params")
    with one:
        one_picture(one.open)
    with many:
        batch()


def laid_out() -> Places:
    stage, panel, below = frame()
    return Places(
        *(stage.container() for _ in range(2)),
        *(panel.container() for _ in range(4)),
        *(below.container() for _ in range(2)),
    )


def one_picture(seen: bool) -> None:
    """Draw the tab of one picture. Nothing is worked out for it unless it is `seen`."""
    places = laid_out()
    with places.source:
        source = choose()
    try:
        if source is None:
            places.notices.info("Take a picture with the camera.", icon=":material/photo_camera:")
        elif source.is_sdae:
            open_file(source, places)
        else:
            compress_picture(source, places, seen)
    except (ImageError, BitstreamError) as error:
        places.notices.error(f"{literal(source.name)}: {error}", icon=":material/error:")
    except WeightsError as error:
        places.notices.error(str(error), icon=":material/error:")


def compress_picture(source: Source, places: Places, seen: bool) -> None:
    """Draw what is known of the answer. Then work out what is missing first, and run again."""
    quality = kept("quality", START, range(1, 101))
    left, right = kept("left", "JPEG", CHOICES), kept("right", OURS, CHOICES)
    with places.settings:
        small = choose_size()
    with places.notices:
        picture = engine.prepare(source.data, small)
        for notice in picture.notices:
            st.info(notice, icon=":material/info:")
    answer = engine.known(picture, quality)
    result = answer if isinstance(answer, Result) else None
    other = next((choice for choice in (left, right) if choice in NAMES), "JPEG")
    more = later(picture, quality, result, NAMES[other])

    with places.split:
        about, original = (picture.key, quality), details.original(source, picture)
        guessing = challenge.asked()
        if guessing:
            sides = challenge.sides(source, picture, quality, result)
            sentence = challenge.question(result, original[0])
        else:
            shown = source, picture, quality, result, more.rivals
            sides = [side(choice, *shown) for choice in (right, left)]
            sentence = challenge.said(about) or point(result, more.rivals, other)
        compare(
            *sides,
            size=picture.size,
            key="split",
            bar=Bar(
                quality,
                *original,
                answer and answer.file_bytes,
                result and result.psnr,
                more.estimates,
                sentence,
            ),
            original=None if guessing else picture.png,
            guess=guessing,
            on_change=lambda name, value: (
                challenge.on_guess(value, about, result) if name == "guess" else keep(name, value)
            ),
        )
    with places.files:
        details.downloads(source, picture, answer, result, more.rivals.get(NAMES.get(left)))
    with places.figures:
        details.figures(result)
    with places.sizes:
        details.weights(source, picture, answer)
        open_squares(source, quality)
    with places.codecs:
        details.same_bytes(source, picture, result, more.rivals)
    if not seen:
        return
    if not result:
        (engine.compress if answer else engine.count)(picture, quality)
        st.rerun()
    more.follow()


def open_file(source: Source, places: Places) -> None:
    with places.notices:
        result = engine.open_file(source.data)
    with places.files:
        details.restored_png(source, result)
    with places.figures:
        details.figures(result)
    with places.split:
        restored = Side(OURS, f"{source.name} restored", result.png, f"{result.file_bytes:,} bytes")
        compare(restored, size=(result.width, result.height), key="split")
    with places.sizes:
        details.weights_of_a_file(result)
    with places.codecs:
        details.header(source)


main()
