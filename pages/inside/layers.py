"""The layers of the two networks, and what goes into the first and comes out of the encoder."""

from __future__ import annotations

import numpy as np

from sdae.network import plan
from sdae.network.config import STRIDE, Config, quality_condition, quality_position


def layers(config: Config, transform: str) -> list[tuple[str, int, int]]:
    """The layers of a transform, "analysis" or "synthesis", in the order of the data: name without
    a number, channels, and pixels of the picture between two of its outputs."""
    stride, result = (1, []) if transform == "analysis" else (STRIDE, [])
    for layer in getattr(plan, transform)(config):
        if layer.kind == "down":
            stride *= 2
        elif layer.kind == "up":
            stride //= 2
        stride //= layer.block
        result.append((layer.name.partition("_")[0], layer.filters, stride))
    return result


def analysed(network, rgb: np.ndarray, quality: float) -> np.ndarray:
    """What the encoder makes of a picture before it is rounded: (h, w, C), gain included.

    Args:
        network: `sdae.network.transforms.Network`.
        rgb: (H, W, 3) uint8.
        quality: 1 to 100.
    """
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
    t = quality_position(quality)
    gain, _ = network.gains(t)
    return network.analysis(padded.astype("float32") / 255, quality_condition(t)) * gain


def entering(rgb: np.ndarray, quality: float) -> np.ndarray:
    """(H, W, 4) what the first layer of the encoder gets: the colours around zero and the quality.

    Arguments as for `analysed`.
    """
    colours = 4 * (rgb.astype("float32") / 255 - np.float32(0.5))
    setting = quality_condition(quality_position(quality))
    return np.pad(colours, ((0, 0), (0, 0), (0, 1)), constant_values=setting)
