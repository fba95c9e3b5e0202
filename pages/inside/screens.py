"""The seven screens of the Inside page. Each takes the picture of the lesson and draws itself."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.inside import charts, diagrams, experiments, facts, views
from pages.inside.blind import blind
from pages.inside.diagrams import Box
from pages.inside.experiments import Subject
from pages.inside.keras_model import keras_model
from pages.inside.limits import limits
from pages.inside.linked import linked
from pages.inside.touch import touch
from pages.inside.training import training
from pages.shared import figures
from pages.shared.figures import Plate
from pages.shared.ledger import Row, ledger
from pages.shared.numbers import decibels
from sdae.coding import deflate_reader

STEPS_OF_ROUNDING = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def pipeline(shown: Subject) -> None:
    whole, network, which = views.tabs("Pipeline")
    if whole.open:
        with whole:
            boxes = stations(shown)
            linked(
                diagrams.pipeline(boxes),
                [(box.name, box.sentence, box.lines[1]) for box in boxes],
                "pipeline",
            )
            strongest = facts.order(shown.codec, shown.latent)[:3]
            figures.plates(
                [
                    Plate(shown.picture.rgb, "Photograph", "The photograph that goes in"),
                    Plate(
                        _stretched(shown.latent.values[..., strongest]),
                        "Latent, its 3 strongest channels",
                        "The three strongest channels of the latent as red, green and blue",
                    ),
                    _restored(shown),
                    _difference(shown.restored, shown.picture.rgb, "Error"),
                ],
                "pictures",
                width=190,
                blocks=True,
            )
    if network.open:
        with network:
            model = keras_model(shown.codec)
            parts = facts.units(model.analysis), facts.units(model.synthesis)
            card = shown.codec.card
            twins = ""
            if "noise_removal" in card:
                twins = (
                    " Noisy pictures pass twins of both transforms, which have "
                    f"{card['noise_removal']['parameters']:,} parameters more."
                )
            figures.drawing(
                diagrams.architecture(*parts, shown.latent.values.shape[2]), "architecture"
            )
            st.caption(
                "Height stands for the resolution and width for the number of channels, which is "
                f"written below. {card['parameters']:,} trained parameters in all, those of the linear "
                "paths, gains and contexts included. The picture enters with two more planes, the "
                f"noise level and the quality.{twins}"
            )
    if which.open:
        with which:
            blind()


def stations(shown: Subject) -> list[Box]:
    """What the pipeline's boxes say about this picture."""
    result = shown.result
    picture = " × ".join(map(str, (result.height, result.width, 3)))
    latent = " × ".join(map(str, result.latent))
    payload = result.file_bytes - experiments.header_bytes(result.data)
    raw, integers = result.raw_bytes, result.latent_bytes
    return [
        Box("Photograph", picture, raw, "Each pixel takes three bytes: red, green and blue."),
        Box(
            "Encoder",
            (picture, latent),
            (raw, integers),
            f"Each square of 8 × 8 pixels becomes {result.latent[2]} numbers, which are rounded. "
            "What rounding takes is lost.",
        ),
        Box("Latent", latent, integers, "The integers at one byte each. Most are zero."),
        Box(
            "Contexts + Deflate",
            (latent, "stream"),
            (integers, payload),
            "Known integers tell how large the next will be, and Deflate packs what is left. "
            "Nothing is lost.",
        ),
        Box(
            "File",
            f"{result.file_bytes - payload} header + {payload:,}",
            result.file_bytes,
            "The whole file: this is what is kept and sent.",
        ),
        Box(
            "Inflate",
            ("stream", latent),
            (payload, integers),
            "The same integers come back, every one of them.",
        ),
        Box(
            "Decoder",
            (latent, picture),
            (integers, raw),
            "Each square is painted from its integers and those around it.",
        ),
        Box(
            "Output",
            f"{picture} · {decibels(result.psnr)} dB",
            raw,
            "As many bytes as the photograph, and nearly the same ones.",
        ),
    ]


def units(shown: Subject) -> None:
    drawn, maps, slopes, grids = views.tabs("Units")
    model = keras_model(shown.codec)
    if drawn.open:
        with drawn:
            for side, transform, first in (
                ("encoder", model.analysis, "down_0"),
                ("decoder", model.synthesis, "up_0"),
            ):
                found = {unit.name: unit for unit in facts.units(transform)}
                name = st.selectbox(
                    f"Layer of the {side}",
                    list(found),
                    list(found).index(first),
                    key=f"{side}_layer",
                    bind="query-params",
                )
                figures.drawing(diagrams.unit(found[name]), f"{side}-layer")
            st.caption(
                "down: down-sampling unit, up: up-sampling unit, block: residual block, depthwise and "
                "fine: depthwise block. "
                "Blue convolves, orange bends, green only moves numbers."
            )
    if maps.open:
        with maps:
            st.markdown(
                "The three liveliest channels of each unit of the encoder as red, green "
                "and blue: from edges and colours to coarse patterns."
            )
            figures.plates(
                [
                    Plate(
                        _stretched(values),
                        f"{name} · {values.shape[0]} × {values.shape[1]}",
                        f"Three channels of {name} as one colour picture",
                    )
                    for name, values in experiments.run(shown, experiments.feature_maps).items()
                ],
                "feature-maps",
                blocks=True,
            )
    if slopes.open:
        with slopes:
            st.markdown(
                "One dot a channel. All slopes began at the same value; where they went is "
                "what the training found useful."
            )
            found = facts.slopes(model.analysis), facts.slopes(model.synthesis)
            figures.chart(
                charts.slopes(*found),
                "PReLU slopes of every layer. "
                + "; ".join(
                    f"{side} {name}: median {np.median(values):.2f}, {values.min():.2f} to "
                    f"{values.max():.2f}"
                    for side, layers in zip(("encoder", "decoder"), found)
                    for name, values in layers.items()
                ),
                "slopes",
                ["transform", "layer", "channel", "slope"],
                [
                    (side, name, number, float(value))
                    for side, layers in zip(("encoder", "decoder"), found)
                    for name, values in layers.items()
                    for number, value in enumerate(values)
                ],
                height=120 + 24 * sum(map(len, found)),
            )
    if grids.open:
        with grids:
            _up_sampling(experiments.run(shown, experiments.up_sampling))


def _up_sampling(found: facts.UpSampling) -> None:
    n = found.planes.shape[1]
    place = np.arange(2 * n)
    origin = 2 * (place[:, None] % 2) + place % 2
    st.markdown(
        f"**1.** The last up-sampling unit, on {n} × {n} places of this picture where much "
        "happens: its convolution gives four values for each place, here as four grids."
    )
    names = "upper left", "upper right", "lower left", "lower right"
    figures.drawing(
        diagrams.grids(
            [
                (name.capitalize(), plane, np.full((n, n), k))
                for k, (name, plane) in enumerate(zip(names, found.planes))
            ],
            f"Four grids of {n} by {n} numbers, for the four places of each square of 2 by 2",
        ),
        "planes",
    )
    st.markdown(
        f"**2.** Laid side by side they are the {2 * n} × {2 * n} result, each number where its "
        "colour says. Beside it what other ways make of the first grid alone: interpolation can "
        "only blur, and a transposed convolution with equal weights leaves a checkerboard."
    )
    figures.drawing(
        diagrams.grids(
            [
                ("Sub-pixel", found.subpixel, origin),
                ("Bilinear", found.bilinear, None),
                ("Transposed convolution", found.transposed, None),
            ],
            f"Three grids of {2 * n} by {2 * n} numbers: sub-pixel, bilinear and transposed",
        ),
        "up-sampling",
    )


def latent(shown: Subject) -> None:
    touched, maps, first, off, step = views.tabs("Latent")
    if touched.open:
        with touched:
            touch(shown)
    energy = experiments.run(shown, experiments.energy)
    order = np.argsort(-energy, kind="stable")
    share = 100 * energy[order] / max(energy.sum(), 1e-12)
    channels = len(order)
    if maps.open:
        with maps:
            _channels(shown, order, share)
    if first.open:
        with first:
            _first_channels(shown, order, energy, share)
    if off.open:
        with off:
            rank = st.slider(
                "Rank of the channel that is switched off",
                1,
                channels,
                4,
                key="off",
                bind="query-params",
                help="1 is the channel with the most energy.",
            )
            rgb = experiments.run(shown, experiments.without_channel, int(order[rank - 1]))
            figures.plates(
                [
                    _against(
                        shown, rgb, f"Without rank {rank}", f"{share[rank - 1]:.3f} % of the energy"
                    ),
                    _difference(shown.restored, rgb, "What it held"),
                ],
                "one-off",
                width=320,
            )
    if step.open:
        with step:
            size = st.select_slider(
                "Step of the rounding",
                STEPS_OF_ROUNDING,
                4.0,
                key="rounding",
                bind="query-params",
                format_func=lambda value: f"{value:g}",
                help="1 is plain rounding at the chosen quality, 2 is twice as coarse.",
            )
            rgb, needed = experiments.run(shown, experiments.requantised, size)
            plain, usual = experiments.run(shown, experiments.requantised, 1.0)
            figures.plates(
                [
                    _against(shown, plain, "Step 1", f"about {usual:,.0f} bytes by entropy"),
                    _against(shown, rgb, f"Step {size:g}", f"about {needed:,.0f} bytes by entropy"),
                ],
                "rounding",
                width=320,
            )
            st.caption(
                "The codec itself rounds a little differently: towards fewer bytes where "
                "that costs little."
            )


def _channels(shown: Subject, order, share) -> None:
    values = shown.latent.values
    left, right = st.columns([6, 5], gap="medium")
    with left:
        figures.plates(
            [
                Plate(
                    figures.signed(values[..., c]),
                    f"{rank} · {share[rank - 1]:.2f} %",
                    f"Channel map of rank {rank}, with {share[rank - 1]:.2f} percent of the energy",
                )
                for rank, c in enumerate(order[:12], 1)
            ],
            "channels",
            width=100,
            blocks=True,
        )
        st.caption(
            "The twelve channels with the most energy and their share of it. Blue is below "
            "zero, pale is zero, brown is above, each on a scale of its own."
        )
    with right:
        rank = st.slider(
            "Histograms: ranks 1 to 3, and rank", 4, len(order), 24, key="rank", bind="query-params"
        )
        chosen = {f"Rank {r}": values[..., order[r - 1]] for r in (1, 2, 3, rank)}
        figures.chart(
            charts.histograms(chosen),
            "How often each integer occurs. "
            + "; ".join(
                f"{name}: {100 * float((v == 0).mean()):.0f} % zeros, {v.min()} to {v.max()}"
                for name, v in chosen.items()
            ),
            "histogram",
            ["channel", "integer", "places"],
            [
                (name, int(v), int(n))
                for name, plane in chosen.items()
                for v, n in zip(*np.unique(plane, return_counts=True))
            ],
            height=280,
        )


def _first_channels(shown: Subject, order, energy, share) -> None:
    channels = len(order)
    count = st.slider(
        "Channels kept, strongest first",
        1,
        channels,
        min(10, channels),
        key="kept",
        bind="query-params",
    )
    rgb, size = experiments.run(shown, experiments.first_channels, count)
    figures.plates(
        [
            _against(shown, rgb, f"First {count}", f"about {size:,.0f} bytes"),
            _difference(shown.restored, rgb, "What is missing"),
            _restored(shown, f"All {channels}"),
        ],
        "first-channels",
    )
    figures.chart(
        charts.energies(energy[order], count),
        f"The first channel holds {share[0]:.1f} % of the energy, the first {count} hold "
        f"{share[:count].sum():.1f} %.",
        "energy",
        ["channels_kept", "channel", "energy_percent"],
        [(rank, int(c), float(s)) for rank, (c, s) in enumerate(zip(order, share), 1)],
        height=200,
    )
    st.caption("Bytes of a part are its entropy, with one free table a channel.")


def bytes_(shown: Subject) -> None:
    rungs, channels, repeats, tree = views.tabs("Bytes")
    if rungs.open:
        with rungs:
            rows = ledger_rows(shown)
            ledger(rows)
            figures.download(
                "Figures as CSV",
                figures.table_csv(["form", "bytes"], [(row.name, row.size) for row in rows]),
                "ledger.csv",
                "text/csv",
            )
    if channels.open:
        with channels:
            _bytes_by_channel(shown)
    if repeats.open:
        with repeats:
            _repeats(_line(shown))
    if tree.open:
        with tree:
            _tree(_line(shown))


def ledger_rows(shown: Subject) -> list[Row]:
    """Every form of the picture on its way to the file, and the entropy beside them."""
    result, values = shown.result, shown.latent.values
    header = experiments.header_bytes(result.data)
    h, w, c = values.shape
    ideal = round(float(facts.entropy(values).sum()))
    return [
        Row("Raw RGB", result.raw_bytes, f"{result.width} × {result.height} × 3 bytes"),
        Row("int8 latent", result.latent_bytes, f"{h} × {w} × {c} integers"),
        Row("zlib", shown.plain_bytes, "the best of its strategies, as in the original work"),
        Row("Entropy", ideal, "no file: an ideal coder with one free table a channel"),
        Row("Contexts + Deflate", result.file_bytes - header, "sorted by what is expected"),
        Row(".sdae file", result.file_bytes, f"with its header of {header} bytes", ours=True),
    ]


def _bytes_by_channel(shown: Subject) -> None:
    spent = experiments.run(shown, experiments.allocation)
    ideal = facts.entropy(shown.latent.values)
    half = int(np.searchsorted(np.cumsum(spent.channels), spent.channels.sum() / 2)) + 1
    figures.chart(
        charts.bytes_by_channel(spent.channels, ideal),
        f"Bytes of each channel in the file beside its entropy. The first {half} of "
        f"{len(ideal)} channels take half of the bytes.",
        "bytes-by-channel",
        ["channel", "bytes_in_file", "entropy_bytes"],
        [(k, float(a), float(b)) for k, (a, b) in enumerate(zip(spent.channels, ideal), 1)],
    )
    header = experiments.header_bytes(shown.result.data)
    st.caption(
        f"Channels in the order of the file, {spent.channels.sum():,.0f} bytes together. Code "
        f"tables and block headers take {spent.tables:,.0f} bytes more, ends of blocks and buckets "
        f"{spent.frame:,.0f}, the header of the file {header}: {shown.result.file_bytes:,} bytes "
        "in all. A byte that holds several integers is shared out by their information."
    )


def _line(shown: Subject) -> facts.Line:
    """The line of the worked examples: one that tells much, unless another is chosen."""
    h, _, channels = shown.latent.values.shape
    channel, row = facts.telling_row(shown.latent)
    left, right = st.columns(2)
    channel = left.number_input("Channel of the latent", 0, channels - 1, channel)
    row = right.number_input("Row", 0, h - 1, row) if h > 1 else 0
    line = facts.line(shown.latent, channel, row)
    said = "  ".join(map(str, line.values.tolist()))
    st.markdown(f"The {len(line.values)} integers of this line: `{said}`")
    return line


def _repeats(line: facts.Line) -> None:
    symbols = [token for block in line.blocks for token in block.tokens]
    matches = sum(token.length > 0 for token in symbols)
    kinds = " and ".join(dict.fromkeys(deflate_reader.KINDS[block.kind] for block in line.blocks))
    st.markdown(
        f"One byte each, zlib packs them into {len(line.stream)} bytes, in a block of "
        f"{kinds}. Filled boxes repeat what stood before, {matches} here; the others are "
        "integers as they are. Below are the bits of each."
    )
    boxes = []
    for token, start in zip(symbols, np.cumsum([0, *(token.size for token in symbols)])):
        content = line.values[start : start + token.size].tolist()
        boxes.append((content, token.bits, (token.length, token.distance)))
    figures.drawing(
        diagrams.tokens(
            boxes,
            f"The {len(line.values)} integers in {len(symbols)} symbols of a "
            f"Deflate stream; {matches} of them repeat earlier integers",
        ),
        "symbols",
    )
    total = sum(len(token.bits) for token in symbols)
    st.caption(
        f"{total} bits of symbols and {sum(b.header_bits for b in line.blocks)} of block "
        f"headers, filled up to whole bytes."
    )


def _tree(line: facts.Line) -> None:
    count = len(line.values)
    st.markdown(
        f"A code made for this line alone needs {line.coded_bits} bits, "
        f"{line.coded_bits / count:.2f} an integer, its description not counted. The entropy is "
        f"{line.entropy:.1f} bits, {line.entropy / count:.2f} an integer: no code for single "
        "integers can do better."
    )
    counts = dict(zip(*(a.tolist() for a in np.unique(line.values, return_counts=True))))
    figures.drawing(diagrams.huffman_tree(line.code, counts), "huffman-tree")
    st.caption("Left is 0 and right is 1; below each integer stands how often it occurs.")


def noise(shown: Subject) -> None:
    sigma = st.slider(
        "Noise level σ",
        0.0,
        0.35,
        0.1,
        0.01,
        key="sigma",
        bind="query-params",
        help="Standard deviation, as a share of full range.",
    )
    found = experiments.run(shown, experiments.with_noise, sigma)
    figures.plates(
        [
            _against(shown, found.rgb, "Noisy", alt="The picture with noise"),
            _against(shown, found.blind, "Restored, not told", f"{found.bytes_['blind']:,} bytes"),
            _against(shown, found.told, "Restored, told σ", f"{found.bytes_['told']:,} bytes"),
        ],
        "noise",
    )
    energy = experiments.run(shown, experiments.energy)
    order = np.argsort(-energy, kind="stable")
    signal = np.sqrt(np.square(shown.latent.values.astype("float64")).mean((0, 1)))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        blind, told = found.shift["blind"], found.shift["told"]
        figures.chart(
            charts.shifts(blind[order], told[order], signal[order]),
            "Change of the integers through noise, channel by channel. On average "
            f"{blind.mean():.2f} when the network is not told and {told.mean():.2f} when it is.",
            "shift",
            ["rank", "channel", "clean_rms", "change_not_told", "change_told"],
            [
                (rank, int(c), float(signal[c]), float(blind[c]), float(told[c]))
                for rank, c in enumerate(order, 1)
            ],
            height=280,
        )
    with right:
        most = float(np.abs(found.maps["blind"]).max()) or 1.0
        labels = {"clean": "Clean", "blind": "Noisy, not told", "told": "Noisy, told σ"}
        figures.plates(
            [
                Plate(
                    figures.signed(found.maps[key], most),
                    label,
                    f"The channel in which telling helps the most: {label.lower()}",
                )
                for key, label in labels.items()
            ],
            "noisy-channel",
            width=95,
            blocks=True,
        )
        st.caption(
            f"The channel in which telling the noise level helps the most, rank "
            f"{int(np.flatnonzero(order == found.channel)[0]) + 1}, all three on one scale: blue "
            "is below zero, pale is zero, brown is above."
        )


def _against(shown: Subject, rgb: np.ndarray, label: str, more: str = "", alt: str = "") -> Plate:
    """A picture with its PSNR against the photograph."""
    caption = f"{label} · {decibels(shown.psnr(rgb))} dB" + (f" · {more}" if more else "")
    return Plate(rgb, caption, alt or f"The picture: {label.lower()}")


def _restored(shown: Subject, label: str = "Restored") -> Plate:
    return _against(shown, shown.restored, label, f"{shown.result.file_bytes:,} bytes")


def _difference(rgb: np.ndarray, other: np.ndarray, label: str) -> Plate:
    """One picture less another around mid-grey, enlarged so that it can be seen."""
    apart = rgb.astype("float32") - other
    times = next(t for t in (16, 8, 4, 2, 1) if t == 1 or np.percentile(abs(apart), 98) * t < 110)
    grey = np.clip(128 + times * apart, 0, 255).astype("uint8")
    return Plate(grey, f"{label}, × {times}", f"{label}: a difference, enlarged {times} times")


def _stretched(maps: np.ndarray) -> np.ndarray:
    """Maps (h, w, 3), each stretched from its 1st to its 99th percentile: uint8."""
    low, high = np.percentile(maps, (1, 99), axis=(0, 1))
    share = (maps - low) / np.maximum(high - low, 1e-6)
    return np.uint8(255 * np.clip(share, 0, 1))


SCREENS = (pipeline, units, latent, bytes_, noise, training, limits)
"""The screens in the order of `pages.inside.texts.STEPS`."""
