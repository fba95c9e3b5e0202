"""The plan of both transforms: which layers follow each other.

`sdae.training.transforms` builds it in Keras, to be trained; `sdae.network.transforms` in NumPy, to
be used; and the lesson draws it. A new kind of layer is added here and in those two.

A plane of one number, the condition, goes in beside the picture and beside the latent: of the codec
the quality, of the denoiser the noise level.
"""

from dataclasses import dataclass

from sdae.network.config import STRIDE, Config

SAMPLES = 3 * STRIDE**2
"""Numbers in the square of pixels that one latent position stands for."""

ENTRY = 16
"""Channels at full resolution, in the first unit of the analysis."""

LAST_BLOCK = 4
"""Side in pixels of the square that the last layer of the synthesis writes at once."""

WIDENING = 3
"""How many times as many channels a depthwise block has inside."""


@dataclass(frozen=True)
class Layer:
    """One layer of a stack.

    Attributes:
        kind: "convolution", 3×3, followed by a sub-pixel rearrangement if block is above 1;
            "down", 3×3 convolution, 3×3 convolution of stride 2, PReLU;
            "up", 3×3 convolution to 4 · filters, sub-pixel rearrangement, PReLU;
            "residual", x + 3×3(PReLU(3×3(PReLU(x))));
            "depthwise", x + 1×1(PReLU(1×1(depthwise 3×3(x)))).
        name: what its arrays in the weights file begin with, after that of the transform.
        inputs, filters: channels that go in and come out.
        inner: channels between the convolutions of "down" and "depthwise".
        block: side of the square that channels are laid out to by a "convolution".
    """

    kind: str
    name: str
    inputs: int
    filters: int
    inner: int = 0
    block: int = 1


def analysis(config: Config) -> tuple[Layer, ...]:
    """Picture and condition, (H, W, 4) → (H/8, W/8, C), added to what the linear path gives."""
    half, quarter, eighth = config.widths
    return (
        Layer("down", "down_0", 4, half, inner=ENTRY),
        Layer("down", "down_1", half, quarter, inner=half),
        Layer("down", "down_2", quarter, eighth, inner=quarter),
        *_blocks("residual", "block", config.analysis_blocks, eighth),
        *_blocks("depthwise", "depthwise", config.analysis_depthwise, eighth),
        Layer("convolution", "head", eighth, config.latent_channels),
    )


def synthesis(config: Config) -> tuple[Layer, ...]:
    """Latent and condition, (h, w, C + 1) → (8h, 8w, 3), added to what the linear path gives."""
    _, quarter, eighth = config.widths
    return (
        Layer("convolution", "stem", config.latent_channels + 1, eighth),
        *_blocks("depthwise", "depthwise", config.synthesis_depthwise, eighth),
        *_blocks("residual", "block", config.synthesis_blocks, eighth),
        Layer("up", "up_0", eighth, quarter),
        *_blocks("depthwise", "fine", config.fine_blocks, quarter),
        Layer("convolution", "head", quarter, 3, block=LAST_BLOCK),
    )


def _blocks(kind, name, count, channels):
    inner = WIDENING * channels if kind == "depthwise" else channels
    return [Layer(kind, f"{name}_{i}", channels, channels, inner) for i in range(count)]
