"""Training on several accelerators: two simulated devices of one processor, with Keras on JAX."""

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdae.training import loop

TWO_DEVICES = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    # The steps are few, so compiling them thoroughly would take longer than it saves.
    "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
}

SCRIPT = """
import keras
import numpy as np
from sdae.training import autoencoder
from sdae.network.config import Config
from sdae.training import loop

small = Config(latent_channels=3, widths=(2, 2, 4), analysis_blocks=0, synthesis_blocks=0,
               analysis_depthwise=1, synthesis_depthwise=1, fine_blocks=1,
               groups=(1, 2), overlapped=1, levels=2)
clean = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype="uint8")
inputs, target = loop.make_batch(clean, np.random.default_rng(1), 0.5, 0.35)

# Called on symbols, since JAX would compile every step of a call on numbers.
shapes = {"image": (16, 16, 3), "sigma": (), "t": ()}
autoencoder.initialise = lambda model: (
    model, model({name: keras.Input(shape) for name, shape in shapes.items()}))[0]


def trained(devices):
    loop.distribute(devices)
    keras.utils.set_random_seed(0)
    model = loop.trainable_model(small, None, None, "float32", 20.0)
    model.compile(optimizer=keras.optimizers.SGD(1e-3))
    losses = [float(model.train_on_batch(inputs, target)) for _ in range(2)]
    used = {len(v.value.sharding.device_set) for v in model.trainable_variables}
    return losses, [np.asarray(v.value) for v in model.trainable_variables], used, model


alone, weights, used, _ = trained(1)
assert used == {1}, used
together, same_weights, used, model = trained(2)
assert used == {2}, used
np.testing.assert_allclose(together, alone, rtol=1e-4)
assert alone[0] != alone[1]
for one, other in zip(weights, same_weights, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
try:
    model.train_on_batch({k: v[:3] for k, v in inputs.items()}, target[:3])
except ValueError as error:
    assert "partitioned 2 times" in str(error), error  # so each device has its part of a batch
else:
    raise AssertionError("Three crops were shared by two devices.")
"""


def options(*extra):
    parser = argparse.ArgumentParser()
    loop.add_arguments(parser)
    return parser.parse_args(["photos", "--output", "output", *extra])


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="JAX is not installed: it has no build for this machine",
)
def test_two_devices_learn_what_one_does():
    root = Path(loop.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, **TWO_DEVICES},
    )
    assert done.returncode == 0, done.stderr


def test_without_jax_it_says_what_to_set():
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax"):
        loop.distribute(2)


@pytest.mark.parametrize("extra", [["--batch", "9"], ["--batch", "12", "--late-crop", "128"]])
def test_batches_that_cannot_be_shared_are_refused_before_training(extra):
    with pytest.raises(ValueError, match="multiple of 2"):
        loop.distribute(2, loop.batches(options(*extra)))
