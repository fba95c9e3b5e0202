"""``sdae train-denoiser``: train the network that removes noise."""

from pathlib import Path

from sdae.cli import arguments
from sdae.cli.job import Refused


def add_arguments(parser) -> None:
    """The options of ``sdae train-denoiser``; begins with the denoiser that ships unless told."""
    arguments.add_training(parser, crops=50_000, batch=8, side=128)


def run(args) -> int:
    """Train it and write it. Returns an exit code."""
    from sdae import weights
    from sdae.training import denoiser, photographs

    try:
        weights.may_write(Path(args.output), args.force)
        start = Path(args.start) if args.start else weights.folder() / weights.DENOISER
        training, validation = photographs.parted(args.photos, args.validation, args.seed)
        options = args.crops, args.batch, args.crop, args.rate, args.seed
        denoiser.fit(start, training, validation, Path(args.output), *options)
        return 0
    except (FileNotFoundError, weights.WeightsError) as error:
        raise Refused(str(error)) from error
