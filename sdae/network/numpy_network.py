"""The network without Keras: the transforms in NumPy, which the codec runs.

TensorFlow takes seconds to load and over half a gigabyte before the first pixel. Making and
reading files needs neither: the layers of the trained network are 3×3 convolutions, PReLU and
sub-pixel rearrangement, and a convolution is one product of matrices. `sdae.training.autoencoder` stays
the definition, and what is trained; the tests hold the two together.

Arrays here have no batch axis. No graph is traced, so a new size of picture costs nothing.
Rows may pass through all layers a strip at a time, each layer keeping the last two that it has
seen: a large picture takes memory for its strips, and nothing is computed twice. Strips of other
heights give the same but for roundings, since BLAS adds up in an order that depends on the size of
a product and on the processor.
"""

from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sdae.network.config import HEAD_SCALE, LINEAR_STEP, STRIDE, Config
from sdae.threads import in_one_blas_thread, share_out
from sdae.weights import WeightsError, for_noise, parted

_PATCH_FLOATS = 1 << 17
# A convolution takes so many floats of patches at a time: they fit a processor's second cache.

_STRIP = 4096
# So many positions of a latent go through the layers together.

_ABOVE = 2
# Arrays have room for so many rows of the strip before, and for a row of zeros after the last.


class Network:
    """The transforms and gains of one set of weights.

    Args:
        arrays: arrays of a weights file by name, see `sdae.weights.read`.
        config: the configuration on its card.

    Raises:
        WeightsError: an array is missing or has another shape.
    """

    def __init__(self, arrays: dict, config: Config):
        self.config, c, levels = config, config.latent_channels, config.levels
        if config.stride != STRIDE:
            raise WeightsError(
                f"Files hold latents at 1/{STRIDE} of the resolution, these weights make them at "
                f"1/{config.stride}."
            )
        self._arrays = arrays
        half, quarter, eighth = config.widths
        last = config.last_stride

        def array(name, *shape):
            found = arrays.get(name)
            if found is None or found.shape != shape:
                raise WeightsError(
                    f"The weights do not fit the network: {name} is missing or misshapen."
                )
            return np.asarray(found, "float32")

        def convolution(name, inputs, filters, prelu=None, stride=1, block=1):
            kernel = array(f"{name}/kernel", 3, 3, inputs, filters)
            alpha = None
            if prelu:
                # PReLU comes after the sub-pixel rearrangement, with one slope a channel.
                alpha = array(f"{prelu}/alpha", 1, 1, filters // block**2)
                alpha = np.tile(alpha.ravel(), block**2)
            return Convolution(kernel, array(f"{name}/bias", filters), alpha, stride, block)

        def linear(name, inputs, filters, overlapped):
            kernel = array(f"{name}/kernel", inputs, filters) * LINEAR_STEP
            around = array(f"{name}/around", 3, 3, *overlapped) * LINEAR_STEP
            return Linear(kernel, Convolution(around))

        def down(name, inputs, inner, filters):
            yield convolution(f"{name}/mix", inputs, inner)
            yield convolution(f"{name}/shrink", inner, filters, f"{name}/prelu", stride=2)

        def up(name, inputs, filters):
            return convolution(f"{name}/expand", inputs, 4 * filters, f"{name}/prelu", block=2)

        def residual(name):
            return Residual(
                array(f"{name}/prelu_0/alpha", 1, 1, eighth),
                convolution(f"{name}/convolution_0", eighth, eighth, f"{name}/prelu_1"),
                convolution(f"{name}/convolution_1", eighth, eighth),
            )

        def depthwise(name, width):
            return Depthwise(
                array(f"{name}/around/kernel", 3, 3, width, 1),
                array(f"{name}/around/bias", width),
                array(f"{name}/widen/kernel", width, 3 * width),
                array(f"{name}/widen/bias", 3 * width),
                array(f"{name}/prelu/alpha", 1, 1, 3 * width),
                array(f"{name}/narrow/kernel", 3 * width, width),
                array(f"{name}/narrow/bias", width),
            )

        self._analysis = [
            *down("analysis/down_0", 5, 16, half),
            *down("analysis/down_1", half, half, quarter),
            *down("analysis/down_2", quarter, quarter, eighth),
            *(residual(f"analysis/block_{i}") for i in range(config.analysis_blocks)),
            *(
                depthwise(f"analysis/depthwise_{i}", eighth)
                for i in range(config.analysis_depthwise)
            ),
            convolution("analysis/head", eighth, c),
        ]
        samples, few = 3 * STRIDE**2, config.overlapped
        self._analysis_linear = linear("analysis/linear", samples, c, (samples, few))
        self._scale = array("synthesis/scale", c)
        self._synthesis = [
            convolution("synthesis/stem", c + 1, eighth),
            *(
                depthwise(f"synthesis/depthwise_{i}", eighth)
                for i in range(config.synthesis_depthwise)
            ),
            *(residual(f"synthesis/block_{i}") for i in range(config.synthesis_blocks)),
            *(
                up(f"synthesis/up_{i}", *ends)
                for i, ends in enumerate(pairwise((eighth, *config.up_widths)))
            ),
            *(depthwise(f"synthesis/fine_{i}", quarter) for i in range(config.fine_blocks or 0)),
            convolution("synthesis/head", config.up_widths[-1], 3 * last**2, block=last),
        ]
        self._synthesis_linear = linear("synthesis/linear", c, samples, (few, samples))
        self._log_gain = array("gains/log_gain", levels, c)
        self._log_inverse = array("gains/log_inverse", levels, c)

    @cached_property
    def for_noise(self) -> "Network":
        """The network that noisy pictures pass, see `sdae.network.denoising`; this one, if the weights
        have no other."""
        _, twin = parted(self._arrays)
        return Network(for_noise(self._arrays), self.config) if twin else self

    def analysis(self, image, sigma: float, t: float) -> np.ndarray:
        """(H, W, 3) float32 in [0, 1], sides multiples of 8 → (H/8, W/8, C), before the gain.

        ``sigma`` is the noise level in [0, 1] of full scale, ``t`` the quality position.
        """
        return np.concatenate(list(self.analysis_rows([image], sigma, t)))

    def synthesis(self, latent, t: float) -> np.ndarray:
        """(h, w, C) float32 after the inverse gain → (8h, 8w, 3), full scale [0, 1], not clipped."""
        return np.concatenate(list(self.synthesis_rows([latent], t)))

    def analysis_rows(self, strips, sigma: float, t: float):
        """As `analysis`, for strips from the top, each of a multiple of 8 rows.

        Yields:
            the rows of the result in parts of any length.
        """

        def entering(strip):
            x = _empty(*strip.shape[:2], 5)
            np.multiply(strip - np.float32(0.5), 4, out=inner(x)[..., :3])
            inner(x)[..., 3:] = 4 * sigma, 2 * (t - 0.5)
            return x

        def linear(strip, last, passed=self._analysis_linear.passing()):
            return passed(space_to_depth(strip - np.float32(0.5), STRIDE), last)

        return in_one_blas_thread(_sums(_thin(strips, STRIDE), entering, self._analysis, linear))

    def synthesis_rows(self, strips, t: float):
        """As `synthesis`, for strips from the top; yields parts as `analysis_rows`."""

        def entering(strip):
            h, w, c = strip.shape
            x = _empty(h, w, c + 1)
            np.multiply(strip, self._scale, out=inner(x)[..., :c])
            inner(x)[..., c] = 2 * (t - 0.5)
            return x

        def linear(strip, last, passed=self._synthesis_linear.passing()):
            return depth_to_space(passed(strip, last), STRIDE) + np.float32(0.5)

        return in_one_blas_thread(_sums(_thin(strips, 1), entering, self._synthesis, linear))

    def gains(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Quality position in [0, 1] → gain and inverse gain, each (C,)."""
        return np.exp(_interpolate(self._log_gain, t)), np.exp(_interpolate(self._log_inverse, t))


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

    def passing(self):
        """A function that does the same to one strip after another from the top, and is told with
        each whether it is the last: what it gives back is as late as rows below are missing."""
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
        result = _empty(h * b, w * b, filters // b**2)
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
        result = _empty(h, w, c)
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

    def passing(self):
        """As `Convolution.passing`."""
        waiting, first, second = RowQueue(), self.first.passing(), self.second.passing()

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

    def passing(self):
        """As `Convolution.passing`."""
        waiting, around = RowQueue(), self.around.passing()

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
        return self.passing()(x, True)

    def passing(self):
        """As `Convolution.passing`, on arrays that are not bordered."""
        waiting, around = RowQueue(), self.around.passing()
        taps, outputs = self.around.matrix.shape

        def passed(x, last):
            waiting.add(x @ self.kernel)
            found = inner(around(bordered(x[..., : taps // 9]), last))
            result = waiting.take(len(found))
            result[..., :outputs] += found
            return result

        return passed


class RowQueue:
    """Rows that come in parts and are taken in others; the length is that of what waits."""

    def __init__(self):
        self._parts, self._length = [], 0

    def __len__(self):
        return self._length

    def add(self, part) -> None:
        self._parts.append(part)
        self._length += len(part)

    def take(self, count: int) -> np.ndarray:
        """The first rows that wait, ``count`` of them."""
        rows = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
        self._parts = [rows[count:].copy()]  # a view would keep them all
        self._length -= count
        return rows[:count]

    def take_from(self, parts, count: int) -> np.ndarray:
        """As `take`; as many parts as it lacks are added from an iterator before."""
        while len(self) < count:
            self.add(next(parts))
        return self.take(count)


def bordered(x) -> np.ndarray:
    """(h, w, c) → the same in float32 with zeros around: two rows above, else one."""
    result = _empty(*x.shape)
    inner(result)[:] = x
    return result


def inner(x) -> np.ndarray:
    """What `bordered` had, as a view."""
    return x[_ABOVE:-1, 1:-1]


def strip_rows(w: int) -> int:
    """How many rows of a latent of w columns go through the layers together."""
    return max(1, _STRIP // w)


def regrouped(parts, sizes):
    """Rows that come in parts, in parts of other sizes."""
    waiting, parts = RowQueue(), iter(parts)
    for size in sizes:
        yield waiting.take_from(parts, size)


def _thin(strips, unit):
    """Strips of many rows cut into such of few; ``unit``: rows and columns for one of a latent."""
    for strip in strips:
        rows = unit * strip_rows(strip.shape[1] // unit)
        yield from (strip[top : top + rows] for top in range(0, len(strip), rows))


def _empty(h, w, c):
    return np.zeros((_ABOVE + h + 1, w + 2, c), "float32")


def _sums(strips, entering, steps, linear):
    """Strips through layers, and beside them through a linear path; yields the sums.

    Args:
        entering: makes what goes into the first layer of a strip.
        linear: of a strip, and whether it is the last, makes what is added to the result.
    """
    steps, waiting = [step.passing() for step in steps], RowQueue()
    for strip, last in with_last(strips):
        waiting.add(linear(strip, last))
        x = entering(strip)
        for step in steps:
            x = step(x, last)
        if len(inner(x)):
            yield inner(x) * np.float32(HEAD_SCALE) + waiting.take(len(inner(x)))


def with_last(parts):
    """Pairs of a part and whether it is the last."""
    parts = iter(parts)
    part = next(parts)
    for following in parts:
        yield part, False
        part = following
    yield part, True


def laplacian_bits(values, mean, scale):
    """As `context_model.laplacian_bits`: −log₂ of the probability of the interval of each value."""
    distance = np.abs(values - mean)
    with np.errstate(over="ignore"):
        far = (distance - 0.5) / scale + np.float32(np.log(2)) - np.log(-np.expm1(-1 / scale))
        near = 1 - 0.5 * (
            np.exp(-np.maximum(0.5 - distance, 0) / scale) + np.exp(-(0.5 + distance) / scale)
        )
    near = -np.log(np.maximum(near, np.float32(1e-9)))
    return np.where(distance > 0.5, far, near) / np.float32(np.log(2))


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


def _interpolate(table, t):
    """The row of ``table`` (levels, C) at position ``t`` in [0, 1], linear between levels."""
    distance = np.abs(np.float32(t) * (len(table) - 1) - np.arange(len(table), dtype="float32"))
    return np.maximum(0, 1 - distance) @ table
