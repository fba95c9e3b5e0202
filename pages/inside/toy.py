"""A small autoencoder in NumPy that a visitor trains on one photograph, gradients by hand.

Each square of 8×8 pixels, 192 samples, becomes a few numbers and 192 samples again, both by one
matrix. The best such pair is known in closed form, the principal components of the squares (Bourlard
and Kamp 1988), so training can be seen to arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sdae.network.layers import depth_to_space, space_to_depth

SIDE = 8
_RATE, _BATCH = 0.003, 128
_BETA_1, _BETA_2, _TINY = 0.9, 0.999, 1e-8


def squares(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 → (n, 192) float32 in [0, 1], sides filled up to whole squares."""
    height, width = rgb.shape[:2]
    whole = np.pad(rgb, ((0, -height % SIDE), (0, -width % SIDE), (0, 0)), mode="edge")
    return space_to_depth(whole, SIDE).reshape(-1, 3 * SIDE**2).astype("float32") / 255


def picture(samples: np.ndarray, height: int, width: int) -> np.ndarray:
    """The inverse of `squares`: (height, width, 3) uint8, clipped."""
    grid = samples.reshape(-(-height // SIDE), -(-width // SIDE), -1)
    whole = depth_to_space(grid, SIDE)[:height, :width]
    return np.uint8(np.rint(255 * np.clip(whole, 0, 1)))


def least_error(samples: np.ndarray, count: int) -> float:
    """Mean squared error, full scale 1, of the best linear autoencoder with ``count`` numbers."""
    centred = samples - samples.mean(0)
    spectrum = np.linalg.eigvalsh(centred.T @ centred / centred.size)
    return float(max(spectrum[: spectrum.size - count].sum(), 0))


@dataclass
class Autoencoder:
    """The two matrices, and Adam (Kingma and Ba 2015), which moves them.

    Attributes:
        samples: (n, 192) squares that it learns.
        count: numbers that a square becomes.
        losses: mean squared error over all squares, before training and after each `learn`.
        encoder, decoder: (192, count) and (count, 192) weights.
    """

    samples: np.ndarray
    count: int
    seed: int = 0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self):
        self._lots = np.random.default_rng(self.seed)
        shape = self.samples.shape[1], self.count
        self.encoder, self.decoder = (
            self._lots.normal(0, 0.05, form).astype("float32") for form in (shape, shape[::-1])
        )
        self._mean = self.samples.mean(0)
        self._moments = [[np.zeros_like(w), np.zeros_like(w)] for w in (self.encoder, self.decoder)]
        self._step = 0
        self.losses.append(self._loss())

    def restored(self) -> np.ndarray:
        """(n, 192) what the decoder makes of the code of every square."""
        return (self.samples - self._mean) @ self.encoder @ self.decoder + self._mean

    def learn(self, steps: int) -> None:
        """Take so many steps, each on some squares by lot; the loss is noted afterwards."""
        for _ in range(steps):
            lot = self._lots.integers(len(self.samples), size=_BATCH)
            self._adam(*self.gradients(self.samples[lot]))
        self.losses.append(self._loss())

    def gradients(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of ½·Σ(error)² / n by encoder and decoder, n being the number of squares."""
        x = samples - self._mean
        code = x @ self.encoder
        error = code @ self.decoder - x
        return x.T @ (error @ self.decoder.T) / len(x), code.T @ error / len(x)

    def _adam(self, *gradients):
        self._step += 1
        for weights, gradient, (mean, square) in zip(
            (self.encoder, self.decoder), gradients, self._moments
        ):
            mean += (1 - _BETA_1) * (gradient - mean)
            square += (1 - _BETA_2) * (gradient**2 - square)
            root = np.sqrt(square / (1 - _BETA_2**self._step)) + _TINY
            weights -= _RATE * mean / (1 - _BETA_1**self._step) / root

    def _loss(self):
        return float(np.square(self.restored() - self.samples).mean())
