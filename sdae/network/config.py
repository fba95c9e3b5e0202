"""Constants of the network and its hyper-parameters; ``card.json`` of the weights records these."""

from dataclasses import asdict, dataclass

import numpy as np

STRIDE = 8
"""Side in pixels of the square that one latent position stands for."""

LINEAR_STEP = 1 / 30
"""Adam moves every weight by about the learning rate; the linear path is stored enlarged by
1/LINEAR_STEP so that its effective steps are 30 times smaller and its start survives."""

HEAD_SCALE = 0.1
"""Residual heads write in units of full-scale colour, where a useful correction is a few per cent.
"""

CLIP = 15.0
"""The largest deviation that contexts look at."""


def quality_position(quality: float) -> float:
    """Quality 1 to 100 → position t in [0, 1] on the network's quality axis."""
    return (quality - 1) / 99


def quality_condition(t):
    """The number that the codec's transforms are given for the quality position ``t``."""
    return 2 * (t - 0.5)


@dataclass(frozen=True)
class Config:
    """What the network is built from; `sdae.network.plan` says how.

    Attributes:
        latent_channels: channels C of the latent.
        widths: channels at 1/2, 1/4 and 1/8 of the resolution; the last is that of the latent.
        analysis_blocks: residual blocks at that resolution in the analysis.
        synthesis_blocks: residual blocks at that resolution in the synthesis.
        analysis_depthwise: depthwise blocks after these in the analysis.
        synthesis_depthwise: depthwise blocks before these in the synthesis.
        fine_blocks: depthwise blocks at 1/4 of the resolution, where the synthesis ends.
        groups: sizes of the channel groups, coded in order; their sum is C.
        overlapped: how many leading channels of the linear path see the blocks around as well.
        levels: number of gain vectors between the lowest and the highest quality.
        lambda_min: weight λ of the squared error (0–255 scale) against bits per pixel, quality 1.
        lambda_max: the same at quality 100.

    Raises:
        ValueError: the numbers do not fit together.
    """

    latent_channels: int = 160
    widths: tuple[int, int, int] = (48, 96, 128)
    analysis_blocks: int = 2
    synthesis_blocks: int = 3
    analysis_depthwise: int = 10
    synthesis_depthwise: int = 4
    fine_blocks: int = 2
    groups: tuple[int, ...] = (3, 3, 6, 12, 24, 48, 64)
    overlapped: int = 32
    levels: int = 8
    lambda_min: float = 0.0005
    lambda_max: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "groups", tuple(self.groups))
        if sum(self.groups) != self.latent_channels or 2 ** len(self.widths) != STRIDE:
            raise ValueError(
                "The channel groups must add up to the latent channels, and there must be three widths."
            )

    def lagrangian(self, t):
        """λ at quality position ``t`` in [0, 1] (0 is quality 1, 1 is quality 100)."""
        return self.lambda_min * (self.lambda_max / self.lambda_min) ** t

    def high_rate_steps(self) -> np.ndarray:
        """The quantisation step that is best at high rate, 0–255 scale: (levels,).

        With D = Δ²/12 and dR/dΔ = −1/(Δ·ln 2) a coefficient, 192 coefficients to 64 pixels, the
        minimum of R + λ·D lies at Δ² = 12·192 / (128·ln 2·λ).
        """
        lagrangian = self.lagrangian(np.linspace(0, 1, self.levels))
        return np.sqrt(12 * 192 / (128 * np.log(2) * lagrangian))

    def to_dict(self) -> dict:
        return asdict(self)
