"""How fast training is beside what its convolutions alone would allow: ``sdae bench training``.

The ceiling is the time that the convolutions of both stacks take, forwards and backwards, on
inputs of the same shapes and in the same precision, with nothing between them: no activations, no
linear paths, no contexts, no loss. Both are timed in turns, in one process.
"""

import statistics
import time

import keras
import numpy as np
from keras import layers, ops

from sdae.network.config import Config
from sdae.training.autoencoder import compiled
from sdae.training.loop import make_batch, trainable_model

_SSIM_WEIGHT = 10.0
_CONVOLUTIONS = layers.Conv2D, layers.DepthwiseConv2D, layers.Dense
# A dense layer is a convolution of 1×1.


class _Convolutions(keras.Model):
    """All convolutions of two stacks, each on an input of its own.

    Args:
        stacks: pairs of a stack's units and the shape (B, H, W, C) of its input.
    """

    def __init__(self, stacks):
        super().__init__(name="convolutions")
        self.convolutions, self.shapes = [], []
        for units, shape in stacks:
            for layer, seen in _walk(units, shape):
                self.convolutions.append(type(layer).from_config(layer.get_config()))
                self.shapes.append(seen)
        # Inputs that depend on a weight, so that their gradients are taken as well.
        self.scale = self.add_weight(shape=(len(self.shapes),), initializer="ones", name="scale")

    def call(self, inputs):
        total = 0.0
        for k, (convolution, shape) in enumerate(zip(self.convolutions, self.shapes)):
            total += ops.mean(ops.cast(convolution(ops.ones(shape) * self.scale[k]), "float32"))
        return total

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return y_pred


def _walk(units, shape):
    """The convolutions of a stack and the shapes that they see."""
    for unit in units:
        seen = shape
        for layer in unit._flatten_layers():
            if isinstance(layer, _CONVOLUTIONS):
                yield layer, seen
                seen = layer.compute_output_shape(seen)
        shape = unit.compute_output_shape(shape)


def measure(batch: int, side: int, rounds: int, update=lambda: None) -> tuple[float, float]:
    """Median seconds of a step of training, and of its convolutions alone.

    Args:
        batch, side: crops a step and their side in pixels, a multiple of 8.
        rounds: steps of each that count.
        update: called after each round.
    """
    config, rng = Config(), np.random.default_rng(0)
    model = trainable_model(config, None, None, "mixed_bfloat16", _SSIM_WEIGHT)
    stacks = (
        (model.analysis.units, (batch, side, side, 5)),
        (model.synthesis.units, (batch, side // 8, side // 8, config.latent_channels + 1)),
    )
    alone = _Convolutions(stacks)
    crops = rng.integers(0, 256, (batch, side, side, 3), dtype="uint8")
    works, nothing = [], np.zeros((1, 1), "float32")
    alone(nothing)  # builds
    for each, given in ((model, make_batch(crops, rng, 0.25, 0.35)), (alone, (nothing, nothing))):
        compiled(each, 1e-5)
        each.train_on_batch(*given)  # traces
        works.append((each, given))
    seconds = [[], []]
    for _ in range(rounds):
        for found, (each, given) in zip(seconds, works):
            begun = time.monotonic()
            each.train_on_batch(*given)
            found.append(time.monotonic() - begun)
        update()
    return statistics.median(seconds[0]), statistics.median(seconds[1])
