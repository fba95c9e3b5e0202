"""Windows: overlapping parts of a picture that go through the networks one after another.

They serve effort and very wide pictures, which `transform_coding` cannot do strip by strip. Each look
of effort needs what the look before has chosen on all sides, so the picture and its gradients would
stay in memory whole. Strips of 65,535 columns take three times the memory: 404 MB to restore 24 rows,
where windows take 144.
"""

from itertools import product

import numpy as np

from sdae.coding import coding_order, latent_coder
from sdae.coding.coding_order import stacked
from sdae.network import encoder_effort, transform_coding
from sdae.network.config import quality_position
from sdae.network.numpy_network import STRIDE
from sdae.network.transform_coding import latent_size, padded
from sdae.progress import stage

WIDEST = 16_384
"""Most columns of a picture that `transform_coding` takes; layers keep rows."""

_SIDE, _MARGIN, _ALIGNMENT = 1024, 128, 64
# What lies nearer than the margin to an inner edge of a window is thrown away. The lattice of the
# contexts repeats every 64 pixels, so windows begin at multiples of it.


def quantised(
    network, tables, samples, sigma: float, quality_code: int, effort: int = 0, progress=None
) -> np.ndarray:
    """A picture → its integers, (h, w, C) int16.

    Args:
        network, tables, samples, sigma, quality_code, progress: as for `transform_coding.quantised`.
        effort: as for `encoder_effort.fit_picture`; 0 for a picture with noise.
    """
    t = quality_position(quality_code / 100)
    gain, _ = network.gains(t)
    result = np.empty((*latent_size(*samples.shape[:2]), len(gain)), "int16")
    windows = list(product(*map(spans, samples.shape[:2])))
    for number, (rows, columns) in enumerate(windows):
        report = stage(progress, number / len(windows), (number + 1) / len(windows))
        part = samples[slice(*rows[:2]), slice(*columns[:2])]
        if effort:
            image = padded(part)
            y = network.analysis(image, 0.0, t) * gain
            values = latent_coder.stored(
                encoder_effort.fit_picture(network, tables, image, y, quality_code, effort, report)
            )
        else:
            bands = transform_coding.quantised(network, tables, part, sigma, quality_code)
            values = stacked(bands, latent_size(*part.shape[:2])[0])
        (kept, inner), (kept_across, inner_across) = map(_kept, (rows, columns))
        result[kept, kept_across] = values[inner, inner_across]
        if report:
            report(1)
    return result


def restored(network, bands, height: int, width: int, quality: float, progress=None):
    """As `transform_coding.restored`, but column by column of windows; yields the picture whole."""
    values = stacked(bands, latent_size(height, width)[0])
    picture = np.empty((height, width, 3), "uint8")
    for start, end, first, last in spans(width):
        parts = coding_order.bands(values[:, start // STRIDE : -(-end // STRIDE)])
        rows = transform_coding.restored(network, parts, height, end - start, quality)
        picture[:, first:last] = np.concatenate(list(rows))[:, first - start : last - start]
        if progress:
            progress(last / width)
    yield picture


def spans(length: int) -> list[tuple[int, int, int, int]]:
    """Windows along one side: where each starts and ends, and from where to where it is kept.

    All have `_SIDE` pixels but the last, which may have up to `_ALIGNMENT` more; a side that is no
    longer than a window is one.
    """
    found, last = [], 0
    final = max(0, length - _SIDE) // _ALIGNMENT * _ALIGNMENT
    while last < length:
        start, first = min(max(0, last - _MARGIN), final), last
        end = length if start == final else start + _SIDE
        last = length if start == final else end - _MARGIN
        found.append((start, end, first, last))
    return found


def _kept(span):
    """Where what is kept of a window lies in the latent, and where in that of the window."""
    start, _, first, last = span
    end = -(-last // STRIDE)
    return slice(first // STRIDE, end), slice((first - start) // STRIDE, end - start // STRIDE)
