"""Ablations: ``sdae ablations``, one change at a time under equal training.

Every variant sees the same number of pixels in the same order and is judged on the same
validation crops at the same five qualities; validation is on clean crops but for
``denoised_psnr``; minutes are of processor time. Trainings this short tell which choices are
clearly wrong, not how good the right ones become.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

from sdae.training import loop

COLUMNS = "variant changes images minutes validation_loss denoised_psnr".split()

VARIANTS = {
    "shipped configuration": {},
    "latent at 1/4, 48 channels": {
        "widths": (48, 128),
        "latent_channels": 48,
        "groups": (3, 3, 6, 12, 24),
    },
    "latent at 1/16, 320 channels": {
        "widths": (48, 96, 128, 128),
        "latent_channels": 320,
        "groups": (6, 6, 12, 24, 48, 96, 128),
    },
    "latent of 96 channels": {"latent_channels": 96, "groups": (3, 3, 6, 12, 24, 48)},
    "first group of 2 channels": {"groups": (2, 4, 6, 12, 24, 48, 64)},
    "first group of 6 channels": {"groups": (6, 6, 12, 24, 48, 64)},
    "three channel groups": {"groups": (12, 36, 112)},
    "overlap in 8 channels only": {"overlapped": 8},
    "wide and shallow": {"widths": (48, 96, 176), "analysis_blocks": 1, "synthesis_blocks": 1},
    "narrow and deep": {"widths": (48, 96, 104), "analysis_blocks": 4, "synthesis_blocks": 5},
    "half the widths": {"widths": (24, 48, 64)},
    "no Karhunen–Loève start": {"start": "random"},
    "no linear paths": {"start": "zero"},
    "ReLU in place of PReLU": {"slope": 0.0},
    "more of the low qualities": {"low": 1.5},
    "crops of 128 pixels": {"crop": 128, "batch": 8},
    "clean crops only": {"noisy": 0.0},
    "half of the crops noisy": {"noisy": 0.5},
    "blind to the noise level": {"told": False},
    "no SSIM in the loss": {"ssim_weight": 0.0},
    "more SSIM in the loss": {"ssim_weight": 100.0},
    "weights of the last step": {"average": 0.0},
    "loss of noisy crops as it is": {"noise_weight": 0.0},
    "no depthwise blocks at 1/8": {"analysis_depthwise": 0, "synthesis_depthwise": 0},
    "up-sampling to the full resolution": {"fine_blocks": None},
    "half the learning rate": {"rate": 2e-4},
    "twice the learning rate": {"rate": 8e-4},
}
"""Name → what differs: fields of `sdae.network.config.Config`, options of ``sdae train``, and: of both
transforms' linear path the start (zero: it stays there); the slope below zero, for good; the power
to which drawn quality positions are raised once more; whether the network is told the noise level."""


def add_arguments(parser) -> None:
    """The options of ``sdae ablations``."""
    parser.add_argument("photos", nargs="+", help="folders of photographs to train on")
    parser.add_argument("--validation", required=True, help="folder to validate on")
    parser.add_argument(
        "--table",
        required=True,
        type=Path,
        help="CSV file of the results; variants that it holds are not run again",
    )
    parser.add_argument(
        "--variants",
        nargs="+",
        choices=list(VARIANTS),
        metavar="NAME",
        default=list(VARIANTS),
        help="variants to run (default: all)",
    )
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=60, help="steps an epoch, 32 crops of 64×64")


def run(args) -> int:
    """Train the variants that the table lacks and add them. Returns an exit code."""
    from sdae.training import photographs

    try:
        pictures = photographs.load(photographs.photographs(args.photos))
        validation = photographs.load(photographs.photographs([args.validation]))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    rows = list(csv.DictReader(args.table.open(encoding="utf-8"))) if args.table.exists() else []
    for name in args.variants:
        if name not in [row["variant"] for row in rows]:
            rows.append(measure(name, args, pictures, validation))
            with args.table.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    return 0


def measure(name: str, args, pictures, validation) -> dict:
    """One variant trained from the beginning: its row of the table."""
    import argparse
    import tempfile
    from dataclasses import fields

    import keras

    from sdae.network.config import Config

    changes = VARIANTS[name]
    keras.utils.set_random_seed(1)
    parser = argparse.ArgumentParser()
    loop.add_arguments(parser)
    config = Config(**{k: v for k, v in changes.items() if k in {f.name for f in fields(Config)}})
    with tempfile.TemporaryDirectory() as folder:
        options = parser.parse_args([*args.photos, "--output", folder])
        options.epochs = args.epochs
        options.steps = args.steps
        options.crop = 64
        options.flat = 0.0
        vars(options).update(changes, start=None)
        options.late_crop = options.crop
        kind = next((kind for key, kind in _TRAINERS.items() if key in changes), loop.Trainer)
        trainer = kind(options, pictures, validation, config)
        if "start" in changes:
            _begin(trainer.model, changes["start"])
        if "slope" in changes:
            _freeze(trainer.model, "alpha", changes["slope"])
        begun = time.process_time()
        trainer.run()
    last = trainer.history[-1]
    return {
        "variant": name,
        "changes": " ".join(f"{k}={v}".replace(" ", "") for k, v in changes.items()),
        "images": last["images"] * options.crop**2 // 64**2,
        "minutes": round((time.process_time() - begun) / 60, 1),
        "validation_loss": last["validation_loss"],
        "denoised_psnr": last["denoised_psnr"],
    }


class _Blind(loop.Trainer):
    """A training whose network never learns how noisy its input is."""

    def __init__(self, *args):
        super().__init__(*args)
        for batches in self.validation.values():
            for inputs, _ in batches:
                inputs["sigma"] = 0 * inputs["sigma"]

    def batch(self, clean, rng):
        inputs, target = super().batch(clean, rng)
        return {**inputs, "sigma": 0 * inputs["sigma"]}, target


class _Low(loop.Trainer):
    """A training that draws low qualities more often."""

    def batch(self, clean, rng):
        inputs, target = super().batch(clean, rng)
        return {**inputs, "t": inputs["t"] ** self.args.low}, target


_TRAINERS = {"told": _Blind, "low": _Low}


def _begin(model, start) -> None:
    """Zero or random orthogonal linear paths in place of the Karhunen–Loève transform."""
    import numpy as np

    from sdae.network.config import LINEAR_STEP

    if start == "zero":
        for transform in (model.analysis, model.synthesis):
            _freeze(transform.linear, "kernel", 0)
            _freeze(transform.linear, "around", 0)
        return
    analysis, synthesis = model.analysis.linear.kernel, model.synthesis.linear.kernel
    square = np.random.default_rng(1).standard_normal((max(analysis.shape),) * 2)
    basis = np.linalg.qr(square)[0][:, : analysis.shape[1]] / LINEAR_STEP
    analysis.assign(basis)
    synthesis.assign(basis.T)


def _freeze(layer, name, value) -> None:
    """All weights of this name in a layer stay at a value."""
    import numpy as np

    for variable in layer.weights:
        if variable.path.endswith("/" + name):
            variable.assign(np.full(variable.shape, value))
            variable.trainable = False
