"""``sdae bench``: time of whole files beside other codecs, see `sdae.measuring.speed`."""

import sdae
from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.measuring import speed
from sdae.measuring.results import Results
from sdae.progress import progress, say


def add_arguments(parser) -> None:
    """The options of ``sdae bench``."""
    keep = "keep the figures with the results of the weights, where the documents take them from"
    parser.add_argument("--store", action="store_true", help=keep)
    add_weights(parser)


def run(args) -> int:
    """Measure pictures of several sizes and print the tables. Returns an exit code."""
    codec, figures = sdae.load(args.weights), {}
    turns = len(speed.SIZES) * len(speed.CODECS) * (speed.ROUNDS + 1)
    with progress(label="bench", total=turns, unit="turn") as bar:
        for width, height in speed.SIZES:
            size = f"{width}×{height}"
            figures[size] = speed.measure(codec, (width, height), bar.update)
            say(f"{size}, medians of {speed.ROUNDS}")
            for line in speed.table(figures[size]):
                say("  " + line)
    if args.store:
        Results.of(weights.folder(args.weights)).store_bench("codec", figures)
    return 0
