"""The denoiser: both transforms again, with weights of their own, trained to remove noise.

    noisy crop ──► analysis ──► latent, nothing rounded ──► synthesis ──► restored crop

The loss is the logarithm of the squared error of each crop, as is its PSNR: weak and strong noise,
smooth and rough crops weigh alike. Six crops in ten have independent Gaussian noise, the others noise
as it is found: of cameras, and what JPEG and WebP leave of noise.
"""

import itertools
import sys
import time

import keras
import numpy as np
from keras import ops
from PIL import Image

from sdae import weights
from sdae.network import denoising
from sdae.network.config import Config
from sdae.network.transforms import Transforms
from sdae.pictures import camera_noise, noise
from sdae.pictures.noise_level import true_sigma
from sdae.progress import progress, say
from sdae.training import arithmetic, photographs
from sdae.training.autoencoder import assign, initialise, variables
from sdae.training.optimisation import averaged, compiled, losses, share_of_rate
from sdae.training.transforms import AnalysisTransform, SynthesisTransform

LEVELS = 0.02, 0.35
"""Weakest and strongest Gaussian noise of a crop."""

SENSITIVITIES = 400, 25_600
"""Lowest and highest ISO of a crop that a camera took."""

MISTAKES = 0.6, 2.0
"""What a noise level may be told as, in parts of the true one."""

_CAMERA, _FILE = 0.2, 0.2
# Shares of crops that a camera took, and of those with Gaussian noise that are stored in files.

_QUALITIES = 70, 99
# Of those files, from the lowest to below the last.

_MISTAKEN = 0.3
# Share of crops without a camera whose level is told wrong. That of a camera's always is: estimates,
# made for noise that is the same everywhere, are 0.6 to 1.5 times what it is.

_GREY = 0.05
# Share of crops that have no colours, nor their noise.

_LEAST = 3e-5
# Added to squared errors, full scale 1; 45 dB are clean enough.

_RISE, _FLAT, _AVERAGE = 100, 0.6, 0.998
# Steps until the learning rate is reached; share of the training at the full rate; momentum of the
# average of the weights, which is what is kept.

_MINUTES = 3
# Between two times that the state is saved.


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
    start, paths, validation, output, crops, minutes=None, batch=8, side=128, rate=3e-4, seed=1
) -> None:
    """Train a denoiser on, and write it, every few minutes and when the program is asked to end.

    Another training may begin with what was written.

    Args:
        start: weights folder of a denoiser to begin with, or of a codec, whose transforms serve.
        paths: picture files to train on.
        validation: picture files to measure on, before and after.
        output: folder to write.
        crops: how many to learn from.
        minutes: that the training takes at most; None for as long as it needs.
        batch, side: crops a step, and their side in pixels, a multiple of 8.
        rate: highest learning rate.
        seed: of all randomness.

    Raises:
        FileNotFoundError: there are no photographs that can be read, or none to measure on of 128
            pixels a side.
        TrainingError: a loss is no number; the last state that was saved is a good one.
        WeightsError: the weights to begin with are missing or do not fit.
    """
    keras.utils.set_random_seed(seed)
    arrays, card = weights.read(start)
    config = Config(**card["config"])
    model = initialise(Denoiser(config, arithmetic.compute()), "sigma")
    assign(variables(model), arrays)
    optimizer = compiled(model, rate, _AVERAGE)
    centres = photographs.centres(photographs.load(validation), 128)
    pictures = photographs.load(paths)
    begun = saved = time.monotonic()

    def elapsed():
        return (time.monotonic() - begun) / 60

    def done(step):
        return max(step * batch / crops, elapsed() / minutes if minutes else 0)

    def batches():
        for step in itertools.takewhile(lambda step: done(step) < 1, itertools.count()):
            rng = np.random.default_rng((seed, step))
            yield noisy(photographs.crops(pictures, batch, side, rng), rng)

    def save(**figures):
        with averaged(optimizer, model.trainable_variables):
            kept = {name: ops.convert_to_numpy(v) for name, v in variables(model).items()}
        note = {
            "config": config.to_dict(),
            "parameters": sum(v.size for v in kept.values()),
            "start": card["sha256"][:8],
            "crops": card.get("crops", 0) + batch * int(optimizer.iterations),
            "minutes": round(elapsed(), 1),
        }
        weights.write(output, weights.in_bytes(kept), note | figures)

    def rate_of(step):
        return rate * share_of_rate(step, min(1, done(step)), _RISE, _FLAT)

    recent = []
    with progress(label="denoiser", total=crops, unit="image") as bar:
        try:
            for loss in losses(model, batches(), rate_of):
                recent.append(loss)
                bar.update(batch)
                if time.monotonic() - saved > 60 * _MINUTES:
                    save()
                    say(
                        f"{batch * int(optimizer.iterations)} crops  loss {np.mean(recent):.4f}",
                        sys.stderr,
                    )
                    saved, recent = time.monotonic(), []
        except KeyboardInterrupt:
            save()
            raise
    save()
    before = measured(Transforms(arrays, config), centres)
    after = measured(Transforms(weights.read(output)[0], config), centres)
    for kind, (unrestored, *restored) in after.items():
        texts = [" / ".join(f"{x:.2f}" for x in found) for found in (before[kind][1:], restored)]
        say(
            f"{kind}: {unrestored:.2f} dB; level estimated / true: {texts[0]} before, {texts[1]} now"
        )
    save(psnr={kind: [round(x, 3) for x in found] for kind, found in after.items()})


def measured(denoiser: Transforms, pictures: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Mean PSNR of pictures (n, H, W, 3) uint8 with noise of several kinds, and after its removal: of
    the level that is estimated, and of the true one."""
    found = {}
    for seed, picture in enumerate(pictures):
        for kind, (noisy, clean) in camera_noise.examples(picture, seed).items():
            restored = [noisy]
            for sigma in noise.estimate_sigma(noisy), true_sigma(noisy, clean):
                restored.append(denoising.cleaned(denoiser, noisy, sigma))
            found.setdefault(kind, []).append([_psnr(x, clean) for x in restored])
    return {kind: tuple(np.mean(rows, 0).tolist()) for kind, rows in found.items()}


def _psnr(picture, clean):
    error = np.mean((picture.astype("float64") - clean) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-3))


def noisy(crops: np.ndarray, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    """Crops (n, H, W, 3) uint8 → inputs and target of a step.

    Six in ten have Gaussian noise within `LEVELS`, three in four of these clipped, two in four
    rounded to 8 bits as well. The others have such noise as files keep it, or a camera's. Most levels
    that are told are true, see `true_sigma`; some are wrong within `MISTAKES`.
    """
    image, target = (noise.to_floats(crops).copy() for _ in range(2))
    sigma = rng.uniform(*LEVELS, len(crops)).astype("float32")
    for k, clean in enumerate(crops):
        kind, wrong = rng.random(), rng.random() < _MISTAKEN
        if kind < _CAMERA:
            iso = np.exp(rng.uniform(*np.log(SENSITIVITIES)))
            picture, clean = camera_noise.photographed(clean, iso, rng)
            target[k], wrong = noise.to_floats(clean), True
        else:
            image[k] += rng.standard_normal(clean.shape, "float32") * sigma[k]
            rounding = rng.integers(4)
            if rounding:
                np.clip(image[k], 0, 1, out=image[k])
            picture = noise.to_8_bits(image[k])
            if rounding > 1:
                image[k] = noise.to_floats(picture)
        in_a_file = rng.random() < 0.5 if kind < _CAMERA else kind < _CAMERA + _FILE
        if in_a_file:
            form = rng.choice(list(camera_noise.FORMS))
            picture = camera_noise.stored(picture, form, int(rng.integers(*_QUALITIES)))
        grey = rng.random() < _GREY
        if grey:
            picture, clean = (
                np.asarray(Image.fromarray(p).convert("L").convert("RGB")) for p in (picture, clean)
            )
            target[k] = noise.to_floats(clean)
        if in_a_file or grey or kind < _CAMERA:
            image[k], sigma[k] = noise.to_floats(picture), true_sigma(picture, clean)
        if wrong:
            sigma[k] *= np.exp(rng.uniform(*np.log(MISTAKES)))
    return {"image": image, "sigma": np.minimum(sigma, 1)}, target
