"""Encoder effort: which integers to write, with the decoder untouched.

Rounding to the nearest integer minimises the error of the latent; a file is better off with the
integers that minimise bits + λ·squared error of the picture. The decoder cannot tell the
difference.

    latent ──► rounding ──► integers ──► synthesis ──► error ──► where the latent should be
                  ▲                                                          │
                  └──────────────────────────────────────────────────────────┘
"""

from collections import deque
from functools import lru_cache

import numpy as np

from sdae.coding import predictor
from sdae.network.config import CAUTION, quality_position
from sdae.network.gradients import ContextsAdjoint, SynthesisAdjoint
from sdae.network.numpy_network import RowQueue, laplacian_bits
from sdae.threads import one_blas_thread

STEPS_PER_EFFORT = 3
"""Looks at the restored picture for each unit of ``effort``."""

_STEP, _CARE = 0.6, 1.5
_MOVE, _LAST_MOVE, _SLOWER = 0.1, 0.04, 0.95
_OTHERS = 0.8
# How far the first look moves the latent, and how much dearer error is from then on; how far those of
# more effort move it at first and at last, and the factor from one to the next; and how much of a
# choice's effect on the bits of others is believed.

_AIM, _STEER = 0.998, 3
# The error aimed at, as a share of that of effort 0, and the power by which its price follows.
# All of these are measured on validation photographs.


def round_for_rate(network, tables, y, quality_code: int):
    """Rate–distortion-optimised rounding without a look at the picture, one decision a value.

    Each value may give way by one step towards its expected mean where the bits saved outweigh
    the error added. The linear path is close to orthonormal, so an error e in a coefficient adds
    (255·e)² to the squared error of 192 samples, and a pixel weighs bits/64 + λ·(255·e)²/192.

    Args:
        network: `sdae.network.numpy_network.Network`.
        tables: `sdae.coding.tables.Tables` of the same weights.
        y: (h, w, C) float32, latent times gain.
        quality_code: quality in hundredths, 100 to 10000.

    Returns:
        (h, w, C) float32 array of integers.
    """
    weight = CAUTION * _weight(network, quality_position(quality_code / 100))
    return _choose(y, weight, *_expected(np.rint(y), quality_code, tables))


def fit_bands(network, tables, strips, bands, quality_code: int):
    """The integers whose picture is close at few bits: rounding, a look at the result, and again.

    A look gives the gradient of the squared error. As the synthesis is close to orthonormal, one
    Newton step from the integers along it, with the same curvature everywhere, tells where the
    latent should have been; the latent goes a part of that way and is rounded again. Here the
    gradient is taken along the linear path alone.

    Args:
        network, tables, quality_code: as for `round_for_rate`.
        strips: the picture to come close to in parts from the top, (n, W, 3) float32 in [0, 1].
        bands: the latent times gain in parts from the top, each coded as if the others were not
            there: `sdae.coding.coding_order.bands`.

    Yields:
        for each of the bands a float32 array of integers.
    """
    for _, chosen in _looked_at(network, tables, strips, bands, quality_code):
        yield chosen


def fit_picture(network, tables, image, y, quality_code: int, effort: int, progress=None):
    """As `fit_bands`, for one band and with more care.

    What follows is more looks, through all of the synthesis. The price of error rises as long as
    the picture is further away than that of effort 0 and falls when it is closer, so what is
    gained are bytes. Of all results that are at least as close the one of fewest bits is kept; more
    effort goes the same way further, so it never takes more bits than less effort.

    Args:
        network, tables, y, quality_code, result: as for `round_for_rate`.
        image: (8h, 8w, 3) float32 in [0, 1], the picture to come close to.
        effort: 1 and more, `STEPS_PER_EFFORT` looks for each.
        progress: called between looks with the share of them that are done.
    """
    synthesis, contexts = _synthesis(network), _contexts(tables)
    t = quality_position(quality_code / 100)
    weight, (_, inverse) = np.float32(_CARE) * _weight(network, t), network.gains(t)
    steps = effort * STEPS_PER_EFFORT
    ((y, chosen),) = _looked_at(network, tables, [image], [y], quality_code)
    best, least, wanted = chosen, np.inf, None
    for step in range(steps + 1):
        if progress:
            progress((step + 1) / (steps + 2))
        if step < steps:
            error, gradient = synthesis.look(chosen, image, t)
        else:
            error = synthesis.squared_error(chosen, image, t)
        wanted = error if wanted is None else wanted
        mean, scale = _expected(chosen, quality_code, tables)
        bits = laplacian_bits(chosen, mean, scale).sum(dtype="float64")
        if error <= wanted and bits < least:
            best, least = chosen, bits
        if step < steps:
            weight *= np.float32((error / (_AIM * wanted)) ** _STEER)
            move = max(_LAST_MOVE, _MOVE * _SLOWER**step)
            y = _moved(y, chosen, gradient, inverse, move)
            others = contexts.later_bits(chosen, mean, scale)
            chosen = _choose(y, weight, mean, scale, _OTHERS * others)
    return best


def _looked_at(network, tables, strips, bands, quality_code):
    """What `fit_bands` yields, each with where the latent should have been."""
    synthesis, contexts = _synthesis(network), _contexts(tables)
    t = quality_position(quality_code / 100)
    weight, (_, inverse) = np.float32(_CARE) * _weight(network, t), network.gains(t)
    waiting, gradients = deque(), RowQueue()

    def rounded():
        for y in bands:
            chosen = round_for_rate(network, tables, y, quality_code)
            waiting.append((y, chosen))
            yield chosen

    def again(y, chosen):
        y = _moved(y, chosen, gradients.take(len(y)), inverse, _STEP)
        mean, scale = _expected(chosen, quality_code, tables)
        others = contexts.later_bits(chosen, mean, scale)
        return y, _choose(y, weight, mean, scale, _OTHERS * others)

    for part in synthesis.quick_looks(rounded(), strips, t):
        gradients.add(part)
        while waiting and len(gradients) >= len(waiting[0][0]):
            yield again(*waiting.popleft())


def _moved(y, chosen, gradient, inverse, share):
    """A latent on its way to where the gradient at the chosen integers says it should be."""
    return y + share * (chosen - gradient / (2 * inverse**2) - y)


def _expected(integers, quality_code, tables):
    with one_blas_thread():
        return predictor.expectations(integers, quality_code, tables)


def _weight(network, t):
    """λ·(255·inverse gain)²/3: what the square of an error of 1 in a coefficient costs, in bits."""
    _, inverse = network.gains(t)
    return np.float32(network.config.lagrangian(t) / 3) * (255 * inverse) ** 2


def _choose(y, weight, mean, scale, slope=0):
    """Of the nearest integer and its neighbour towards the mean the one of less cost, for each value.

    Args:
        y: where the latent should be.
        weight: cost of the squared distance from it.
        mean, scale: what the contexts expect.
        slope: further cost of each step upwards.
    """
    nearest = np.rint(y)
    toward = nearest - np.sign(nearest - np.rint(mean))

    def cost(values):
        return laplacian_bits(values, mean, scale) + weight * (y - values) ** 2 + slope * values

    return np.where(cost(toward) < cost(nearest), toward, nearest)


_synthesis = lru_cache(maxsize=2)(SynthesisAdjoint)
_contexts = lru_cache(maxsize=2)(ContextsAdjoint)
