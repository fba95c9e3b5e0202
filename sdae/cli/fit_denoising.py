"""``sdae fit-denoising``: train what noisy pictures pass in place of the network of clean ones."""

import sys

from sdae.cli.arguments import number


def add_arguments(parser) -> None:
    """The options of ``sdae fit-denoising``."""
    parser.add_argument("photos", nargs="+", help="folders of training photographs")
    parser.add_argument("--weights", required=True, help="weights folder to change")
    parser.add_argument("--validation", required=True, help="folder to measure on")
    parser.add_argument("--start", help="name or folder of earlier weights, to begin with theirs")
    parser.add_argument(
        "--minutes",
        type=number(float, 0),
        default=30,
        help="length in minutes; 0 only takes over what --start names",
    )
    parser.add_argument("--batch", type=number(int, 1), default=8, help="crops a step")
    parser.add_argument(
        "--crop", type=number(int, 8), default=128, help="side of a crop, a multiple of 8"
    )
    parser.add_argument("--rate", type=float, default=3e-4, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)


def run(args) -> int:
    """Train it and store it with the weights. Returns an exit code."""
    from sdae import weights
    from sdae.training import photographs

    try:
        place = weights.folder(args.weights)
        arrays, card = weights.read(place)
        paths, validation = (
            photographs.photographs(folders) for folders in (args.photos, [args.validation])
        )
        from sdae.training import noise_removal

        if args.start:
            earlier, its = weights.read(weights.folder(args.start))
            card |= {k: v for k, v in its.items() if k == "noise_removal"}
            arrays = noise_removal.taken_over(arrays, earlier, card["config"])
        options = args.minutes, args.batch, args.crop, args.rate, args.seed
        found = noise_removal.fit(arrays, card, paths, validation, *options)
    except (FileNotFoundError, weights.WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    weights.write(place, *found)
    return 0
