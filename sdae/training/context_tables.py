"""Fitting of the context tables, and of the decoder, on latents of training photographs.

weights ──► latents of crops at many qualities ──► the context model trained on alone
        ──► integers ──► buckets and their codes (`sdae.training.buckets`) ──► weights
                    ──► the synthesis trained on alone (`sdae.training.decoder`) ──► weights
"""

from dataclasses import replace

import keras
import numpy as np
from keras import ops

from sdae import weights
from sdae.coding.tables import Tables
from sdae.network.config import Config, quality_position
from sdae.network.transform_coding import quantised
from sdae.network.transforms import Network
from sdae.progress import progress
from sdae.training import buckets, decoder, photographs, presets
from sdae.training.arithmetic import compute
from sdae.training.autoencoder import Autoencoder, initialise
from sdae.training.context_model import laplacian_bits
from sdae.training.optimisation import compiled, losses, share_of_rate

_SIDE = 192
# Pixels. Crops of more have more of the places whose neighbours are far away.

_BATCH, _RATE = 14, 2e-3


def fit(arrays: dict, card: dict, pictures, crops: int, steps: int, decoder_steps: int, seed=1):
    """Weights whose tables and synthesis fit the integers of photographs: arrays and card.

    Args:
        arrays, card: weights of the network and their card.
        pictures: list of RGB images.
        crops: how many crops of `_SIDE` pixels a side to fit on.
        steps, decoder_steps: how many steps to train the predictions, and the synthesis.
        seed: of all randomness.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = initialise(Autoencoder(Config(**card["config"]), compute=compute(), name="codec"))
    model.restore(arrays)
    codes = rng.integers(100, 10001, crops)
    middle = rng.random(crops) < 0.75
    codes[middle] = rng.integers(600, 6500, crops)[middle]
    tables = Tables.from_arrays(arrays)
    network = Network(arrays, model.config)
    drawn = photographs.crops(pictures, crops, _SIDE, rng)
    examples = encoded(network, drawn, codes, tables)
    refit(model.contexts, examples, codes, steps, rng)
    tables = model.contexts.tables()
    tables = replace(tables, **buckets.fit(buckets.histogram(examples, codes, tables)))
    tables = replace(tables, presets=presets.fit(examples, codes, tables, rng))
    ssim_weight = card["training"]["ssim_weight"]
    decoder.refit(model, drawn, examples, codes, decoder_steps, ssim_weight, rng)
    arrays = {name: weights.halved(v) for name, v in model.stored().items()}
    return arrays | tables.to_arrays(), card | {"parameters": model.parameters()}


def encoded(network, crops, codes, tables: Tables) -> np.ndarray:
    """Integers that an encoder makes of crops, (n, 8h, 8w, 3) uint8: (n, h, w, C) int16."""
    return np.stack(
        [
            np.concatenate(list(quantised(network, tables, crop, code)))
            for crop, code in zip(progress(crops, label="encode", unit="crop"), codes.tolist())
        ]
    )


def refit(contexts, examples, codes, steps, rng, batch=_BATCH, rate=_RATE) -> None:
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
    compiled(model, rate)
    t = quality_position(codes / 100).astype("float32")

    def batches():
        for _ in range(steps):
            rows = rng.choice(len(examples), batch)
            x = {"integers": examples[rows].astype("float32"), "t": t[rows]}
            yield x, np.zeros(batch, "float32")

    def falling(step):
        return rate * share_of_rate(step, step / steps, 1, 0.0)

    for _ in progress(losses(model, batches(), falling), "contexts", total=steps):
        pass
