"""The layers of `sdae.network.plan` in NumPy: a 3×3 convolution is three products of matrices.

Arrays have no batch axis. Rows may pass through all layers a strip at a time, each layer keeping the
last two that it has seen: a large picture takes memory for its strips, and nothing is computed twice.
Strips of other heights give the same but for roundings, since BLAS adds up in an order that depends on
the size of a product and on the processor.
"""

from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from sdae.network.rows import RowQueue
from sdae.threads import share_out

_ROWS, _COLUMNS = 12, 32
# A depthwise block takes so many positions at a time: they fit a processor's second cache.

_TILE, _TILES = 4, 72
# A convolution makes squares of 4×4 positions, about so many at a time.

_ABOVE, _BORDER = 5, 2
# Arrays have room for so many rows of the strip before, and for zeros on the other three sides.


def _evaluated(count):
    """Powers 0 to count − 1 of five numbers, and of infinity; the numbers were chosen for small
    roundings."""
    points = 0, 0.75, -0.75, 1.5, -1.5
    return np.vstack([np.vander(points, count, increasing=True), np.eye(count)[-1]])


def _tiles(length):
    return -(-length // _TILE)


def _squared(matrix):
    return np.kron(matrix, matrix)


_INWARD = _squared(np.linalg.inv(_evaluated(_TILE + 2)).T).astype("float32")
_OUTWARD = _squared(_evaluated(_TILE).T).astype("float32")
_OF_KERNEL = _squared(_evaluated(3)).astype("float32")


class Convolution:
    """3×3 convolution, PReLU and sub-pixel rearrangement, each of the two last if it is asked for.

    Arrays that go in and come out are bordered, see `bordered`. A square of 4×4 results takes 36
    products of a channel and a filter, not 144 (Winograd's minimal filtering, Lavin and Gray 2016):
    it is a linear function of products of linear functions of 6×6 values and of the kernel.

    Args:
        kernel: (3, 3, inputs, filters).
        bias: (filters,) or None.
        alpha: (filters,) slopes of the PReLU below zero, or None.
        block: side of the squares that channels are laid out to, see `depth_to_space`.
    """

    stride = 1

    def __init__(self, kernel, bias=None, alpha=None, block=1):
        self.kernel = np.asarray(kernel.reshape(9, -1, kernel.shape[-1]), "float32")
        self.bias, self.alpha, self.block = bias, alpha, block

    @cached_property
    def _filters(self):
        """(36, inputs, filters); made when it is needed, as it is four times as large."""
        return (_OF_KERNEL @ self.kernel.reshape(9, -1)).reshape(36, *self.kernel.shape[1:])

    def __call__(self, x):
        """(h, w, inputs), h and w multiples of the stride → (h·block/stride, w·block/stride,
        filters/block²)."""
        return self.streaming()(x, True)

    def streaming(self):
        """A function of a strip and whether it is the last, to be called with one after another from
        the top. It keeps the rows that the next needs, so its results lag behind by a row or two."""
        seen, stride = None, self.stride

        def passed(x, last):
            nonlocal seen
            if seen is None:
                seen = np.zeros((stride, *x.shape[1:]), "float32")
            start, stop = _ABOVE - len(seen), len(x) - _BORDER + last * stride
            x[start:_ABOVE] = seen
            x = x[start:stop]
            margin = _BORDER - stride
            result = self._convolved(x[:, margin : x.shape[1] - margin], last)
            seen = x[stride * (len(inner(result)) // self.block) :].copy()
            return result

        return passed

    def _convolved(self, x, last):
        """The bordered result for all rows of x that have their neighbours in it."""
        b, s, (_, inputs, filters) = self.block, self.stride, self._filters.shape
        h, w = max(0, len(x) // s - 2), x.shape[1] // s - 2
        result = empty(h * b, w * b, filters // b**2)
        aside = _TILE * min(_tiles(w), _TILES)
        down = _TILE * max(1, _TILE * _TILES // aside)

        def convolved(corner):
            top, left = corner
            height, width = min(down, h - top), min(aside, w - left)
            seen = x[s * top : s * (top + height + 2), s * left : s * (left + width + 2)]
            if height % _TILE or width % _TILE:
                seen = np.pad(seen, [(0, s * (-n % _TILE)) for n in (height, width)] + [(0, 0)])
            below, right, deep = seen.strides
            places = 6, 6, _tiles(height), _tiles(width)
            shape = *places, s, s * seen.shape[2]
            strides = [s * n for n in (below, right, _TILE * below, _TILE * right)] + [below, deep]
            values = as_strided(seen, shape, strides, writeable=False).reshape(36, -1)
            values = (_INWARD @ values).reshape(36, -1, inputs) @ self._filters
            values = (_OUTWARD @ values.reshape(36, -1)).reshape(-1, filters)
            values = self._ended(values).reshape(_TILE, _TILE, *places[2:], b, b, -1)
            values = values.transpose(2, 0, 4, 3, 1, 5, 6)
            values = values.reshape(b * _TILE * places[2], b * _TILE * places[3], -1)
            part = inner(result)[b * top : b * (top + height), b * left : b * (left + width)]
            part[:] = values[: b * height, : b * width]

        share_out(convolved, _corners(h, w, down, aside))
        return result

    def _ended(self, values):
        """Bias, which is added in place, and PReLU."""
        if self.bias is not None:
            values += self.bias
        return values if self.alpha is None else prelu(values, self.alpha)


class Down(Convolution):
    """A 3×3 convolution and another of stride 2, then PReLU.

    With nothing between them they are one convolution of squares of 2×2 positions, but at the lower
    and the right edge: there the second sees zeros where the first would have gone on.

    Args:
        mix, mix_bias: (3, 3, inputs, inner) and (inner,).
        shrink, bias: (3, 3, inner, filters) and (filters,).
        alpha: as of `Convolution`.
    """

    stride = 2

    def __init__(self, mix, mix_bias, shrink, bias, alpha):
        kernel = np.zeros((6, 6, mix.shape[2], shrink.shape[3]))
        for down in range(3):
            for right in range(3):
                part = mix.astype("float64") @ shrink[down, right]
                kernel[down + 1 : down + 4, right + 1 : right + 4] += part
        kernel = kernel.reshape(3, 2, 3, 2, *kernel.shape[2:]).swapaxes(1, 2)
        super().__init__(kernel, bias + mix_bias @ shrink.sum((0, 1)), alpha)
        self._twice = (mix, mix_bias), (shrink, bias)

    def _convolved(self, x, last):
        result = super()._convolved(x, last)
        found = inner(result)
        if len(found):
            found[:, -1:] = self._edge(x[1 : 2 * len(found) + 4 - last, -5:-1], last)
            if last:
                found[-1:] = self._edge(x[-5:-1, 1:-1], last)
        return result

    def _edge(self, x, lower):
        """The results of a last column, or of a last row where ``lower``."""
        (mix, mix_bias), (shrink, bias) = self._twice
        mixed = np.pad(_product(x, mix, 1) + mix_bias, [(0, lower), (0, 1), (0, 0)])
        return prelu(_product(mixed, shrink, 2) + bias, self.alpha)


def _product(x, kernel, stride):
    """A 3×3 convolution where all neighbours are there."""
    windows = sliding_window_view(x, (3, 3), (0, 1))[::stride, ::stride]
    return np.tensordot(windows, kernel, [(3, 4, 2), (0, 1, 2)])


class Residual:
    """x + 3×3(PReLU(3×3(PReLU(x)))) on bordered arrays."""

    def __init__(self, alpha, first, second):
        self.alpha, self.first, self.second = alpha, first, second

    def streaming(self):
        """As `Convolution.streaming`."""
        waiting, first, second = RowQueue(), self.first.streaming(), self.second.streaming()

        def passed(x, last):
            waiting.add(inner(x))
            x = second(first(prelu(x, self.alpha), last), last)
            inner(x)[:] += waiting.take(len(inner(x)))
            return x

        return passed


class Depthwise(Convolution):
    """x + 1×1(PReLU(1×1(depthwise 3×3(x)))) on bordered arrays.

    Args:
        around, around_bias: depthwise kernel (3, 3, c, 1) and (c,).
        widen, widen_bias: (c, n) and (n,).
        alpha: (n,) slopes of the PReLU below zero.
        narrow, narrow_bias: (n, c) and (c,).
    """

    def __init__(self, around, around_bias, widen, widen_bias, alpha, narrow, narrow_bias):
        # The kernel of so many columns at once: inner loops are long, and all its products are
        # added up in one pass.
        self.around = np.tile(around[..., 0], _COLUMNS)
        self.widen, self.narrow, self.alpha, self.block = widen, narrow, alpha.ravel(), 1
        self.widen_bias, self.narrow_bias = widen_bias + around_bias @ widen, narrow_bias

    def _convolved(self, x, last):
        h, w, c = max(0, len(x) - 2), x.shape[1] - 2, x.shape[2]
        result = empty(h, w, c)

        def mixed(corner):
            top, left = corner
            here = slice(top, min(top + _ROWS, h)), slice(left, min(left + _COLUMNS, w))
            found = inner(result)[here]
            height, width = found.shape[:2]
            below, right, deep = x.strides
            shape, strides = (height, 3, 3, width * c), (below, below, right, deep)
            seen = as_strided(x[top:, left:], shape, strides, writeable=False)
            values = np.einsum("yijc,ijc->yc", seen, self.around[..., : width * c])
            values = values.reshape(-1, c) @ self.widen
            values += self.widen_bias
            values = prelu(values, self.alpha) @ self.narrow
            values += self.narrow_bias
            np.add(x[1:-1, 1:-1][here], values.reshape(found.shape), out=found)

        share_out(mixed, _corners(h, w, _ROWS, _COLUMNS))
        return result


class Linear:
    """A linear path of `sdae.training.autoencoder`.

    Args:
        kernel: (inputs, filters) of the same position.
        around: (3, 3, few, some), a convolution from the first inputs to the first outputs.
    """

    def __init__(self, kernel, around):
        self.kernel, self.around, self._convolution = kernel, around, Convolution(around)

    def __call__(self, x):
        """(h, w, inputs) → (h, w, filters)."""
        return self.streaming()(x, True)

    def streaming(self):
        """As `Convolution.streaming`, on arrays that are not bordered."""
        waiting, around = RowQueue(), self._convolution.streaming()
        inputs, outputs = self.around.shape[2:]

        def passed(x, last):
            waiting.add(x @ self.kernel)
            found = inner(around(bordered(x[..., :inputs]), last))
            result = waiting.take(len(found))
            result[..., :outputs] += found
            return result

        return passed


def prelu(x, alpha):
    """x where it is positive, else alpha · x."""
    below = alpha * x
    return np.maximum(x, below, out=below) if alpha.max() <= 1 else np.where(x < 0, below, x)


def _corners(h, w, down, aside):
    """Where the parts of h rows and w columns begin."""
    return [(top, left) for top in range(0, h, down) for left in range(0, w, aside)]


def bordered(x) -> np.ndarray:
    """(h, w, c) → the same in float32 with zeros around."""
    result = empty(*x.shape)
    inner(result)[:] = x
    return result


def inner(x) -> np.ndarray:
    """What `bordered` had, as a view."""
    return x[_ABOVE:-_BORDER, _BORDER:-_BORDER]


def empty(h, w, c):
    return np.zeros((_ABOVE + h + _BORDER, w + 2 * _BORDER, c), "float32")


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
