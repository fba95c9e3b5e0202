"""Which numbers training computes with: types, logarithms as the latent coder has them, and the way from
weights to integers."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from sdae.coding.units import FEATURE_UNIT, LOGARITHM_CLIP


def logarithm(x):
    """log₂(1 + x) with straight lines between the powers of two, as the latent coder has it."""
    x = x + 1
    exponent = ops.floor(ops.stop_gradient(ops.log(x)) * (1 / np.log(2)) + 1e-6)
    logarithm = exponent + x * ops.exp(exponent * -np.log(2)) - 1
    return ops.minimum(logarithm, LOGARITHM_CLIP / FEATURE_UNIT)


def as_numpy(values):
    """A variable or tensor as float64."""
    return ops.convert_to_numpy(values).astype("float64")


def whole(values, unit, kind="int16"):
    """Values in whole units, cut to what the type holds."""
    limits = np.iinfo(kind)
    return np.clip(np.rint(as_numpy(values) * unit), limits.min, limits.max).astype(kind)


def compute() -> str:
    """Keras's name of the types that the stacks compute in and hold: bfloat16 where it is fast. On a
    processor without such instructions a step of TensorFlow takes seven times as long in it."""
    described = Path("/proc/cpuinfo")
    has = described.exists() and "bf16" in described.read_text()
    return "mixed_bfloat16" if has or keras.backend.backend() != "tensorflow" else "float32"
