"""Fitting of the context tables on latents of training photographs.

    weights ──► latents of crops at many qualities ──► refit of the contexts, hidden units added
            ──► integers ──► buckets and their trees (`sdae.layouts`) ──► weights
"""

import itertools
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image

from sdae import latents, layouts, refine, weights
from sdae.latents import FEATURE_UNIT, MEAN_UNIT, WEIGHT_UNIT, WIDTH_UNIT, Tables
from sdae.config import CLIP, Config
from sdae.inference import Network
from sdae.network import (
    Autoencoder,
    ContextModel,
    _interpolate,
    initialise,
    laplacian_bits,
    lattice,
)
from sdae.progress import progress

HIDDEN = 32
"""Hidden units a channel group."""

_LARGEST_SUM, _LARGEST_MEAN = 0.8 * 2**24, 0.98 * 2**24


def fit(arrays: dict, config: dict, paths: list[Path], crops=960, seconds=120.0, seed=1) -> Tables:
    """The context tables of a network, from photographs.

    Where the weights hold tables already, the fit goes on from them.

    Args:
        arrays, config: weights of the network and the configuration on their card.
        paths: picture files.
        crops: how many crops of 128×128 to fit on.
        seconds: how long to train the predictions.
        seed: of all randomness.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = initialise(Autoencoder(Config(**config), name="autoencoder"))
    weights.assign(model, arrays)
    codes = rng.integers(100, 10001, crops)
    middle = rng.random(crops) < 0.75
    codes[middle] = rng.integers(1100, 8100, crops)[middle]
    examples = encoded(model, pictures(paths, crops, rng), codes)
    refined = RefinedContexts(model.config, name="contexts")
    refined(ops.zeros((1, 8, 8, model.config.latent_channels)), ops.zeros(1))
    refined.start(model.contexts)
    if any(name.startswith(latents.PREFIX) for name in arrays):
        refined.resume(Tables.from_arrays(arrays))
    refit(refined, examples, codes, seconds, rng)
    predictions = refined.rounded()
    total = layouts.histogram(examples, codes, Tables(**predictions, **layouts.empty()))
    return Tables(**predictions, **layouts.fit(total))


def pictures(paths, count: int, rng) -> np.ndarray:
    """Crops of photographs at all scales, down to the whole: (count, 128, 128, 3) uint8."""
    result = np.empty((count, 128, 128, 3), "uint8")
    order = itertools.cycle(rng.permutation(len(paths)).tolist())
    for k, index in zip(range(count), order):
        with Image.open(paths[index]) as image:
            image = image.convert("RGB")
        scale = (128 / min(image.size)) ** min(1.0, 1.5 * rng.random())
        size = [max(128, round(side * scale)) for side in image.size]
        image = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        top, left = (rng.integers(side - 127) for side in image.shape[:2])
        result[k] = image[top : top + 128, left : left + 128]
    return result


def encoded(model, crops, codes) -> np.ndarray:
    """Integers that the network makes of crops: (n, 16, 16, C) int16."""
    network, parts = Network.of(model), []
    for start in range(0, len(crops), 32):
        part = slice(start, start + 32)
        t = latents.quality_position(codes[part] / 100).astype("float32")
        image = crops[part].astype("float32") / 255
        y = model.analysis(image, np.zeros(len(t), "float32"), t) * model.gains(t)[0]
        ones = zip(image, ops.convert_to_numpy(y), t)
        values = [refine.fit_picture(network, *one) for one in ones]
        parts.append(np.clip(values, -32768, 32767).astype("int16"))
    return np.concatenate(parts)


class RefinedContexts(ContextModel):
    """`ContextModel` with hidden units, as `sdae.latents.Tables` describes them."""

    def build(self, *shapes):
        super().build(*shapes)
        groups, first = self.config.groups, self.config.groups[0]
        self.starts = np.cumsum([0, *groups]).tolist()

        def weight(name, shape, inputs=None):
            start = inputs and keras.initializers.RandomNormal(0.4 / inputs**0.5)
            return self.add_weight(shape=shape, name=name, initializer=start or "zeros")

        self.hidden, self.hidden_own, self.hidden_out = [], [], []
        for g, size in enumerate(groups):
            seen = 2 * self.starts[g]
            kernel = weight(f"hidden_{g}", (3, 3, seen, HIDDEN), 9 * seen) if seen else None
            self.hidden.append(kernel)
            self.hidden_own.append(weight(f"hidden_own_{g}", (2 * size, HIDDEN), 2 * size))
            self.hidden_out.append(weight(f"hidden_out_{g}", (HIDDEN, size)))
        self.hidden_coarse = weight("hidden_coarse", (3, 2 * first, HIDDEN), 2 * first)
        self.hidden_bias = weight("hidden_bias", (self.config.levels, len(groups) * HIDDEN))
        self.hidden_odd = weight("hidden_odd", (len(groups), HIDDEN))

    def call(self, integers, t):
        first = self.config.groups[0]
        clip = np.repeat(latents.VALUE_CLIPS, [first, self.config.latent_channels - first])
        clip = ops.array(clip.astype("float32"))
        mean = self._predict(ops.clip(integers, -clip, clip), "mean")
        deviation = ops.abs(integers - mean)
        width = self._predict(ops.minimum(deviation, CLIP), "scale")
        width = width + _interpolate(self.bias, t)
        logarithms = [_logarithm(deviation), _logarithm(ops.abs(integers))]
        bias = ops.split(_interpolate(self.hidden_bias, t), len(self.config.groups), -1)
        level = lattice(*integers.shape[1:3])[None, :, :, None]
        masks = [ops.array((level == k).astype("float32")) for k in range(5)]
        near = [self._neighbours(x, 4) for x in logarithms]
        parts = []
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            own = ops.concatenate([x[..., start:stop] for x in near], -1)
            hidden = ops.matmul(own, self.hidden_own[g]) + self.hidden_odd[g]
            hidden = bias[g] + hidden * masks[4]
            if start:
                known = ops.concatenate([x[..., :start] for x in logarithms], -1)
                hidden = hidden + ops.conv(known, self.hidden[g], padding="same")
            else:
                first = ops.concatenate([x[..., :stop] for x in logarithms], -1)
                for k in (1, 2, 3):
                    around = self._neighbours(first, k)
                    hidden = hidden + ops.matmul(around, self.hidden_coarse[k - 1]) * masks[k]
            parts.append(ops.matmul(ops.relu(hidden), self.hidden_out[g]))
        return mean, ops.softplus(width + ops.concatenate(parts, -1)) + 0.01

    def start(self, trained: ContextModel) -> None:
        """Begin where the trained model is; the hidden units add nothing yet."""
        values = {v.path.split("/")[-1]: v for v in trained.weights}
        for variable in self.weights:
            if variable.path.split("/")[-1] in values:
                variable.assign(values[variable.path.split("/")[-1]])

    def resume(self, tables: Tables) -> None:
        """Begin where the integers of tables are: the inverse of `rounded`."""
        c, first = self.config.latent_channels, self.config.groups[0]
        for name, kind, unit in (("mean", "mean", MEAN_UNIT), ("width", "scale", WEIGHT_UNIT)):
            for part, values, divisor in (
                ("kernel", getattr(tables, name).reshape(3, 3, c, c), unit),
                ("share", getattr(tables, f"{name}_share"), WEIGHT_UNIT),
                ("own", getattr(tables, f"{name}_own"), unit),
                ("lattice", getattr(tables, f"{name}_coarse"), unit),
            ):
                getattr(self, f"{kind}_{part}").assign(values / divisor)
        self.bias.assign(tables.bias / WIDTH_UNIT)
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            if start:
                kernel = tables.hidden[:, :, :start, g] / WEIGHT_UNIT
                self.hidden[g].assign(kernel.reshape(3, 3, 2 * start, HIDDEN))
            own = tables.hidden_own[:, start:stop] / WEIGHT_UNIT
            self.hidden_own[g].assign(own.reshape(-1, HIDDEN))
            self.hidden_out[g].assign(tables.hidden_out[start:stop].T / WEIGHT_UNIT)
        coarse = tables.hidden_coarse.reshape(3, 2 * first, HIDDEN)
        self.hidden_coarse.assign(coarse / WEIGHT_UNIT)
        self.hidden_bias.assign(tables.hidden_bias.reshape(len(tables.bias), -1) / WIDTH_UNIT)
        self.hidden_odd.assign(tables.hidden_odd / WIDTH_UNIT)

    def rounded(self) -> dict:
        """The weights as the integers of `sdae.latents.Tables`, buckets and trees left out."""
        groups, c = self.config.groups, self.config.latent_channels
        group = np.repeat(np.arange(len(groups)), groups)
        earlier, same = group[:, None] < group[None], group[:, None] == group[None]

        def whole(values, unit, kind="int16"):
            limits = np.iinfo(kind)
            values = np.rint(ops.convert_to_numpy(values).astype("float64") * unit)
            return np.clip(values, limits.min, limits.max).astype(kind)

        tables = {"groups": np.array(groups, "uint8")}
        tables["bias"] = whole(self.bias, WIDTH_UNIT, "int32")
        for name, kind, unit in (("mean", "mean", MEAN_UNIT), ("width", "scale", WEIGHT_UNIT)):
            kernel, share, own, coarse = (
                ops.convert_to_numpy(getattr(self, f"{kind}_{part}"))
                for part in ("kernel", "share", "own", "lattice")
            )
            kernel = (kernel * earlier).reshape(9, c, c)
            if kind == "mean":
                # What the groups after the first add must stay in the exact range as well.
                sums = np.abs(kernel[:, groups[0] :]).sum((0, 1)) * unit * latents.VALUE_CLIPS[1]
                kernel = kernel * np.minimum(1, _LARGEST_MEAN / np.maximum(sums, 1))
            tables[name] = whole(kernel, unit)
            tables[name + "_share"] = whole(share, WEIGHT_UNIT)
            tables[name + "_own"] = whole(own * same, unit)
            tables[name + "_coarse"] = whole(coarse, unit)
        hidden = np.zeros((9, 2, c, len(groups), HIDDEN))
        own, out = np.zeros((2, c, HIDDEN)), np.zeros((c, HIDDEN))
        coarse = ops.convert_to_numpy(self.hidden_coarse).reshape(3, 2, groups[0], HIDDEN)
        bias = ops.convert_to_numpy(self.hidden_bias).reshape(-1, len(groups), HIDDEN)
        odd = ops.convert_to_numpy(self.hidden_odd)
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            if start:
                kernel = ops.convert_to_numpy(self.hidden[g])
                hidden[:, :, :start, g] = kernel.reshape(9, 2, start, HIDDEN)
            own[:, start:stop] = ops.convert_to_numpy(self.hidden_own[g]).reshape(2, -1, HIDDEN)
            out[start:stop] = ops.convert_to_numpy(self.hidden_out[g]).T
        # What a unit sums must stay in the exact range. Below the cut-off a unit is linear: what
        # its inputs lose by a factor its outputs can regain.
        member = np.eye(len(groups))[group]
        sums = np.abs(hidden).sum((0, 1, 2)) + member.T @ np.abs(own).sum(0)
        sums[0] += np.abs(coarse).sum((0, 1, 2))
        shrink = np.maximum(1, sums * WEIGHT_UNIT * latents.LOGARITHM_CLIP / _LARGEST_SUM)
        tables["hidden"] = whole(hidden / shrink, WEIGHT_UNIT)
        tables["hidden_own"] = whole(own / (member @ shrink), WEIGHT_UNIT)
        tables["hidden_coarse"] = whole(coarse / shrink[0], WEIGHT_UNIT)
        tables["hidden_bias"] = whole(bias / shrink, WIDTH_UNIT, "int32")
        tables["hidden_odd"] = whole(odd / shrink, WIDTH_UNIT, "int32")
        tables["hidden_out"] = whole(out * (member @ shrink), WEIGHT_UNIT)
        return tables


def _logarithm(x):
    """log₂(1 + x) with straight lines between the powers of two, as `sdae.latents` has it."""
    exponent = ops.floor(ops.stop_gradient(ops.log2(x + 1)) + 1e-6)
    logarithm = exponent + (x + 1) / 2**exponent - 1
    return ops.minimum(logarithm, latents.LOGARITHM_CLIP / FEATURE_UNIT)


def refit(contexts, examples, codes, seconds, rng, batch=32, rate=2e-3) -> None:
    """Train a context model alone, on rounded integers.

    The loss is the logarithm of the bits of each crop, so that all qualities count alike.
    """

    class Refit(keras.Model):
        def __init__(self):
            super().__init__()
            self.contexts = contexts

        def call(self, x):
            mean, scale = self.contexts(x["integers"], x["t"])
            return ops.sum(laplacian_bits(x["integers"], mean, scale), axis=(1, 2, 3))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.log(y_pred + 500.0))

    model = Refit()
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=False)
    t = latents.quality_position(codes / 100).astype("float32")
    begun, done = None, 0.0
    with progress(label="refit", total=round(seconds), unit="s") as bar:
        while done < 1 and seconds:
            optimizer.learning_rate.assign(rate * (0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2))
            rows = rng.choice(len(examples), batch)
            x = {"integers": examples[rows].astype("float32"), "t": t[rows]}
            loss = model.train_on_batch(x, np.zeros(batch, "float32"))
            begun = begun or time.monotonic()  # the first step compiles
            done = (time.monotonic() - begun) / seconds
            bar.set_postfix_str(f"loss {loss:.4f}")
            bar.update(min(bar.total, int(seconds * done)) - bar.n)
