"""``sdae claims``: lay the original work's numbers beside what is measured here."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from sdae.measuring import claims, kodak
from sdae.measuring.evaluation import chosen, spread
from sdae.measuring.results import Results
from sdae.model import weights
from sdae.progress import progress


def add_arguments(parser) -> None:
    """The options of ``sdae claims``."""
    parser.add_argument("--weights", help="name or folder of the weights (default: the shipped)")
    parser.add_argument("--sets", nargs="+", default=[claims.SET],
                        choices=("kodak-thumb", "kodak-128"),
                        help=f"sets at 128×128 (default: {claims.SET})")
    parser.add_argument("--kodak", help="folder of the Kodak pictures (default: SDAE_KODAK)")
    parser.add_argument("--stride", type=int, default=1,
                        help="measure only every so many pictures of a set")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--results", help="folder for the results (default: that of the weights)")
    parser.add_argument("--show", action="store_true", help="only print what is measured already")


def run(args) -> int:
    """Measure, write ``results/claims.json`` and print the table. Returns an exit code."""
    place = weights.folder(args.weights)
    card = weights.read_card(place)
    results = Results(Path(args.results or place), card["sha256"])
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
    print(claims.markdown(claims.comparison(results, card)))
    return 0
