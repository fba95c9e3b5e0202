"""Benchmarks: ``sdae bench`` and ``bench coder``.

- ``codec``, which is meant where none is named: whole files (`sdae.measuring.speed`);
- ``coder``: the latent coder on Kodak (`sdae.measuring.packing`).

``--store`` keeps the figures with the results of the weights, where the documents take them from.
"""

import sdae
from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.cli.job import Refused
from sdae.measuring import kodak, packing, speed
from sdae.measuring.results import Results
from sdae.progress import progress, say

SETS = {"thumb": ("kodak-thumb", 1), "tiles": ("kodak-128", 8), "whole": ("kodak", 1)}
"""What ``coder`` measures → a set of pictures, of which one in so many is taken."""

QUALITIES = (25, 50, 75)
"""At which ``coder`` measures."""


def add_arguments(parser) -> None:
    """The options of ``sdae bench``."""
    parser.add_argument("bench", nargs="?", choices=BENCHES, default="codec")
    keep = "keep the figures with the results of the weights"
    parser.add_argument("--store", action="store_true", help=keep)
    add_weights(parser)


def run(args) -> int:
    """Run a benchmark and print its table. Returns an exit code."""
    try:
        figures = BENCHES[args.bench](args)
    except (FileNotFoundError, kodak.KodakError) as error:
        raise Refused(str(error)) from error
    if args.store:
        Results.of(weights.folder(args.weights)).store_bench(args.bench, figures)
    return 0


def codec(args) -> dict:
    """Whole files of pictures of several sizes."""
    codec, figures = sdae.load(args.weights), {}
    turns = len(speed.SIZES) * len(speed.CODECS) * (speed.ROUNDS + 1)
    with progress(label="bench", total=turns, unit="turn") as bar:
        for width, height in speed.SIZES:
            size = f"{width}×{height}"
            figures[size] = speed.measure(codec, (width, height), bar.update)
            say(f"{size}, medians of {speed.ROUNDS}")
            for line in speed.table(figures[size]):
                say("  " + line)
    return figures


def coder(args) -> dict:
    """Mean bytes of latents packed in several ways, of each of `SETS` at each of `QUALITIES`."""
    codec, figures = sdae.load(args.weights), {}
    for view, (set_name, stride) in SETS.items():
        pictures = [rgb for _, rgb in kodak.pictures(set_name)][::stride]
        figures[view] = []
        for quality in QUALITIES:
            with progress(pictures, f"{view}, quality {quality}", unit="picture") as bar:
                values = [codec.encode(rgb, quality=quality).values for rgb in bar]
            sizes = packing.coder(values, 100 * quality, codec.tables)
            say(f"{view}, quality {quality}, {len(values)} latents")
            for way, size in sizes.items():
                say(f"  {way:28}{size:12,.1f} bytes {100 * (size / sizes['zlib 9'] - 1):+8.1f} %")
            figures[view].append({"quality": quality, "latents": len(values), "bytes": sizes})
    return figures


BENCHES = {"codec": codec, "coder": coder}
"""Name of a benchmark → function of the options that runs it and returns its figures."""
