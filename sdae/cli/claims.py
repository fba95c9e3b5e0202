"""``sdae claims``: lay the original work's numbers beside what is measured here."""

from __future__ import annotations

import sys
from functools import partial

from sdae import weights
from sdae.cli.arguments import add_measuring
from sdae.measuring import claims, kodak
from sdae.measuring.evaluation import chosen, spread
from sdae.measuring.results import Results
from sdae.progress import progress


def add_arguments(parser) -> None:
    """The options of ``sdae claims``."""
    add_measuring(parser, jobs=2)
    parser.add_argument(
        "--sets",
        nargs="+",
        default=[claims.SET],
        choices=("kodak-thumb", "kodak-128"),
        help=f"sets at 128×128 (default: {claims.SET})",
    )


def run(args) -> int:
    """Measure, write ``results/claims.json`` and print the table. Returns an exit code."""
    place = weights.folder(args.weights)
    results = Results.of(place, args.results)
    for name in [] if args.show else args.sets:
        wanted, total = chosen(name, args.kodak, args.stride)
        rows, files = {}, []
        try:
            work = partial(claims.measure, place)
            with progress(label=f"claims {name}", total=total, unit="picture") as bar:
                for picture, (row, data) in spread(work, wanted, args.jobs):
                    rows[picture] = row
                    files.append(data)
                    bar.update()
        except kodak.KodakError as error:
            print(error, file=sys.stderr)
            return 2
        seconds = claims.times(place, files)
        claims.write(results, name, {"pictures": rows, "seconds": seconds})
    print(claims.markdown(claims.comparison(results, weights.read_card(place))))
    return 0
