"""Both transforms of the autoencoder in Keras, as `sdae.network.plan` has them.

    picture (H, W, 3) ──► AnalysisTransform ──► latent (H/8, W/8, C) ──► SynthesisTransform ──► picture

Each is a linear path beside a stack of convolutional units. The linear path starts at the
Karhunen–Loève transform of 8×8×3 blocks and the stack starts at zero, so training begins at a good
transform coder and learns what a linear one cannot do. Source: stacked denoising autoencoders,
Vincent et al. 2010.
"""

import numpy as np
from keras import layers, ops

from sdae.network import plan
from sdae.network.config import HEAD_SCALE, STRIDE, Config
from sdae.training.layers import Composite, LinearPath, build, depth_to_space, space_to_depth


class AnalysisTransform(Composite):
    """Picture to latent.

    Call: image (B, H, W, 3) float32 in [0, 1], H and W multiples of 8; condition (B,).
    Returns (B, H/8, W/8, C) float32, before any gain.
    """

    def __init__(self, config: Config, basis=None, compute="float32", **options):
        super().__init__(**options)
        overlapped = plan.SAMPLES, config.overlapped
        self.linear = LinearPath(config.latent_channels, overlapped, basis, name="linear")
        self.units = build(plan.analysis(config), compute)

    def call(self, image, condition):
        centred = image - 0.5
        x = _with_plane(centred * 4, condition)
        for unit in self.units:
            x = unit(x)
        return self.linear(space_to_depth(centred, STRIDE)) + ops.cast(x, "float32") * HEAD_SCALE


class SynthesisTransform(layers.Layer):
    """Latent to picture.

    Call: latent (B, h, w, C) float32 after the inverse gain; condition (B,).
    Returns (B, 8h, 8w, 3) float32, full scale [0, 1] but not clipped.
    """

    def __init__(self, config: Config, basis=None, spread=None, compute="float32", **options):
        super().__init__(**options)
        start = None if basis is None else basis.T
        self._spread = np.ones(config.latent_channels, "float32") if spread is None else spread
        overlapped = config.overlapped, plan.SAMPLES
        self.linear = LinearPath(plan.SAMPLES, overlapped, start, name="linear")
        self.units = build(plan.synthesis(config), compute)

    def build(self, *shapes):
        self.scale = self.add_weight(
            shape=self._spread.shape,
            name="scale",
            initializer=lambda *_, **__: ops.array(1 / self._spread),
            trainable=False,
        )

    def call(self, latent, condition):
        x = _with_plane(latent * self.scale, condition)
        for unit in self.units:
            x = unit(x)
        x = depth_to_space(x, plan.LAST_BLOCK)
        linear = depth_to_space(self.linear(latent), STRIDE)
        return linear + 0.5 + ops.cast(x, "float32") * HEAD_SCALE


def _with_plane(x, values):
    """A plane of one value a sample behind the channels of x."""
    plane = ops.ones_like(x[..., :1]) * ops.reshape(values, (-1, 1, 1, 1))
    return ops.concatenate([x, plane], -1)


def karhunen_loeve(blocks: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of blocks of N samples.

    Args:
        blocks: (n, N) float, rows as `space_to_depth` lays them out, centred on 0.5.
        channels: how many components to keep.

    Returns:
        basis (N, channels) float32 with orthonormal columns, largest variance first, and
        spread (channels,) float32, the root mean square of each component.
    """
    power, vectors = np.linalg.eigh(blocks.T.astype("float64") @ blocks / len(blocks))
    basis = vectors[:, ::-1][:, :channels]
    spread = np.sqrt(np.maximum(power[::-1][:channels], 1e-12))
    return basis.astype("float32"), spread.astype("float32")
