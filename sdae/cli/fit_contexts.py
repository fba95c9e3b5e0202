"""``sdae fit-contexts``: fit the context tables of trained weights."""

import sys


def add_arguments(parser) -> None:
    """The options of ``sdae fit-contexts``."""
    parser.add_argument("photos", nargs="+", help="folders of training photographs")
    parser.add_argument("--weights", required=True, help="weights folder to change")
    parser.add_argument("--crops", type=int, default=1500, help="crops of 192×192 to fit on")
    parser.add_argument("--seconds", type=float, default=600, help="time to refit predictions")
    parser.add_argument("--seed", type=int, default=1)


def run(args) -> int:
    """Fit the context tables and store them with the weights. Returns an exit code."""
    from sdae import weights
    from sdae.training import photographs

    try:
        place = weights.folder(args.weights)
        arrays, card = weights.read(place)
        paths = photographs.photographs(args.photos)
        from sdae.training import context_tables

        found = context_tables.fit(arrays, card, paths, args.crops, args.seconds, args.seed)
    except (FileNotFoundError, weights.WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    weights.write(place, *found)
    return 0
