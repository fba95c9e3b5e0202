"""Where the time of one answer of the Compress page goes: ``sdae bench stages``.

analysis ─ first integers ─ a look at their picture ─ second integers ─ packing    → the bytes
unpacking, restoring ─ measuring, PNG                                              → the picture
"""

import statistics
import time
from collections import deque

import numpy as np

from sdae.measuring import comparison
from sdae.network import encoder_effort
from sdae.network.config import quality_position
from sdae.network.gradients import SynthesisAdjoint
from sdae.network.transform_coding import padded, strips

SIZES = ((600, 400), (1224, 816))
"""A sample of the page, and the largest picture that it does not scale down."""

ENCODER = "analysis", "first integers", "look", "second integers", "packing"
STAGES = *ENCODER, "restoring", "measuring and PNG"
"""All stages, those until the bytes show first."""


def measure(codec, rgb: np.ndarray, quality: float, rounds: int) -> dict[str, float]:
    """Stage → median seconds, on one picture (H, W, 3) uint8 that fits one band.

    The second integers are what the whole encoder takes beyond the other stages.
    """
    turns = [_turn(codec, rgb, quality) for _ in range(rounds + 1)][1:]
    return {name: statistics.median(turn[name] for turn in turns) for name in STAGES}


def _turn(codec, rgb, quality) -> dict[str, float]:
    network, tables = codec.network, codec.tables
    t, code = quality_position(quality), round(100 * quality)
    seconds = {}

    def timed(name, work):
        begun = time.perf_counter()
        found = work()
        seconds[name] = time.perf_counter() - begun
        return found

    y = timed("analysis", lambda: network.analysis(padded(rgb), 0.0, t))
    y = y * network.gains(t)[0]
    first = timed("first integers", lambda: encoder_effort.round_for_rate(network, tables, y, code))
    adjoint = SynthesisAdjoint(network)
    timed("look", lambda: deque(adjoint.quick_looks([first], strips(rgb), t), maxlen=0))
    latent = timed("encoder", lambda: codec.encode(rgb, quality))
    seconds["second integers"] = seconds.pop("encoder") - sum(seconds.values())
    data = timed("packing", lambda: codec.pack(latent))
    begun = time.perf_counter()
    result = comparison.restore(codec, rgb, comparison.Counted(data, 0.0))
    whole, restoring = time.perf_counter() - begun, result.decode_seconds or 0.0
    return seconds | {"restoring": restoring, "measuring and PNG": whole - restoring}
