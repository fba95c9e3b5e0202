"""What moves weights: Muon (Jordan 2024) the matrices of depthwise blocks, Adam (Kingma and Ba 2015)
all others, and how the learning rate rises and falls."""

from contextlib import contextmanager

import keras
import numpy as np
from keras import ops

from sdae.errors import TrainingError
from sdae.threads import made_ahead

_NOT_MUON = "^(?!.*(widen|narrow)/kernel)"
# The paths of variables that Adam moves.


def compiled(model, rate: float, average: float | None = None):
    """Make a model ready for `train_on_batch`; gradients are clipped to a norm of 1.

    Args:
        model: built, with a loss of its own.
        rate: learning rate.
        average: momentum of the exponential moving average of the weights, None for none.

    Returns:
        the optimizer.
    """
    optimizer = keras.optimizers.Muon(
        rate,
        global_clipnorm=1.0,
        weight_decay=None,
        adam_weight_decay=None,
        exclude_layers=[_NOT_MUON],
        use_ema=average is not None,
        ema_momentum=average or 0,
    )
    optimizer.build(model.trainable_variables)
    # TensorFlow would compile for minutes, once for every size of crop; JAX has no other way.
    jit = "auto" if keras.backend.backend() == "jax" else False
    model.compile(optimizer=optimizer, jit_compile=jit)
    return optimizer


def share_of_rate(step: int, done: float, rise: int, flat: float) -> float:
    """The learning rate as a share of the highest: a rise, constant, then half a cosine to 0.01.

    Args:
        step: of this run, from 0; the moments of both optimizers begin at zero in each run.
        done: share of the training that is over, 0 to 1.
        rise: steps until the rate is reached.
        flat: share of the training at the highest rate.
    """
    fall = max(0.0, done - flat) / (1 - flat) if flat < 1 else 0.0
    return min(1.0, (step + 1) / rise) * (0.01 + 0.99 * (1 + np.cos(np.pi * fall)) / 2)


@contextmanager
def averaged(optimizer, trained):
    """For a while these variables hold the averages of their values, if there are any yet."""
    kept = [ops.convert_to_numpy(v) for v in trained]
    if int(optimizer.iterations):
        optimizer.finalize_variable_values(trained)
    yield
    for variable, value in zip(trained, kept):
        variable.assign(value)


def losses(model, batches, rate):
    """Train a compiled model; the loss of each step, once it is done.

    Batches of a known size, which `fit` does not give, make TensorFlow a fifth faster.

    Args:
        batches: input and target of each step; a thread makes the next while one is learned from.
        rate: function of the steps that the optimizer has done, to the learning rate of the next.

    Raises:
        TrainingError: the loss is no number.
    """
    for ready in made_ahead(batches):
        model.optimizer.learning_rate.assign(rate(int(model.optimizer.iterations)))
        yield finite(model.train_on_batch(*ready))


def finite(loss) -> float:
    """A loss, or TrainingError if it is no number."""
    if not np.isfinite(loss):
        raise TrainingError(
            "The loss is no number any more, so training stops; the last state that was saved "
            "is a good one. Go on from it with a lower --rate."
        )
    return float(loss)
