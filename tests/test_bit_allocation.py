"""Where files spend their bits: every bit is counted once, and where it belongs."""

import numpy as np

from sdae.coding import coding_order
from sdae.measuring import bit_allocation


def half_busy(width=160, height=96) -> np.ndarray:
    """A picture that is plain on the left and noisy on the right, uint8 (height, width, 3)."""
    rgb = np.full((height, width, 3), 120, "uint8")
    noise = np.random.default_rng(5).integers(0, 255, (height, -(-width // 2), 3))
    rgb[:, width // 2 :] = noise
    return rgb


def test_busy_squares_take_the_bits(codec):
    latent = codec.encode(half_busy(), quality=50)
    found = bit_allocation.of_latent(codec, latent)
    assert found.squares.shape == (12, 20)
    assert found.squares[:, 12:].min() > found.squares[:, :8].max()
    # All of a file but its header and checksum is accounted for.
    assert 0 <= len(codec.pack(latent)) - found.total <= 20


def test_bands_keep_their_squares_apart(codec, monkeypatch):
    """The bits of a picture of several bands lie in the rows of their band."""
    rgb = half_busy().transpose(1, 0, 2).copy()  # busy below, plain above
    latent = codec.encode(rgb, quality=50)
    whole = bit_allocation.of_latent(codec, latent).squares
    monkeypatch.setattr(coding_order, "_BAND", 96)
    assert len(coding_order.bands(latent.values)) > 1
    found = bit_allocation.of_latent(codec, latent)
    assert found.squares[12:].min() > found.squares[:8].max()
    assert np.corrcoef(found.squares.ravel(), whole.ravel())[0, 1] > 0.9
