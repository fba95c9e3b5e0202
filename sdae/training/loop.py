"""Training: the rate–distortion loss, the schedule, checkpoints.

    loss = w(λ) · (bits per pixel + λ · (MSE on the 0–255 scale + ssim_weight · (1 − SSIM)))

λ and the noise level σ are drawn for each crop. w = (λ/0.01)^−0.46 / (1 + v·σ·λ^0.54) keeps the
losses of all crops of one size: R + λ·D grows about as λ^0.46 along the curve, and noise cannot be
taken away beyond a limit, however large λ makes what is left.

The rate is constant for most of a training and falls at the end. What is validated and stored is the
exponential moving average of the weights.
"""

import csv
import io
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sdae.progress import progress
from sdae.threads import made_ahead
from sdae.training.schedule import falling

_RISE = 200
# Steps until the learning rate is reached: the moments of Adam and Muon begin at zero in each run.

_BALANCE = 0.46
_LOW = 1.25
# Low qualities are drawn more often: most pictures are kept there.

_VALIDATION_QUALITIES = (0.15, 0.3, 0.45, 0.6, 0.8)
_VALIDATION_SIGMA = 0.1
_PARTS = "analysis gains contexts synthesis".split()
_RECORDED = (
    "parts epochs minutes steps batch crop late_crop rate flat average ssim_weight noise_weight "
    "noisy sigma float32 seed"
).split()


def add_arguments(parser) -> None:
    """The options of ``sdae train``; imports nothing heavy."""
    parser.add_argument("photos", nargs="+", help="folders of photographs to train on")
    parser.add_argument("--validation", help="folder to validate on (default: 20 %% of photos)")
    parser.add_argument("--output", required=True, help="folder for weights, card and loss curve")
    parser.add_argument("--start", help="name or folder of weights to begin with")
    parser.add_argument(
        "--parts", nargs="+", choices=_PARTS, default=_PARTS, help="parts to train (default: all)"
    )
    parser.add_argument("--checkpoint", help="checkpoint file (default: OUTPUT/checkpoint.npz)")
    parser.add_argument("--epochs", type=int, default=100, help="length of the whole training")
    parser.add_argument("--minutes", type=float, help="length in minutes, instead of --epochs")
    parser.add_argument("--stop-after", type=float, help="stop this run after so many minutes")
    parser.add_argument("--steps", type=int, help="steps an epoch (default: photographs / batch)")
    parser.add_argument("--batch", type=int, default=32, help="crops a step")
    parser.add_argument("--crop", type=int, default=64, help="side of a crop in pixels")
    parser.add_argument(
        "--late-crop", type=int, default=128, help="side of a crop in the last third; same pixels"
    )
    parser.add_argument("--rate", type=float, default=4e-4, help="highest learning rate")
    parser.add_argument(
        "--flat", type=float, default=0.9, help="share of the training at the highest rate"
    )
    parser.add_argument(
        "--average",
        type=float,
        default=0.999,
        help="momentum of the average of the weights, which spans a tenth of --epochs at most",
    )
    parser.add_argument("--ssim-weight", type=float, default=20.0, help="weight of 1 − SSIM")
    parser.add_argument(
        "--noise-weight",
        type=float,
        default=150.0,
        help="the loss of a crop is divided by 1 + this · σ · λ^0.54",
    )
    parser.add_argument("--noisy", type=float, default=0.3, help="share of crops with noise")
    parser.add_argument("--sigma", type=float, default=0.35, help="highest noise level")
    parser.add_argument("--context-crops", type=int, default=1500, help="as in fit-contexts")
    parser.add_argument("--context-seconds", type=float, default=600, help="as in fit-contexts")
    parser.add_argument("--float32", action="store_true", help="no bfloat16 in the stacks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--devices",
        type=int,
        default=1,
        help="accelerators that share each batch; more than one need KERAS_BACKEND=jax",
    )


def run(args) -> int:
    """Train as the options say; resumes where the checkpoint stands. Returns an exit code."""
    from sdae.training import photographs

    try:
        paths = photographs.photographs(args.photos)
        if args.validation:
            train_paths, validation_paths = paths, photographs.photographs([args.validation])
        else:
            order = np.random.default_rng(args.seed).permutation(len(paths))
            cut = max(1, len(paths) // 5)
            validation_paths = [paths[i] for i in order[:cut]]
            train_paths = [paths[i] for i in order[cut:]]
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        distribute(args.devices, batches(args))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"reading {len(paths)} photographs", file=sys.stderr)
    try:
        pictures = [photographs.load(part) for part in (train_paths, validation_paths)]
        trainer = Trainer(args, *pictures)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    trainer.run()
    if trainer.progress() >= 1:
        fit_contexts(args, train_paths)
    return 0


def batches(args) -> tuple[int, int]:
    """Crops a step, at first and in the last third, where they are larger; same pixels."""
    return args.batch, max(1, args.batch * args.crop**2 // args.late_crop**2)


def distribute(count: int, batches: tuple[int, ...] = ()) -> None:
    """Share every batch among ``count`` devices, in all models that are made from now on.

    Data parallelism: each device has all weights and its part of the crops of a batch. Keras
    implements it on JAX alone.

    Args:
        count: 1 changes nothing.
        batches: the numbers of crops a step that there will be.

    Raises:
        ValueError: there are not so many devices, a batch cannot be divided among them, or Keras
            does not run on JAX.
    """
    if count == 1:
        return
    if any(batch % count for batch in batches):
        raise ValueError(
            f"Batches of {' and '.join(map(str, batches))} crops cannot be shared "
            f"evenly; choose --batch so that each is a multiple of {count}."
        )
    import keras

    if keras.backend.backend() != "jax":
        raise ValueError("Keras shares batches among devices on JAX only; set KERAS_BACKEND=jax.")
    devices = keras.distribution.list_devices()
    if not 1 <= count <= len(devices):
        raise ValueError(f"This machine has {len(devices)} devices; choose --devices up to that.")
    parallel = keras.distribution.DataParallel(devices=devices[:count])
    keras.distribution.set_distribution(parallel)


def fit_contexts(args, paths) -> None:
    """Complete the trained weights with buckets that fit what an encoder makes of photographs."""
    from sdae import weights
    from sdae.training import context_tables

    arrays, card = weights.read(Path(args.output))
    options = args.context_crops, args.context_seconds, args.seed
    weights.write(Path(args.output), *context_tables.fit(arrays, card, paths, *options))


def balance(lagrangian, sigma=0.0, noise_weight=0.0):
    """The weight w that makes the losses of all qualities and noise levels of one size."""
    return (lagrangian / 0.01) ** -_BALANCE / (1 + noise_weight * sigma * lagrangian**0.54)


def similarity(a, b):
    """SSIM with uniform 8×8 windows, every fourth position, mean over channels: (B,).

    Wang et al. 2004 with the cheaper window; a training loss, not the reported metric.
    """
    from keras import ops

    def blur(x):
        return ops.average_pool(x, 8, strides=4, padding="valid")

    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return ops.mean(value, axis=(1, 2, 3))


def make_batch(clean, rng, noisy, highest_sigma):
    """Crops to one batch of inputs.

    A quality position is drawn for each crop, and for the share ``noisy`` of crops a Gaussian
    noise level up to ``highest_sigma``; three in four noisy crops are clipped to [0, 1] as a file
    would be.
    """
    n = len(clean)
    clean = clean.astype("float32") / 255
    t = rng.random(n) ** _LOW
    sigma = np.where(rng.random(n) < noisy, rng.uniform(0, highest_sigma, n), 0)
    image = clean.copy()
    for k in np.flatnonzero(sigma):
        image[k] += rng.standard_normal(clean.shape[1:], "float32") * sigma[k]
        if rng.random() < 0.75:
            np.clip(image[k], 0, 1, out=image[k])
    return {"image": image, "sigma": sigma.astype("float32"), "t": t.astype("float32")}, clean


def validation_batches(pictures, side, rng, batch=32):
    """The same crops at fixed qualities: lists of (inputs, clean) by the figure that they give,
    for the photographs as they are, at twice the size, and with noise."""
    from sdae.training import photographs

    def batches(clean, sigma, qualities):
        clean = clean.astype("float32") / 255
        noise = rng.standard_normal(clean.shape, "float32") * np.float32(sigma)
        image = np.clip(clean + noise, 0, 1) if sigma else clean
        found = []
        for t in qualities:
            for start in range(0, len(clean), batch):
                part = slice(start, start + batch)
                n = len(clean[part])
                levels = {"sigma": np.full(n, sigma, "float32"), "t": np.full(n, t, "float32")}
                found.append(({"image": image[part], **levels}, clean[part]))
        return found

    plain = photographs.centres(pictures, side)
    return {
        "validation_loss": batches(plain, 0.0, _VALIDATION_QUALITIES),
        "enlarged_validation_loss": batches(
            photographs.centres(pictures, side, 2.0), 0.0, _VALIDATION_QUALITIES
        ),
        "denoised_psnr": batches(plain, _VALIDATION_SIGMA, _VALIDATION_QUALITIES[-1:]),
    }


def trainable_model(config, basis, spread, compute, ssim_weight, noise_weight=150.0):
    """The autoencoder with its loss, see `sdae.training.autoencoder.Autoencoder`; not compiled yet."""
    from keras import ops

    from sdae.training.autoencoder import Autoencoder, initialise

    class TrainedAutoencoder(Autoencoder):
        """The autoencoder with the Lagrangian as its loss."""

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            lagrangian = self.config.lagrangian(x["t"])
            y = ops.convert_to_tensor(y)
            error = ops.mean(ops.square((y - y_pred["picture"]) * 255), axis=(1, 2, 3))
            distortion = error
            if ssim_weight:
                distortion += ssim_weight * (1 - similarity(y, y_pred["picture"]))
            weight = balance(lagrangian, x["sigma"], noise_weight)
            return ops.mean(weight * (y_pred["bits"] + lagrangian * distortion))

    return initialise(TrainedAutoencoder(config, basis, spread, compute, name="autoencoder"))


def _numpy(variable):
    from keras import ops

    return ops.convert_to_numpy(variable)


class Trainer:
    """One training: model, data, schedule and the files it writes.

    Args:
        args: the options of ``sdae train``.
        pictures, validation: lists of RGB images, to train on and to validate on.
        config: hyper-parameters of the network; the shipped ones by default.
    """

    def __init__(self, args, pictures, validation, config=None):
        import keras

        from sdae import weights
        from sdae.training import photographs, training_record
        from sdae.training.autoencoder import Config, compiled, karhunen_loeve, space_to_depth

        self.args, self.pictures = args, pictures
        self.output = Path(args.output)
        self.checkpoint = Path(args.checkpoint or self.output / "checkpoint.npz")
        self.config = config or Config()
        rng = np.random.default_rng(args.seed)
        blocks = photographs.crops(pictures, 2000, 64, rng).astype("float32") / 255 - 0.5
        blocks = keras.ops.convert_to_numpy(space_to_depth(blocks, self.config.stride))
        blocks = blocks.reshape(-1, blocks.shape[-1])
        basis, spread = karhunen_loeve(blocks, self.config.latent_channels)
        compute = "float32" if args.float32 else "mixed_bfloat16"
        self.model = trainable_model(
            self.config, basis, spread, compute, args.ssim_weight, args.noise_weight
        )
        for part in _PARTS:
            getattr(self.model, part).trainable = part in args.parts
        self.steps = args.steps or max(1, len(pictures) // args.batch)
        average = args.average
        if not args.minutes:
            average = min(average, max(0.0, 1 - 10 / (args.epochs * self.steps)))
        self.optimizer = compiled(self.model, args.rate, use_ema=True, ema_momentum=average)
        self.trained = self.model.trainable_variables
        self.validation = validation_batches(validation, 128, np.random.default_rng(0))
        self.history, self.before = [], []
        self.seconds, self.started = 0.0, time.monotonic()
        self.side = None
        if self.checkpoint.exists():
            self._load()
        elif args.start:
            arrays, card = weights.read(weights.folder(args.start))
            # What another network has beside the one it grows from stays as it is.
            fresh = self.model.stored()
            arrays = {k: v for k, v in arrays.items() if k in fresh and v.shape == fresh[k].shape}
            self.model.restore(fresh | arrays)
            self.before = training_record.lines(weights.folder(args.start))
            print(f"begun with {card['sha256'][:8]}", file=sys.stderr)

    def elapsed(self) -> float:
        """Seconds of training so far, earlier runs included."""
        return self.seconds + time.monotonic() - self.started

    def progress(self) -> float:
        """Share of the whole training that is done, 0 to 1."""
        if self.args.minutes:
            return min(1.0, self.elapsed() / (60 * self.args.minutes))
        return min(1.0, len(self.history) / self.args.epochs)

    def learning_rate(self) -> float:
        """After a short rise, which each run begins with, constant; at the end half a cosine to a
        hundredth."""
        done = max(0.0, self.progress() - self.args.flat) / (1 - self.args.flat)
        rise = min(1.0, (int(self.optimizer.iterations) + 1) / _RISE)
        return self.args.rate * rise * falling(done)

    def run(self) -> None:
        """Train until the schedule or this run's time is over."""
        begun = time.monotonic()
        while self.progress() < 1:
            self._epoch()
            if (
                self.args.stop_after is not None
                and time.monotonic() - begun > 60 * self.args.stop_after
            ):
                break

    def _epoch(self):
        late = self.progress() > 2 / 3
        side = self.args.late_crop if late else self.args.crop
        batch = batches(self.args)[late]
        if self.side not in (None, side):
            # TensorFlow would meet a second shape with a graph for any shape, which has no lattice.
            self.model.make_train_function(force=True)
        self.side = side
        rng = np.random.default_rng((self.args.seed, len(self.history)))
        begun = time.monotonic()
        loss = self._steps(batch, side, rng)
        seconds, images = time.monotonic() - begun, self.steps * batch
        row = {
            "epoch": len(self.history) + 1,
            "minutes": round(self.elapsed() / 60, 2),
            "learning_rate": float(f"{self.learning_rate():.3g}"),
            "crop": side,
            "images": images + (self.history[-1]["images"] if self.history else 0),
            "images_per_second": round(images / seconds, 1),
            "loss": round(float(loss), 5),
        }
        with self._averaged():
            row |= self.validate()
            self.history.append(row)
            self._save()
        print("  ".join(f"{k} {v}" for k, v in row.items()), flush=True)

    @contextmanager
    def _averaged(self):
        """For a while the model has the averages of its weights."""
        kept = [_numpy(v) for v in self.trained]
        self.optimizer.finalize_variable_values(self.trained)
        yield
        for variable, value in zip(self.trained, kept):
            variable.assign(value)

    def _steps(self, batch, side, rng):
        """The steps of an epoch, each batch made while the one before is learned from; mean loss.

        Batches of a known size, which `fit` does not give, make TensorFlow a fifth faster.
        """
        from sdae.training import photographs

        def make():
            return self.batch(photographs.crops(self.pictures, batch, side, rng), rng)

        losses = []
        bar = progress(
            label=f"epoch {len(self.history) + 1}", total=self.steps * batch, unit="image"
        )
        with bar:
            for ready in made_ahead(make() for _ in range(self.steps)):
                self.optimizer.learning_rate.assign(self.learning_rate())
                losses.append(self.model.train_on_batch(*ready))
                bar.update(batch)
        return np.mean(losses)

    def batch(self, clean, rng):
        """Crops → inputs and target of one step, see `make_batch`."""
        return make_batch(clean, rng, self.args.noisy, self.args.sigma)

    def validate(self) -> dict:
        """Loss, bits per pixel and PSNR of the validation crops, rounded to the pixel grid."""
        row, curve = {}, {}
        for name, batches in self.validation.items():
            totals, psnrs = [], []
            for inputs, clean in batches:
                predicted = self.model.predict_on_batch(inputs)
                picture = np.round(np.clip(predicted["picture"], 0, 1) * 255)
                error = np.mean((picture - clean * 255) ** 2, axis=(1, 2, 3))
                psnrs.append(10 * np.log10(255**2 / np.maximum(error, 1e-3)))
                t = round(float(inputs["t"][0]), 2)
                lagrangian = self.config.lagrangian(t)
                totals += list(balance(lagrangian) * (predicted["bits"] + lagrangian * error))
                if name == "validation_loss":
                    curve.setdefault(t, []).append((predicted["bits"], psnrs[-1]))
            if name == "denoised_psnr":
                row[name] = round(float(np.concatenate(psnrs).mean()), 3)
            else:
                row[name] = round(float(np.mean(totals)), 5)
        for t, parts in curve.items():
            bits, psnr = (np.concatenate(column).mean() for column in zip(*parts))
            row |= {f"bpp_{t}": round(float(bits), 4), f"psnr_{t}": round(float(psnr), 3)}
        return row

    def card(self) -> dict:
        """What the weights are, for card.json."""
        import keras

        from sdae.training import training_record

        whole = training_record.counted([*self.before, *self.history])
        return {
            "config": self.config.to_dict(),
            "parameters": self.model.parameters(),
            "training": {k: v for k, v in vars(self.args).items() if k in _RECORDED},
            "start": self.args.start and Path(self.args.start).name,
            "photographs": [Path(p).name for p in self.args.photos],
            "backend": keras.backend.backend(),
            "keras": keras.__version__,
            "epochs": len(self.history),
            "minutes": round(self.elapsed() / 60, 1),
            "images": self.history[-1]["images"] if self.history else 0,
            "validation": self.history[-1] if self.history else None,
            "all_runs": {
                "runs": whole[-1]["run"],
                "images": int(whole[-1]["all_images"]),
                "hours": round(whole[-1]["all_minutes"] / 60, 1),
            }
            if whole
            else None,
        }

    def _save(self):
        from sdae import weights

        variables = weights.variables(self.model)
        state = {f"model/{name}": weights.halved(_numpy(v)) for name, v in variables.items()}
        note = {"history": self.history, "before": self.before, "seconds": self.elapsed()}
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
                writer = csv.DictWriter(table, self.history[-1].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
                weights.replace(self.output / name, table.getvalue().encode())

    def _load(self):
        with np.load(self.checkpoint, allow_pickle=False) as state:
            note = json.loads(state["note"].tobytes())
            self.history, self.seconds = note["history"], note["seconds"]
            self.before = note["before"]
            from sdae import weights

            found, prefix = weights.variables(self.model), "model/"
            # What the network has come to have since the state was stored is fresh.
            fresh = {name: _numpy(v) for name, v in found.items()}
            stored = {name: state[prefix + name] for name in found if prefix + name in state}
            weights.assign(found, fresh | stored)
        print(f"resumed after epoch {len(self.history)}", file=sys.stderr)
