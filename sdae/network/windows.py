"""Windows: overlapping columns of a very wide picture that go through the network one after another.

Layers keep whole rows. Strips of 65,535 columns would take three times the memory: 404 MB to restore
24 rows, where windows take 144.
"""

import numpy as np

from sdae.coding import coding_order
from sdae.coding.coding_order import stacked
from sdae.network import rounding, transform_coding
from sdae.network.config import STRIDE
from sdae.network.transform_coding import latent_size

WIDEST = 16_384
"""Most columns of a picture that `transform_coding` takes."""

_SIDE, _MARGIN, _ALIGNMENT = 1024, 128, 64
# What lies nearer than the margin to an inner edge of a window is thrown away. The lattice of the
# contexts repeats every 64 pixels, so windows begin at multiples of it.


def quantised(network, tables, samples, quality_code: int, progress=None) -> np.ndarray:
    """A picture → its integers, (h, w, C) int16; arguments as for `transform_coding.quantised`."""
    height, width = samples.shape[:2]
    result = np.empty((*latent_size(height, width), network.config.latent_channels), "int16")
    masking = rounding.masking(samples)
    for start, end, first, last in spans(width):
        piece, weights = samples[:, start:end], masking[:, start // STRIDE : -(-end // STRIDE)]
        given = network, tables, piece, quality_code, None, weights
        bands = transform_coding.quantised(*given)
        values = stacked(bands, len(result))
        left, right = first // STRIDE, -(-last // STRIDE)
        result[:, left:right] = values[:, left - start // STRIDE : right - start // STRIDE]
        if progress:
            progress(last / width)
    return result


def restored(network, bands, height: int, width: int, quality: float, progress=None):
    """As `transform_coding.restored`, but window by window; yields the picture whole."""
    values = stacked(bands, latent_size(height, width)[0])
    picture = np.empty((height, width, 3), "uint8")
    for start, end, first, last in spans(width):
        columns = coding_order.bands(values[:, start // STRIDE : -(-end // STRIDE)])
        rows = transform_coding.restored(network, columns, height, end - start, quality)
        picture[:, first:last] = np.concatenate(list(rows))[:, first - start : last - start]
        if progress:
            progress(last / width)
    yield picture


def spans(length: int) -> list[tuple[int, int, int, int]]:
    """Windows along the width: where each starts and ends, and from where to where it is kept.

    All have `_SIDE` pixels but the last, which may have up to `_ALIGNMENT` more.
    """
    windows, last = [], 0
    final = max(0, length - _SIDE) // _ALIGNMENT * _ALIGNMENT
    while last < length:
        start, first = min(max(0, last - _MARGIN), final), last
        end = length if start == final else start + _SIDE
        last = length if start == final else end - _MARGIN
        windows.append((start, end, first, last))
    return windows
