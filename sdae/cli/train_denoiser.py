"""``sdae train-denoiser``: train the network that removes noise."""

from pathlib import Path

from sdae.cli.arguments import number
from sdae.cli.job import Refused


def add_arguments(parser) -> None:
    """The options of ``sdae train-denoiser``."""
    parser.add_argument("photos", nargs="+", help="folders of training photographs")
    parser.add_argument("--validation", help="folder to measure on (default: 20 %% of photos)")
    parser.add_argument("--output", required=True, help="folder for the denoiser")
    parser.add_argument("--force", action="store_true", help="write into a folder of other weights")
    parser.add_argument(
        "--start", help="folder of a denoiser, or of a codec, to begin with (default: the shipped)"
    )
    parser.add_argument("--crops", type=number(int, 1), default=50_000, help="length")
    parser.add_argument("--minutes", type=number(float, 0), help="length at most")
    parser.add_argument("--batch", type=number(int, 1), default=8, help="crops a step")
    parser.add_argument(
        "--crop", type=number(int, 8), default=128, help="side of a crop, a multiple of 8"
    )
    parser.add_argument("--rate", type=number(float, 0), default=3e-4, help="highest learning rate")
    parser.add_argument("--seed", type=number(int, 0), default=1)


def run(args) -> int:
    """Train it and write it. Returns an exit code."""
    from sdae import weights
    from sdae.errors import TrainingError
    from sdae.training import denoiser, photographs

    if args.crop % 8:
        raise Refused("The side of a crop must be a multiple of 8 pixels.")
    try:
        output = Path(args.output)
        weights.may_write(output, args.force or (output / "checkpoint.npz").exists())
        start = Path(args.start) if args.start else weights.folder() / weights.DENOISER
        training, validation = photographs.parted(args.photos, args.validation, args.seed)
        options = args.crops, args.minutes, args.batch, args.crop, args.rate, args.seed
        denoiser.fit(start, training, validation, output, *options)
        return 0
    except (FileNotFoundError, TrainingError, weights.WeightsError) as error:
        raise Refused(str(error)) from error
