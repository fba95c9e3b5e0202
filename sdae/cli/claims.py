"""``sdae claims``: lay the original work's numbers beside what is measured here."""

from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.measuring import claims
from sdae.measuring.results import Results


def add_arguments(parser) -> None:
    """The options of ``sdae claims``."""
    add_weights(parser)
    parser.add_argument("--results", help="folder of the results (default: that of the weights)")


def run(args) -> int:
    """Print the table. Returns an exit code."""
    place = weights.folder(args.weights)
    results = Results.of(place, args.results)
    print(claims.markdown(claims.comparison(results, weights.read_card(place))))
    return 0
