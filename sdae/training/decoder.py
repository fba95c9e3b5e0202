"""Fitting of the synthesis to the integers that files hold.

In training the synthesis restores integers that are chosen before the picture is restored. An encoder
looks at what is restored and chooses again, see `sdae.network.rounding`. So at the end the synthesis
learns from such integers, while all that decides on bytes is held fast. Proposed in arXiv 2506.08662.
"""

import keras
from keras import ops

from sdae.network.config import quality_condition, quality_position
from sdae.progress import progress
from sdae.training.loss import balance, distortion
from sdae.training.optimisation import compiled, losses, share_of_rate

_BATCH, _RATE, _RISE, _FLAT, _AVERAGE = 8, 1e-4, 100, 0.3, 0.998


def refit(model, crops, examples, codes, steps: int, ssim_weight: float, rng, rate=_RATE) -> None:
    """Train the synthesis of an autoencoder alone, on crops (n, H, W, 3) uint8 and the integers that
    an encoder chose for them; arguments as of `sdae.training.context_tables.refit`."""

    class Refit(keras.Model):
        def __init__(self):
            super().__init__()
            self.synthesis = model.synthesis

        def call(self, x):
            _, inverse = model.gains(x["t"])
            return self.synthesis(x["integers"] * inverse, quality_condition(x["t"]))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            lagrangian = model.config.lagrangian(x["t"])
            lost = distortion(ops.convert_to_tensor(y), y_pred, ssim_weight)
            return ops.mean(balance(lagrangian) * lagrangian * lost)

    fitted = Refit()
    optimizer = compiled(fitted, rate, _AVERAGE)
    t = quality_position(codes / 100).astype("float32")

    def batches():
        for _ in range(steps):
            rows = rng.choice(len(crops), _BATCH)
            x = {"integers": examples[rows].astype("float32"), "t": t[rows]}
            yield x, crops[rows].astype("float32") / 255

    def falling(step):
        return rate * share_of_rate(step, step / steps, _RISE, _FLAT)

    for _ in progress(losses(fitted, batches(), falling), "decoder", total=steps):
        pass
    if steps:
        optimizer.finalize_variable_values(fitted.trainable_variables)
