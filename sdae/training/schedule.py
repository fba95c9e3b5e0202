"""How a learning rate falls at the end of a training."""

import numpy as np


def falling(done: float) -> float:
    """Half a cosine from 1 to 0.01, as ``done`` goes from 0 to 1: a factor of the learning rate."""
    return 0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2
