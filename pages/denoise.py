"""Denoise: noise in at any level, a clean picture and its file out, of the same network."""

import streamlit as st

from sdae import BitstreamError, ImageError, WeightsError
from sdae.measuring import classical_denoisers
from sdae.pictures.noise import STRONGEST
from sdae.ui.denoise import charts, versions
from sdae.ui.denoise.versions import Version
from sdae.ui.shared import engine
from sdae.ui.shared.figures import table_csv
from sdae.ui.shared.file_size import card
from sdae.ui.shared.navigation import through_the_app
from sdae.ui.shared.numbers import decibels, milliseconds
from sdae.ui.shared.sources import Source, choose
from sdae.ui.shared.split_view import Side, compare

through_the_app()

SDAE, CLEAN = "SDAE", "Clean"
TICK = 0.25  # seconds between looks at the classical denoisers
KINDS = {
    "Gaussian": "gaussian",
    "Shot (Poisson)": "shot",
    "Salt and pepper": "salt and pepper",
    "Speckle": "speckle",
    "JPEG artefacts": "jpeg",
    "None: it is noisy already": None,
}
ABOUT = {
    "gaussian": "Each sample is off by a random amount, as from the electronics of a sensor.",
    "shot": "Counted photons: more noise where it is bright, relatively less.",
    "salt and pepper": "Single samples turn black or white, as from dead pixels.",
    "speckle": "Noise in proportion to the brightness, as in radar and ultrasound.",
    "jpeg": "Blocks and rings of a strongly compressed JPEG file. Nothing here is random.",
    None: "Your picture is denoised as it comes. There is no clean one to measure against.",
}
FILTERS = {classical_denoisers.DENOISERS[name].label: name for name in classical_denoisers.QUICK}


def main() -> None:
    st.title("Denoise a photograph", anchor=False)
    st.markdown(
        "The network that compresses also takes noise away: what comes out is a clean picture and "
        "its small `.sdae` file."
    )
    panel, stage = st.columns([2, 5], gap="medium")
    with panel:
        source = choose()
    try:
        if source is None:
            stage.info("Take a picture with the camera.", icon=":material/photo_camera:")
        else:
            denoise_picture(source, panel, stage)
    except (ImageError, BitstreamError) as error:
        stage.error(f"{source.name}: {error}", icon=":material/error:")
    except WeightsError as error:
        stage.error(str(error), icon=":material/error:")


def denoise_picture(source: Source, panel, stage) -> None:
    with panel:
        size = st.segmented_control(
            "Size", ["Original", "128×128"], default="Original", required=True, key="size",
            bind="query-params", width="stretch",
            help="128×128 is the centre square scaled down, as in the original work.",
        )
        kind = KINDS[st.selectbox("Noise to add", list(KINDS), key="noise", bind="query-params")]
        st.caption(ABOUT[kind])
        level, seed = 0.0, 0
        if kind:
            level = st.slider(
                "Noise level σ", 0.0, STRONGEST, 0.1, 0.01, key="level", bind="query-params",
                help="Standard deviation of the noise on mid-grey, as a share of full range.",
            )
        if kind not in (None, "jpeg"):
            seed = st.number_input(
                "Seed", 0, 9999, 0, key="seed", bind="query-params",
                help="Another seed is another throw of the same dice.",
            )
    with stage:
        data = engine.open_file(source.data).png if source.is_sdae else source.data
        picture = engine.prepare(data, small=size != "Original")
        start, estimate = versions.noisy(picture, kind, level, seed)
    with panel:
        strength = choose_strength(estimate)
        quality = st.slider(
            "Quality", 1, 100, 75, key="detail", bind="query-params",
            help="Of the compressed picture: less gives a smaller file with less detail.",
        )
    with stage:
        ours = versions.restored(picture, start, strength, quality)
    with panel:
        waiting = ours.file is None
        result = st.fragment(file_and_downloads, run_every=TICK if waiting else None)
        result(source, picture, start, ours, strength, quality)
    with stage:
        for notice in picture.notices:
            st.info(notice, icon=":material/info:")
        numbers(start, ours, estimate)
        left, right = choose_sides(kind)
        first = FILTERS.get(right)
        filtered = classical_versions(picture, start, ours, strength, first, patience=0.3)
        compare(
            right_side(source, right, picture, ours, filtered),
            left_side(source, left, picture, start),
            size=picture.size, key="split",
        )

        left_half, right_half = st.columns(2, gap="large")
    with left_half:
        st.subheader("Against classical denoisers", anchor=False)
        waiting = ours.file and len(filtered) < len(FILTERS)
        table = st.fragment(others, run_every=TICK if waiting else None)
        table(source, picture, start, ours, strength, first, filtered)
    with right_half:
        if kind:
            st.subheader("Noise, and what is left of it", anchor=False)
            clean = picture.rgb.astype("int16")
            differences = {"Noise": start.rgb - clean, "Residual": ours.rgb - clean}
        else:
            st.subheader("What was taken away", anchor=False)
            differences = {"Removed": start.rgb.astype("int16") - ours.rgb}
        shares = versions.shares(differences)
        charts.histogram(shares)
        st.download_button(
            "Histogram as CSV", versions.histogram_csv(shares), f"{source.stem}-histogram.csv",
            "text/csv", icon=":material/table:", on_click="ignore",
        )
    if kind:
        with stage:
            all_levels(source, picture, kind, seed, quality)


def choose_strength(estimate: float) -> float:
    """The noise level that the denoisers are told: the estimate, unless the user knows better."""
    if st.toggle(
        "Strength by estimate", True, key="auto", bind="query-params",
        help="The noise level is measured in the noisy picture alone.",
    ):
        st.session_state["estimate"] = round(estimate, 3)
        st.slider("Strength", 0.0, STRONGEST, step=0.005, format="%.3f", key="estimate",
                  disabled=True)
        return estimate
    return st.slider(
        "Strength", 0.0, STRONGEST, round(estimate * 200) / 200, 0.005, format="%.3f",
        key="strength", bind="query-params",
        help="More removes more noise, and fine texture with it.",
    )


def choose_sides(kind: str | None) -> tuple[str, str]:
    """What stands left and right of the split."""
    with st.container(horizontal=True, gap="medium"):
        left = "Noisy"
        if kind:
            left = st.segmented_control(
                "Left of the split", ["Noisy", CLEAN], default="Noisy", required=True, key="left",
                bind="query-params",
            )
        right = st.segmented_control(
            "Right of the split", [SDAE, *FILTERS, *([CLEAN] if kind else [])], default=SDAE,
            required=True, key="view", bind="query-params",
        )
    return left, right


def numbers(start: Version, ours: Version, estimate: float) -> None:
    """The figures above the picture; those that need a clean one are left out without one."""
    figures = [("Noise found", f"σ {estimate:.3f}", None, "Measured in the noisy picture alone.")]
    if start.psnr is not None:
        gain = None if decibels(start.psnr) == "∞" else f"{ours.psnr - start.psnr:+.2f} dB"
        figures += [
            ("PSNR", f"{decibels(ours.psnr)} dB", gain,
             f"Peak signal to noise of the restored picture; the noisy one has "
             f"{decibels(start.psnr)} dB."),
            ("SSIM", f"{ours.ssim:.4f}", f"{ours.ssim - start.ssim:+.4f}",
             f"Structural similarity, 1 is identical; the noisy picture has {start.ssim:.4f}."),
        ]
    figures += [
        ("Time", milliseconds(ours.seconds), None,
         "From noisy pixels to clean ones: at first without a file, then through it."),
    ]
    with st.container(horizontal=True, gap="medium"):
        for name, value, delta, explanation in figures:
            st.metric(name, value, delta, help=explanation, width="content")


def classical_versions(picture, start, ours: Version, *question, patience=0.0) -> dict:
    """The classical denoisers that are ready; they begin when our file, which is quicker, is made."""
    return versions.filtered(picture, start, *question, patience=patience) if ours.file else {}


def left_side(source: Source, left: str, picture: engine.Prepared, start: Version) -> Side:
    if left == CLEAN:
        return Side("Clean", f"{source.name} without noise", picture.png)
    label = "Noisy" if start.psnr is None else f"Noisy · {decibels(start.psnr)} dB"
    return Side(label, f"{source.name} with noise", start.png)


def right_side(source, right, picture, ours: Version, filtered: dict[str, Version]) -> Side:
    """What stands right of the split: our picture, also while a filter is still at work."""
    if right == CLEAN:
        return Side("Clean", f"{source.name} without noise", picture.png)
    found, label = ours, SDAE
    if right in FILTERS:
        if FILTERS[right] in filtered:
            found, label = filtered[FILTERS[right]], right
        else:
            label += f" ({right} is at work …)"
    text = label if found.psnr is None else f"{label} · {decibels(found.psnr)} dB"
    return Side(text, f"{source.name} restored by {label}", found.png)


def file_and_downloads(source, picture, start, ours: Version, strength, quality) -> None:
    """The size of the .sdae file, once it is made, and the pictures to take home."""
    if ours.file is None:
        if versions.restored(picture, start, strength, quality).file:
            st.rerun()  # with the picture that the file holds
        st.info("Making the .sdae file …", icon=":material/hourglass_empty:")
        return
    data, (width, height) = ours.file, picture.size
    references = {"PNG of the noisy picture": len(start.png)}
    if start.psnr is not None:
        references["PNG of the clean one"] = len(picture.png)
    card(len(data), references | {"raw RGB": picture.rgb.nbytes})
    st.caption(f"{8 * len(data) / (width * height):.3f} bits per pixel, header included.")
    with st.container(horizontal=True):
        st.download_button(
            "Download .sdae", data, f"{source.stem}-denoised.sdae", "application/octet-stream",
            icon=":material/download:", type="primary", on_click="ignore",
        )
        download_png("Restored PNG", ours, source, "denoised")
        if start.psnr is not None:
            download_png("Noisy PNG", start, source, "noisy")


def download_png(label: str, version: Version, source: Source, ending: str) -> None:
    st.download_button(label, version.png, f"{source.stem}-{ending}.png", "image/png",
                       icon=":material/image:", on_click="ignore")


def others(source, picture, start, ours, strength, first, drawn) -> None:
    """The table of denoisers, filled while they work; the page follows what it waits for."""
    filtered = classical_versions(picture, start, ours, strength, first)
    charts.table(start, ours, filtered)
    complete = len(filtered) == len(FILTERS)
    if complete > (len(drawn) == len(FILTERS)) or (first in filtered and first not in drawn):
        st.rerun()
    if not complete:
        return
    shown = {"Noisy": start, SDAE: ours}
    shown |= {label: filtered[name] for label, name in FILTERS.items()}
    with st.container(horizontal=True):
        st.download_button(
            "Table as CSV", denoisers_csv(shown, strength), f"{source.stem}-denoisers.csv",
            "text/csv", icon=":material/table:", on_click="ignore",
        )
        if first:
            label = classical_denoisers.DENOISERS[first].label
            download_png(f"{label} PNG", filtered[first], source, first)
    st.caption("The classical ones work behind the page; theirs is processor time.")


def denoisers_csv(shown: dict[str, Version], strength: float) -> bytes:
    return table_csv(
        ["denoiser", "strength", "psnr_db", "ssim", "seconds"],
        [(label, strength if v.seconds else None, v.psnr, v.ssim, v.seconds or None)
         for label, v in shown.items()],
    )


def all_levels(source: Source, picture: engine.Prepared, kind: str, seed: int, quality) -> None:
    """PSNR in and out at every level, measured when asked for."""
    st.subheader("At every noise level", anchor=False)
    question = picture.key, kind, seed, quality
    known, rows = st.session_state.get("curve", (None, None))
    if known != question:
        st.caption(
            f"This picture, its middle {versions.CURVE_SIDE} × {versions.CURVE_SIDE} at most, "
            f"with σ from 0 to {STRONGEST}."
        )
        if not st.button("Measure", icon=":material/show_chart:"):
            return
        rows, bar = [], st.progress(0.0)
        for row in versions.curve(picture, kind, seed, quality):
            rows.append(row)
            bar.progress(len(rows) / len(versions.LEVELS), f"σ {row[0]:.2f}")
        st.session_state["curve"] = question, rows
        st.rerun()
    charts.curve(rows)
    heads = ["sigma", "noisy_psnr_db", "restored_estimated_psnr_db", "restored_true_psnr_db"]
    st.download_button(
        "Curve as CSV", table_csv(heads, rows), f"{source.stem}-noise-levels.csv",
        "text/csv", icon=":material/table:", on_click="ignore",
    )


main()
