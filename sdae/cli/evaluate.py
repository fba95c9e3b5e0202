"""``sdae evaluate``: measure this codec and the others on sets of pictures."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from sdae import weights
from sdae.cli.arguments import add_measuring
from sdae.measuring import evaluation, kodak, noise_study, peers
from sdae.measuring.evaluation import Selection
from sdae.measuring.results import OURS, Results
from sdae.pictures.reading import ImageError


def add_arguments(parser) -> None:
    """The options of ``sdae evaluate``."""
    add_measuring(parser, jobs=os.cpu_count())
    parser.add_argument("--sets", nargs="+", default=list(kodak.SETS), help="sets, or folders")
    parser.add_argument(
        "--codecs",
        nargs="+",
        default=[OURS, *peers.PEERS],
        help=f"any of {OURS}, {', '.join(peers.PEERS)}",
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
        choices=("all", *noise_study.PARTS, "standard"),
        help="the noise study instead, or the part of it that is named; standard: by the protocol "
        "of the literature (see sdae.measuring.noise_study)",
    )


def run(args) -> int:
    """Measure what is missing, write the results and print the tables. Returns an exit code."""
    place = weights.folder(args.weights)
    unknown = [name for name in args.codecs if name not in (OURS, *peers.PEERS)]
    if unknown:
        print(f"There is no codec {', '.join(unknown)}.", file=sys.stderr)
        return 2
    results = Results.of(place, args.results)
    if args.noise:
        measure = noise_study.measure
        parts = noise_study.PARTS if args.noise == "all" else (args.noise,)
    else:
        measure, parts = evaluation.measure, args.codecs
    try:
        for name in [] if args.show else args.sets:
            selection = Selection(name, args.kodak, args.stride, args.jobs, args.dask)
            for part in parts:
                measure(results, part, selection, place, args.qualities, args.peer_effort)
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
        if args.noise == "standard":
            print(noise_study.standard(results, name))
        elif args.noise:
            print(noise_study.tables(results.noise(name), Path(name).name))
        else:
            print(evaluation.table(results, name), end="\n\n")
    return 0
