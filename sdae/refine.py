"""Encoder effort: which integers to write, with the decoder untouched.

Rounding to the nearest integer minimises the error of the latent; a file is better off with the
integers that minimise bits + λ·squared error of the picture. The decoder cannot tell the
difference.

    latent ──► rounding ──► integers ──► synthesis ──► error ──► where the latent should be
                  ▲                                                          │
                  └──────────────────────────────────────────────────────────┘
"""

from functools import lru_cache

import numpy as np

from sdae.adjoint import Adjoint
from sdae.inference import laplacian_bits

STEPS_PER_EFFORT = 2
"""Looks at the restored picture for each unit of ``effort``."""

_CAUTION = 2.5
# Before the picture has been looked at an error of the latent counts this many times: what the
# encoder means by a value is lost with it. Measured on validation photographs.

_STEP = 0.8
_LAST_STEP = 0.3
_TEMPERATURE = 0.7
_OTHERS = 0.6
# How far a look moves the latent, at first and at last; bits of randomness at first; and how
# much of a choice's effect on the bits of others is believed. Measured on the same photographs.


def round_for_rate(network, y, t: float, expected):
    """Rate–distortion-optimised rounding without a look at the picture, one decision a value.

    Each value may give way by one step towards its expected mean where the bits saved outweigh
    the error added. The linear path is close to orthonormal, so an error e in a coefficient adds
    (255·e)² to the squared error of 192 samples, and a pixel weighs bits/64 + λ·(255·e)²/192.

    Args:
        network: `sdae.inference.Network`.
        y: (h, w, C) float32, latent times gain.
        t: quality position in [0, 1].
        expected: integers → mean and scale that the coder expects of each, such as
            `sdae.latents.expectations`.

    Returns:
        (h, w, C) float32 array of integers.
    """
    return _choose(y, _CAUTION * _weight(network, t), *expected(np.rint(y)))


def fit_picture(
    network, image, y, t: float, expected, effort=0, report=lambda share: None, start=None
):
    """The integers whose picture is close at few bits: rounding, a look at the result, and again.

    A look gives the gradient of the squared error. As the synthesis is close to orthonormal, one
    Newton step from the integers along it, with the same curvature everywhere, tells where the
    latent should have been; the latent goes a part of that way and is rounded again. With effort
    0 there is one look, and its gradient is taken along the linear path alone. More effort looks
    more often, through all of the synthesis, and begins with random choices that settle: Gibbs
    sampling at a falling temperature.

    Args:
        network, y, t, expected, result: as for `round_for_rate`.
        image: (8h, 8w, 3) float32 in [0, 1], the picture to come close to.
        effort: 0 for one look, otherwise `STEPS_PER_EFFORT` for each unit.
        report: called between looks with the share of them that are done.
        start: (h, w, C) integers to begin with; None rounds for them.
    """
    adjoint, weight = _adjoint(network), _weight(network, t)
    _, inverse = network.gains(t)
    rng = np.random.default_rng(0)
    steps = effort * STEPS_PER_EFFORT or 1
    chosen = round_for_rate(network, y, t, expected) if start is None else start.astype("float32")
    for step in range(steps):
        if step:
            report(step / steps)
        left = 1 - step / steps
        error, gradient = adjoint.squared_error(chosen, image, t, linear=not effort)
        mean, scale = expected(chosen)
        others = adjoint.later_bits(chosen, mean, scale)
        move = _STEP * (_LAST_STEP / _STEP) ** (1 - left)
        y = y + move * (chosen - gradient / (2 * inverse**2) - y)
        temperature = _TEMPERATURE * max(0, left - 0.5) if effort else 0
        chosen = _choose(y, weight, mean, scale, _OTHERS * others, temperature, rng)
    return chosen


def _weight(network, t):
    """λ·(255·inverse gain)²/3: what the square of an error of 1 in a coefficient costs, in bits."""
    _, inverse = network.gains(t)
    return np.float32(network.config.lagrangian(t) / 3) * (255 * inverse) ** 2


def _choose(y, weight, mean, scale, slope=0, temperature=0, rng=None):
    """Of the nearest integer and its neighbours the one of least cost, for each value.

    Args:
        y: where the latent should be.
        weight: cost of the squared distance from it.
        mean, scale: what the contexts expect.
        slope: further cost of each step upwards.
        temperature: draw with probabilities exp(−cost/temperature) instead, if above 0.
        rng: for these draws.
    """
    nearest = np.rint(y)
    toward = nearest - np.sign(nearest - np.rint(mean))
    candidates = [nearest, toward]
    if temperature:
        candidates.append(nearest + np.where(y < nearest, -1, 1).astype("float32"))
    least = np.inf
    for values in candidates:
        cost = laplacian_bits(values, mean, scale) + weight * (y - values) ** 2 + slope * values
        if temperature:
            noise = rng.standard_exponential(cost.shape, "float32")
            cost += np.float32(temperature) * np.log(np.maximum(noise, np.float32(1e-9)))
        chosen = values if least is np.inf else np.where(cost < least, values, chosen)
        least = np.minimum(cost, least)
    return chosen


@lru_cache(maxsize=2)
def _adjoint(network):
    return Adjoint(network)
