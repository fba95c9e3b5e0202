"""Encoder effort: which integers to write, with the decoder untouched.

Rounding to the nearest integer minimises the error of the latent; a file is better off with the
integers that minimise bits + λ·error. The decoder cannot tell the difference.
"""

import numpy as np

from sdae.inference import laplacian_bits

_ROUNDS = 2
_ERROR_WEIGHT = 2.5
# What an error of the latent costs in the picture, against the orthonormal estimate below. The
# trained synthesis spreads errors further; measured on validation photographs.


def round_for_rate(network, y, t: float):
    """Rate–distortion-optimised rounding, one decision a value.

    Each value may give way by one step towards its expected mean where the bits saved outweigh
    the error added. The linear path is close to orthonormal, so an error e in a coefficient adds
    (255·e)² to the squared error of 192 samples, and a pixel weighs bits/64 + λ·(255·e)²/192.

    Args:
        network: `sdae.inference.Network`.
        y: (h, w, C) float32, latent times gain.
        t: quality position in [0, 1].

    Returns:
        (h, w, C) float32 array of integers.
    """
    _, inverse = network.gains(t)
    weight = np.float32(_ERROR_WEIGHT * network.config.lagrangian(t) / 3) * (255 * inverse) ** 2
    nearest = np.rint(y)
    chosen = nearest
    for _ in range(_ROUNDS):
        mean, scale = network.contexts(chosen, t)
        lower = nearest - np.sign(nearest - np.rint(mean))

        def cost(values):
            return laplacian_bits(values, mean, scale) + weight * (y - values) ** 2

        chosen = np.where(cost(lower) < cost(nearest), lower, nearest)
    return chosen


STEPS_PER_EFFORT = 20
"""Gradient steps for each unit of ``effort``."""

_RATE = 0.01
# In latent units, where 1 is the distance of two integers: larger steps leave the basin of the
# encoder's answer before the temperature has fallen.


def anneal(model, image, y, t, steps: int, tick=lambda: None):
    """Gradient descent on the latent of one picture: stochastic Gumbel annealing.

    The latent moves to lower bits + λ·squared error through the fixed synthesis and contexts;
    integers are drawn from the two neighbours with a temperature that falls (Yang et al. 2020).

    Args:
        model: `sdae.network.Autoencoder`.
        image: (1, 8h, 8w, 3) float32 in [0, 1], the picture to come close to.
        y: (1, h, w, C) float32, where to start: latent times gain.
        t: (1,) float32 quality position in [0, 1].
        steps: gradient steps.
        tick: called after each step.

    Returns:
        (1, h, w, C) float32; `round_for_rate` takes the one of the batch.
    """
    import keras
    from keras import ops

    from sdae.network import laplacian_bits

    lagrangian = float(model.config.lagrangian(float(t[0])))
    _, inverse = model.gains(t)
    start = np.asarray(y, "float32")
    pixels = image.shape[1] * image.shape[2]

    class Latent(keras.Model):
        def __init__(self):
            super().__init__()
            self.y = self.add_weight(
                shape=start.shape, initializer=lambda *_, **__: ops.array(start)
            )
            self.temperature = self.add_weight(shape=(), initializer="ones", trainable=False)
            self.seed = keras.random.SeedGenerator(1)
            self.built = True

        def call(self, target):
            low = ops.stop_gradient(ops.floor(self.y))
            above = ops.clip(self.y - low, 1e-4, 1 - 1e-4)
            logits = -ops.stack([ops.arctanh(above), ops.arctanh(1 - above)], -1)
            uniform = keras.random.uniform(ops.shape(logits), 1e-6, 1 - 1e-6, seed=self.seed)
            gumbel = -ops.log(-ops.log(uniform))
            # One temperature makes the choice sharp, the other the sample (Yang et al. 2020).
            share = ops.softmax((logits / self.temperature + gumbel) / self.temperature)
            values = low + share[..., 1]
            mean, scale = model.contexts(values, t)
            bits = ops.sum(laplacian_bits(values, mean, scale)) / pixels
            error = model.synthesis(values * inverse, t) - target
            return bits + lagrangian * ops.mean(ops.square(255 * error))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return y_pred

    latent = Latent()
    latent.compile(optimizer=keras.optimizers.Adam(_RATE), jit_compile=False)
    for step in range(steps):
        latent.temperature.assign(max(0.1, 0.5 * np.exp(-2.0 * step / steps)))
        latent.train_on_batch(image)
        tick()
    return ops.convert_to_numpy(latent.y)
