"""Denoise: noise in at any level, a clean picture and its small file out."""

import streamlit as st

from pages.denoise import results, settings, versions
from pages.denoise.sides import FILE, FILTERS, NOISY, SDAE, choices, left_side, right_side
from pages.shared import background, engine
from pages.shared.choices import keep, kept
from pages.shared.layout import frame
from pages.shared.sources import GRAINY_FILE, Source, choose
from pages.shared.split_view import compare
from pages.shared.words import literal
from sdae import BitstreamError, ImageError, WeightsError


def main() -> None:
    stage, panel, below = frame()
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
        small, kind, level = settings.choose_noise(grainy=source.name == GRAINY_FILE)
    bars = stage.container()  # whether there is one or not, it moves nothing below
    with bars:
        data = engine.open_file(source.data).png if source.is_sdae else source.data
        picture = engine.prepare(data, small)
        picture, start, estimate = versions.noisy(picture, kind, level)
    with panel:
        strength = settings.choose_strength(estimate)
        quality = st.slider(
            "Quality",
            1,
            100,
            75,
            key="detail",
            bind="query-params",
            help="Of the file: less gives a smaller one with less detail.",
        )
    lefts, rights = choices(kind)
    left, right = kept("left", NOISY, lefts), kept("right", SDAE, rights)
    with bars:
        ours = versions.denoised(picture, start, strength)
    with stage:
        filed = versions.in_a_file(picture, start, ours, quality)
        tasks = versions.filters(picture, start, strength)
        answers = engine.queue().ask(tasks)
        keys = {
            label: versions.filter_key(start, strength, name) for label, name in FILTERS.items()
        }
        made = {SDAE: ours} | ({FILE: filed} if filed else {})
        made |= {label: answers[key] for label, key in keys.items() if key in answers}
        for notice in picture.notices:
            st.info(notice, icon=":material/info:")
        settings.warn_of_unseen_noise(strength)
        compare(
            right_side(source, right, picture, made, rights),
            left_side(source, left, picture, start, lefts),
            size=picture.size,
            key="split",
            original=picture.png if kind else None,
            on_change=keep,
        )
    with below:
        results.numbers(start, ours, estimate)
        results.denoisers(source, start, made, strength, right)
    with panel:
        results.file_and_downloads(source, picture, start, ours, filed)
    if not filed:
        versions.in_a_file(picture, start, ours, quality, make=True)
        st.rerun()
    background.follow(engine.queue(), tasks, answers, keys.get(right))


main()
