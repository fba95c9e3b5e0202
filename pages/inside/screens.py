"""The views of the lesson. Each takes the picture of the lesson and draws itself."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.inside import diagrams, experiments, facts, layers
from pages.inside.experiments import Subject
from pages.inside.limits import limits
from pages.inside.square_map import Panel, square_map
from pages.inside.squares import bit_cells, cut, framed, integer_cells, squared_error
from pages.inside.touch import touch
from pages.inside.training import train
from pages.shared import figures
from pages.shared.figures import Plate
from pages.shared.numbers import decibels
from pages.shared.table import Row, draw_sizes


def pipeline(shown: Subject) -> None:
    """The square at every station, and below it what the whole picture takes there."""
    rgb, restored, (column, row) = shown.picture.rgb, shown.restored, shown.square
    result, values = shown.result, shown.latent.values[row, column]
    bits = float(experiments.run(shown, experiments.bits_spent)[row, column].sum())
    left, right = st.columns([2, 3], gap="medium")
    with left:
        square_map([Panel(rgb, "Click a square of 8 × 8 pixels", "The photograph.")], (column, row))
        st.markdown(
            f"**The whole picture:** {result.raw_bytes:,} bytes of pixels become "
            f"{result.latent_bytes:,} integers and {result.file_bytes:,} bytes of file, which give "
            f"back a picture of {decibels(result.psnr)} dB."
        )
    with right:
        _stations(rgb, restored, values, bits, (column, row))


def _stations(rgb, restored, values, bits, square) -> None:
    pixels, used = cut(rgb, *square), np.count_nonzero(values)
    figures.plates(
        [
            Plate(
                pixels,
                f"1 · Pixels: {pixels.nbytes} bytes",
                "The square of the photograph, enlarged",
            ),
            Plate(
                integer_cells(values),
                f"2 · Encoder: {len(values)} integers, {used} of them not zero",
                "The integers of the square as colours: blue below zero, brown above",
            ),
            Plate(
                bit_cells(bits, 8 * pixels.nbytes),
                f"3 · Deflate: {bits:.0f} bits; the pixels had {8 * pixels.nbytes:,}",
                f"A cell for each bit of the pixels, {bits:.0f} of them filled",
            ),
            Plate(
                cut(restored, *square),
                f"4 · Decoder: pixels again, off by {squared_error(rgb, restored, *square):.1f} of 255",
                "The restored square, enlarged",
            ),
        ],
        "square",
        width=120,
        blocks=True,
    )
    st.caption("Integers: blue is below zero, pale is zero, brown is above.")


def convolution(shown: Subject) -> None:
    """One filter of the first layer at the middle of the square, and its map."""
    first = experiments.run(shown, experiments.first_convolution)
    *_, planes, filters = first.kernel.shape
    left, right = st.columns([2, 1], gap="medium")
    with right:
        number = st.slider("Filter", 1, filters, 1, key="filter", bind="query-params") - 1
    height, width = shown.picture.rgb.shape[:2]
    row, column = (
        min(8 * place + 3, side - 1) for place, side in zip(shown.square[::-1], (height, width))
    )
    window = first.window(row, column)
    products = window * first.kernel[..., number]
    red, green, blue, *rest = products.sum((0, 1)).tolist()
    value = float(first.maps[row, column, number])
    settings = sum(rest) + float(first.bias[number])
    with left:
        figures.drawing(
            diagrams.grids(
                [
                    ("", "Green pixels", window[..., 1]),
                    ("×", "Weights", first.kernel[..., 1, number]),
                    ("=", "Products", products[..., 1]),
                ],
                f"Nine pixels times nine weights of filter {number + 1}; the sum of the products "
                f"is {green:.2f}",
            ),
            "convolution",
        )
        st.markdown(
            f"Red {red:z.2f}, green {green:z.2f}, blue {blue:z.2f}, and {settings:z.2f} that is the "
            f"same everywhere: together **{value:z.2f}**, one value of the map beside it."
        )
        st.caption(
            "Nine pixels in the middle of the square, around zero: black is −2 and white is 2. The "
            f"filter has weights for {planes} planes: three colours and the quality."
        )
    values = first.maps[..., number]
    with right:
        figures.plates(
            [
                Plate(
                    framed(figures.signed(values - np.median(values)), *shown.square),
                    f"Filter {number + 1} of {filters} over the whole picture",
                    f"Map of filter {number + 1}: blue below zero, pale at zero, brown above",
                )
            ],
            "filter-map",
        )


def networks(shown: Subject) -> None:
    """Both stacks of layers."""
    config = shown.codec.network.config
    stacks = (layers.layers(config, name) for name in ("analysis", "synthesis"))
    figures.drawing(diagrams.architecture(*stacks, shown.latent.values.shape[2]), "architecture")
    st.caption(
        "Height stands for the resolution, width for the channels, whose number stands below. "
        "*down* halves the sides of the picture, *up* doubles them; *block*, *depthwise* and *fine* "
        "add what they find to what came in; *head* writes the result. "
        f"{shown.codec.card['parameters']:,} trained parameters in all."
    )


def channels(shown: Subject) -> None:
    """The picture from its strongest channels alone, and these channels."""
    energy, values = experiments.run(shown, experiments.energy), shown.latent.values
    order = np.argsort(-energy, kind="stable")
    share = 100 * energy[order] / max(energy.sum(), 1e-12)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        count = st.slider(
            "Channels kept, strongest first",
            1,
            len(order),
            min(3, len(order)),
            key="kept",
            bind="query-params",
        )
        rgb = experiments.run(shown, experiments.first_channels, count)
        figures.plates(
            [
                against(shown, rgb, f"First {count}", f"{share[:count].sum():.1f} % of the energy"),
                against(shown, shown.restored, f"All {len(order)}"),
            ],
            "first-channels",
            width=200,
        )
    with right:
        figures.plates(
            [
                Plate(
                    figures.signed(values[..., c]),
                    f"{rank} · {share[rank - 1]:.1f} %",
                    f"Channel {rank} by energy, which has {share[rank - 1]:.1f} percent of it",
                )
                for rank, c in enumerate(order[:6], 1)
            ],
            "channels",
            width=90,
            blocks=True,
        )


def against(shown: Subject, rgb: np.ndarray, label: str, more: str = "") -> Plate:
    """A picture with its PSNR against the photograph, the square in a frame."""
    caption = f"{label} · {decibels(shown.psnr(rgb))} dB" + (f" · {more}" if more else "")
    return Plate(framed(rgb, *shown.square), caption, f"The picture: {label.lower()}")


def ledger_rows(shown: Subject) -> list[Row]:
    """Every form of the picture on its way to the file, and the entropy beside them."""
    result, values = shown.result, shown.latent.values
    header = experiments.header_bytes(result.data)
    h, w, c = values.shape
    ideal = round(float(facts.entropy(values).sum()))
    plain = experiments.run(shown, experiments.plain_bytes)
    return [
        Row("Pixels", (result.raw_bytes,), f"{result.width} × {result.height} × 3 bytes"),
        Row("Latent", (result.latent_bytes,), f"{h} × {w} × {c} integers, a byte each"),
        Row("zlib", (plain,), "the best of its strategies, as in the original work"),
        Row("Entropy", (ideal,), "no file: an ideal coder with one free table a channel"),
        Row("Contexts + Deflate", (result.file_bytes - header,), "sorted by what is expected"),
        Row(".sdae file", (result.file_bytes,), f"with its header of {header} bytes", ours=True),
    ]


def bytes_ledger(shown: Subject) -> None:
    rows = ledger_rows(shown)
    draw_sizes(rows)
    figures.download(
        "Figures as CSV",
        figures.table_csv(["form", "bytes"], [(row.name, *row.values) for row in rows]),
        "ledger.csv",
        "text/csv",
    )


def deflate(shown: Subject) -> None:
    """A line of the latent through the square: what LZ77 makes of it, and its Huffman code."""
    _, row = shown.square
    left, right = st.columns([1, 5], gap="medium")
    channel = left.number_input(
        "Channel",
        1,
        shown.latent.values.shape[2],
        facts.telling_channel(shown.latent, row) + 1,
    )
    line = facts.line(shown.latent, channel - 1, row)
    count = len(line.values)
    said, start = [], 0
    for size, distance in line.symbols:
        content = " ".join(map(str, line.values[start : start + size].tolist()))
        said.append(f":orange-background[{content}]" if distance else content)
        start += size
    right.markdown(
        f"**LZ77** packs the {count} integers of this channel in the row of the square into "
        f"{len(line.stream)} bytes. What is coloured repeats what stood before, {line.repeats} times "
        "here: " + " · ".join(said)
    )
    counts = dict(zip(*(a.tolist() for a in np.unique(line.values, return_counts=True))))
    figures.drawing(diagrams.huffman_tree(line.code, counts), "huffman-tree")
    st.caption(
        f"**Huffman.** A code made for this line needs {line.coded_bits} bits, "
        f"{line.coded_bits / count:.2f} an integer; the entropy is {line.entropy / count:.2f}. Left is "
        "0 and right is 1; below each integer stands how often it occurs."
    )


def noise(shown: Subject) -> None:
    left, right = st.columns([1, 5], gap="medium")
    sigma = left.slider(
        "Noise level σ",
        0.0,
        0.35,
        0.1,
        0.01,
        key="sigma",
        bind="query-params",
        help="Standard deviation, as a share of full range.",
    )
    noisy = experiments.run(shown, experiments.with_noise, sigma)
    versions = [
        ("Noisy", noisy.rgb, ""),
        ("File of the noisy picture", noisy.kept, f"{noisy.kept_bytes:,} bytes"),
        ("Noise removed first", noisy.cleaned, f"{noisy.cleaned_bytes:,} bytes"),
    ]
    around = [
        Plate(
            cut(rgb, *shown.square, across=4, down=1),
            f"Enlarged · {label.lower()}",
            f"The square and its neighbours: {label.lower()}",
        )
        for label, rgb, _ in versions
    ]
    with right:
        figures.plates(
            [against(shown, rgb, label, more) for label, rgb, more in versions], "noise", width=200
        )
        figures.plates(around, "noisy-square", width=200, blocks=True)


SCREENS = {
    "Pipeline": {"": pipeline},
    "Units": {"A convolution": convolution, "The two networks": networks},
    "Latent": {"Touch a square": touch, "Channels": channels},
    "Bytes": {"The ledger": bytes_ledger, "Deflate": deflate},
    "Noise": {"": noise},
    "Training": {"": train},
    "Limits": {"": limits},
}
"""Step → its views by name, functions of the subject; a single view needs no name."""


def show(step: str, shown: Subject) -> None:
    """Draw a step: its views as tabs, of which only the open one is computed."""
    views = SCREENS[step]
    if "" in views:
        views[""](shown)
        return
    for tab, view in zip(st.tabs(list(views), key=step.lower(), bind="query-params"), views):
        if tab.open:
            with tab:
                views[view](shown)
