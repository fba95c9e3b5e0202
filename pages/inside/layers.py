"""The layers of the two networks: what each is made of, and what it makes of a picture.

Nothing else in the lesson knows how the weights are stored. Shapes and parameters are those of the
arrays that the codec runs, and feature maps are what passes through its layers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from sdae.network.config import STRIDE, quality_position
from sdae.network.numpy_network import inner

KINDS = {
    "down": ("mix", "shrink", "prelu"),
    "up": ("expand", "sub-pixel", "prelu"),
    "block": ("prelu_0", "convolution_0", "prelu_1", "convolution_1"),
    "depthwise": ("around", "widen", "prelu", "narrow"),
    "fine": ("around", "widen", "prelu", "narrow"),
    "stem": ("",),
    "head": ("",),
}
"""Kind of layer → its operations in the order of the data, as the arrays are called."""

_ORDER = {
    "analysis": ("down", "block", "depthwise", "head"),
    "synthesis": ("stem", "depthwise", "block", "up", "fine", "head"),
}
_ADDS = "block", "depthwise", "fine"


@dataclass(frozen=True)
class Operation:
    """A step of a layer: "convolution", "depthwise", "PReLU" or "sub-pixel"; its size in words."""

    kind: str
    size: str
    parameters: int = 0


@dataclass(frozen=True)
class Layer:
    """A layer of the analysis or the synthesis transform.

    Attributes:
        name, kind: as the arrays are called, "down_0", and a key of `KINDS`.
        inputs, outputs: channels that go in and come out.
        stride: pixels of the picture between two of its outputs.
        operations: what it does, in order.
    """

    name: str
    kind: str
    inputs: int
    outputs: int
    stride: int
    operations: tuple[Operation, ...]

    @property
    def adds(self) -> bool:
        """Whether the result is added to what came in, as in a residual block."""
        return self.kind in _ADDS

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return sum(operation.parameters for operation in self.operations)


def layers(arrays: dict, transform: str) -> list[Layer]:
    """The layers of a transform in the order of the data.

    Args:
        arrays: arrays of a weights file by name.
        transform: "analysis" or "synthesis".
    """
    order = _ORDER[transform]
    names = {name.split("/")[1] for name in arrays if name.startswith(f"{transform}/")}
    names = [name for name in names if name.partition("_")[0] in order]
    names.sort(
        key=lambda name: (order.index(name.partition("_")[0]), *map(int, name.split("_")[1:]))
    )
    stride, result = (1 if transform == "analysis" else STRIDE), []
    for name in names:
        layer = _layer(arrays, transform, name, stride)
        stride = layer.stride
        result.append(layer)
    return result


def _layer(arrays, transform, name, stride):
    kind, operations, inputs, channels = name.partition("_")[0], [], None, None
    for part in KINDS[kind]:
        place = "/".join(filter(None, (transform, name, part)))
        kernel, slopes = arrays.get(f"{place}/kernel"), arrays.get(f"{place}/alpha")
        if slopes is not None:
            channels = slopes.size
            operations.append(Operation("PReLU", f"{channels} slopes", channels))
        elif kernel is None:
            stride, channels = stride // 2, channels // 4
            operations.append(Operation("sub-pixel", f"4·{channels}→{channels}, size ×2"))
        else:
            *window, before, after = (1, 1, *kernel.shape) if kernel.ndim == 2 else kernel.shape
            halved, stride = (", stride 2", 2 * stride) if part == "shrink" else ("", stride)
            alone, channels = part == "around", before if part == "around" else after
            size = f"{before} alone" if alone else f"{before}→{after}{halved}"
            operations.append(
                Operation(
                    "depthwise" if alone else "convolution",
                    f"{window[0]}×{window[1]}, {size}",
                    kernel.size + arrays[f"{place}/bias"].size,
                )
            )
        inputs = inputs or (channels if kernel is None else before)
    if name == "head" and transform == "synthesis":
        operations.append(Operation("sub-pixel", f"{channels}→3, size ×{stride}"))
        channels, stride = 3, 1
    return Layer(name, kind, inputs, channels, stride, tuple(operations))


# --- what passes through ----------------------------------------------------------------------


def analysed(network, rgb: np.ndarray, quality: float) -> np.ndarray:
    """What the encoder makes of a picture before it is rounded: (h, w, C), gain included.

    Args:
        network: `sdae.network.numpy_network.Network`.
        rgb: (H, W, 3) uint8.
        quality: 1 to 100.
    """
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
    t = quality_position(quality)
    gain, _ = network.gains(t)
    return network.analysis(padded.astype("float32") / 255, 0.0, t) * gain


def encoder_maps(codec, rgb: np.ndarray, quality: float) -> dict[str, np.ndarray]:
    """What each layer of the encoder gives for a picture: name → (h, w, C); "input" is what enters.

    Arguments as for `analysed`; the picture has to fit in one strip of the network, which one of a
    lesson does.
    """
    names = _steps(codec, "analysis")
    return _maps(codec.network, "_analysis", names, lambda n: analysed(n, rgb, quality))


def decoder_maps(codec, latent) -> dict[str, np.ndarray]:
    """As `encoder_maps`, for the decoder and a latent."""
    t = quality_position(latent.quality)
    names, scaled = _steps(codec, "synthesis"), latent.values * codec.network.gains(t)[1]
    return _maps(codec.network, "_synthesis", names, lambda n: n.synthesis(scaled, t))


def _steps(codec, transform):
    """The names of the network's steps; a down-sampling layer is two, of which the first is named
    after its operation."""
    names = []
    for layer in layers(codec.trained.arrays, transform):
        names += [f"{layer.name}/mix"] * (layer.kind == "down") + [layer.name]
    return names


def _maps(network, attribute, names, run):
    maps, listening = {}, copy.copy(network)
    steps = zip(names, getattr(network, attribute), strict=True)
    setattr(listening, attribute, [_Listener(name, step, maps) for name, step in steps])
    run(listening)
    return maps


class _Listener:
    """A step of the network that notes what comes out of it, and of the first what goes in."""

    def __init__(self, name, step, maps):
        self.name, self.step, self.maps = name, step, maps

    def passing(self):
        passed = self.step.passing()

        def noted(x, last):
            self.maps.setdefault("input", inner(x).copy())
            x = passed(x, last)
            self.maps[self.name] = inner(x).copy()
            return x

        return noted
