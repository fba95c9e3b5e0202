"""``sdae train``: photographs → weights."""

import sys
from dataclasses import fields
from pathlib import Path

from sdae.cli import arguments
from sdae.cli.arguments import number
from sdae.cli.job import Refused


def add_arguments(parser) -> None:
    """The options of ``sdae train``; imports nothing heavy."""
    arguments.add_training(parser, crops=100_000, batch=4, side=192)
    parser.add_argument("--checkpoint", help="file of the state (default: OUTPUT/checkpoint.npz)")
    parser.add_argument("--stop-after", type=number(float, 0), help="minutes of this run at most")
    parser.add_argument(
        "--steps", type=number(int, 1), default=250, help="steps between validations, which save"
    )
    share = "share of the training at the highest rate"
    parser.add_argument("--flat", type=number(float, 0, 1), default=0.9, help=share)
    contexts = parser.add_argument_group("the context tables and the decoder, fitted at the end")
    contexts.add_argument("--context-crops", type=number(int, 1), default=3000)
    contexts.add_argument("--context-steps", type=number(int, 0), default=3000)
    contexts.add_argument("--decoder-steps", type=number(int, 0), default=1500)


def run(args) -> int:
    """Train as the options say; resumes where the checkpoint stands. Returns an exit code."""
    from sdae import weights
    from sdae.errors import TrainingError
    from sdae.training import context_tables, photographs
    from sdae.training.loop import Options, Trainer

    output = Path(args.output)
    checkpoint = Path(args.checkpoint or output / "checkpoint.npz")
    try:
        weights.may_write(output, args.force or checkpoint.exists())
        if (output / "card.json").exists() and weights.read_card(output).get("finished"):
            print("This training is finished; nothing was written.", file=sys.stderr)
            return 0
        output.mkdir(parents=True, exist_ok=True)
        training, validation = photographs.parted(args.photos, args.validation, args.seed)
        print(f"reading {len(training) + len(validation)} photographs", file=sys.stderr)
        options = Options(**{f.name: getattr(args, f.name, f.default) for f in fields(Options)})
        about = {
            "start": args.start and Path(args.start).name,
            "photographs": [Path(folder).name for folder in args.photos],
        }
        pictures = [photographs.load(paths) for paths in (training, validation)]
        trainer = Trainer(options, *pictures, output, checkpoint, args.start, about)
        trainer.run(args.stop_after)
        if trainer.finished:
            fitted = args.context_crops, args.context_steps, args.decoder_steps, args.seed
            arrays, card = context_tables.fit(*weights.read(output), pictures[0], *fitted)
            weights.write(output, arrays, card | {"finished": True})
        return 0
    except (FileNotFoundError, TrainingError, weights.WeightsError) as error:
        raise Refused(str(error)) from error
