"""Fitting of the context tables on latents of training photographs.

    weights ──► latents of crops at many qualities ──► refit of the contexts, hidden units added
            ──► integers ──► buckets and their trees (`sdae.layouts`) ──► weights
"""

import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from sdae import data, latents, layouts, refine, weights
from sdae.latents import (
    FEATURE_UNIT,
    FINE,
    LAST,
    MEAN_UNIT,
    WEIGHT_UNIT,
    WIDTH_UNIT,
    Tables,
    lattice,
    lattice_neighbours,
)
from sdae.config import CLIP, LATTICE_SPACING, Config
from sdae.inference import Network
from sdae.network import (
    Autoencoder,
    ContextModel,
    _interpolate,
    initialise,
    laplacian_bits,
)
from sdae.progress import progress

HIDDEN = 32
"""Hidden units a channel group."""

_UNITS = dict.fromkeys(("mean", "mean_own", "mean_coarse"), MEAN_UNIT)
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
    known = any(name.startswith(latents.PREFIX) for name in arrays)
    tables = Tables.from_arrays(arrays) if known else None
    chosen = [paths[k] for k in rng.permutation(len(paths))[:crops]]
    examples = encoded(model, data.crops(data.load(chosen), crops, 128, rng), codes, tables)
    refined = RefinedContexts(model.config, name="contexts")
    refined(ops.zeros((1, 8, 8, model.config.latent_channels)), ops.zeros(1))
    refined.start(model.contexts)
    if tables is not None:
        refined.resume(tables)
    refit(refined, examples, codes, seconds, rng)
    predictions = refined.rounded()
    total = layouts.histogram(examples, codes, Tables(**predictions, **layouts.empty()))
    return Tables(**predictions, **layouts.fit(total))


def encoded(model, crops, codes, tables: Tables | None) -> np.ndarray:
    """Integers that the network makes of crops: (n, 16, 16, C) int16.

    They are chosen by what ``tables`` expect, as an encoder does, or without them by what the
    context model of the training expects.
    """
    network, parts = Network.of(model), []
    for start in range(0, len(crops), 32):
        part = slice(start, start + 32)
        t = latents.quality_position(codes[part] / 100).astype("float32")
        image = crops[part].astype("float32") / 255
        y = model.analysis(image, np.zeros(len(t), "float32"), t) * model.gains(t)[0]
        values = []
        for code, *one in zip(codes[part].tolist(), image, ops.convert_to_numpy(y), t):
            if tables is None:
                expected = partial(network.contexts, t=one[-1])
            else:
                expected = partial(latents.expectations, quality_code=code, tables=tables)
            values.append(refine.fit_picture(network, *one, expected))
        parts.append(np.clip(values, -32768, 32767).astype("int16"))
    return np.concatenate(parts)


class RefinedContexts(ContextModel):
    """`ContextModel` with a finer lattice for more groups, neighbours one by one in the mean, and
    hidden units, as `sdae.latents.Tables` describes them."""

    def build(self, *shapes):
        super().build(*shapes)
        # What the variables below replace.
        replaced = self.mean_own, self.mean_lattice, self.scale_lattice
        for variable in (*replaced, self.mean_share, self.scale_share):
            variable.trainable = False
        c, groups, fine = self.config.latent_channels, self.config.groups, self._fine
        self.starts = np.cumsum([0, *groups]).tolist()

        def weight(name, shape, inputs=None):
            start = inputs and keras.initializers.RandomNormal(0.4 / inputs**0.5)
            return self.add_weight(shape=shape, name=name, initializer=start or "zeros")

        self.mean_shares = weight("mean_shares", (LAST + 1, c))
        self.scale_shares = weight("scale_shares", (LAST + 1, c))
        self.mean_around = weight("mean_around", (4, c, c))
        self.mean_coarse = weight("mean_coarse", (LAST - 1, 4, fine, fine))
        self.scale_coarse = weight("scale_coarse", (LAST - 1, fine, fine))
        self.hidden, self.hidden_own, self.hidden_out = [], [], []
        for g, size in enumerate(groups):
            seen = 2 * self.starts[g]
            kernel = weight(f"hidden_{g}", (3, 3, seen, HIDDEN), 9 * seen) if seen else None
            self.hidden.append(kernel)
            self.hidden_own.append(weight(f"hidden_own_{g}", (3 * size, HIDDEN), 3 * size))
            self.hidden_out.append(weight(f"hidden_out_{g}", (HIDDEN, size)))
        shape = LAST - 1, 3 * fine, HIDDEN
        self.hidden_coarse = weight("hidden_coarse", shape, 3 * max(groups[:FINE]))
        self.hidden_bias = weight("hidden_bias", (self.config.levels, len(groups) * HIDDEN))
        self.hidden_level = weight("hidden_level", (LAST, len(groups), HIDDEN))

    @property
    def _fine(self):
        """Channels of the groups that are coded level by level."""
        return sum(self.config.groups[:FINE])

    def call(self, integers, t):
        config, first, fine = self.config, self.config.groups[0], self._fine
        rest = config.latent_channels - fine
        clip = np.repeat(latents.VALUE_CLIPS, [first, config.latent_channels - first])
        clip = ops.array(clip.astype("float32"))
        clipped = ops.clip(integers, -clip, clip)
        level = lattice(*integers.shape[1:3])[None, :, :, None]
        level = np.where(np.arange(fine + rest) < fine, level, level // LAST * LAST)
        masks = [ops.array((level == k).astype("float32")) for k in range(LAST + 1)]

        def predicted(x, kind, near):
            """The sum over earlier groups and what `near` adds at each level."""
            shares = getattr(self, f"{kind}_shares")
            share = sum(shares[k] * masks[k] for k in range(LAST + 1))
            found = self._from_earlier(x, getattr(self, f"{kind}_kernel")) * share
            coarse = sum(near(x[..., :fine], k) * masks[k][..., :fine] for k in range(1, LAST))
            padded = ops.pad(coarse, ((0, 0), (0, 0), (0, 0), (0, rest)))
            return found + near(x, LAST) * masks[LAST] + padded

        def within_groups(last, coarse, k):
            weights = last if k == LAST else coarse[k - 1]
            return weights * self._same[: weights.shape[-1], : weights.shape[-1]]

        def one_by_one(x, k):
            weights = within_groups(self.mean_around, self.mean_coarse, k)
            return sum(ops.matmul(part, weights[i]) for i, part in enumerate(neighbours(x, k)))

        def together(x, k):
            weights = within_groups(self.scale_own, self.scale_coarse, k)
            return ops.matmul(sum(neighbours(x, k)) / 4, weights)

        mean = predicted(clipped, "mean", one_by_one)
        deviation = ops.abs(integers - mean)
        width = predicted(ops.minimum(deviation, CLIP), "scale", together)
        width = width + _interpolate(self.bias, t)
        logarithms = [_logarithm(deviation), _logarithm(ops.abs(integers))]
        bias = ops.split(_interpolate(self.hidden_bias, t), len(config.groups), -1)

        def around(k, stop):
            """What hidden units see of the four neighbours in the first channels."""
            means = [sum(neighbours(x[..., :stop], k)) / 4 for x in logarithms]
            four = neighbours(clipped[..., :stop], k)
            middle = sum(four) / 4
            return [*means, _logarithm(sum(ops.abs(x - middle) for x in four) / 4)]

        near = around(LAST, config.latent_channels)
        coarse = [around(k, fine) for k in range(1, LAST)]
        parts = []
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):

            def beside(x):
                return ops.concatenate([part[..., start:stop] for part in x], -1)

            where = [mask[..., start : start + 1] for mask in masks]
            hidden = bias[g] + ops.matmul(beside(near), self.hidden_own[g]) * where[LAST]
            hidden = hidden + sum(self.hidden_level[k - 1, g] * where[k] for k in range(1, LAST + 1))
            if start:
                known = ops.concatenate([x[..., :start] for x in logarithms], -1)
                hidden = hidden + ops.conv(known, self.hidden[g], padding="same")
            if g < FINE:
                rows = slice(3 * start, 3 * stop)
                for k in range(1, LAST):
                    kernel = self.hidden_coarse[k - 1, rows]
                    hidden = hidden + ops.matmul(beside(coarse[k - 1]), kernel) * where[k]
            parts.append(ops.matmul(ops.relu(hidden), self.hidden_out[g]))
        return mean, ops.softplus(width + ops.concatenate(parts, -1)) + 0.01

    def start(self, trained: ContextModel) -> None:
        """Begin where the trained model is; the hidden units add nothing yet."""
        values = {v.path.split("/")[-1]: v for v in trained.weights}
        for variable in self.weights:
            if variable.path.split("/")[-1] in values:
                variable.assign(values[variable.path.split("/")[-1]])
        # Each of the four has its part in what was learned for their mean. Levels that the
        # trained model lacks begin as the coarsest of their kind, diagonal or straight, that it has.
        missing = LAST - 2 * (LATTICE_SPACING.bit_length() - 1)
        nearest = [max(k - missing, 2 - k % 2) - 1 for k in range(1, LAST)]
        # Groups that the trained model codes in two passes begin with what it has for the last.
        for kind in ("mean", "scale"):
            own, coarse, share = (
                ops.convert_to_numpy(getattr(self, f"{kind}_{part}"))
                for part in ("own", "lattice", "share")
            )
            first, fine = coarse.shape[1], self._fine
            near = np.repeat(own[None, :fine, :fine], LAST - 1, 0)
            near[:, :first, :first] = coarse[nearest]
            shares = np.repeat(share, [LAST, 1], 0)
            shares[1:LAST, :fine] = share[1, :fine]
            getattr(self, f"{kind}_shares").assign(shares)
            if kind == "mean":
                near, own = np.repeat(near[:, None] / 4, 4, 1), np.repeat(own[None] / 4, 4, 0)
                self.mean_around.assign(own)
            getattr(self, f"{kind}_coarse").assign(near)

    def resume(self, tables: Tables) -> None:
        """Begin where the integers of tables are: the inverse of `rounded`."""
        for variable, name in self._linear():
            unit = _UNITS.get(name, WEIGHT_UNIT)
            variable.assign(getattr(tables, name).reshape(variable.shape) / unit)
        self.bias.assign(tables.bias / WIDTH_UNIT)
        coarse = []
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            if start:
                kernel = tables.hidden[:, :, :start, g] / WEIGHT_UNIT
                self.hidden[g].assign(kernel.reshape(3, 3, 2 * start, HIDDEN))
            own = tables.hidden_own[:, start:stop] / WEIGHT_UNIT
            self.hidden_own[g].assign(own.reshape(-1, HIDDEN))
            self.hidden_out[g].assign(tables.hidden_out[start:stop].T / WEIGHT_UNIT)
            if g < FINE:
                coarse.append(tables.hidden_coarse[:, :, start:stop].reshape(LAST - 1, -1, HIDDEN))
        self.hidden_coarse.assign(np.concatenate(coarse, 1) / WEIGHT_UNIT)
        self.hidden_bias.assign(tables.hidden_bias.reshape(len(tables.bias), -1) / WIDTH_UNIT)
        self.hidden_level.assign(tables.hidden_level / WIDTH_UNIT)

    def _linear(self):
        """The variables of the linear predictions, and their names in `sdae.latents.Tables`."""
        return (
            (self.mean_kernel, "mean"),
            (self.mean_shares, "mean_share"),
            (self.mean_around, "mean_own"),
            (self.mean_coarse, "mean_coarse"),
            (self.scale_kernel, "width"),
            (self.scale_shares, "width_share"),
            (self.scale_own, "width_own"),
            (self.scale_coarse, "width_coarse"),
        )

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
        for variable, name in self._linear():
            unit, values = _UNITS.get(name, WEIGHT_UNIT), ops.convert_to_numpy(variable)
            if name in ("mean", "width"):
                values = (values * earlier).reshape(9, c, c)
            elif not name.endswith("share"):
                values = values * same[: values.shape[-1], : values.shape[-1]]
            if unit == MEAN_UNIT:
                # What the groups after the first add must stay in the exact range as well.
                sums = np.abs(values[..., groups[0] :, :]).sum(tuple(range(values.ndim - 1)))
                sums *= unit * latents.VALUE_CLIPS[1]
                values = values * np.minimum(1, _LARGEST_MEAN / np.maximum(sums, 1))
            tables[name] = whole(values, unit)
        hidden = np.zeros((9, 2, c, len(groups), HIDDEN))
        own, out = np.zeros((3, c, HIDDEN)), np.zeros((c, HIDDEN))
        coarse = np.zeros((LAST - 1, 3, self._fine, HIDDEN))
        bias = ops.convert_to_numpy(self.hidden_bias).reshape(-1, len(groups), HIDDEN)
        levels = ops.convert_to_numpy(self.hidden_level)
        for g, (start, stop) in enumerate(zip(self.starts, self.starts[1:])):
            if start:
                kernel = ops.convert_to_numpy(self.hidden[g])
                hidden[:, :, :start, g] = kernel.reshape(9, 2, start, HIDDEN)
            own[:, start:stop] = ops.convert_to_numpy(self.hidden_own[g]).reshape(3, -1, HIDDEN)
            out[start:stop] = ops.convert_to_numpy(self.hidden_out[g]).T
            if g < FINE:
                near = ops.convert_to_numpy(self.hidden_coarse)[:, 3 * start : 3 * stop]
                coarse[:, :, start:stop] = near.reshape(LAST - 1, 3, -1, HIDDEN)
        # What a unit sums must stay in the exact range. Below the cut-off a unit is linear: what
        # its inputs lose by a factor its outputs can regain.
        member = np.eye(len(groups))[group]
        sums = np.abs(hidden).sum((0, 1, 2)) + member.T @ np.abs(own).sum(0)
        sums += member[: self._fine].T @ np.abs(coarse).sum((0, 1))
        shrink = np.maximum(1, sums * WEIGHT_UNIT * latents.LOGARITHM_CLIP / _LARGEST_SUM)
        tables["hidden"] = whole(hidden / shrink, WEIGHT_UNIT)
        tables["hidden_own"] = whole(own / (member @ shrink), WEIGHT_UNIT)
        tables["hidden_coarse"] = whole(coarse / (member @ shrink)[: self._fine], WEIGHT_UNIT)
        tables["hidden_bias"] = whole(bias / shrink, WIDTH_UNIT, "int32")
        tables["hidden_level"] = whole(levels / shrink, WIDTH_UNIT, "int32")
        out *= member @ shrink
        sums = np.abs(out).sum(1, keepdims=True) * WEIGHT_UNIT * latents.HIDDEN_CLIP
        out *= np.minimum(1, _LARGEST_MEAN / np.maximum(sums, 1))
        tables["hidden_out"] = whole(out, WEIGHT_UNIT)
        return tables


def neighbours(x, level):
    """The four neighbours of every position, each (B, h, w, C); see `sdae.latents.Steps`."""
    found = []
    for offsets in lattice_neighbours(level):
        part = x
        for axis, offset in enumerate(offsets, 1):
            part = _mirrored(part, offset, axis) if offset else part
        found.append(part)
    return found


def _mirrored(x, offset, axis):
    """What lies so far along an axis, or where that is outside, as far the other way."""
    length, reach = x.shape[axis], abs(offset)
    padded = ops.pad(x, [(reach, reach) if k == axis else (0, 0) for k in range(4)])

    def shifted(by):
        cut = [slice(None)] * 4
        cut[axis] = slice(reach + by, reach + by + length)
        return padded[tuple(cut)]

    at = np.arange(length) + offset
    outside = ((at < 0) | (at >= length)).astype("float32")
    outside = outside.reshape([-1 if k == axis else 1 for k in range(4)])
    return shifted(offset) + shifted(-offset) * ops.array(outside)


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
