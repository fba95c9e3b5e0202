"""The latent coder (a first version that packs plainly)."""

from dataclasses import dataclass

from sdae import deflate


def quality_position(quality: float) -> float:
    """Quality 1 to 100 → position t in [0, 1] on the network's quality axis."""
    return (quality - 1) / 99


@dataclass(frozen=True)
class Tables:
    """Integer context tables."""

    @classmethod
    def from_arrays(cls, arrays):
        return cls()


def encode(values, quality_code, tables, effort=0):
    return deflate.plain(values)


def decode(payload, h, w, quality_code, tables):
    return deflate.unplain(payload, h, w, 96)
