"""``sdae evaluate``: measure this codec and the others on sets of pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import sdae
from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.cli.job import Refused
from sdae.measuring import evaluation, kodak, noise_study, peers
from sdae.measuring.results import OURS, Results
from sdae.pictures.reading import ImageError


def add_arguments(parser) -> None:
    """The options of ``sdae evaluate``."""
    names = [OURS, *peers.PEERS]
    parser.add_argument("--sets", nargs="+", default=list(kodak.SETS), help="sets, or folders")
    parser.add_argument(
        "--codecs", nargs="+", choices=names, default=names, help=f"any of {', '.join(names)}"
    )
    parser.add_argument(
        "--stride", type=int, default=1, help="measure only every so many pictures of a set"
    )
    parser.add_argument("--results", help="folder for the results (default: that of the weights)")
    parser.add_argument("--show", action="store_true", help="only print what is measured already")
    about = "noise removal instead: our own study, the literature's protocol, or a camera's noise"
    parser.add_argument(
        "--noise", nargs="?", const="study", choices=("study", "standard", "camera"), help=about
    )
    add_weights(parser)


def run(args) -> int:
    """Measure what is missing, write the results and print the tables. Returns an exit code."""
    place = weights.folder(args.weights)
    results = Results.of(place, args.results)
    study, works = _works(args, cache(partial(sdae.load, place)))
    try:
        for name in [] if args.show else args.sets:
            for part, work in works.items():
                evaluation.measure(results, name, study, part, work, args.stride)
    except (kodak.KodakError, FileNotFoundError, ImageError) as error:
        raise Refused(str(error)) from error
    for name in args.sets if not args.noise else ():
        print(evaluation.table(results, Path(name).name), end="\n\n")
    return 0


def _works(args, codec: Callable) -> tuple[str, dict[str, Callable]]:
    """What the results are kept under, and who is measured → work on a picture's name and pixels."""

    def ours(measure):
        return lambda *picture: measure(codec(), *picture)

    if args.noise == "standard":
        return "standard-noise-", {OURS: ours(noise_study.measure_standard)}
    if args.noise == "camera":
        return "camera-noise-", {OURS: ours(noise_study.measure_camera)}
    if args.noise:
        works = {OURS: ours(noise_study.measure_ours), "classical": noise_study.measure_classical}
        return "noise-", works
    works = {name: partial(evaluation.measure_peer, name) for name in args.codecs}
    return "", works | ({OURS: ours(evaluation.measure_ours)} if OURS in works else {})
