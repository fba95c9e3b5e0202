"""Training: the loop, its schedule and its checkpoints.

The learning rate is constant for most of a training and falls at the end. What is validated and stored
is the exponential moving average of the weights. The length of a training is a number of crops, not a
time, so that the same command gives the same weights on any machine of one kind.
"""

import csv
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
from sdae.coding.tables import PREFIX
from sdae.network.config import STRIDE, Config
from sdae.progress import progress, say
from sdae.threads import made_ahead
from sdae.training import photographs, training_record
from sdae.training.autoencoder import assign, variables
from sdae.training.layers import space_to_depth
from sdae.training.loss import make_batch, trainable_model, validated, validation_batches
from sdae.training.optimisation import averaged, check, compiled, share_of_rate
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
        float32: compute in float32 throughout, not in bfloat16.
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
    float32: bool = False
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
        blocks = ops.convert_to_numpy(space_to_depth(blocks, STRIDE))
        blocks = blocks.reshape(-1, blocks.shape[-1])
        start_from = karhunen_loeve(blocks, self.config.latent_channels)
        compute = "float32" if options.float32 else "mixed_bfloat16"
        self.model = trainable_model(self.config, *start_from, compute, options.ssim_weight)
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
            # What this network has beside the one that it grows from stays as it is. The context
            # tables fit each other, so all of them are taken.
            fresh = {k: v for k, v in self.model.stored().items() if not k.startswith(PREFIX)}
            fitting = {
                k: v
                for k, v in arrays.items()
                if k.startswith(PREFIX) or (k in fresh and v.shape == fresh[k].shape)
            }
            self.model.restore(fresh | fitting)
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
        rng = np.random.default_rng((self.options.seed, len(self.history)))
        begun = time.monotonic()
        losses = self._steps(rng)
        seconds, count = time.monotonic() - begun, len(losses) * self.options.batch
        row = {
            "epoch": len(self.history) + 1,
            "minutes": round(self._elapsed() / 60, 2),
            "learning_rate": float(f"{float(self.optimizer.learning_rate):.3g}"),
            "crop": self.options.crop,
            "images": self.crops + count,
            "images_per_second": round(count / seconds, 1),
            "loss": round(float(np.mean(losses)), 5),
        }
        with averaged(self.optimizer, self.trained):
            row |= validated(self.model, self.validation)
            check(row["validation_loss"])
            self.history.append(row)
            self._save()
        say("  ".join(f"{k} {v}" for k, v in row.items()), sys.stderr)

    def _steps(self, rng):
        """The steps of an epoch, each batch made while the one before is learned from; losses.

        Batches of a known size, which `fit` does not give, make TensorFlow a fifth faster.
        """
        options, losses = self.options, []

        def make():
            crops = photographs.crops(self.pictures, options.batch, options.crop, rng)
            return make_batch(crops, rng)

        label = f"epoch {len(self.history) + 1}"
        with progress(label=label, total=options.steps * options.batch, unit="image") as bar:
            for ready in made_ahead(make() for _ in range(options.steps)):
                step, count = int(self.optimizer.iterations), options.batch * len(losses)
                done = (self.crops + count) / options.crops
                share = share_of_rate(step, done, _RISE, options.flat)
                self.optimizer.learning_rate.assign(options.rate * share)
                losses.append(self.model.train_on_batch(*ready))
                check(losses[-1])
                bar.update(options.batch)
        return losses

    def _elapsed(self):
        return self.seconds + time.monotonic() - self.started

    def card(self) -> dict:
        """What the weights are, for card.json."""
        whole = training_record.counted([*self.before, *self.history])
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
            "all_runs": {
                "runs": whole[-1]["run"],
                "images": int(whole[-1]["all_images"]),
                "hours": round(whole[-1]["all_minutes"] / 60, 1),
            },
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
                table = io.StringIO()
                columns = dict.fromkeys(key for row in rows for key in row)
                writer = csv.DictWriter(table, columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
                weights.replace(self.output / name, table.getvalue().encode())

    def _resume(self):
        with np.load(self.checkpoint, allow_pickle=False) as state:
            note = json.loads(state["note"].tobytes())
            self.history, self.seconds = note["history"], note["seconds"]
            self.before, prefix = note["before"], "model/"
            named = variables(self.model)
            # What the network has come to have since the state was stored is fresh.
            fresh = {name: ops.convert_to_numpy(v) for name, v in named.items()}
            stored = {name: state[prefix + name] for name in named if prefix + name in state}
            assign(named, fresh | stored)
        say(f"resumed after epoch {len(self.history)}", sys.stderr)
        if self.finished:  # it may have ended between the weights and their card
            self._save()
