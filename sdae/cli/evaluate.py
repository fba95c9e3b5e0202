"""``sdae evaluate``: measure this codec and the others on sets of pictures."""

from __future__ import annotations

import sys
from functools import cache, partial
from pathlib import Path

import sdae
from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.measuring import evaluation, kodak, noise_study, peers
from sdae.measuring.evaluation import Selection
from sdae.measuring.results import OURS, Results
from sdae.pictures.reading import ImageError


def add_arguments(parser) -> None:
    """The options of ``sdae evaluate``."""
    names = [OURS, *peers.PEERS]
    parser.add_argument("--sets", nargs="+", default=list(kodak.SETS), help="sets, or folders")
    parser.add_argument(
        "--codecs", nargs="+", choices=names, default=names, help=f"any of {', '.join(names)}"
    )
    parser.add_argument("--kodak", help="folder of the Kodak pictures (default: SDAE_KODAK)")
    parser.add_argument(
        "--stride", type=int, default=1, help="measure only every so many pictures of a set"
    )
    parser.add_argument("--results", help="folder for the results (default: that of the weights)")
    parser.add_argument("--show", action="store_true", help="only print what is measured already")
    parser.add_argument(
        "--noise",
        nargs="?",
        const="all",
        choices=("all", *noise_study.PARTS),
        help="the noise study instead, or the part of it that is named",
    )
    add_weights(parser)


def run(args) -> int:
    """Measure what is missing, write the results and print the tables. Returns an exit code."""
    place = weights.folder(args.weights)
    results = Results.of(place, args.results)
    measure, parts = evaluation.measure, args.codecs
    if args.noise:
        measure = noise_study.measure
        parts = noise_study.PARTS if args.noise == "all" else (args.noise,)
    codec = cache(partial(sdae.load, place))
    try:
        for name in [] if args.show else args.sets:
            for part in parts:
                measure(results, part, Selection(name, args.kodak, args.stride), codec)
    except ModuleNotFoundError as error:
        print(
            f"{error.name} is missing; install what requirements-test.txt lists.", file=sys.stderr
        )
        return 2
    except (kodak.KodakError, FileNotFoundError, ImageError) as error:
        print(error, file=sys.stderr)
        return 2
    for name in args.sets if not args.noise else ():
        print(evaluation.table(results, Path(name).name), end="\n\n")
    return 0
