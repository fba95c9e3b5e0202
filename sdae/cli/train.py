"""``sdae train``: photographs → weights."""

import sys
from dataclasses import fields
from pathlib import Path

from sdae.cli.arguments import number
from sdae.cli.job import Refused


def add_arguments(parser) -> None:
    """The options of ``sdae train``; imports nothing heavy."""
    parser.add_argument("photos", nargs="+", help="folders of photographs to train on")
    parser.add_argument("--validation", help="folder to validate on (default: 20 %% of photos)")
    parser.add_argument("--output", required=True, help="folder for weights, card and loss curve")
    parser.add_argument("--force", action="store_true", help="write into a folder of other weights")
    parser.add_argument("--start", help="name or folder of weights to begin with")
    parser.add_argument("--checkpoint", help="file of the state (default: OUTPUT/checkpoint.npz)")
    parser.add_argument("--stop-after", type=number(float, 0), help="minutes of this run at most")
    length = parser.add_argument_group("the training")
    length.add_argument(
        "--crops", type=number(int, 1), default=100_000, help="length of the whole training"
    )
    length.add_argument("--batch", type=number(int, 1), default=4, help="crops a step")
    length.add_argument(
        "--crop", type=number(int, 64), default=192, help="side of a crop, a multiple of 64"
    )
    length.add_argument(
        "--steps", type=number(int, 1), default=250, help="steps between validations, which save"
    )
    length.add_argument("--rate", type=number(float, 0), default=3e-4, help="highest learning rate")
    length.add_argument(
        "--flat",
        type=number(float, 0, 1),
        default=0.9,
        help="share of the training at the highest rate",
    )
    length.add_argument(
        "--average",
        type=number(float, 0, 1),
        default=0.998,
        help="momentum of the average of the weights",
    )
    length.add_argument(
        "--ssim-weight", type=number(float, 0), default=30.0, help="weight of 1 − SSIM"
    )
    length.add_argument("--float32", action="store_true", help="no bfloat16 in the stacks")
    length.add_argument("--seed", type=number(int, 0), default=1)
    contexts = parser.add_argument_group("the context tables, fitted at the end")
    contexts.add_argument("--context-crops", type=number(int, 1), default=3000)
    contexts.add_argument("--context-steps", type=number(int, 0), default=3000)


def run(args) -> int:
    """Train as the options say; resumes where the checkpoint stands. Returns an exit code."""
    from sdae import weights
    from sdae.errors import TrainingError
    from sdae.training import context_tables, photographs
    from sdae.training.loop import Options, Trainer

    output = Path(args.output)
    checkpoint = Path(args.checkpoint or output / "checkpoint.npz")
    if args.crop % 64:
        raise Refused("The side of a crop must be a multiple of 64 pixels.")
    try:
        weights.may_write(output, args.force or checkpoint.exists())
        if (output / "card.json").exists() and weights.read_card(output).get("finished"):
            print("This training is finished; nothing was written.", file=sys.stderr)
            return 0
        output.mkdir(parents=True, exist_ok=True)
        training, validation = photographs.parted(args.photos, args.validation, args.seed)
        print(f"reading {len(training) + len(validation)} photographs", file=sys.stderr)
        options = Options(**{f.name: getattr(args, f.name) for f in fields(Options)})
        about = {
            "start": args.start and Path(args.start).name,
            "photographs": [Path(folder).name for folder in args.photos],
        }
        pictures = [photographs.load(paths) for paths in (training, validation)]
        trainer = Trainer(options, *pictures, output, checkpoint, args.start, about)
        trainer.run(args.stop_after)
        if trainer.finished:
            fitted = args.context_crops, args.context_steps, args.seed
            arrays, card = context_tables.fit(*weights.read(output), pictures[0], *fitted)
            weights.write(output, arrays, card | {"finished": True})
        return 0
    except (FileNotFoundError, TrainingError, weights.WeightsError) as error:
        raise Refused(str(error)) from error
