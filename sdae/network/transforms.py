"""The network without Keras: the transforms of `sdae.network.plan` in NumPy, which the codec runs.

TensorFlow takes seconds to load and over half a gigabyte before the first pixel; making and reading
files needs neither. No graph is traced, so a new size of picture costs nothing. What is trained,
`sdae.training.transforms`, computes the same; the tests hold the two together.
"""

import numpy as np

from sdae.network import plan
from sdae.network.config import HEAD_SCALE, LINEAR_STEP, STRIDE, Config, quality_condition
from sdae.network.layers import (
    Convolution,
    Depthwise,
    Down,
    Linear,
    Residual,
    depth_to_space,
    empty,
    inner,
    space_to_depth,
)
from sdae.network.rows import RowQueue, strip_rows, with_last
from sdae.threads import in_one_blas_thread
from sdae.weights import WeightsError

_REACH = 64
# After so many rows of a latent that are zeros, or the pixels of so many, more of them give the same
# again and again: no row has an effect on one so far away.


class Transforms:
    """Both transforms of one set of weights, of the codec or of the denoiser.

    ``condition``, which each takes, is one number: the quality, see
    `sdae.network.config.quality_condition`, or the noise level, see `sdae.network.denoising`.

    Args:
        arrays: arrays of a weights file by name, see `sdae.weights.read`.
        config: the configuration on its card.

    Raises:
        WeightsError: an array is missing or has another shape.
    """

    def __init__(self, arrays: dict, config: Config):
        self.config, c, few = config, config.latent_channels, config.overlapped
        self.analysis_layers = _built(arrays, "analysis", plan.analysis(config))
        self.synthesis_layers = _built(arrays, "synthesis", plan.synthesis(config))
        samples = plan.SAMPLES
        self.analysis_linear = _linear(arrays, "analysis", samples, c, (samples, few))
        self.synthesis_linear = _linear(arrays, "synthesis", c, samples, (few, samples))
        self.scale = array(arrays, "synthesis/scale", c)

    def analysis(self, image, condition: float) -> np.ndarray:
        """(H, W, 3) float32 in [0, 1], sides multiples of 8 → (H/8, W/8, C), before any gain."""
        return np.concatenate(list(self.analysis_rows([image], condition)))

    def synthesis(self, latent, condition: float) -> np.ndarray:
        """(h, w, C) float32 after the inverse gain → (8h, 8w, 3), full scale [0, 1], not clipped."""
        return np.concatenate(list(self.synthesis_rows([latent], condition)))

    def analysis_rows(self, strips, condition: float):
        """As `analysis`, for strips from the top, each of a multiple of 8 rows.

        Yields:
            the rows of the result in strips of any length.
        """
        linear = self.analysis_linear.streaming()

        def paths(strip, last):
            centred = strip - np.float32(0.5)
            x = empty(*strip.shape[:2], 4)
            np.multiply(centred, 4, out=inner(x)[..., :3])
            inner(x)[..., 3] = condition
            return x, linear(space_to_depth(centred, STRIDE), last)

        return in_one_blas_thread(
            _sums(_thin(strips, STRIDE), paths, self.analysis_layers, _REACH * STRIDE)
        )

    def synthesis_rows(self, strips, condition: float):
        """As `synthesis`, for strips from the top; yields strips as `analysis_rows`."""
        linear = self.synthesis_linear.streaming()

        def paths(strip, last):
            h, w, c = strip.shape
            x = empty(h, w, c + 1)
            np.multiply(strip, self.scale, out=inner(x)[..., :c])
            inner(x)[..., c] = condition
            return x, depth_to_space(linear(strip, last), STRIDE) + np.float32(0.5)

        return in_one_blas_thread(_sums(_thin(strips, 1), paths, self.synthesis_layers, _REACH))


class Network(Transforms):
    """The transforms of the codec, and its gains; arguments and errors as of `Transforms`."""

    def __init__(self, arrays: dict, config: Config):
        super().__init__(arrays, config)
        shape = config.levels, config.latent_channels
        self._log_gain = array(arrays, "gains/log_gain", *shape)
        self._log_inverse = array(arrays, "gains/log_inverse", *shape)

    def gains(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Quality position in [0, 1] → gain and inverse gain, each (C,)."""
        return np.exp(_interpolate(self._log_gain, t)), np.exp(_interpolate(self._log_inverse, t))

    def latent_rows(self, strips, t: float):
        """`analysis_rows` at a quality position, times the gain."""
        gain, _ = self.gains(t)
        return (y * gain for y in self.analysis_rows(strips, quality_condition(t)))

    def picture_rows(self, bands, t: float):
        """Integers (n, w, C) in bands from the top → `synthesis_rows` of them at a quality position."""
        _, inverse = self.gains(t)
        return self.synthesis_rows((band * inverse for band in bands), quality_condition(t))


def array(arrays: dict, name: str, *shape: int) -> np.ndarray:
    """An array of a weights file as float32.

    Raises:
        WeightsError: it is missing or has another shape.
    """
    stored = arrays.get(name)
    if stored is None or stored.shape != shape:
        raise WeightsError(f"The weights do not fit the network: {name} is missing or misshapen.")
    return np.asarray(stored, "float32")


def _built(arrays, transform, layers):
    """The NumPy layers of a plan, to be called one after the other."""
    return [step for layer in layers for step in _KINDS[layer.kind](arrays, transform, layer)]


def _convolution(arrays, name, inputs, filters, prelu=None, block=1):
    kernel, bias = _kernel(arrays, name, inputs, filters)
    alpha = None
    if prelu:
        # PReLU comes after the sub-pixel rearrangement, with one slope a channel.
        alpha = np.tile(_slopes(arrays, prelu, filters // block**2), block**2)
    return Convolution(kernel, bias, alpha, block)


def _kernel(arrays, name, inputs, filters):
    kernel = array(arrays, f"{name}/kernel", 3, 3, inputs, filters)
    return kernel, array(arrays, f"{name}/bias", filters)


def _slopes(arrays, name, channels):
    return array(arrays, f"{name}/alpha", 1, 1, channels).ravel()


def _single(arrays, transform, layer):
    name, filters = f"{transform}/{layer.name}", layer.filters * layer.block**2
    yield _convolution(arrays, name, layer.inputs, filters, block=layer.block)


def _down(arrays, transform, layer):
    name = f"{transform}/{layer.name}"
    mix = _kernel(arrays, f"{name}/mix", layer.inputs, layer.inner)
    shrink = _kernel(arrays, f"{name}/shrink", layer.inner, layer.filters)
    yield Down(*mix, *shrink, _slopes(arrays, f"{name}/prelu", layer.filters))


def _up(arrays, transform, layer):
    name = f"{transform}/{layer.name}"
    ends = layer.inputs, 4 * layer.filters
    yield _convolution(arrays, f"{name}/expand", *ends, f"{name}/prelu", block=2)


def _residual(arrays, transform, layer):
    name, c = f"{transform}/{layer.name}", layer.filters
    yield Residual(
        _slopes(arrays, f"{name}/prelu_0", c),
        _convolution(arrays, f"{name}/convolution_0", c, c, f"{name}/prelu_1"),
        _convolution(arrays, f"{name}/convolution_1", c, c),
    )


def _depthwise(arrays, transform, layer):
    c, wide = layer.filters, layer.inner
    shapes = {
        "around/kernel": (3, 3, c, 1),
        "around/bias": (c,),
        "widen/kernel": (c, wide),
        "widen/bias": (wide,),
        "prelu/alpha": (1, 1, wide),
        "narrow/kernel": (wide, c),
        "narrow/bias": (c,),
    }
    name = f"{transform}/{layer.name}"
    yield Depthwise(*(array(arrays, f"{name}/{k}", *shape) for k, shape in shapes.items()))


_KINDS = {
    "convolution": _single,
    "down": _down,
    "up": _up,
    "residual": _residual,
    "depthwise": _depthwise,
}


def _linear(arrays, transform, inputs, filters, overlapped):
    kernel = array(arrays, f"{transform}/linear/kernel", inputs, filters) * LINEAR_STEP
    around = array(arrays, f"{transform}/linear/around", 3, 3, *overlapped) * LINEAR_STEP
    return Linear(kernel, around)


def _thin(strips, unit):
    """Strips of many rows cut into such of few; ``unit``: rows and columns for one of a latent."""
    for strip in strips:
        rows = unit * strip_rows(strip.shape[1] // unit)
        yield from (strip[top : top + rows] for top in range(0, len(strip), rows))


def _sums(strips, paths, layers, reach):
    """Strips through layers, and beside them through a linear path; yields the sums.

    ``paths`` makes of a strip, and whether it is the last, what goes into the first layer and what
    the linear path gives. A few bytes can claim a large picture of zeros, so what zeros give is
    computed once and repeated; ``reach`` is how many rows any row has an effect on.
    """
    steps, waiting = [layer.streaming() for layer in layers], RowQueue()
    blank, repeated = 0, None
    for strip, last in with_last(strips):
        blank = 0 if strip.any() else blank + len(strip)
        if not last and blank > reach and repeated is not None and len(repeated[0]) == len(strip):
            yield repeated[1].copy()
            continue
        x, beside = paths(strip, last)
        waiting.add(beside)
        for step in steps:
            x = step(x, last)
        if len(inner(x)):
            rows = inner(x) * np.float32(HEAD_SCALE) + waiting.take(len(inner(x)))
            repeated = (strip, rows.copy()) if blank > reach else None
            yield rows


def _interpolate(table, t):
    """The row of ``table`` (levels, C) at position ``t`` in [0, 1], linear between levels."""
    distance = np.abs(np.float32(t) * (len(table) - 1) - np.arange(len(table), dtype="float32"))
    return np.maximum(0, 1 - distance) @ table
