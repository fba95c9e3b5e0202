"""``sdae claims``: lay the original work's numbers beside what is measured here."""

from __future__ import annotations

import sys
from functools import partial

from sdae import weights
from sdae.cli.arguments import add_measuring
from sdae.measuring import claims, kodak
from sdae.measuring.evaluation import Selection
from sdae.measuring.results import Results


def add_arguments(parser) -> None:
    """The options of ``sdae claims``."""
    add_measuring(parser, jobs=2)


def run(args) -> int:
    """Measure, write ``results/claims.json`` and print the table. Returns an exit code."""
    place = weights.folder(args.weights)
    results = Results.of(place, args.results)
    if not args.show:
        selection = Selection(claims.SET, args.kodak, args.stride, args.jobs)
        rows, files = {}, []
        try:
            for name, (row, data) in selection.measured(partial(_measure, place), (), "claims"):
                rows[name] = row
                files.append(data)
        except kodak.KodakError as error:
            print(error, file=sys.stderr)
            return 2
        # Times last, when no other process works.
        seconds = claims.times(place, files)
        results.store_claims(claims.SET, {"pictures": rows, "seconds": seconds})
    print(claims.markdown(claims.comparison(results, weights.read_card(place))))
    return 0


def _measure(place, item):
    return claims.measure(place, item[1])
