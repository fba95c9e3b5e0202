"""``sdae train-denoiser``: train the network that removes noise."""

from pathlib import Path

from sdae.cli import arguments
from sdae.cli.arguments import number
from sdae.cli.job import Refused


def add_arguments(parser) -> None:
    """The options of ``sdae train-denoiser``; begins with the denoiser that ships unless told."""
    arguments.add_training(parser, crops=50_000, batch=8, side=128)
    about = "minutes at most"
    parser.add_argument("--minutes", type=number(float, 0), help=about)


def run(args) -> int:
    """Train it and write it. Returns an exit code."""
    from sdae import weights
    from sdae.errors import TrainingError
    from sdae.training import denoiser, photographs

    try:
        output = Path(args.output)
        weights.may_write(output, args.force)
        start = Path(args.start) if args.start else weights.folder() / weights.DENOISER
        training, validation = photographs.parted(args.photos, args.validation, args.seed)
        options = args.crops, args.minutes, args.batch, args.crop, args.rate, args.seed
        denoiser.fit(start, training, validation, output, *options)
        return 0
    except (FileNotFoundError, TrainingError, weights.WeightsError) as error:
        raise Refused(str(error)) from error
