"""Encoder effort: which integers to write, with the decoder untouched.

Rounding to the nearest integer minimises the error of the latent; a file is better off with the
integers that minimise bits + λ·error. The decoder cannot tell the difference.
"""

import numpy as np

from sdae.network import laplacian_bits

_ROUNDS = 2


def round_for_rate(model, y, t):
    """Rate–distortion-optimised rounding, one decision a value.

    Each value may give way by one step towards its expected mean where the bits saved outweigh
    the error added. The linear path is close to orthonormal, so an error e in a coefficient adds
    (255·e)² to the squared error of 192 samples, and a pixel weighs bits/64 + λ·(255·e)²/192.

    Args:
        model: `sdae.network.Autoencoder`.
        y: (1, h, w, C) float32, latent times gain.
        t: (1,) float32 quality position in [0, 1].

    Returns:
        (1, h, w, C) float32 array of integers.
    """
    from keras import ops

    _, inverse = (ops.convert_to_numpy(g) for g in model.gains(t))
    weight = model.config.lagrangian(float(t[0])) / 3 * (255 * inverse) ** 2
    nearest = np.rint(y)
    chosen = nearest
    for _ in range(_ROUNDS):
        mean, scale = (ops.convert_to_numpy(p) for p in model.contexts(chosen, t))
        lower = nearest - np.sign(nearest - np.rint(mean))

        def cost(values):
            bits = ops.convert_to_numpy(laplacian_bits(values, mean, scale))
            return bits + weight * (y - values) ** 2

        chosen = np.where(cost(lower) < cost(nearest), lower, nearest)
    return chosen
