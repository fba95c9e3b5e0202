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

from sdae import latents
from sdae.adjoint import ContextsAdjoint, SynthesisAdjoint
from sdae.config import CAUTION
from sdae.inference import laplacian_bits, one_blas_thread

STEPS_PER_EFFORT = 2
"""Looks at the restored picture for each unit of ``effort``."""

_STEP = 0.8
_MOVE, _LAST_MOVE = 0.4, 0.15
_TEMPERATURE = 0.3
_OTHERS = 0.8
# How far the first look moves the latent, and those of more effort at first and at last; bits of
# randomness at first; and how much of a choice's effect on the bits of others is believed.
# Measured on validation photographs.


def round_for_rate(network, tables, y, quality_code: int):
    """Rate–distortion-optimised rounding without a look at the picture, one decision a value.

    Each value may give way by one step towards its expected mean where the bits saved outweigh
    the error added. The linear path is close to orthonormal, so an error e in a coefficient adds
    (255·e)² to the squared error of 192 samples, and a pixel weighs bits/64 + λ·(255·e)²/192.

    Args:
        network: `sdae.inference.Network`.
        tables: `sdae.latents.Tables` of the same weights.
        y: (h, w, C) float32, latent times gain.
        quality_code: quality in hundredths, 100 to 10000.

    Returns:
        (h, w, C) float32 array of integers.
    """
    weight = CAUTION * _weight(network, latents.quality_position(quality_code / 100))
    return _choose(y, weight, *_expected(np.rint(y), quality_code, tables))


def fit_picture(
    network, tables, image, y, quality_code: int, effort=0, report=lambda share: None, start=None
):
    """The integers whose picture is close at few bits: rounding, a look at the result, and again.

    A look gives the gradient of the squared error. As the synthesis is close to orthonormal, one
    Newton step from the integers along it, with the same curvature everywhere, tells where the
    latent should have been; the latent goes a part of that way and is rounded again. With effort
    0 there is one look, and its gradient is taken along the linear path alone. More effort goes on
    from there with more looks, through all of the synthesis, and with random choices that settle:
    Gibbs sampling at a falling temperature. Of all results after the first look it keeps the one
    that costs least.

    Args:
        network, tables, y, quality_code, result: as for `round_for_rate`.
        image: (8h, 8w, 3) float32 in [0, 1], the picture to come close to.
        effort: 0 for one look, otherwise `STEPS_PER_EFFORT` for each unit.
        report: called between looks with the share of them that are done.
        start: (h, w, C) integers to begin with; None rounds for them.
    """
    synthesis, contexts = _synthesis(network), _contexts(tables)
    t = latents.quality_position(quality_code / 100)
    weight, (_, inverse) = _weight(network, t), network.gains(t)
    price = network.config.lagrangian(t) * 255**2 / 3
    rng = np.random.default_rng(0)
    steps = effort * STEPS_PER_EFFORT or 1
    if start is None:
        start = round_for_rate(network, tables, y, quality_code)
    chosen, best, least = start.astype("float32"), None, np.inf
    for step in range(steps + (effort > 0)):
        if step:
            report(step / (steps + 1))
        left = 1 - step / steps
        # The first look is that of effort 0, and no other result is taken that costs more.
        quick = not effort or not step
        if step < steps:
            error, gradient = synthesis.look(chosen, image, t, linear=quick)
        else:
            error = synthesis.squared_error(chosen, image, t)
        mean, scale = _expected(chosen, quality_code, tables)
        if step:
            cost = laplacian_bits(chosen, mean, scale).sum(dtype="float64") + price * error
            if cost < least:
                best, least = chosen, cost
            if step == steps:
                return best
        others = contexts.later_bits(chosen, mean, scale)
        move = _STEP if quick else _MOVE * (_LAST_MOVE / _MOVE) ** (1 - left)
        y = y + move * (chosen - gradient / (2 * inverse**2) - y)
        temperature = 0 if quick else _TEMPERATURE * max(0, left - 0.5)
        chosen = _choose(y, weight, mean, scale, _OTHERS * others, temperature, rng)
    return chosen


def _expected(integers, quality_code, tables):
    with one_blas_thread():
        return latents.expectations(integers, quality_code, tables)


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


_synthesis = lru_cache(maxsize=2)(SynthesisAdjoint)
_contexts = lru_cache(maxsize=2)(ContextsAdjoint)
