"""What choosing the integers with care gains, and how long it takes: ``sdae bench effort``.

Whole files of centre crops at several qualities: BD-rate against the nearest integers, and
processor time. The ways to choose are those of `sdae.network.encoder_effort`.
"""

import itertools
import time

import numpy as np

from sdae.codec import Latent
from sdae.coding import latent_coder
from sdae.measuring import metrics
from sdae.network import encoder_effort
from sdae.network.config import quality_position
from sdae.pictures import noise
from sdae.progress import progress


def measure(codec, pictures, efforts, qualities) -> dict[str, tuple[float, float]]:
    """What each way to choose the integers is worth: way → BD-rate in percent, seconds a picture.

    The ways are the nearest integers, `sdae.network.encoder_effort.round_for_rate`, and each of
    ``efforts``. The BD-rate, over the means at the qualities, is against the nearest.

    Args:
        codec: what `sdae.load` returns.
        pictures: (n, H, W, 3) uint8, sides multiples of 8.
        qualities: at least four.
    """

    def plain(rounding):
        def make(rgb, quality):
            t = quality_position(quality)
            y = codec.network.analysis(noise.to_floats(rgb), 0.0, t) * codec.network.gains(t)[0]
            values = latent_coder.stored(rounding(y, round(100 * quality)))
            return codec.pack(Latent(values, rgb.shape[1], rgb.shape[0], quality))

        return make

    ways = {
        "nearest integers": plain(lambda y, code: np.rint(y)),
        "rounded for rate": plain(
            lambda y, code: encoder_effort.round_for_rate(codec.network, codec.tables, y, code)
        ),
    }
    for number in efforts:
        ways[f"effort {number}"] = lambda rgb, q, number=number: codec.compress(rgb, q, number)
    found, nearest = {}, None
    with progress(label="effort", total=len(ways) * len(pictures) * len(qualities)) as bar:
        for name, way in ways.items():
            sizes, closeness, seconds = np.zeros((3, len(qualities), len(pictures)))
            for (i, quality), (j, rgb) in itertools.product(
                enumerate(qualities), enumerate(pictures)
            ):
                begun = time.process_time()
                file = way(rgb, quality)
                seconds[i, j] = time.process_time() - begun
                sizes[i, j] = len(file)
                closeness[i, j] = metrics.psnr(rgb, np.asarray(codec.decompress(file)))
                bar.update()
            curve = sizes.mean(1), closeness.mean(1)
            nearest = nearest or curve
            found[name] = metrics.bd_rate(*curve, *nearest), float(seconds.mean())
    return found
