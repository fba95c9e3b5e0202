"""``sdae evaluate``: measure this codec and the others on sets of pictures."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from sdae import weights
from sdae.cli.arguments import add_measuring
from sdae.measuring import evaluation, kodak, noise_study, peers
from sdae.measuring.results import EFFORT, OURS, Results, effort
from sdae.pictures.reading import ImageError


def add_arguments(parser) -> None:
    """The options of ``sdae evaluate``."""
    add_measuring(parser, jobs=os.cpu_count())
    parser.add_argument("--sets", nargs="+", default=list(kodak.SETS), help="sets, or folders")
    parser.add_argument(
        "--codecs",
        nargs="+",
        default=[OURS, *peers.PEERS],
        help=f"any of {OURS}, {EFFORT}1 to {EFFORT}10, {', '.join(peers.PEERS)}",
    )
    parser.add_argument(
        "--qualities",
        nargs="+",
        type=float,
        default=evaluation.QUALITIES,
        help="settings of our codec",
    )
    parser.add_argument(
        "--peer-effort", choices=peers.EFFORTS, default="slow", help="as in sdae.measuring.peers"
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="measure on the Dask cluster whose scheduler is there; start its workers with "
        "--nthreads 1, for times of one core",
    )
    parser.add_argument(
        "--noise",
        nargs="?",
        const="all",
        choices=("all", OURS, "classical"),
        help="the noise study instead, or the part of it that is named "
        "(see sdae.measuring.noise_study)",
    )


def run(args) -> int:
    """Measure what is missing, write the results and print the tables. Returns an exit code."""
    place = weights.folder(args.weights)
    unknown = [n for n in args.codecs if n not in peers.PEERS and effort(n) is None]
    if unknown:
        print(f"There is no codec {', '.join(unknown)}.", file=sys.stderr)
        return 2
    results = Results.of(place, args.results)
    if args.noise:
        study, parts = noise_study, noise_study.PARTS if args.noise == "all" else (args.noise,)
    else:
        study, parts = evaluation, args.codecs
    try:
        for name in [] if args.show else args.sets:
            for part in parts:
                study.measure(results, place, name, part, args)
    except PackageNotFoundError as error:
        print(
            f"A classical denoiser needs {error.name}; install what requirements-test.txt lists.",
            file=sys.stderr,
        )
        return 2
    except (kodak.KodakError, FileNotFoundError, ImageError) as error:
        print(error, file=sys.stderr)
        return 2
    for name in args.sets:
        if args.noise:
            print(noise_study.tables(results.noise(name), Path(name).name))
        else:
            print(evaluation.table(results, name), end="\n\n")
    return 0
