"""Gradients of `sdae.inference` in NumPy: what the encoder has to know to choose integers well.

    integers ──► synthesis ──► picture ──► squared error      `Adjoint.squared_error`
    integers ──► contexts  ──► mean, scale ──► bits           `Adjoint.later_bits`

Both are walked forwards, remembering the sign of what enters each PReLU, and then backwards: the
adjoint of a 3×3 convolution is the convolution with the kernel turned round.
"""

import numpy as np

from sdae.config import CLIP, HEAD_SCALE, LATTICE_SPACING, STRIDE
from sdae.inference import (
    Network,
    _bordered,
    _Convolution,
    _inner,
    _Linear,
    _Residual,
    depth_to_space,
    one_blas_thread,
    space_to_depth,
)
from sdae.latents import lattice, lattice_neighbours


class Adjoint:
    """Gradients of the synthesis and of the contexts of one network.

    Args:
        network: the transforms, which stay as they are.
    """

    def __init__(self, network: Network):
        self.network = network
        self._steps = [
            _ResidualAdjoint(step) if isinstance(step, _Residual) else _ConvolutionAdjoint(step)
            for step in network._synthesis
        ]
        linear = network._synthesis_linear
        self._linear = _Linear(linear.kernel.T, _turned(linear.around))
        self._predictions = {kind: _PredictionAdjoint(p) for kind, p in network._contexts.items()}

    def squared_error(self, integers, image, t: float, linear=False) -> tuple[float, np.ndarray]:
        """Squared error of the picture that integers give, and its gradient.

        Args:
            integers: (h, w, C) float32, latent times gain.
            image: (8h, 8w, 3) float32 in [0, 1].
            t: quality position in [0, 1].
            linear: take the gradient along the linear path alone, in half the time.

        Returns:
            sum over all samples, full scale 1; gradient (h, w, C).
        """
        network, (_, _, c) = self.network, integers.shape
        _, inverse = network.gains(t)
        latent = integers * inverse
        if linear:
            error = network.synthesis(latent, t) - image
        else:
            with one_blas_thread():
                picture, signs = self._synthesis(latent, t)
            error = picture - image
        with one_blas_thread():
            gradient = self._linear(space_to_depth(error, STRIDE))
            if not linear:
                g = _bordered(error * np.float32(HEAD_SCALE))
                for step in reversed(self._steps):
                    g = step.back(g, signs.pop())
                gradient += _inner(g)[..., :c] * network._scale
        return float(np.sum(error * error, dtype="float64")), 2 * gradient * inverse

    def _synthesis(self, latent, t):
        """As `Network.synthesis`; and for each step the sign of what entered its PReLU."""
        network, (h, w, c) = self.network, latent.shape
        x = np.zeros((h + 2, w + 2, c + 1), "float32")
        np.multiply(latent, network._scale, out=_inner(x)[..., :c])
        _inner(x)[..., c] = 2 * (t - 0.5)
        signs = []
        for step in self._steps:
            x, sign = step.forward(x)
            signs.append(sign)
        linear = network._synthesis_linear(latent)
        stack = _inner(x) * np.float32(HEAD_SCALE) + np.float32(0.5)
        return depth_to_space(linear, STRIDE) + stack, signs

    def later_bits(self, integers, mean, scale) -> np.ndarray:
        """How the choice of each integer changes the bits of others.

        Args:
            integers: (h, w, C) float32.
            mean, scale: what is expected of each, by `Network.contexts` or a better model.

        Returns:
            gradient of the sum of all bits through `Network.contexts` alone, (h, w, C).
        """
        away = integers - mean
        by_mean, by_scale = _laplacian_slopes(away, scale)
        with one_blas_thread():
            # scale = softplus(raw) + 0.01 and d softplus / d raw = 1 − exp(−softplus).
            by_raw = by_scale * -np.expm1(np.float32(0.01) - scale)
            by_away = self._predictions["scale"](by_raw) * np.sign(away) * (np.abs(away) < CLIP)
            gradient = by_away + self._predictions["mean"](by_mean - by_away)
        return gradient


def _laplacian_slopes(away, scale):
    """Derivatives of `sdae.inference.laplacian_bits` by mean and by scale.

    ``away`` is the value less its mean; both are per bit.
    """
    distance, rate = np.abs(away), 1 / scale
    with np.errstate(over="ignore"):
        tail = 1 / np.expm1(np.minimum(rate, 80))
    low = np.exp(-np.maximum(0.5 - distance, 0) * rate)
    high = np.exp(-(0.5 + distance) * rate)
    share = 0.5 / np.maximum(1 - 0.5 * (low + high), np.float32(1e-9))
    far = distance > 0.5
    by_distance = np.where(far, rate, share * (low - high) * rate)
    by_scale = np.where(
        far, tail - distance + 0.5, share * (low * (0.5 - distance) + high * (0.5 + distance))
    )
    by_scale *= rate * rate
    bit = np.float32(np.log(2))
    return -by_distance * np.sign(away) / bit, by_scale / bit


def _turned(convolution):
    """The adjoint of the linear part of a convolution of stride 1, without its rearrangement."""
    size, filters = convolution.matrix.shape
    kernel = convolution.matrix.reshape(3, 3, size // 9, filters)
    return _Convolution(np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2)))


class _ConvolutionAdjoint:
    """A step of the synthesis, forwards with a memory and backwards."""

    def __init__(self, step):
        self.block, self.turned = step.block, _turned(step)
        filters = step.matrix.shape[1]
        self.slope = None if step.slope is None else step.slope[: filters // step.block**2]
        self.linear = _Convolution(
            step.matrix.reshape(3, 3, -1, filters), step.bias, block=step.block
        )

    def forward(self, x):
        x = self.linear(x)
        if self.slope is None:
            return x, None
        below = x < 0
        x += np.minimum(x, 0) * self.slope
        return x, below

    def back(self, gradient, below):
        if below is not None:
            gradient = gradient * (1 + below * self.slope)
        if self.block > 1:
            gradient = _bordered(space_to_depth(_inner(gradient), self.block))
        return self.turned(gradient)


class _ResidualAdjoint:
    """A residual block, forwards with a memory and backwards."""

    def __init__(self, block):
        self.slope = block.slope
        self.first, self.second = map(_ConvolutionAdjoint, (block.first, block.second))

    def forward(self, x):
        below = x < 0
        inner, inner_below = self.first.forward(x + np.minimum(x, 0) * self.slope)
        return x + self.second.forward(inner)[0], (below, inner_below)

    def back(self, gradient, signs):
        below, inner_below = signs
        g = self.first.back(self.second.back(gradient, None), inner_below)
        return gradient + g * (1 + below * self.slope)


class _PredictionAdjoint:
    """Adjoint of one linear prediction of the contexts: (h, w, C) → (h, w, C)."""

    def __init__(self, prediction):
        self.prediction, self.turned = prediction, _turned(prediction.around)

    def __call__(self, gradient):
        p = self.prediction
        level = lattice(*gradient.shape[:2], LATTICE_SPACING)[..., None]
        odd, first = level == 4, p.coarse.shape[-1]
        shared = gradient * np.where(odd, p.share[1], p.share[0])
        result = _inner(self.turned(_bordered(shared)))
        result = result + _gather_back((gradient * odd) @ p.own.T, 4)
        for k in (1, 2, 3):
            near = (gradient[..., :first] * (level == k)) @ p.coarse[k - 1].T
            result[..., :first] += _gather_back(near, k)
        return result


def _gather_back(gradient, level):
    """Adjoint of `sdae.inference._neighbours`; the offsets are the same seen from either end."""
    ones = np.ones((*gradient.shape[:2], 1), "float32")
    return _sums(gradient / np.maximum(_sums(ones, level), 1), level)


def _sums(x, level):
    h, w, _ = x.shape
    x = np.pad(x, ((2, 2), (2, 2), (0, 0)))
    offsets = lattice_neighbours(level, LATTICE_SPACING)
    return sum(x[2 + dy : 2 + dy + h, 2 + dx : 2 + dx + w] for dy, dx in offsets)
