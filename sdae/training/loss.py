"""The rate–distortion loss, and what it is measured on.

    loss = w(λ) · (bits per pixel + λ · (MSE on the 0–255 scale + ssim_weight · (1 − SSIM)))

λ is drawn for each crop. w = (λ/0.01)^−0.46 keeps the losses of all crops of one size: R + λ·D grows
about as λ^0.46 along the curve.
"""

import numpy as np
from keras import ops

from sdae.training import photographs
from sdae.training.autoencoder import Autoencoder, initialise

_BALANCE = 0.46

_LOW, _LOW_SHARE = (0.05, 0.6), 0.6
# So many crops are of these positions on the quality axis, where most pictures are kept.

_VALIDATION_POSITIONS = (0.15, 0.3, 0.45, 0.6, 0.8)


def balance(lagrangian):
    """The weight w that makes the losses of all qualities of one size."""
    return (lagrangian / 0.01) ** -_BALANCE


def similarity(a, b):
    """SSIM with uniform 8×8 windows, every fourth position, mean over channels: (B,).

    Wang et al. 2004 with the cheaper window; a training loss, not the reported metric.
    """

    def blur(x):
        return ops.average_pool(x, 8, strides=4, padding="valid")

    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return ops.mean(value, axis=(1, 2, 3))


def distortion(target, picture, ssim_weight):
    """Squared error on the 0–255 scale and what SSIM lacks, of pictures in [0, 1]: (B,)."""
    lost = ops.mean(ops.square((target - picture) * 255), axis=(1, 2, 3))
    return lost + ssim_weight * (1 - similarity(target, picture)) if ssim_weight else lost


def trainable_model(config, basis, spread, compute, ssim_weight):
    """The autoencoder with its loss, see `sdae.training.autoencoder.Autoencoder`; not compiled yet."""

    class TrainedAutoencoder(Autoencoder):
        """The autoencoder with the Lagrangian as its loss."""

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            lagrangian = self.config.lagrangian(x["t"])
            lost = distortion(ops.convert_to_tensor(y), y_pred["picture"], ssim_weight)
            return ops.mean(balance(lagrangian) * (y_pred["bits"] + lagrangian * lost))

    return initialise(TrainedAutoencoder(config, basis, spread, compute, name="autoencoder"))


def make_batch(crops, rng):
    """Crops (n, H, W, 3) uint8 → inputs and target of one step; each has a quality of its own."""
    image, n = crops.astype("float32") / 255, len(crops)
    t = np.where(rng.random(n) < _LOW_SHARE, rng.uniform(*_LOW, n), rng.random(n))
    return {"image": image, "t": t.astype("float32")}, image


def validation_batches(pictures, side, batch=32):
    """The same crops at fixed qualities: lists of inputs by the figure that they give, for the
    photographs as they are and at twice the size."""

    def batches(clean):
        clean = clean.astype("float32") / 255
        return [
            {"image": part, "t": np.full(len(part), t, "float32")}
            for t in _VALIDATION_POSITIONS
            for part in np.split(clean, range(batch, len(clean), batch))
        ]

    return {
        "validation_loss": batches(photographs.centres(pictures, side)),
        "enlarged_validation_loss": batches(photographs.centres(pictures, side, 2.0)),
    }


def validated(model, validation) -> dict:
    """Loss of what `validation_batches` made, rounded to the pixel grid."""
    row = {}
    for name, batches in validation.items():
        losses = []
        for inputs in batches:
            predicted = model.predict_on_batch(inputs)
            picture = np.round(np.clip(predicted["picture"], 0, 1) * 255)
            error = np.mean((picture - inputs["image"] * 255) ** 2, axis=(1, 2, 3))
            lagrangian = model.config.lagrangian(round(float(inputs["t"][0]), 2))
            losses += list(balance(lagrangian) * (predicted["bits"] + lagrangian * error))
        row[name] = round(float(np.mean(losses)), 5)
    return row
