"""Rows of a plane, taken from fixed places.

The gradient of `keras.ops.take` adds up numbers one by one. Here the places are known beforehand, so
their inverse is, too, and the gradient takes rows as well: twice as fast on a processor's core.
"""

import numpy as np
from keras import ops


def rows(x, places: np.ndarray):
    """(B, N, c) and (…) integers from 0 to N → (B, …, c); place N is outside and holds zeros."""
    flat, size = places.ravel(), x.shape[1]
    if not flat.size:
        return x[:, :0]  # JAX cannot tell how many samples no numbers are
    inverse = _inverse(flat, size)

    @ops.custom_gradient
    def taken(x):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return ops.sum(_take(upstream, inverse), 2)

        return _take(x, flat), gradient

    return ops.reshape(taken(x), (-1, *places.shape, x.shape[-1]))


def _take(x, places):
    if places.max(initial=0) == x.shape[1]:
        x = ops.pad(x, ((0, 0), (0, 1), (0, 0)))
    return ops.take(x, places, 1)


def _inverse(flat, size):
    """For each of the rows where it was taken to: (size, most) integers; what lacks is outside."""
    order = np.argsort(flat, kind="stable")
    taken = flat[order]
    counts = np.bincount(flat, minlength=size + 1)
    number = np.arange(len(flat)) - (np.cumsum(counts) - counts)[taken]
    inverse = np.full((size, max(1, counts[:size].max(initial=0))), len(flat), "int32")
    inside = taken < size
    inverse[taken[inside], number[inside]] = order[inside]
    return inverse
