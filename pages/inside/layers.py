"""The layers of the two networks, and what goes into the first and comes out of the encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdae.network import plan
from sdae.network.config import STRIDE, Config, quality_condition, quality_position


@dataclass(frozen=True)
class Layer:
    """A layer of the analysis or the synthesis transform.

    Attributes:
        planned: as it stands in the plan.
        stride: pixels of the picture between two of its outputs.
    """

    planned: plan.Layer
    stride: int

    @property
    def adds(self) -> bool:
        """Whether the result is added to what came in."""
        return self.planned.kind in ("residual", "depthwise")


def layers(config: Config, transform: str) -> list[Layer]:
    """The layers of a transform, "analysis" or "synthesis", in the order of the data."""
    stride, result = (1, []) if transform == "analysis" else (STRIDE, [])
    for planned in getattr(plan, transform)(config):
        if planned.kind == "down":
            stride *= 2
        elif planned.kind == "up":
            stride //= 2
        stride //= planned.block
        result.append(Layer(planned, stride))
    return result


# --- what passes through ----------------------------------------------------------------------


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
