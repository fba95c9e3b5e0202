"""Training: the loop, its schedule and its checkpoints.

The learning rate is constant for most of a training and falls at the end. What is validated and stored
is the exponential moving average of the weights. The length of a training is a number of crops, not a
time, so that the same command gives the same weights on any machine of one kind.
"""

import io
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from sdae import weights
from sdae.network.config import STRIDE, Config
from sdae.network.plan import SAMPLES
from sdae.progress import progress, say
from sdae.training import photographs, training_record
from sdae.training.arithmetic import compute
from sdae.training.autoencoder import assign, variables
from sdae.training.layers import space_to_depth
from sdae.training.loss import make_batch, trainable_model, validated, validation_batches
from sdae.training.optimisation import averaged, compiled, finite, losses, share_of_rate
from sdae.training.transforms import karhunen_loeve

_RISE = 200
# Steps until the learning rate is reached, in each run.


@dataclass(frozen=True)
class Options:
    """What a training is told; the card of its weights records all of it.

    Attributes:
        crops: length of the whole training.
        batch, crop: crops a step, and their side in pixels, a multiple of 64.
        steps: steps between two validations, each of which saves the state.
        rate, flat: highest learning rate, and for which share of the training it is constant.
        average: momentum of the moving average of the weights, a step.
        ssim_weight: weight of 1 − SSIM beside the squared error on the 0–255 scale.
        seed: of all randomness.
    """

    crops: int = 100_000
    batch: int = 4
    crop: int = 192
    steps: int = 250
    rate: float = 3e-4
    flat: float = 0.9
    average: float = 0.998
    ssim_weight: float = 30.0
    seed: int = 1


class Trainer:
    """One training: model, data, schedule and the files it writes.

    Args:
        options: see there.
        pictures, validation: lists of RGB images, to train on and to validate on.
        output: folder for weights, card and loss curve.
        checkpoint: file of the state; where it exists, the training goes on from it.
        start: name or folder of weights to begin with, or None.
        about: further entries of the card.
        config: hyper-parameters of the network.

    Raises:
        WeightsError: the weights to start with, or the checkpoint, do not fit the network.
    """

    def __init__(
        self, options, pictures, validation, output, checkpoint, start=None, about=None, config=None
    ):
        self.options, self.pictures, self.about = options, pictures, about or {}
        self.output, self.checkpoint = Path(output), Path(checkpoint)
        self.config = config or Config()
        keras.utils.set_random_seed(options.seed)
        rng = np.random.default_rng(options.seed)
        blocks = photographs.crops(pictures, 2000, 64, rng).astype("float32") / 255 - 0.5
        blocks = ops.convert_to_numpy(space_to_depth(blocks, STRIDE)).reshape(-1, SAMPLES)
        start_from = karhunen_loeve(blocks, self.config.latent_channels)
        self.model = trainable_model(self.config, *start_from, compute(), options.ssim_weight)
        self.optimizer = compiled(self.model, options.rate, options.average)
        self.trained = self.model.trainable_variables
        self.validation = validation_batches(validation, 128)
        self.history, self.before = [], []
        self.seconds, self.started = 0.0, time.monotonic()
        if self.checkpoint.exists():
            self._resume()
        elif start:
            place = weights.folder(start)
            arrays, card = weights.read(place)
            self.model.restore(arrays)
            self.before = training_record.lines(place)
            say(f"begun with {card['sha256'][:8]}", sys.stderr)

    @property
    def crops(self) -> int:
        """Crops that were learned from so far."""
        return self.history[-1]["images"] if self.history else 0

    @property
    def finished(self) -> bool:
        return self.crops >= self.options.crops

    def run(self, stop_after: float | None = None) -> None:
        """Train until the end, or for so many minutes.

        What was learned since the last validation is lost when it stops before the next.

        Raises:
            TrainingError: a loss is no number; the last state that was saved is a good one.
        """
        begun = time.monotonic()
        while not self.finished:
            self._epoch()
            if stop_after is not None and time.monotonic() - begun > 60 * stop_after:
                break

    def _epoch(self):
        options, done = self.options, []
        rng = np.random.default_rng((options.seed, len(self.history)))

        def batches():
            for _ in range(options.steps):
                yield make_batch(
                    photographs.crops(self.pictures, options.batch, options.crop, rng), rng
                )

        def rate(step):
            share = (self.crops + options.batch * len(done)) / options.crops
            return options.rate * share_of_rate(step, share, _RISE, options.flat)

        label = f"epoch {len(self.history) + 1}"
        with progress(label=label, total=options.steps * options.batch, unit="image") as bar:
            for loss in losses(self.model, batches(), rate):
                done.append(loss)
                bar.update(options.batch)
        row = {
            "epoch": len(self.history) + 1,
            "minutes": round(self._elapsed() / 60, 2),
            "learning_rate": float(f"{float(self.optimizer.learning_rate):.3g}"),
            "crop": options.crop,
            "images": self.crops + len(done) * options.batch,
            "loss": round(float(np.mean(done)), 5),
        }
        with averaged(self.optimizer, self.trained):
            row |= validated(self.model, self.validation)
            finite(row["validation_loss"])
            self.history.append(row)
            self._save()
        say("  ".join(f"{k} {v}" for k, v in row.items()), sys.stderr)

    def _elapsed(self):
        return self.seconds + time.monotonic() - self.started

    def card(self) -> dict:
        """What the weights are, for card.json."""
        return {
            "config": self.config.to_dict(),
            "parameters": self.model.parameters(),
            "training": asdict(self.options),
            **self.about,
            "backend": keras.backend.backend(),
            "keras": keras.__version__,
            "epochs": len(self.history),
            "minutes": round(self._elapsed() / 60, 1),
            "images": self.crops,
            "validation": self.history[-1],
        }

    def _save(self):
        state = {
            f"model/{name}": weights.halved(ops.convert_to_numpy(v))
            for name, v in variables(self.model).items()
        }
        note = {"history": self.history, "before": self.before, "seconds": self._elapsed()}
        state["note"] = np.frombuffer(json.dumps(note).encode(), "uint8")
        target = io.BytesIO()
        np.savez_compressed(target, **state)
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        weights.replace(self.checkpoint, target.getvalue())
        arrays = {name: weights.halved(v) for name, v in self.model.stored().items()}
        weights.write(self.output, arrays, self.card())
        for name, rows in (("loss.csv", self.history), ("history.csv", self.before)):
            if rows:
                weights.replace(self.output / name, training_record.in_bytes(rows))

    def _resume(self):
        with np.load(self.checkpoint, allow_pickle=False) as state:
            note = json.loads(state["note"].tobytes())
            self.history, self.seconds = note["history"], note["seconds"]
            self.before = note["before"]
            stored = {k.removeprefix("model/"): state[k] for k in state.files if k != "note"}
            assign(variables(self.model), stored)
        say(f"resumed after epoch {len(self.history)}", sys.stderr)
        if self.finished:  # it may have ended between the weights and their card
            self._save()
