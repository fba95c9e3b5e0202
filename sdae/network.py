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
vectors for continuous rates, Cui et al. 2021; checkerboard contexts, He et al. 2021; channel
groups as contexts, Minnen and Singh 2020.
"""

import keras
import numpy as np
from keras import layers, ops

from sdae.config import CLIP, HEAD_SCALE, LATTICE_SPACING, LINEAR_STEP, STRIDE, Config
from sdae.latents import lattice, lattice_neighbours


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


def _prelu(name, dtype):
    start = keras.initializers.Constant(0.2)
    return layers.PReLU(alpha_initializer=start, shared_axes=[1, 2], name=name, dtype=dtype)


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
        half, quarter, eighth = config.widths
        samples = STRIDE * STRIDE * 3
        overlapped = samples, config.overlapped
        self.linear = LinearPath(config.latent_channels, overlapped, basis, name="linear")
        self.units = [
            DownUnit(16, half, dtype=compute, name="down_0"),
            DownUnit(half, quarter, dtype=compute, name="down_1"),
            DownUnit(quarter, eighth, dtype=compute, name="down_2"),
            *(
                ResidualBlock(eighth, dtype=compute, name=f"block_{i}")
                for i in range(config.analysis_blocks)
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
        linear = self.linear(space_to_depth(centred, STRIDE))
        return linear + ops.cast(x, "float32") * HEAD_SCALE


class SynthesisTransform(layers.Layer):
    """Latent to picture.

    Call: latent (B, h, w, C) float32 after the inverse gain; t (B,) quality position in [0, 1].
    Returns (B, 8h, 8w, 3) float32, full scale [0, 1] but not clipped.
    """

    def __init__(self, config: Config, basis=None, spread=None, compute="float32", **options):
        super().__init__(**options)
        half, quarter, eighth = config.widths
        start = None if basis is None else basis.T
        self._spread = np.ones(config.latent_channels, "float32") if spread is None else spread
        samples = STRIDE * STRIDE * 3
        overlapped = config.overlapped, samples
        self.linear = LinearPath(samples, overlapped, start, name="linear")
        self.units = [
            _convolution(eighth, "stem", compute),
            *(
                ResidualBlock(eighth, dtype=compute, name=f"block_{i}")
                for i in range(config.synthesis_blocks)
            ),
            UpUnit(quarter, dtype=compute, name="up_0"),
            UpUnit(half, dtype=compute, name="up_1"),
            UpUnit(16, dtype=compute, name="up_2"),
            _convolution(3, "head", compute, kernel_initializer="zeros"),
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
        linear = depth_to_space(self.linear(latent), STRIDE)
        return linear + 0.5 + ops.cast(x, "float32") * HEAD_SCALE


def _per_sample(values):
    return ops.reshape(values, (-1, 1, 1, 1))


def _interpolate(table, t):
    """Rows of ``table`` (levels, C) at positions ``t`` (B,) in [0, 1], linear: (B, 1, 1, C)."""
    levels = table.shape[0]
    position = ops.reshape(t, (-1, 1)) * (levels - 1)
    distance = ops.abs(position - ops.arange(levels, dtype="float32"))
    rows = ops.matmul(ops.maximum(0.0, 1.0 - distance), table)
    return ops.reshape(rows, (-1, 1, 1, table.shape[1]))


def _high_rate_step(config):
    """The step of each quality level, (levels,), on the 0–255 scale.

    With D = Δ²/12 and dR/dΔ = −1/(Δ·ln 2) a coefficient, 192 coefficients to 64 pixels, the
    minimum of R + λ·D lies at Δ² = 12·192 / (128·ln 2·λ).
    """
    lagrangian = config.lagrangian(np.linspace(0, 1, config.levels))
    return np.sqrt(12 * 192 / (128 * np.log(2) * lagrangian))


class Gains(layers.Layer):
    """Quality to quantisation: one gain a channel and level, exponential between levels.

    The latent is multiplied by the gain before rounding and by the inverse gain after; both are
    trained (Cui et al. 2021). They start at the uniform step that is optimal for an orthonormal
    transform at high rate, see `_high_rate_step`.
    """

    def __init__(self, config: Config, **options):
        super().__init__(**options)
        gain = np.log(255 / _high_rate_step(config))
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
        return ops.exp(_interpolate(self.log_gain, t)), ops.exp(_interpolate(self.log_inverse, t))


class ContextModel(layers.Layer):
    """What already decoded integers tell about the next one: a mean and a scale, both linear.

    Channels come in groups; the positions of group 0 come in the five levels of the `lattice` of
    `LATTICE_SPACING`, those of the others in two passes, levels 0–3 and level 4. A value may look
    at all nine positions of all earlier groups, and at the mean of its four filled neighbours in
    its own group. The latent coder, whose tables are fitted when the network is trained, looks
    closer (`sdae.latents.Tables`).

    Call: integers (B, h, w, C) float32; t (B,). Returns mean and scale, each (B, h, w, C): the
    value is taken as Laplacian with that mean and that scale (mean absolute deviation).
    """

    def __init__(self, config: Config, spread=None, **options):
        super().__init__(**options)
        self.config = config
        group = np.repeat(np.arange(len(config.groups)), config.groups)
        self._same = (group[:, None] == group[None, :]).astype("float32")
        self._spread = np.ones(config.latent_channels) if spread is None else spread

    def build(self, *shapes):
        c, first = self.config.latent_channels, self.config.groups[0]
        gain = 255 / _high_rate_step(self.config)
        scale = np.maximum(0.7 * self._spread[None] * gain[:, None], 0.02)
        bias = np.log(np.expm1(scale)).astype("float32")

        def weight(name, value):
            value = value.astype("float32")
            return self.add_weight(
                shape=value.shape, name=name, initializer=lambda *_, **__: ops.array(value)
            )

        self.bias = weight("bias", bias)
        for kind in ("mean", "scale"):
            setattr(self, f"{kind}_kernel", weight(f"{kind}_kernel", np.zeros((3, 3, c, c))))
            setattr(self, f"{kind}_share", weight(f"{kind}_share", np.ones((2, c))))
            setattr(self, f"{kind}_own", weight(f"{kind}_own", np.zeros((c, c))))
            setattr(self, f"{kind}_lattice", weight(f"{kind}_lattice", np.zeros((3, first, first))))

    def _neighbours(self, x, level):
        """Mean over the neighbours of ``level`` that lie inside the picture."""
        _, h, w, _ = x.shape
        padded = ops.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
        total, count = 0.0, np.zeros((1, h, w, 1), "float32")
        inside = np.pad(np.ones((h, w), "float32"), 2)
        for dy, dx in lattice_neighbours(level, LATTICE_SPACING):
            total = total + padded[:, 2 + dy : 2 + dy + h, 2 + dx : 2 + dx + w]
            count[0, :, :, 0] += inside[2 + dy : 2 + dy + h, 2 + dx : 2 + dx + w]
        return total / ops.array(np.maximum(count, 1))

    def _from_earlier(self, x, kernel):
        """3×3 convolution of each group's earlier groups: (B, h, w, C) → (B, h, w, C)."""
        ends = np.cumsum(self.config.groups).tolist()
        parts = [ops.zeros_like(x[..., : ends[0]])]
        for start, stop in zip(ends, ends[1:]):
            seen = x[..., :start]
            parts.append(ops.conv(seen, kernel[:, :, :start, start:stop], padding="same"))
        return ops.concatenate(parts, -1)

    def _predict(self, x, kind):
        first = self.config.groups[0]
        level = lattice(x.shape[1], x.shape[2], LATTICE_SPACING)[None, :, :, None]
        masks = [ops.array((level == k).astype("float32")) for k in range(5)]
        share = getattr(self, f"{kind}_share")
        result = self._from_earlier(x, getattr(self, f"{kind}_kernel"))
        result = result * (share[0] * (1 - masks[4]) + share[1] * masks[4])
        own = getattr(self, f"{kind}_own") * ops.array(self._same)
        result = result + ops.matmul(self._neighbours(x, 4), own) * masks[4]
        coarse, weights = 0.0, getattr(self, f"{kind}_lattice")
        for k in (1, 2, 3):
            around = self._neighbours(x[..., :first], k)
            coarse = coarse + ops.matmul(around, weights[k - 1]) * masks[k]
        rest = ((0, 0), (0, 0), (0, 0), (0, self.config.latent_channels - first))
        return result + ops.pad(coarse, rest)

    def idle(self) -> int:
        """How many stored weights can never act, since they look at what is not decoded yet."""
        c, groups = self.config.latent_channels, np.array(self.config.groups)
        own = int((groups**2).sum())
        earlier = (c * c - own) // 2
        return 2 * (9 * (c * c - earlier) + c * c - own)

    def call(self, integers, t):
        mean = self._predict(integers, "mean")
        deviation = ops.minimum(ops.abs(integers - mean), CLIP)
        raw = self._predict(deviation, "scale") + _interpolate(self.bias, t)
        return mean, ops.softplus(raw) + 0.01


def laplacian_bits(values, mean, scale):
    """−log₂ of the probability that a Laplacian gives to the unit interval around each value.

    Exact in the tails, where the difference of two distribution functions would cancel.
    """
    distance = ops.abs(values - mean)
    far = (distance - 0.5) / scale + np.log(2.0) - ops.log(-ops.expm1(-1.0 / scale))
    near = 1 - 0.5 * (
        ops.exp(-ops.maximum(0.5 - distance, 0.0) / scale) + ops.exp(-(0.5 + distance) / scale)
    )
    near = -ops.log(ops.maximum(near, 1e-9))
    return ops.where(distance > 0.5, far, near) / np.log(2.0)


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
        self.contexts = ContextModel(config, spread, name="contexts")
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs, training=False):
        image, sigma, t = inputs["image"], inputs["sigma"], inputs["t"]
        gain, inverse = self.gains(t)
        y = self.analysis(image, sigma, t) * gain
        rounded = round_through(y)
        mean, scale = self.contexts(rounded, t)
        if training:
            coded = y + keras.random.uniform(ops.shape(y), -0.5, 0.5, seed=self.seed)
        else:
            coded = rounded
        bits = ops.sum(laplacian_bits(coded, mean, scale), axis=(1, 2, 3))
        bits = bits / (image.shape[1] * image.shape[2])
        return {"picture": self.synthesis(rounded * inverse, t), "bits": bits}


def initialise(model: Autoencoder) -> Autoencoder:
    """Create every variable of the model by calling it once; returns the model."""
    level = np.zeros(1, "float32")
    model({"image": np.zeros((1, 64, 64, 3), "float32"), "sigma": level, "t": level})
    return model


def karhunen_loeve(blocks: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of 8×8×3 blocks.

    Args:
        blocks: (n, 192) float, rows as `space_to_depth` lays them out, centred on 0.5.
        channels: how many components to keep.

    Returns:
        basis (192, channels) float32 with orthonormal columns, largest variance first, and
        spread (channels,) float32, the root mean square of each component.
    """
    power, vectors = np.linalg.eigh(blocks.T.astype("float64") @ blocks / len(blocks))
    basis = vectors[:, ::-1][:, :channels]
    spread = np.sqrt(np.maximum(power[::-1][:channels], 1e-12))
    return basis.astype("float32"), spread.astype("float32")
