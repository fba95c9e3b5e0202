"""Gradients of `numpy_network`: what the encoder has to know to choose integers well.

    integers ──► synthesis ──► picture ──► squared error      `SynthesisAdjoint`
    integers ──► contexts  ──► mean, scale ──► bits           `ContextsAdjoint`

Both are walked forwards, remembering the sign of what enters each PReLU, and then backwards: the
adjoint of a 3×3 convolution is the convolution with the kernel turned round.
"""

import numpy as np

from sdae.coding.coding_order import FINE, LAST, lattice, ordered
from sdae.coding.tables import Tables
from sdae.coding.units import MEAN_UNIT, WEIGHT_UNIT
from sdae.network.config import CLIP, HEAD_SCALE, STRIDE
from sdae.network.numpy_network import (
    Convolution,
    Depthwise,
    DepthwiseConvolution,
    Linear,
    Network,
    Residual,
    RowQueue,
    bordered,
    depth_to_space,
    inner,
    space_to_depth,
    with_last,
)
from sdae.threads import one_blas_thread


class SynthesisAdjoint:
    """Gradients through the synthesis of one network.

    Args:
        network: the transforms, which stay as they are.
    """

    def __init__(self, network: Network):
        self.network = network
        self._steps = [_ADJOINTS[type(step)](step) for step in network._synthesis]
        linear = network._synthesis_linear
        self._linear = Linear(linear.kernel.T, _turned(linear.around))

    def squared_error(self, integers, image, t: float) -> float:
        """Squared error of the picture that integers give.

        Args:
            integers: (h, w, C) float32, latent times gain.
            image: (8h, 8w, 3) float32 in [0, 1].
            t: quality position in [0, 1].

        Returns:
            sum over all samples, full scale 1.
        """
        _, inverse = self.network.gains(t)
        return _sum_of_squares(self.network.synthesis(integers * inverse, t) - image)

    def look(self, integers, image, t: float) -> tuple[float, np.ndarray]:
        """`squared_error` and its gradient.

        Args:
            integers, image, t: as there.

        Returns:
            the error; gradient (h, w, C).
        """
        network, (_, _, c) = self.network, integers.shape
        _, inverse = network.gains(t)
        with one_blas_thread():
            picture, signs = self._synthesis(integers * inverse, t)
            error = picture - image
            gradient = self._linear(space_to_depth(error, STRIDE))
            g = bordered(error * np.float32(HEAD_SCALE))
            for step in reversed(self._steps):
                g = step.back(g, signs.pop())
            gradient += inner(g)[..., :c] * network._scale
        return _sum_of_squares(error), 2 * gradient * inverse

    def quick_looks(self, bands, strips, t: float):
        """The gradient of `look` along the linear path alone, in half the time.

        Args:
            bands: the integers in parts from the top, (n, w, C) float32 each.
            strips: the picture in parts, (m, 8w, 3) float32 each.
            t: as there.

        Yields:
            the rows of the gradient in parts of any length.
        """
        _, inverse = self.network.gains(t)
        strips, passed = iter(strips), self._linear.passing()
        wanted, errors = RowQueue(), RowQueue()
        pictures = self.network.synthesis_rows((band * inverse for band in bands), t)
        for picture, last in with_last(pictures):
            errors.add(picture - wanted.take_from(strips, len(picture)))
            error = errors.take(len(errors) // STRIDE * STRIDE)
            with one_blas_thread():
                gradient = passed(space_to_depth(error, STRIDE), last)
            yield 2 * gradient * inverse

    def _synthesis(self, latent, t):
        """As `Network.synthesis`; and for each step the sign of what entered its PReLU."""
        network, (h, w, _) = self.network, latent.shape
        plane = np.full((h, w, 1), 2 * (t - 0.5), "float32")
        x = bordered(np.concatenate([latent * network._scale, plane], 2))
        signs = []
        for step in self._steps:
            x, sign = step.forward(x)
            signs.append(sign)
        linear = network._synthesis_linear(latent)
        stack = inner(x) * np.float32(HEAD_SCALE) + np.float32(0.5)
        return depth_to_space(linear, STRIDE) + stack, signs


def _sum_of_squares(error) -> float:
    return float(np.sum(error * error, dtype="float64"))


def _laplacian_slopes(away, scale):
    """Derivatives of `sdae.network.numpy_network.laplacian_bits` by mean and by scale.

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
    return Convolution(np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2)))


class _ConvolutionAdjoint:
    """A step of the synthesis, forwards with a memory and backwards."""

    def __init__(self, step):
        self.block, self.turned = step.block, _turned(step)
        filters = step.matrix.shape[1]
        self.slope = None if step.slope is None else step.slope[: filters // step.block**2]
        self.linear = Convolution(
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
            gradient = bordered(space_to_depth(inner(gradient), self.block))
        return self.turned(gradient)


class _ResidualAdjoint:
    """A residual block, forwards with a memory and backwards."""

    def __init__(self, block):
        self.slope = block.slope
        self.first, self.second = map(_ConvolutionAdjoint, (block.first, block.second))

    def forward(self, x):
        below = x < 0
        found, found_below = self.first.forward(x + np.minimum(x, 0) * self.slope)
        return x + self.second.forward(found)[0], (below, found_below)

    def back(self, gradient, signs):
        below, found_below = signs
        g = self.first.back(self.second.back(gradient, None), found_below)
        return gradient + g * (1 + below * self.slope)


class _DepthwiseAdjoint:
    """A depthwise block, forwards with a memory and backwards."""

    def __init__(self, block):
        self.block = block
        kernel = block.around.matrix.reshape(3, 3, -1, 1)
        self.turned = DepthwiseConvolution(kernel[::-1, ::-1])

    def forward(self, x):
        block = self.block
        wide = inner(block.around(x)) @ block.widen + block.widen_bias
        below = wide < 0
        wide += np.minimum(wide, 0) * block.slope
        return bordered(inner(x) + wide @ block.narrow + block.narrow_bias), below

    def back(self, gradient, below):
        g = inner(gradient) @ self.block.narrow.T
        g *= 1 + below * self.block.slope
        return gradient + self.turned(bordered(g @ self.block.widen.T))


_ADJOINTS = {
    Convolution: _ConvolutionAdjoint,
    Residual: _ResidualAdjoint,
    Depthwise: _DepthwiseAdjoint,
}


class ContextsAdjoint:
    """How the choice of each integer changes the bits of others, through the linear predictions.

    Args:
        tables: the context tables.
    """

    def __init__(self, tables: Tables):
        self._mean = _PredictionAdjoint(
            tables.groups,
            tables.mean / MEAN_UNIT,
            tables.mean_share / WEIGHT_UNIT,
            tables.mean_own / MEAN_UNIT,
            tables.mean_coarse / MEAN_UNIT,
        )
        # Of the four neighbours their mean is looked at.
        own, coarse = (
            np.repeat(np.expand_dims(part, -3), 4, -3) / (4 * WEIGHT_UNIT)
            for part in (tables.width_own, tables.width_coarse)
        )
        self._width = _PredictionAdjoint(
            tables.groups, tables.width / WEIGHT_UNIT, tables.width_share / WEIGHT_UNIT, own, coarse
        )

    def later_bits(self, integers, mean, scale) -> np.ndarray:
        """Gradient of the sum of all bits, (h, w, C), the integers that are coded held fast.

        Args:
            integers: (h, w, C) float32.
            mean, scale: what is expected of each, by `sdae.coding.predictor.expectations`.
        """
        away = integers - mean
        by_mean, by_scale = _laplacian_slopes(away, scale)
        with one_blas_thread():
            # scale = softplus(raw) + 0.01 and d softplus / d raw = 1 − exp(−softplus).
            by_raw = by_scale * -np.expm1(np.float32(0.01) - scale)
            by_away = self._width(by_raw) * np.sign(away) * (np.abs(away) < CLIP)
            gradient = by_away + self._mean(by_mean - by_away)
        return gradient


class _PredictionAdjoint:
    """Adjoint of one linear prediction of `sdae.coding.tables.Tables`: (h, w, C) → (h, w, C).

    Args:
        groups, kernel, share: as there, such as `mean`, `mean_share`.
        own, coarse: weights of the four neighbours, (4, C, C) and (LAST − 1, 4, c, c).
    """

    def __init__(self, groups, kernel, share, own, coarse):
        kernel = kernel.reshape(3, 3, *kernel.shape[1:])
        self.turned = _turned(Convolution(kernel.astype("float32")))
        self.share = share.astype("float32")
        near = (weights.transpose(0, 2, 1) for weights in (*coarse, own))
        self.near = [np.ascontiguousarray(weights, "float32") for weights in near]
        self.fine = int(groups[:FINE].sum())

    def __call__(self, gradient):
        h, w, c = gradient.shape
        level, steps = lattice(h, w), ordered(h, w)
        share = self.share[level]
        share[..., self.fine :] = self.share[level // LAST * LAST][..., self.fine :]
        rows, near = gradient.reshape(-1, c)[steps.order], np.zeros((h * w + 1, c), "float32")
        for k, weights in enumerate(self.near, 1):
            part = slice(steps.ends[k - 1], steps.ends[k])
            seen = c if k == LAST else self.fine
            for numbers, kernel in zip(steps.neighbours[k], weights):
                np.add.at(near[:, :seen], numbers, rows[part, :seen] @ kernel)
        plane = np.empty((h * w, c), "float32")
        plane[steps.order] = near[:-1]
        return inner(self.turned(bordered(gradient * share))) + plane.reshape(h, w, c)
