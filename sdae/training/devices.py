"""Sharing every batch between several accelerators, on JAX."""

import keras

from sdae.errors import TrainingError


def distribute(count: int, batch: int) -> None:
    """Share every batch among ``count`` devices, in all models that are made from now on.

    Data parallelism: each device has all weights and its part of the crops of a batch. Keras
    implements it on JAX alone.

    Args:
        count: 1 changes nothing.
        batch: crops a step.

    Raises:
        TrainingError: there are not so many devices, the batch cannot be divided among them, or Keras
            does not run on JAX.
    """
    if count == 1:
        return
    if batch % count:
        raise TrainingError(
            f"Batches of {batch} crops cannot be shared evenly; choose --batch as a multiple of {count}."
        )
    if keras.backend.backend() != "jax":
        raise TrainingError(
            "Keras shares batches among devices on JAX only; set KERAS_BACKEND=jax."
        )
    devices = keras.distribution.list_devices()
    if not 1 <= count <= len(devices):
        raise TrainingError(
            f"This machine has {len(devices)} devices; choose --devices up to that."
        )
    parallel = keras.distribution.DataParallel(devices=devices[:count])
    keras.distribution.set_distribution(parallel)
