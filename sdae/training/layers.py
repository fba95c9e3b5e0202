"""The layers of `sdae.network.plan` in Keras, on any of its backends.

Sources: PReLU, He et al. 2015; sub-pixel convolution, Shi et al. 2016; residual blocks in their
pre-activation form, He et al. 2016; depthwise blocks, Liu et al. 2022 without the norm.
"""

import keras
import numpy as np
from keras import layers, ops

from sdae.network.config import LINEAR_STEP
from sdae.network.plan import Layer


def space_to_depth(x, block: int):
    """(B, H, W, C) → (B, H/block, W/block, block·block·C), rows before columns before channels."""
    _, h, w, c = x.shape
    shape = ops.shape(x)
    h, w = (h or shape[1]) // block, (w or shape[2]) // block
    x = ops.reshape(x, (-1, h, block, w, block * c))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, h, w, block * block * c))


def depth_to_space(x, block: int):
    """The inverse of `space_to_depth`: the sub-pixel rearrangement of Shi et al. 2016."""
    _, h, w, c = x.shape
    shape = ops.shape(x)
    h, w = h or shape[1], w or shape[2]
    # Whole rows of samples move at once, which is many times faster than one by one.
    x = ops.reshape(x, (-1, h, w, block, c // block))
    x = ops.transpose(x, (0, 1, 3, 2, 4))
    return ops.reshape(x, (-1, h * block, w * block, c // (block * block)))


class PReLU(layers.PReLU):
    """As Keras has it, in fewer passes over memory; a fused kernel exists for neither."""

    def call(self, x):
        return x + (self.alpha - 1) * ops.minimum(x, 0)


def _prelu(name, dtype):
    slope = keras.initializers.Constant(0.2)
    return PReLU(alpha_initializer=slope, shared_axes=[1, 2], name=name, dtype=dtype)


def _convolution(filters, name, dtype, stride=1, start="glorot_uniform"):
    return layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        kernel_initializer=start,
        name=name,
        dtype=dtype,
    )


class Composite(layers.Layer):
    """A layer of layers, which are built as they are called. Keras would trace it before and pass over
    errors on the way, see `sdae.training.autoencoder.initialise`."""

    def build(self, *shapes):
        pass


class DownUnit(Composite):
    """3×3 convolution, 3×3 convolution of stride 2, PReLU: (B, H, W, C) → (B, H/2, W/2, filters)."""

    def __init__(self, plan: Layer, **options):
        super().__init__(name=plan.name, **options)
        policy = self.dtype_policy
        self.mix = _convolution(plan.inner, "mix", policy)
        self.shrink = _convolution(plan.filters, "shrink", policy, stride=2)
        self.activation = _prelu("prelu", policy)

    def call(self, x):
        return self.activation(self.shrink(self.mix(x)))


class UpUnit(Composite):
    """3×3 convolution to 4·filters, sub-pixel ×2, PReLU: (B, H, W, C) → (B, 2H, 2W, filters)."""

    def __init__(self, plan: Layer, **options):
        super().__init__(name=plan.name, **options)
        self.expand = _convolution(4 * plan.filters, "expand", self.dtype_policy)
        self.activation = _prelu("prelu", self.dtype_policy)

    def call(self, x):
        return self.activation(depth_to_space(self.expand(x), 2))


class ResidualBlock(Composite):
    """x + 3×3(PReLU(3×3(PReLU(x)))), shape unchanged."""

    def __init__(self, plan: Layer, **options):
        super().__init__(name=plan.name, **options)
        policy = self.dtype_policy
        self.activations = [_prelu("prelu_0", policy), _prelu("prelu_1", policy)]
        small = keras.initializers.VarianceScaling(0.1)
        self.convolutions = [
            _convolution(plan.filters, "convolution_0", policy),
            _convolution(plan.filters, "convolution_1", policy, start=small),
        ]

    def call(self, x):
        y = x
        for activation, convolution in zip(self.activations, self.convolutions):
            y = convolution(activation(y))
        return x + y


class DepthwiseBlock(Composite):
    """x + 1×1(PReLU(1×1(depthwise 3×3(x)))), shape unchanged.

    The last convolution starts at zero, so a new block changes nothing at first.
    """

    def __init__(self, plan: Layer, **options):
        super().__init__(name=plan.name, **options)
        policy = self.dtype_policy
        self.around = layers.DepthwiseConv2D(
            3, padding="same", depthwise_initializer=Centre(), name="around", dtype=policy
        )
        self.widen = layers.Dense(plan.inner, name="widen", dtype=policy)
        self.activation = _prelu("prelu", policy)
        self.narrow = layers.Dense(
            plan.filters, kernel_initializer="zeros", name="narrow", dtype=policy
        )

    def call(self, x):
        return x + self.narrow(self.activation(self.widen(self.around(x))))


class Centre(keras.initializers.Initializer):
    """Depthwise kernels (h, w, C, 1) that pass the value itself and a little of what lies around."""

    def __call__(self, shape, dtype=None):
        kernel = np.zeros(shape, "float32")
        kernel[shape[0] // 2, shape[1] // 2] = 1
        return ops.cast(kernel, dtype) + keras.initializers.RandomNormal(stddev=0.1)(shape, dtype)


class LinearPath(layers.Layer):
    """A linear map at 1/8 resolution, stored enlarged so that Adam moves it gently.

    A 1×1 convolution, and beside it a 3×3 convolution from the first few inputs to the first few
    outputs, which makes a lapped transform of the channels that see most of a picture's energy.

    Args:
        filters: output channels.
        overlapped: (inputs, outputs) of the 3×3 convolution.
        start: (inputs, filters) float array that the 1×1 convolution starts from, the other
            starts at zero; None starts both at zero, for weights that are loaded afterwards.
    """

    def __init__(self, filters: int, overlapped: tuple[int, int], start=None, **options):
        super().__init__(**options)
        self.filters, self.overlapped, self._start = filters, tuple(overlapped), start

    def build(self, shape):
        kernel = np.zeros((shape[-1], self.filters), "float32")
        if self._start is not None:
            kernel += self._start / LINEAR_STEP
        self.kernel = self.add_weight(
            shape=kernel.shape, name="kernel", initializer=lambda *_, **__: ops.array(kernel)
        )
        self.around = self.add_weight(
            shape=(3, 3, *self.overlapped), name="around", initializer="zeros"
        )

    def call(self, x):
        inputs, outputs = self.overlapped
        around = ops.conv(x[..., :inputs], self.around * LINEAR_STEP, padding="same")
        around = ops.pad(around, ((0, 0), (0, 0), (0, 0), (0, self.filters - outputs)))
        return ops.matmul(x, self.kernel * LINEAR_STEP) + around


_KINDS = {
    "down": DownUnit,
    "up": UpUnit,
    "residual": ResidualBlock,
    "depthwise": DepthwiseBlock,
}


def build(plan: tuple[Layer, ...], compute: str) -> list[layers.Layer]:
    """The Keras layers of a plan, to be called one after the other.

    Args:
        compute: Keras's name of the types that they compute in and hold.
    """
    return [
        _convolution(
            layer.filters * layer.block**2,
            layer.name,
            compute,
            # What a stack adds starts at zero: training begins at the linear path.
            start="zeros" if layer.name == "head" else "glorot_uniform",
        )
        if layer.kind == "convolution"
        else _KINDS[layer.kind](layer, dtype=compute)
        for layer in plan
    ]
