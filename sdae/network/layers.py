"""The layers of `sdae.network.plan` in NumPy: a 3×3 convolution is one product of matrices.

Arrays have no batch axis. Rows may pass through all layers a strip at a time, each layer keeping the
last two that it has seen: a large picture takes memory for its strips, and nothing is computed twice.
Strips of other heights give the same but for roundings, since BLAS adds up in an order that depends on
the size of a product and on the processor.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sdae.network.rows import RowQueue
from sdae.threads import share_out

_PATCH_FLOATS = 1 << 17
# A convolution takes so many floats of patches at a time: they fit a processor's second cache.

_ABOVE = 2
# Arrays have room for so many rows of the strip before, and for a row of zeros after the last.


class Convolution:
    """3×3 convolution, PReLU and sub-pixel rearrangement, each of the two last if it is asked for.

    Arrays that go in and come out are bordered, see `bordered`.

    Args:
        kernel: (3, 3, inputs, filters).
        bias: (filters,) or None.
        alpha: (filters,) slopes of the PReLU below zero, or None.
        stride: 1 or 2.
        block: side of the squares that channels are laid out to, see `depth_to_space`.
    """

    def __init__(self, kernel, bias=None, alpha=None, stride=1, block=1):
        self.matrix = kernel.reshape(-1, kernel.shape[-1])
        self.bias, self.stride, self.block = bias, stride, block
        self.slope = None if alpha is None else alpha - 1
        # Keras pads even sides at the end alone where the stride is 2.
        self._before = int(stride == 1)

    def __call__(self, x):
        """(h, w, inputs), h and w multiples of the stride → (h·block/stride, w·block/stride,
        filters/block²)."""
        return self._convolved(x[_ABOVE - self._before :])

    def streaming(self):
        """A function of a strip and whether it is the last, to be called with one after another from
        the top. It keeps the rows that the next needs, so its results lag behind by a row."""
        seen = None

        def passed(x, last):
            nonlocal seen
            if seen is None:
                seen = np.zeros((self._before, *x.shape[1:]), "float32")
            start = _ABOVE - len(seen)
            x[start:_ABOVE] = seen
            x = x[start:] if last else x[start:-1]
            result = self._convolved(x)
            seen = x[len(inner(result)) // self.block * self.stride :].copy()
            return result

        return passed

    def _convolved(self, x):
        """The bordered result for all rows of x that have their neighbours in it."""
        size, filters = self.matrix.shape
        h, w = max(0, (len(x) - 1 - self._before) // self.stride), (x.shape[1] - 2) // self.stride
        b = self.block
        result = empty(h * b, w * b, filters // b**2)
        x = x[:, self.stride - 1 :]
        down, right, _ = x.strides
        strides = self.stride * down, self.stride * right, down, x.itemsize
        step = max(1, _PATCH_FLOATS // (w * size))

        def convolved(top):
            count = min(step, h - top)
            # Three neighbours of a row lie one after another in memory.
            shape = count, w, 3, size // 3
            patches = as_strided(x[self.stride * top :], shape, strides, writeable=False)
            part = patches.reshape(-1, size) @ self.matrix
            if self.bias is not None:
                part += self.bias
            if self.slope is not None:
                part += np.minimum(part, 0) * self.slope
            part = depth_to_space(part.reshape(count, w, filters), b)
            inner(result)[top * b : (top + count) * b] = part

        share_out(convolved, range(0, h, step))
        return result


class DepthwiseConvolution(Convolution):
    """3×3 convolution of each channel by itself, on bordered arrays.

    Args:
        kernel: (3, 3, channels, 1).
        bias: (channels,) or None.
    """

    def __init__(self, kernel, bias=None):
        super().__init__(kernel.reshape(3, 3, -1), bias)

    def _convolved(self, x):
        h, w = max(0, len(x) - 2), x.shape[1] - 2
        c = self.matrix.shape[1]
        result = empty(h, w, c)
        kernel = self.matrix.reshape(3, 3, c)
        step = max(1, _PATCH_FLOATS // (4 * w * c))

        def convolved(top):
            count = min(step, h - top)
            total = inner(result)[top : top + count]
            total[:] = 0 if self.bias is None else self.bias
            part = np.empty_like(total)
            for down in range(3):
                for right in range(3):
                    seen = x[top + down : top + down + count, right : right + w]
                    total += np.multiply(seen, kernel[down, right], out=part)

        share_out(convolved, range(0, h, step))
        return result


class Residual:
    """x + 3×3(PReLU(3×3(PReLU(x)))) on bordered arrays."""

    def __init__(self, alpha, first, second):
        self.slope, self.first, self.second = alpha - 1, first, second

    def streaming(self):
        """As `Convolution.streaming`."""
        waiting, first, second = RowQueue(), self.first.streaming(), self.second.streaming()

        def passed(x, last):
            waiting.add(inner(x))
            x = second(first(x + np.minimum(x, 0) * self.slope, last), last)
            inner(x)[:] += waiting.take(len(inner(x)))
            return x

        return passed


class Depthwise:
    """x + 1×1(PReLU(1×1(depthwise 3×3(x)))) on bordered arrays.

    Args:
        around, around_bias: depthwise kernel (3, 3, c, 1) and (c,).
        widen, widen_bias: (c, n) and (n,).
        alpha: (n,) slopes of the PReLU below zero.
        narrow, narrow_bias: (n, c) and (c,).
    """

    def __init__(self, around, around_bias, widen, widen_bias, alpha, narrow, narrow_bias):
        self.around = DepthwiseConvolution(around, around_bias)
        self.widen, self.narrow, self.slope = widen, narrow, alpha.ravel() - 1
        self.widen_bias, self.narrow_bias = widen_bias, narrow_bias

    def streaming(self):
        """As `Convolution.streaming`."""
        waiting, around = RowQueue(), self.around.streaming()

        def passed(x, last):
            waiting.add(inner(x))
            x = around(x, last)
            values = inner(x)
            below = waiting.take(len(values))

            def mixed(top):
                rows = slice(top, top + step)
                part = values[rows].reshape(-1, values.shape[2]) @ self.widen
                part += self.widen_bias
                part += np.minimum(part, 0) * self.slope
                part = part @ self.narrow + self.narrow_bias
                values[rows] = below[rows] + part.reshape(values[rows].shape)

            step = max(1, _PATCH_FLOATS // (values.shape[1] * len(self.slope)))
            share_out(mixed, range(0, len(values), step))
            return x

        return passed


class Linear:
    """A linear path of `sdae.training.autoencoder`.

    Args:
        kernel: (inputs, filters) of the same position.
        around: 3×3 convolution from the first inputs to the first outputs.
    """

    def __init__(self, kernel, around):
        self.kernel, self.around = kernel, around

    def __call__(self, x):
        """(h, w, inputs) → (h, w, filters)."""
        return self.streaming()(x, True)

    def streaming(self):
        """As `Convolution.streaming`, on arrays that are not bordered."""
        waiting, around = RowQueue(), self.around.streaming()
        taps, outputs = self.around.matrix.shape

        def passed(x, last):
            waiting.add(x @ self.kernel)
            found = inner(around(bordered(x[..., : taps // 9]), last))
            result = waiting.take(len(found))
            result[..., :outputs] += found
            return result

        return passed


def bordered(x) -> np.ndarray:
    """(h, w, c) → the same in float32 with zeros around: two rows above, else one."""
    result = empty(*x.shape)
    inner(result)[:] = x
    return result


def inner(x) -> np.ndarray:
    """What `bordered` had, as a view."""
    return x[_ABOVE:-1, 1:-1]


def empty(h, w, c):
    return np.zeros((_ABOVE + h + 1, w + 2, c), "float32")


def space_to_depth(x, block: int) -> np.ndarray:
    """(H, W, C) → (H/block, W/block, block²·C), rows before columns before channels."""
    h, w, c = x.shape
    x = x.reshape(h // block, block, w // block, block, c)
    return x.transpose(0, 2, 1, 3, 4).reshape(h // block, w // block, block**2 * c)


def depth_to_space(x, block: int) -> np.ndarray:
    """The inverse of `space_to_depth`."""
    if block == 1:
        return x
    h, w, c = x.shape
    x = x.reshape(h, w, block, block, c // block**2)
    return x.transpose(0, 2, 1, 3, 4).reshape(h * block, w * block, c // block**2)
