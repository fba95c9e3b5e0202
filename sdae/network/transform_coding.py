"""A picture → integers and back: transform, quantisation, and the inverse of both.

    samples ──► analysis ──► gain ──► choice of integers (`rounding`)
    samples ◄── synthesis ◄── inverse gain ◄── integers

Both ways go from the top, so a picture need not be in memory whole: pixels and rows of the latent in
strips, integers in the bands that are coded alone (`sdae.coding.coding_order.bands`).
"""

import numpy as np

from sdae.coding import latent_coder
from sdae.coding.coding_order import band_rows
from sdae.coding.container import MAX_SIDE
from sdae.coding.latent import Latent
from sdae.network import rounding
from sdae.network.config import STRIDE, quality_position
from sdae.network.rows import regrouped, strip_rows
from sdae.pictures import noise


def latent_size(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the latent of a picture; sides of a picture round up."""
    return -(-height // STRIDE), -(-width // STRIDE)


def check(latent: Latent, channels: int) -> None:
    """Raise ValueError for a latent whose shape does not fit its size, or whose size no file has."""
    expected = *latent_size(latent.height, latent.width), channels
    if latent.values.shape != expected:
        raise ValueError(
            f"The latent of a picture of {latent.width}×{latent.height} pixels has the shape "
            f"{expected}; this one has {latent.values.shape}."
        )
    if max(latent.width, latent.height) > MAX_SIDE:
        raise ValueError(
            f"A picture in a file has at most {MAX_SIDE:,} pixels a side; scale it down."
        )


def quantised(network, tables, samples, quality_code: int, progress=None, met=None):
    """A picture → its integers.

    Args:
        network, tables: as for `rounding.fitted_bands`.
        samples: (H, W, 3) uint8, or float32 on the scale [0, 1].
        quality_code: quality in hundredths, 100 to 10000.
        progress: called with the share that is done, 0 to 1.
        met: as for `rounding.fitted_bands`.

    Yields:
        (n, w, C) int16, one band after another.
    """
    sizes = band_rows(*latent_size(*samples.shape[:2]))
    counted = counter(2 * sum(sizes), progress)
    rows = network.latent_rows(strips(samples), quality_position(quality_code / 100))
    bands = regrouped(counted(rows), sizes)
    given = strips(samples), bands, quality_code, rounding.masking(samples), met
    chosen = rounding.fitted_bands(network, tables, *given)
    return counted(map(latent_coder.stored, chosen))


def restored(network, bands, height: int, width: int, quality: float, progress=None):
    """Integers → the picture.

    Args:
        network: `sdae.network.transforms.Network`.
        bands: (n, w, C) integers from the top, of any number of rows.
        height, width: of the picture in pixels.
        quality: 1 to 100.
        progress: as for `quantised`.

    Yields:
        (n, width, 3) uint8, rows from the top, any number at a time.
    """
    counted, top = counter(latent_size(height, width)[0] * STRIDE, progress), 0
    for rows in counted(network.picture_rows(bands, quality_position(quality))):
        yield noise.to_8_bits(rows[: height - top, :width])
        top = min(height, top + len(rows))


def padded(samples) -> np.ndarray:
    """Samples as floats, the last row and column repeated up to multiples of the stride."""
    sides = [(0, -side % STRIDE) for side in samples.shape[:2]]
    return noise.to_floats(np.pad(samples, [*sides, (0, 0)], "edge"))


def strips(samples):
    """A picture as `padded` has it, so many rows at a time as pass through the network together."""
    step = STRIDE * strip_rows(latent_size(*samples.shape[:2])[1])
    for top in range(0, len(samples), step):
        yield padded(samples[top : top + step])


def counter(total: int, progress):
    """A function that passes rows on and reports how much of ``total`` has passed it.

    Each of the rows counts ``unit``, the second argument of that function.
    """
    done = 0

    def counted(arrays, unit=1):
        nonlocal done
        for rows in arrays:
            done += unit * len(rows)
            if progress:
                progress(done / total)
            yield rows

    return counted
