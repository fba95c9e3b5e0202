"""Fitting of the context tables on latents of training photographs.

weights ──► latents of crops at many qualities ──► the context model trained on alone
        ──► integers ──► buckets and their codes (`sdae.training.buckets`) ──► weights
"""

import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from keras import ops

from sdae.coding import latent_coder
from sdae.coding.tables import Tables
from sdae.network import encoder_effort
from sdae.network.config import Config, quality_position
from sdae.network.numpy_network import Network
from sdae.progress import progress
from sdae.training import buckets, photographs
from sdae.training.autoencoder import Autoencoder, compiled, initialise
from sdae.training.context_model import laplacian_bits
from sdae.training.schedule import falling

_SIDE = 192
# Pixels. Crops of more have more of the places whose neighbours are far away.

_BATCH = 14


def fit(arrays: dict, card: dict, paths: list[Path], crops=1500, seconds=600.0, seed=1):
    """Weights with context tables that fit photographs.

    Args:
        arrays, card: weights of the network and their card.
        paths: picture files.
        crops: how many crops of `_SIDE` pixels a side to fit on.
        seconds: how long to train the predictions.
        seed: of all randomness.

    Returns:
        arrays and card, both complete.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = initialise(Autoencoder(Config(**card["config"]), name="autoencoder"))
    model.restore(arrays)
    codes = rng.integers(100, 10001, crops)
    middle = rng.random(crops) < 0.75
    codes[middle] = rng.integers(1100, 8100, crops)[middle]
    chosen = [paths[k] for k in rng.permutation(len(paths))[:crops]]
    tables = Tables.from_arrays(arrays)
    network = Network(arrays, model.config)
    drawn = photographs.crops(photographs.load(chosen), crops, _SIDE, rng)
    examples = encoded(network, drawn, codes, tables)
    refit(model.contexts, examples, codes, seconds, rng)
    tables = model.contexts.tables()
    tables = replace(tables, **buckets.fit(buckets.histogram(examples, codes, tables)))
    return arrays | tables.to_arrays(), card | {"parameters": model.parameters()}


def encoded(network, crops, codes, tables: Tables) -> np.ndarray:
    """Integers that an encoder makes of crops, (n, 8h, 8w, 3): (n, h, w, C) int16."""
    found = []
    for image, code in zip(crops.astype("float32") / 255, codes.tolist()):
        t = quality_position(code / 100)
        y = network.analysis(image, 0.0, t) * network.gains(t)[0]
        (values,) = encoder_effort.fit_bands(network, tables, [image], [y], code)
        found.append(latent_coder.stored(values))
    return np.stack(found)


def refit(contexts, examples, codes, seconds, rng, batch=_BATCH, rate=2e-3) -> None:
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
    optimizer = compiled(model, rate)
    t = quality_position(codes / 100).astype("float32")
    begun, done = None, 0.0
    with progress(label="refit", total=round(seconds), unit="s") as bar:
        while done < 1 and seconds:
            optimizer.learning_rate.assign(rate * falling(done))
            rows = rng.choice(len(examples), batch)
            x = {"integers": examples[rows].astype("float32"), "t": t[rows]}
            loss = model.train_on_batch(x, np.zeros(batch, "float32"))
            begun = begun or time.monotonic()  # the first step compiles
            done = (time.monotonic() - begun) / seconds
            bar.set_postfix_str(f"loss {loss:.4f}")
            bar.update(min(bar.total, int(seconds * done)) - bar.n)
