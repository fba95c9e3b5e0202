"""The codec's network in Keras: both transforms, gains and contexts, and what moves its weights.

    picture ──► analysis ──► latent y ──► × gain(quality) ──► round ──► integers ŷ
    picture ◄── synthesis ◄── ÷ gain(quality) ◄─────────────────────────────┤
                                         ContextModel: mean, scale of each ◄┘

Source: gain vectors for continuous rates, Cui et al. 2021.
"""

import keras
import numpy as np
from keras import layers, ops

from sdae import weights
from sdae.coding.tables import Tables
from sdae.network.config import Config, quality_condition
from sdae.training.context_model import ContextModel, interpolate, laplacian_bits
from sdae.training.transforms import AnalysisTransform, SynthesisTransform

_CAUTION = 2.5
# Rounding counts an error of the latent this many times; measured on validation photographs.


class Gains(layers.Layer):
    """Quality to quantisation: one gain a channel and level, exponential between levels.

    The latent is multiplied by the gain before rounding and by the inverse gain after; both are
    trained. They start at the uniform step that is optimal for an orthonormal transform at high
    rate, see `Config.high_rate_steps`.
    """

    def __init__(self, config: Config, **options):
        super().__init__(**options)
        gain = np.log(255 / config.high_rate_steps())
        self._start = np.tile(gain[:, None], (1, config.latent_channels)).astype("float32")

    def build(self, *shapes):
        def table(name, value):
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
    """The whole network of the codec.

    Call (training and validation): {"image": (B, H, W, 3) float32 in [0, 1], "t": (B,)} →
    {"picture": (B, H, W, 3), "bits": (B,) bits per pixel}.

    Args:
        config: hyper-parameters.
        basis, spread: of `karhunen_loeve`, which training starts from; None for weights that are
            loaded afterwards.
        compute: Keras's name of the types that the stacks compute in and hold.
    """

    def __init__(self, config: Config, basis=None, spread=None, compute="float32", **options):
        super().__init__(**options)
        self.config = config
        noticeable = 16 / 255
        scale = None if spread is None else np.hypot(spread, noticeable).astype("float32")
        self.analysis = AnalysisTransform(config, basis, compute, name="analysis")
        self.synthesis = SynthesisTransform(config, basis, scale, compute, name="synthesis")
        self.gains = Gains(config, name="gains")
        expected = 0.7 * (1 if spread is None else spread) * np.ones(config.latent_channels)
        expected = expected * (255 / config.high_rate_steps())[:, None]
        self.contexts = ContextModel(config.groups, expected, name="contexts")
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs, training=False):
        image, t = inputs["image"], inputs["t"]
        gain, inverse = self.gains(t)
        y = self.analysis(image, quality_condition(t)) * gain
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
        return {"picture": self.synthesis(rounded * inverse, quality_condition(t)), "bits": bits}

    def _shift(self, y, inverse, t):
        """From the nearest integers to about those that an encoder chooses, see
        `sdae.network.rounding`: the network learns to live with these."""
        nearest = ops.round(y)
        mean, scale = self.contexts(nearest, t)
        price = _CAUTION / 3 * ops.reshape(self.config.lagrangian(t), (-1, 1, 1, 1))
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
        assign(self._transforms(), arrays)
        self.contexts.resume(tables)

    def _transforms(self):
        """The variables that are stored as they are."""
        return {k: v for k, v in variables(self).items() if not k.startswith("contexts/")}


def initialise(model: keras.Model, *inputs: str) -> keras.Model:
    """Create every variable of a model that takes images and further numbers; returns the model.

    Keras would trace the model first, at its first call, and pass over errors on the way: from the
    first one on variables would have no value, which nobody notices before something is assigned to
    them. So the model counts as built, and its layers are built as they are called.

    Args:
        model: takes "image" (1, 64, 64, 3), and of each further name an array of shape (1,).
    """
    given = {"image": np.zeros((1, 64, 64, 3), "float32")}
    given |= {name: np.zeros(1, "float32") for name in inputs or ("t",)}
    model.built = True
    model(given)
    return model


def variables(model: keras.Model) -> dict:
    """Every variable of a model but random states, by its path without the model's name."""
    kept = [v for v in model.weights if "seed" not in v.path]
    named = {v.path.split("/", 1)[1]: v for v in kept}
    if len(named) != len(kept):
        raise ValueError("Two variables of the network share a path.")
    return named


def assign(named: dict, arrays: dict) -> None:
    """Give what `variables` returned the stored values.

    Raises:
        WeightsError: a variable is missing or has another shape.
    """
    for name, variable in named.items():
        if name not in arrays or tuple(arrays[name].shape) != tuple(variable.shape):
            raise weights.WeightsError(
                f"The weights do not fit the network: {name} is missing or misshapen."
            )
        variable.assign(arrays[name].astype("float32"))
