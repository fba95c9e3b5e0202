"""The layers of the two networks, and what each makes of a picture.

Nothing else in the lesson knows how the network is built. Layers are those of `sdae.network.plan`,
and feature maps are what passes through them in NumPy.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from sdae.network import plan
from sdae.network.config import STRIDE, Config, quality_condition, quality_position
from sdae.network.layers import inner


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


def encoder_maps(codec, rgb: np.ndarray, quality: float) -> dict[str, np.ndarray]:
    """What each layer of the encoder gives for a picture: name → (h, w, C); "input" is what enters.

    Arguments as for `analysed`; the picture has to fit in one strip of the network, which one of a
    lesson does.
    """
    return _maps(codec.network, "analysis", lambda network: analysed(network, rgb, quality))


def decoder_maps(codec, latent) -> dict[str, np.ndarray]:
    """As `encoder_maps`, for the decoder and a latent."""
    t = quality_position(latent.quality)
    scaled = latent.values * codec.network.gains(t)[1]
    condition = quality_condition(t)
    return _maps(codec.network, "synthesis", lambda network: network.synthesis(scaled, condition))


def _maps(network, transform, run):
    """``run`` is called with a network whose steps are listened to."""
    names = [layer.name for layer in getattr(plan, transform)(network.config)]
    maps, listening, attribute = {}, copy.copy(network), f"{transform}_layers"
    steps = zip(names, getattr(network, attribute), strict=True)
    setattr(listening, attribute, [_Listener(name, step, maps) for name, step in steps])
    run(listening)
    return maps


class _Listener:
    """A step of the network that notes what comes out of it, and of the first what goes in."""

    def __init__(self, name, step, maps):
        self.name, self.step, self.maps = name, step, maps

    def streaming(self):
        passed = self.step.streaming()

        def noted(x, last):
            self.maps.setdefault("input", inner(x).copy())
            x = passed(x, last)
            self.maps[self.name] = inner(x).copy()
            return x

        return noted
