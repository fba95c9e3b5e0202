"""Which integers to write, with the decoder untouched.

Rounding to the nearest integer minimises the error of the latent; a file is better off with the
integers that minimise bits + λ · squared error of the picture. The decoder cannot tell the difference.

    latent ──► guess ──► synthesis ──► error ──► gradient ──► latent ──► rounding by cost
"""

from collections import deque
from functools import lru_cache

import numpy as np

from sdae.coding import predictor
from sdae.coding.coding_order import ordered
from sdae.coding.latent import live_channels
from sdae.coding.units import FEATURE_UNIT, WIDTH_UNIT
from sdae.network.config import STRIDE, quality_position
from sdae.network.layers import Linear, space_to_depth
from sdae.network.rows import RowQueue, with_last
from sdae.threads import one_blas_thread

_COARSE, _DEAD_ZONE, _LEAN = 6, 0.08, 0.03
# Channels of the coarse picture; how far above one half other values become 0 at first; and how far at
# most those of the coarse picture lean towards their neighbours.

_STEP, _CARE = 0.7, (6.3, 6.3, 5.2, 4.2, 1.9, 1.9, 1.9)
# How far the gradient moves the latent, and how much dearer error is from then on, by group: that of
# the coarse picture is seen more. All these were measured on validation photographs.

_FAR = 3 * FEATURE_UNIT // 2
# From so far on the bits grow evenly with the distance from the mean.

_STEPS, _NARROW_WIDE = 32, (-256, 767)
# So many widths to 1 are told apart, from −8 to 24.

_MOST = 32766
# A step towards the mean leads no further than files can hold.

_MASKING, _SMOOTH = 0.25, 58.5
# Errors where a picture varies are seen less: they weigh (variance + 58.5)^−0.25, variance on the
# 0–255 scale over 24×24 pixels; 58.5 is the constant that SSIM adds to variances.


def guessed(y) -> np.ndarray:
    """Integers to restore the picture from at first, near those that a choice by bits would give.

    Values just above one half become 0. Those of the coarse picture lean towards their neighbours.

    Args:
        y: (h, w, C) float32, latent times gain.

    Returns:
        (h, w, C) float32 array of integers.
    """
    result, coarse = np.rint(y), y[..., :_COARSE]
    result[np.abs(y) < 0.5 + _DEAD_ZONE] = 0
    beyond = (_mean_around(coarse) - coarse) / 2
    result[..., :_COARSE] = np.rint(coarse + np.clip(beyond, -_LEAN, _LEAN))
    return result


def fitted_bands(network, tables, strips, bands, quality_code: int, masking, met=None):
    """The integers whose picture is close at few bits: a guess, restoring, and rounding by cost.

    What is restored gives the gradient of the squared error. As the synthesis is close to
    orthonormal, one Newton step from the integers along it, with the same curvature everywhere,
    tells where the latent should have been. It goes a part of that way and is rounded by cost. The
    gradient is taken along the linear path alone.

    Args:
        network: `sdae.network.transforms.Network`.
        tables: `sdae.coding.tables.Tables` of the same weights.
        quality_code: quality in hundredths, 100 to 10000.
        strips: the picture to come close to in strips from the top, (n, W, 3) float32 in [0, 1].
        bands: the latent times gain from the top, each coded as if the others were not there:
            `sdae.coding.coding_order.bands`.
        masking: (h, w) float32, how much errors of each place weigh.
        met: a `sdae.coding.residuals.Survey` to note what is to be packed, or None.

    Yields:
        for each of the bands a float32 array of integers.
    """
    t, groups = quality_position(quality_code / 100), network.config.groups
    weight = np.repeat(np.float32(_CARE[: len(groups)]), groups) * _weight(network, t)
    waiting, missing = deque(), RowQueue()

    def guesses():
        for y in bands:
            waiting.append((y, guessed(y)))
            yield waiting[-1][1]

    top = 0
    for rows in _missing(network, guesses(), strips, t):
        missing.add(rows)
        while waiting and len(missing) >= len(waiting[0][0]):
            y, guess = waiting.popleft()
            y = y + np.float32(_STEP) * (guess + missing.take(len(y)) - y)
            masks = masking[top : top + len(y)]
            top += len(y)
            yield _chosen(y, weight, masks, quality_code, tables, met)


def masking(samples: np.ndarray) -> np.ndarray:
    """How much an error of each place of the latent weighs, mean 1: (h, w) float32.

    Args:
        samples: (H, W, 3) uint8, or float32 on the scale [0, 1].
    """
    scale = np.float32(1 if samples.dtype == np.uint8 else 255)
    moments = []
    for top in range(0, len(samples), STRIDE):
        rows = samples[top : top + STRIDE].astype("float32") * scale
        rows = np.pad(rows, [(0, 0), (0, -rows.shape[1] % STRIDE), (0, 0)], "edge")
        moments.append([(rows**k).mean(0).reshape(-1, STRIDE, 3).mean(1) for k in (1, 2)])
    mean, square = np.asarray(moments).transpose(1, 0, 2, 3)
    mean, square = (_mean_around(x) for x in (mean, square))
    variance = np.maximum(square - mean**2, 0).mean(-1)
    weight = (variance + _SMOOTH) ** -_MASKING
    return (weight / weight.mean()).astype("float32")


def _mean_around(x):
    """The mean of each place and its eight neighbours, (h, w, ·)."""
    h, w = x.shape[:2]
    x = np.pad(x, [(1, 1), (1, 1), (0, 0)], "edge")
    return sum(x[i : i + h, j : j + w] for i in range(3) for j in range(3)) / 9


def laplacian_bits(values, mean, scale):
    """−log₂ of the probability that a Laplacian gives to the unit interval around each value; as
    `sdae.training.context_model.laplacian_bits`."""
    distance = np.abs(values - mean)
    with np.errstate(over="ignore"):
        far = (distance - 0.5) / scale + np.float32(np.log(2)) - np.log(-np.expm1(-1 / scale))
        near = 1 - 0.5 * (
            np.exp(-np.maximum(0.5 - distance, 0) / scale) + np.exp(-(0.5 + distance) / scale)
        )
    near = -np.log(np.maximum(near, np.float32(1e-9)))
    return np.where(distance > 0.5, far, near) / np.float32(np.log(2))


def _missing(network, bands, strips, t):
    """The Newton step of `fitted_bands`: rows from the top, in any strips."""
    _, inverse = network.gains(t)
    adjoint = _linear_adjoint(network).streaming()
    strips, wanted, errors = iter(strips), RowQueue(), RowQueue()
    for picture, last in with_last(network.picture_rows(bands, t)):
        errors.add(wanted.take_from(strips, len(picture)) - picture)
        error = errors.take(len(errors) // STRIDE * STRIDE)
        with one_blas_thread():
            step = adjoint(space_to_depth(error, STRIDE), last)
        yield step / inverse


@lru_cache(maxsize=2)
def _linear_adjoint(network):
    """The adjoint of the linear path of the synthesis; that of a convolution is the convolution with
    the kernel turned round."""
    linear = network.synthesis_linear
    return Linear(linear.kernel.T, linear.around[::-1, ::-1].transpose(0, 1, 3, 2))


def _weight(network, t):
    """λ·(255·inverse gain)²/3: what the square of an error of 1 in a coefficient costs, in bits."""
    _, inverse = network.gains(t)
    return np.float32(network.config.lagrangian(t) / 3) * (255 * inverse) ** 2


@one_blas_thread()
def _chosen(y, weight, masking, quality_code, tables, met=None):
    """Of the nearest integer and its neighbour towards the mean the one of less cost, for each value.

    The linear path is close to orthonormal, so an error e in a coefficient adds (255·e)² to the
    squared error of 192 samples, and a pixel weighs bits/64 + λ·(255·e)²/192.

    Args:
        y: (h, w, C) where the latent should be.
        weight: (C,) cost of the squared distance from it.
        masking: (h, w) by which the weight is multiplied.
        met: as for `fitted_bands`.
    """
    live = live_channels(np.rint(y))
    shape, order = y.shape[:2], ordered(*y.shape[:2]).order
    rows = np.clip(y.reshape(-1, y.shape[2])[order, :live], -_MOST, _MOST)
    masks = masking.reshape(-1, 1)[order]

    def choice(places, channels, mean, width):
        wanted, price = rows[places, channels], weight[channels] * masks[places]
        nearest = np.rint(wanted)
        beyond = FEATURE_UNIT * nearest - mean.astype("float32")
        side = np.sign(beyond)
        far = np.minimum(np.abs(beyond), _FAR).astype("int32")
        step = np.clip(np.rint(width * (_STEPS / WIDTH_UNIT)), *_NARROW_WIDE).astype("int32")
        saved = _savings().take((step - _NARROW_WIDE[0]) * (_FAR + 1) + far)
        closer = saved > price * (1 + 2 * (wanted - nearest) * side)
        rows[places, channels] = chosen = nearest - side * closer
        if met is not None:
            met.note(channels, chosen, mean, width)
        return chosen

    predictor.walk(shape, quality_code, tables, live, choice)
    result = np.zeros((len(rows), y.shape[2]), "float32")
    result[order, :live] = rows
    return result.reshape(y.shape)


@lru_cache(maxsize=1)
def _savings():
    """Bits saved by one step towards the mean, for each width and each distance from the mean in
    units of 1/FEATURE_UNIT, the last for all larger ones; nothing where a step leads away."""
    distance = np.arange(_FAR + 1, dtype="float32") / FEATURE_UNIT
    low, high = _NARROW_WIDE
    width = np.arange(low, high + 1, dtype="float32")[:, None] / _STEPS
    scale = np.logaddexp(width, 0) + np.float32(0.01)
    near, far = (laplacian_bits(d, np.float32(0), scale) for d in (np.abs(distance - 1), distance))
    return np.where(distance > 0.5, far - near, 0).astype("float32")
