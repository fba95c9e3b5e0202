"""Denoise: noise in at any level, a clean picture and its file out, of the same network."""

import streamlit as st

from pages.denoise import results, settings, versions
from pages.denoise.sides import FILTERS, NOISY, SDAE, choices, left_side, right_side
from pages.shared import engine
from pages.shared.choices import keep, kept
from pages.shared.layout import panel_and_stage
from pages.shared.navigation import through_the_app
from pages.shared.sources import Source, choose
from pages.shared.split_view import compare
from pages.shared.words import literal
from sdae import BitstreamError, ImageError, WeightsError

through_the_app()

TICK = 0.25  # seconds between looks at what is worked out behind the page


def main() -> None:
    st.title("Denoise a photograph", anchor=False)
    st.markdown(
        "The network that compresses also takes noise away: what comes out is a clean picture and "
        "its small `.sdae` file."
    )
    panel, stage = panel_and_stage()
    below = st.container()
    with panel:
        source = choose()
    try:
        if source is None:
            stage.info("Take a picture with the camera.", icon=":material/photo_camera:")
        else:
            denoise_picture(source, panel, stage, below)
    except (ImageError, BitstreamError) as error:
        stage.error(f"{literal(source.name)}: {error}", icon=":material/error:")
    except WeightsError as error:
        stage.error(str(error), icon=":material/error:")


def denoise_picture(source: Source, panel, stage, below) -> None:
    with panel:
        small, kind, level, seed = settings.choose_noise()
    with stage:
        data = engine.open_file(source.data).png if source.is_sdae else source.data
        picture = engine.prepare(data, small)
        start, estimate = versions.noisy(picture, kind, level, seed)
    with panel:
        strength = settings.choose_strength(estimate)
        quality = st.slider(
            "Quality",
            1,
            100,
            75,
            key="detail",
            bind="query-params",
            help="Of the compressed picture: less gives a smaller file with less detail.",
        )
    lefts, rights = choices(kind)
    left, right = kept("left", NOISY, lefts), kept("right", SDAE, rights)
    first = FILTERS.get(right)
    with stage:
        ours, filtered = look(picture, start, strength, quality, first)
        waiting = not ours.file or len(filtered) < len(FILTERS)
        st.fragment(follow, run_every=TICK if waiting else None)(
            (picture, start, strength, quality, first), drawn(ours, filtered)
        )
        for notice in picture.notices:
            st.info(notice, icon=":material/info:")
        settings.warn_of_unseen_noise(strength)
        results.numbers(start, ours, estimate)
        compare(
            right_side(source, right, picture, ours, filtered, rights),
            left_side(source, left, picture, start, lefts),
            size=picture.size,
            key="split",
            on_change=keep,
        )
        results.denoisers(source, start, ours, strength, first, filtered)
    with panel:
        results.file_and_downloads(source, picture, start, ours)
    left_half, right_half = below.columns(2, gap="large")
    with left_half:
        results.difference(source, kind, picture, start, ours)
    if kind:
        with right_half:
            results.all_levels(source, picture, kind, seed, quality)


def look(picture, start, strength, quality, first):
    """Our picture, and the classical denoisers that are ready: they begin when our file is made."""
    ours = versions.restored(picture, start, strength, quality)
    return ours, versions.filtered(picture, start, strength, first) if ours.file else {}


def drawn(ours, filtered) -> tuple:
    """Changes with all that the page shows of what is worked out behind it."""
    return ours.file is None, len(filtered)


def follow(question: tuple, before: tuple) -> None:
    """The page follows what is worked out behind it."""
    if drawn(*look(*question)) != before:
        st.rerun()


main()
