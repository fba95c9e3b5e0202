"""The Keras layers and the two transforms of the autoencoder, on any Keras backend.

    picture (H, W, 3) ──► AnalysisTransform ──► latent y (H/8, W/8, C) ──► × gain(quality) ──► round
                                                                                                 │
    picture (H, W, 3) ◄── SynthesisTransform ◄── ÷ gain(quality) ◄──────────── integers ŷ ◄──────┘
                                                                                  │
                                                     ContextModel: mean, scale of each integer

Both transforms are a linear path beside a stack of convolutional units. The linear path starts at
the Karhunen–Loève transform of 8×8×3 blocks and the stack starts near zero, so training begins at
a good transform coder and learns what a linear one cannot do.

Sources: stacked denoising autoencoders, Vincent et al. 2010; PReLU, He et al. 2015; sub-pixel
convolution, Shi et al. 2016; noise level as an input plane, FFDNet, Zhang et al. 2018; gain
vectors for continuous rates, Cui et al. 2021.
"""

import keras
import numpy as np
from keras import layers, ops

from sdae import weights
from sdae.coding.tables import Tables
from sdae.network.config import CAUTION, HEAD_SCALE, LINEAR_STEP, Config
from sdae.training.context_model import ContextModel, interpolate, laplacian_bits


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
    start = keras.initializers.Constant(0.2)
    return PReLU(alpha_initializer=start, shared_axes=[1, 2], name=name, dtype=dtype)


def _convolution(filters, name, dtype, stride=1, kernel_initializer="glorot_uniform"):
    return layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        kernel_initializer=kernel_initializer,
        name=name,
        dtype=dtype,
    )


class DownUnit(layers.Layer):
    """3×3 convolution, 3×3 convolution of stride 2, PReLU: (B, H, W, C) → (B, H/2, W/2, filters)."""

    def __init__(self, inner: int, filters: int, **options):
        super().__init__(**options)
        self.inner, self.filters = inner, filters
        self.mix = _convolution(inner, "mix", self.dtype_policy)
        self.shrink = _convolution(filters, "shrink", self.dtype_policy, stride=2)
        self.activation = _prelu("prelu", self.dtype_policy)

    def call(self, x):
        return self.activation(self.shrink(self.mix(x)))

    def compute_output_shape(self, shape):
        b, h, w, _ = shape
        return (b, h and h // 2, w and w // 2, self.filters)

    def get_config(self):
        return {**super().get_config(), "inner": self.inner, "filters": self.filters}


class UpUnit(layers.Layer):
    """3×3 convolution to 4·filters, sub-pixel ×2, PReLU: (B, H, W, C) → (B, 2H, 2W, filters)."""

    def __init__(self, filters: int, **options):
        super().__init__(**options)
        self.filters = filters
        self.expand = _convolution(4 * filters, "expand", self.dtype_policy)
        self.activation = _prelu("prelu", self.dtype_policy)

    def call(self, x):
        return self.activation(depth_to_space(self.expand(x), 2))

    def compute_output_shape(self, shape):
        b, h, w, _ = shape
        return (b, h and h * 2, w and w * 2, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


class ResidualBlock(layers.Layer):
    """x + 3×3(PReLU(3×3(PReLU(x)))), shape unchanged; He et al. 2016, pre-activation form."""

    def __init__(self, filters: int, **options):
        super().__init__(**options)
        self.filters = filters
        policy = self.dtype_policy
        self.activations = [_prelu("prelu_0", policy), _prelu("prelu_1", policy)]
        small = keras.initializers.VarianceScaling(0.1)
        self.convolutions = [
            _convolution(filters, "convolution_0", policy),
            _convolution(filters, "convolution_1", policy, kernel_initializer=small),
        ]

    def call(self, x):
        y = x
        for activation, convolution in zip(self.activations, self.convolutions):
            y = convolution(activation(y))
        return x + y

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


class DepthwiseBlock(layers.Layer):
    """x + 1×1(PReLU(1×1(depthwise 3×3(x)))), shape unchanged; Liu et al. 2022 without the norm.

    Between the 1×1 convolutions there are three times as many channels. The last one starts at
    zero, so a new block changes nothing at first.
    """

    def __init__(self, filters: int, **options):
        super().__init__(**options)
        self.filters = filters
        policy = self.dtype_policy
        self.around = layers.DepthwiseConv2D(
            3, padding="same", depthwise_initializer=Centre(), name="around", dtype=policy
        )
        self.widen = layers.Dense(3 * filters, name="widen", dtype=policy)
        self.activation = _prelu("prelu", policy)
        self.narrow = layers.Dense(filters, kernel_initializer="zeros", name="narrow", dtype=policy)

    def call(self, x):
        return x + self.narrow(self.activation(self.widen(self.around(x))))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable("sdae")
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

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "overlapped": self.overlapped}


class AnalysisTransform(layers.Layer):
    """Picture to latent.

    Call: image (B, H, W, 3) float32 in [0, 1], H and W multiples of 8; sigma (B,) noise level in
    [0, 1] of full scale, 0 for clean; t (B,) quality position in [0, 1].
    Returns (B, H/8, W/8, C) float32, before the gain.
    """

    def __init__(self, config: Config, basis=None, compute="float32", **options):
        super().__init__(**options)
        *fine, coarse = config.widths
        self._stride, samples = config.stride, 3 * config.stride**2
        overlapped = samples, config.overlapped
        self.linear = LinearPath(config.latent_channels, overlapped, basis, name="linear")
        self.units = [
            *(
                DownUnit(inner, filters, dtype=compute, name=f"down_{i}")
                for i, (inner, filters) in enumerate(zip((16, *fine), config.widths))
            ),
            *(
                ResidualBlock(coarse, dtype=compute, name=f"block_{i}")
                for i in range(config.analysis_blocks)
            ),
            *(
                DepthwiseBlock(coarse, dtype=compute, name=f"depthwise_{i}")
                for i in range(config.analysis_depthwise)
            ),
            _convolution(config.latent_channels, "head", compute, kernel_initializer="zeros"),
        ]

    def call(self, image, sigma, t):
        centred = image - 0.5
        plane = ops.ones_like(image[..., :1])
        x = ops.concatenate(
            [centred * 4, plane * _per_sample(sigma) * 4, plane * _per_sample(t - 0.5) * 2], -1
        )
        for unit in self.units:
            x = unit(x)
        linear = self.linear(space_to_depth(centred, self._stride))
        return linear + ops.cast(x, "float32") * HEAD_SCALE


class SynthesisTransform(layers.Layer):
    """Latent to picture.

    Call: latent (B, h, w, C) float32 after the inverse gain; t (B,) quality position in [0, 1].
    Returns (B, 8h, 8w, 3) float32, full scale [0, 1] but not clipped.
    """

    def __init__(self, config: Config, basis=None, spread=None, compute="float32", **options):
        super().__init__(**options)
        coarse, self._last = config.widths[-1], config.last_stride
        start = None if basis is None else basis.T
        self._spread = np.ones(config.latent_channels, "float32") if spread is None else spread
        self._stride, samples = config.stride, 3 * config.stride**2
        overlapped = config.overlapped, samples
        self.linear = LinearPath(samples, overlapped, start, name="linear")
        self.units = [
            _convolution(coarse, "stem", compute),
            *(
                DepthwiseBlock(coarse, dtype=compute, name=f"depthwise_{i}")
                for i in range(config.synthesis_depthwise)
            ),
            *(
                ResidualBlock(coarse, dtype=compute, name=f"block_{i}")
                for i in range(config.synthesis_blocks)
            ),
            *(
                UpUnit(filters, dtype=compute, name=f"up_{i}")
                for i, filters in enumerate(config.up_widths)
            ),
            *(
                DepthwiseBlock(config.widths[1], dtype=compute, name=f"fine_{i}")
                for i in range(config.fine_blocks or 0)
            ),
            _convolution(3 * self._last**2, "head", compute, kernel_initializer="zeros"),
        ]

    def build(self, *shapes):
        self.scale = self.add_weight(
            shape=self._spread.shape,
            name="scale",
            initializer=lambda *_, **__: ops.array(1 / self._spread),
            trainable=False,
        )

    def call(self, latent, t):
        plane = ops.ones_like(latent[..., :1])
        x = ops.concatenate([latent * self.scale, plane * _per_sample(t - 0.5) * 2], -1)
        for unit in self.units:
            x = unit(x)
        x = depth_to_space(x, self._last)
        linear = depth_to_space(self.linear(latent), self._stride)
        return linear + 0.5 + ops.cast(x, "float32") * HEAD_SCALE


def _per_sample(values):
    return ops.reshape(values, (-1, 1, 1, 1))


class Gains(layers.Layer):
    """Quality to quantisation: one gain a channel and level, exponential between levels.

    The latent is multiplied by the gain before rounding and by the inverse gain after; both are
    trained (Cui et al. 2021). They start at the uniform step that is optimal for an orthonormal
    transform at high rate, see `Config.high_rate_steps`.
    """

    def __init__(self, config: Config, **options):
        super().__init__(**options)
        gain = np.log(255 / config.high_rate_steps())
        self._start = np.tile(gain[:, None], (1, config.latent_channels))

    def build(self, *shapes):
        def table(name, value):
            value = value.astype("float32")
            return self.add_weight(
                shape=value.shape, name=name, initializer=lambda *_, **__: ops.array(value)
            )

        self.log_gain = table("log_gain", self._start)
        self.log_inverse = table("log_inverse", -self._start)

    def call(self, t):
        """t (B,) in [0, 1] → gain and inverse gain, each (B, 1, 1, C)."""
        return ops.exp(interpolate(self.log_gain, t)), ops.exp(interpolate(self.log_inverse, t))


def round_through(x):
    """Round half to even with the gradient of the identity."""
    return x + ops.stop_gradient(ops.round(x) - x)


class Autoencoder(keras.Model):
    """The whole network: transforms, gains and contexts.

    Call (training and validation): {"image": (B, H, W, 3) float32 in [0, 1], possibly noisy,
    "sigma": (B,), "t": (B,)} → {"picture": (B, H, W, 3), "bits": (B,) bits per pixel}.
    """

    def __init__(self, config: Config, basis=None, spread=None, compute="float32", **options):
        super().__init__(**options)
        self.config = config
        stack_scale = None if spread is None else np.sqrt(spread**2 + (16 / 255) ** 2)
        if stack_scale is not None:
            stack_scale = stack_scale.astype("float32")
        self.analysis = AnalysisTransform(config, basis, compute, name="analysis")
        self.synthesis = SynthesisTransform(config, basis, stack_scale, compute, name="synthesis")
        self.gains = Gains(config, name="gains")
        expected = 0.7 * (1 if spread is None else spread) * np.ones(config.latent_channels)
        scale = expected * (255 / config.high_rate_steps())[:, None]
        self.contexts = ContextModel(config.groups, scale, name="contexts")
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs, training=False):
        image, sigma, t = inputs["image"], inputs["sigma"], inputs["t"]
        gain, inverse = self.gains(t)
        y = self.analysis(image, sigma, t) * gain
        shift = ops.stop_gradient(self._shift(y, inverse, t))
        rounded = round_through(y) + shift
        mean, scale = self.contexts(rounded, t)
        if training:
            noise = keras.random.uniform(ops.shape(y), -0.5, 0.5, seed=self.seed)
            coded = y + shift + noise
        else:
            coded = rounded
        bits = ops.sum(laplacian_bits(coded, mean, scale), axis=(1, 2, 3))
        bits = bits / (image.shape[1] * image.shape[2])
        return {"picture": self.synthesis(rounded * inverse, t), "bits": bits}

    def _shift(self, y, inverse, t):
        """From the nearest integers to those that an encoder would choose before it has looked at
        the picture, see `encoder_effort.round_for_rate`: the network learns to live with these."""
        nearest = ops.round(y)
        mean, scale = self.contexts(nearest, t)
        price = CAUTION / 3 * ops.reshape(self.config.lagrangian(t), (-1, 1, 1, 1))
        shift = -ops.sign(nearest - ops.round(mean))

        def cost(values):
            error = 255 * inverse * (y - values)
            return laplacian_bits(values, mean, scale) + price * error**2

        return ops.where(cost(nearest + shift) < cost(nearest), shift, 0.0)

    def parameters(self) -> int:
        """How many weights there are that can act."""
        return sum(int(np.prod(v.shape)) for v in self.trainable_variables) - self.contexts.idle()

    def stored(self) -> dict:
        """What a weights file holds: arrays by name, the context model as integers."""
        arrays = {name: ops.convert_to_numpy(v) for name, v in self._transforms().items()}
        return arrays | self.contexts.tables().to_arrays()

    def restore(self, arrays: dict) -> None:
        """Take the weights that `stored` gave.

        Raises:
            WeightsError: an array is missing or has another shape.
        """
        tables = Tables.from_arrays(arrays)
        if tuple(tables.groups.tolist()) != self.config.groups:
            raise weights.WeightsError("The context tables belong to another network.")
        weights.assign(self._transforms(), arrays)
        self.contexts.resume(tables)

    def _transforms(self):
        """The variables that are stored as they are."""
        found = weights.variables(self)
        return {name: v for name, v in found.items() if not name.startswith("contexts/")}


_NOT_MUON = "^(?!.*(widen|narrow)/kernel)"
# The paths of variables that Adam moves.


def initialise(model: Autoencoder) -> Autoencoder:
    """Create every variable of the model; returns the model.

    Keras would do so at the first call, and pass over errors on the way: from the first one on
    variables would have no value, which nobody notices before something is assigned to them. So
    the model is traced first, where errors are raised.
    """
    inputs = {"image": np.zeros((1, 64, 64, 3), "float32")}
    inputs |= {name: np.zeros(1, "float32") for name in ("sigma", "t")}
    with keras.name_scope(model.name):
        model.compute_output_spec({name: keras.KerasTensor(x.shape) for name, x in inputs.items()})
    model(inputs)
    return model


def compiled(model, rate: float, **options):
    """Make a model ready for `train_on_batch`: Adam (Kingma and Ba 2015) with clipped gradients,
    and Muon (Jordan 2024) for the matrices of depthwise blocks.

    Args:
        model: built, with a loss of its own.
        rate: learning rate.
        options: further ones of `keras.optimizers.Muon`.

    Returns:
        the optimizer.
    """
    optimizer = keras.optimizers.Muon(
        rate,
        global_clipnorm=1.0,
        weight_decay=None,
        adam_weight_decay=None,
        exclude_layers=[_NOT_MUON],
        **options,
    )
    optimizer.build(model.trainable_variables)
    # TensorFlow would compile for minutes, once for every size of crop; JAX has no other way.
    jit = "auto" if keras.backend.backend() == "jax" else False
    model.compile(optimizer=optimizer, jit_compile=jit)
    return optimizer


def karhunen_loeve(blocks: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of blocks of N samples.

    Args:
        blocks: (n, N) float, rows as `space_to_depth` lays them out, centred on 0.5.
        channels: how many components to keep.

    Returns:
        basis (N, channels) float32 with orthonormal columns, largest variance first, and
        spread (channels,) float32, the root mean square of each component.
    """
    power, vectors = np.linalg.eigh(blocks.T.astype("float64") @ blocks / len(blocks))
    basis = vectors[:, ::-1][:, :channels]
    spread = np.sqrt(np.maximum(power[::-1][:channels], 1e-12))
    return basis.astype("float32"), spread.astype("float32")
