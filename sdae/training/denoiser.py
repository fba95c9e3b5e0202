"""The denoiser: both transforms again, with weights of their own, trained to remove noise.

    noisy crop ──► analysis ──► latent, nothing rounded ──► synthesis ──► restored crop

The loss is the logarithm of the squared error of each crop, as is its PSNR: weak and strong noise,
smooth and rough crops weigh alike.
"""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from sdae import weights
from sdae.network import denoising
from sdae.network.config import Config
from sdae.network.transforms import Transforms
from sdae.pictures import noise
from sdae.progress import progress, say
from sdae.threads import made_ahead
from sdae.training import photographs
from sdae.training.autoencoder import assign, initialise, variables
from sdae.training.optimisation import compiled, share_of_rate
from sdae.training.transforms import AnalysisTransform, SynthesisTransform

LEVELS = 0.02, 0.35
"""Weakest and strongest noise of a crop."""

MEASURED = 0.1, 0.2, 0.3
"""Noise levels of the validation."""

_LEAST = 3e-5
# Added to squared errors, full scale 1; 45 dB are clean enough.

_RISE, _FLAT, _AVERAGE = 100, 0.6, 0.995
# Steps until the learning rate is reached; share of the training at the full rate; momentum of the
# average of the weights, which is what is kept.


class Denoiser(keras.Model):
    """Both transforms, one after the other.

    Call: {"image": (B, H, W, 3) float32, "sigma": (B,) in [0, 1] of full scale} → (B, H, W, 3).
    """

    def __init__(self, config: Config, compute="float32"):
        super().__init__(name="denoiser")
        self.analysis = AnalysisTransform(config, compute=compute, name="analysis")
        self.synthesis = SynthesisTransform(config, compute=compute, name="synthesis")

    def call(self, inputs):
        condition = denoising.condition(inputs["sigma"])
        return self.synthesis(self.analysis(inputs["image"], condition), condition)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        error = ops.mean(ops.square(y - y_pred), axis=(1, 2, 3))
        return ops.mean(ops.log(error + _LEAST))


def fit(
    start: Path,
    paths,
    validation,
    output: Path,
    crops: int,
    batch=8,
    side=128,
    rate=3e-4,
    seed=1,
) -> None:
    """Train a denoiser on, and write it.

    Args:
        start: weights folder of a denoiser to begin with, or of a codec, whose transforms serve.
        paths: picture files to train on.
        validation: picture files to measure on, before and after.
        output: folder to write.
        crops: how many to learn from.
        batch, side: crops a step, and their side in pixels, a multiple of 8.
        rate: highest learning rate.
        seed: of all randomness.

    Raises:
        FileNotFoundError: there are no photographs that can be read, or none to measure on of 128
            pixels a side.
        WeightsError: the weights to begin with are missing or do not fit.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    arrays, card = weights.read(start)
    config = Config(**card["config"])
    model = initialise(Denoiser(config, "mixed_bfloat16"), "sigma")
    assign(variables(model), arrays)
    centres = photographs.centres(photographs.load(validation), 128)
    before = measured(Transforms(arrays, config), centres)
    count = train(model, photographs.load(paths), crops, batch, side, rate, rng)
    arrays = {name: ops.convert_to_numpy(v) for name, v in variables(model).items()}
    weights.write(output, weights.in_bytes(arrays), {})
    after = measured(Transforms(weights.read(output)[0], config), centres)
    for sigma, *psnr in zip(MEASURED, before, after):
        say("noise of {}: restored to {:.2f} dB before, {:.2f} dB now".format(sigma, *psnr))
    note = {
        "config": config.to_dict(),
        "parameters": sum(v.size for v in arrays.values()),
        "start": card["sha256"][:8],
        "crops": card.get("crops", 0) + count,
        "batch": batch,
        "crop": side,
        "rate": rate,
        "seed": seed,
        "psnr": {str(sigma): round(psnr, 3) for sigma, psnr in zip(MEASURED, after)},
    }
    weights.write(output, weights.in_bytes(arrays), note)


def measured(denoiser: Transforms, pictures: np.ndarray) -> list[float]:
    """Mean PSNR of pictures (n, H, W, 3) uint8, after noise of each level of `MEASURED`, clipped to
    8 bits, was removed."""
    means = []
    for sigma in MEASURED:
        psnr = []
        for seed, clean in enumerate(pictures):
            restored = denoising.cleaned(denoiser, noise.add(clean, sigma, seed=seed), sigma)
            error = np.mean((restored.astype("float64") - clean) ** 2)
            psnr.append(10 * np.log10(255**2 / max(error, 1e-3)))
        means.append(float(np.mean(psnr)))
    return means


def noisy(clean: np.ndarray, rng: np.random.Generator) -> dict:
    """Crops (n, H, W, 3) float32 in [0, 1] → the inputs of a step: such crops with Gaussian noise
    within `LEVELS`, three in four clipped, two in four rounded to 8 bits as well."""
    sigma = rng.uniform(*LEVELS, len(clean)).astype("float32")
    image = clean + rng.standard_normal(clean.shape, "float32") * sigma[:, None, None, None]
    for crop, kind in zip(image, rng.integers(4, size=len(image))):
        if kind:
            np.clip(crop, 0, 1, out=crop)
        if kind > 1:
            crop[:] = noise.to_floats(noise.to_8_bits(crop))
    return {"image": image, "sigma": sigma}


def train(model, pictures, crops, batch, side, rate, rng) -> int:
    """Train a denoiser in place; the crops seen. Arguments as for `fit`."""
    optimizer = compiled(model, rate, _AVERAGE)
    steps = -(-crops // batch)

    def make():
        clean = photographs.crops(pictures, batch, side, rng).astype("float32") / 255
        return noisy(clean, rng), clean

    with progress(label="denoiser", total=steps * batch, unit="image") as bar:
        for step, ready in enumerate(made_ahead(make() for _ in range(steps))):
            optimizer.learning_rate.assign(rate * share_of_rate(step, step / steps, _RISE, _FLAT))
            loss = model.train_on_batch(*ready)
            bar.set_postfix_str(f"loss {loss:.3f}")
            bar.update(batch)
    optimizer.finalize_variable_values(model.trainable_variables)
    return steps * batch
