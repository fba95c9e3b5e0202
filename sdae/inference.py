"""The network without Keras: the transforms of `sdae.network` in NumPy, which the codec runs.

TensorFlow takes seconds to load and over half a gigabyte before the first pixel. Making and
reading files needs neither: the layers of the trained network are 3×3 convolutions, PReLU and
sub-pixel rearrangement, and a convolution is one product of matrices. `sdae.network` stays the
definition, and what is trained; the tests hold the two together.

Arrays here have no batch axis. No graph is traced, so a new size of picture costs nothing, and
each row of a result is computed alike whatever the size of the picture around it.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from threadpoolctl import ThreadpoolController

from sdae.config import HEAD_SCALE, LINEAR_STEP, STRIDE, Config
from sdae.weights import WeightsError

_PATCH_FLOATS = 1 << 17
# A convolution takes so many floats of patches at a time: they fit a processor's second cache.


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
        half, quarter, eighth = config.widths

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
            return _Convolution(kernel, array(f"{name}/bias", filters), alpha, stride, block)

        def linear(name, inputs, filters, overlapped):
            kernel = array(f"{name}/kernel", inputs, filters) * LINEAR_STEP
            around = array(f"{name}/around", 3, 3, *overlapped) * LINEAR_STEP
            return _Linear(kernel, _Convolution(around))

        def down(name, inputs, inner, filters):
            yield convolution(f"{name}/mix", inputs, inner)
            yield convolution(f"{name}/shrink", inner, filters, f"{name}/prelu", stride=2)

        def up(name, inputs, filters):
            return convolution(f"{name}/expand", inputs, 4 * filters, f"{name}/prelu", block=2)

        def residual(name):
            return _Residual(
                array(f"{name}/prelu_0/alpha", 1, 1, eighth),
                convolution(f"{name}/convolution_0", eighth, eighth, f"{name}/prelu_1"),
                convolution(f"{name}/convolution_1", eighth, eighth),
            )

        self._analysis = [
            *down("analysis/down_0", 5, 16, half),
            *down("analysis/down_1", half, half, quarter),
            *down("analysis/down_2", quarter, quarter, eighth),
            *(residual(f"analysis/block_{i}") for i in range(config.analysis_blocks)),
            convolution("analysis/head", eighth, c),
        ]
        samples, few = 3 * STRIDE**2, config.overlapped
        self._analysis_linear = linear("analysis/linear", samples, c, (samples, few))
        self._scale = array("synthesis/scale", c)
        self._synthesis = [
            convolution("synthesis/stem", c + 1, eighth),
            *(residual(f"synthesis/block_{i}") for i in range(config.synthesis_blocks)),
            up("synthesis/up_0", eighth, quarter),
            up("synthesis/up_1", quarter, half),
            up("synthesis/up_2", half, 16),
            convolution("synthesis/head", 16, 3),
        ]
        self._synthesis_linear = linear("synthesis/linear", c, samples, (few, samples))
        self._log_gain = array("gains/log_gain", levels, c)
        self._log_inverse = array("gains/log_inverse", levels, c)

    def analysis(self, image, sigma: float, t: float) -> np.ndarray:
        """(H, W, 3) float32 in [0, 1], sides multiples of 8 → (H/8, W/8, C), before the gain.

        ``sigma`` is the noise level in [0, 1] of full scale, ``t`` the quality position.
        """
        centred = image - np.float32(0.5)
        height, width, _ = centred.shape
        x = np.zeros((height + 2, width + 2, 5), "float32")
        np.multiply(centred, 4, out=_inner(x)[..., :3])
        _inner(x)[..., 3:] = 4 * sigma, 2 * (t - 0.5)
        with one_blas_thread():
            for step in self._analysis:
                x = step(x)
            y = self._analysis_linear(space_to_depth(centred, STRIDE))
        return y + _inner(x) * np.float32(HEAD_SCALE)

    def synthesis(self, latent, t: float) -> np.ndarray:
        """(h, w, C) float32 after the inverse gain → (8h, 8w, 3), full scale [0, 1], not clipped.
        """
        h, w, c = latent.shape
        x = np.zeros((h + 2, w + 2, c + 1), "float32")
        np.multiply(latent, self._scale, out=_inner(x)[..., :c])
        _inner(x)[..., c] = 2 * (t - 0.5)
        with one_blas_thread():
            for step in self._synthesis:
                x = step(x)
            linear = self._synthesis_linear(latent)
        x = _inner(x)
        x *= np.float32(HEAD_SCALE)
        x += np.float32(0.5)
        return x + depth_to_space(linear, STRIDE)

    def gains(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Quality position in [0, 1] → gain and inverse gain, each (C,)."""
        return np.exp(_interpolate(self._log_gain, t)), np.exp(_interpolate(self._log_inverse, t))


class _Convolution:
    """3×3 convolution, PReLU and sub-pixel rearrangement, each of the two last if it is asked for.

    Call: (h + 2, w + 2, inputs) float32 with a border of zeros, h and w multiples of the stride →
    (h·block/stride + 2, w·block/stride + 2, filters/block²), bordered as well.

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

    def __call__(self, x):
        h, w = ((side - 2) // self.stride for side in x.shape[:2])
        size, filters = self.matrix.shape
        b = self.block
        result = np.zeros((h * b + 2, w * b + 2, filters // b**2), "float32")
        # Keras pads even sides at the end alone where the stride is 2.
        x = x[self.stride - 1 :, self.stride - 1 :]
        down, right, _ = x.strides
        strides = self.stride * down, self.stride * right, down, x.itemsize
        step = max(1, _PATCH_FLOATS // (w * size))

        def rows(top):
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
            result[top * b + 1 : (top + count) * b + 1, 1:-1] = part

        list(_workers().map(rows, range(0, h, step)))
        return result


class _Residual:
    """x + 3×3(PReLU(3×3(PReLU(x)))) on bordered arrays, in place."""

    def __init__(self, alpha, first, second):
        self.slope, self.first, self.second = alpha - 1, first, second

    def __call__(self, x):
        x += self.second(self.first(x + np.minimum(x, 0) * self.slope))
        return x


class _Linear:
    """A linear path of `sdae.network`: (h, w, inputs) → (h, w, filters).

    Args:
        kernel: (inputs, filters) of the same position.
        around: 3×3 convolution from the first inputs to the first outputs.
    """

    def __init__(self, kernel, around):
        self.kernel, self.around = kernel, around

    def __call__(self, x):
        result = x @ self.kernel
        taps, outputs = self.around.matrix.shape
        result[..., :outputs] += _inner(self.around(_bordered(x[..., : taps // 9])))
        return result


def laplacian_bits(values, mean, scale):
    """As `sdae.context_model.laplacian_bits`: −log₂ of the probability of the interval of each value."""
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
    return x.transpose(0, 2, 1, 3, 4).reshape(h // block, w // block, -1)


def depth_to_space(x, block: int) -> np.ndarray:
    """The inverse of `space_to_depth`."""
    if block == 1:
        return x
    h, w, c = x.shape
    x = x.reshape(h, w, block, block, c // block**2)
    return x.transpose(0, 2, 1, 3, 4).reshape(h * block, w * block, -1)


def _bordered(x):
    return np.pad(x, ((1, 1), (1, 1), (0, 0)))


def _inner(x):
    return x[1:-1, 1:-1]


def _interpolate(table, t):
    """The row of ``table`` (levels, C) at position ``t`` in [0, 1], linear between levels."""
    distance = np.abs(np.float32(t) * (len(table) - 1) - np.arange(len(table), dtype="float32"))
    return np.maximum(0, 1 - distance) @ table


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ThreadPoolExecutor(cores or 1, "sdae")


_limit = threading.Lock()
_limited = 0
_restore = None


@contextmanager
def one_blas_thread():
    """Products of matrices stay on the thread that asks for them.

    Rows are shared out between threads here. Threads of the BLAS library would wait for each
    other by spinning, which makes them many times slower wherever the cores have other work.
    """
    global _limited, _restore
    with _limit:
        if not _limited:
            _restore = _switch(lambda: _blas().limit(limits=1).restore_original_limits)
        _limited += 1
    try:
        yield
    finally:
        with _limit:
            _limited -= 1
            if not _limited:
                _switch(_restore)


def _switch(work):
    # The limit is the process's, and threadpoolctl lets one thread alone change it.
    return _keeper().submit(work).result()


@lru_cache(maxsize=1)
def _keeper():
    return ThreadPoolExecutor(1, "sdae-blas")


@lru_cache(maxsize=1)
def _blas():
    return ThreadpoolController().select(user_api="blas")
