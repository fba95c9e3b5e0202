"""The network for noisy pictures: trained on from that of clean ones, which stays as it is.

    noisy crop ──► analysis ──► latent, nothing rounded ──► synthesis ──► restored crop

Both transforms get a twin that stands in their place where noise is removed
(`sdae.network.denoising`). A few thousand crops bring it much further than new layers beside those
that are held fast.

The loss is the logarithm of the squared error of each crop, as is its PSNR: weak and strong noise,
smooth and rough crops weigh alike.
"""

import time
from pathlib import Path

import keras
import numpy as np
from keras import ops

from sdae import weights
from sdae.network import denoising
from sdae.network.config import Config, quality_position
from sdae.network.numpy_network import Network
from sdae.pictures import noise
from sdae.progress import progress, say
from sdae.threads import made_ahead
from sdae.training import photographs
from sdae.training.autoencoder import Autoencoder, compiled, initialise
from sdae.training.schedule import falling

LEVELS = 0.02, 0.35
"""Weakest and strongest noise of a crop."""

MEASURED = 0.1, 0.2, 0.3
"""Noise levels of the validation."""

_LEAST = 3e-5
# Added to squared errors, full scale 1; 45 dB are clean enough.

_RISE = 100
# Steps until the learning rate is reached.

_FLAT = 0.6
# Share of the time at the full rate; then it falls by half a cosine.

_SCALE = "synthesis/scale"
# Never trained, so no twin has one of its own.

_AVERAGE = 0.995
# Momentum of the average of the weights, which is what is kept.


def fit(
    arrays: dict,
    card: dict,
    paths: list[Path],
    validation: list[Path],
    minutes=30.0,
    batch=8,
    side=128,
    rate=3e-4,
    seed=1,
) -> tuple[dict, dict]:
    """Weights with a network for noisy pictures, which goes on from such a one if there is any.

    Args:
        arrays, card: weights of the network and their card.
        paths: picture files to train on.
        validation: picture files to measure on, before and after.
        minutes: how long to train; 0 only measures.
        batch, side: crops a step, and their side in pixels, a multiple of 8.
        rate: highest learning rate.
        seed: of all randomness.

    Returns:
        arrays and card, both complete.

    Raises:
        FileNotFoundError: there are no photographs that can be read, or none to measure on of 128
            pixels a side.
        WeightsError: the arrays do not fit the card.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    config = Config(**card["config"])
    network = initialise(Autoencoder(config, compute="mixed_bfloat16", name="autoencoder"))
    own, _ = weights.parted(arrays)
    network.restore(weights.for_noise(arrays))
    model = Restoring(network)
    centres = photographs.centres(photographs.load(validation), 128)
    before = measure(Network(arrays, config), centres)
    count = 0
    if minutes:
        pictures = photographs.load(paths)
        count = train(model, pictures, minutes, batch, side, rate, rng)
    noisy = {v.path.split("/", 1)[1]: v for v in model.trainable_variables}
    noisy = {name: ops.convert_to_numpy(v) for name, v in noisy.items()}
    arrays = own | weights.differences(own, noisy)
    after = measure(Network(arrays, config), centres)
    for sigma, *psnr in zip(MEASURED, before, after):
        say("noise of {}: restored to {:.2f} dB before, {:.2f} dB now".format(sigma, *psnr))
    earlier = card.get("noise_removal", {"crops": 0, "minutes": 0})
    note = {
        **earlier,
        "parameters": sum(value.size for value in noisy.values()),
        "crops": earlier["crops"] + count,
        "minutes": round(earlier["minutes"] + minutes, 1),
        **({"batch": batch, "crop": side, "rate": rate} if minutes else {}),
        "psnr": {str(sigma): round(psnr, 3) for sigma, psnr in zip(MEASURED, after)},
    }
    return arrays, card | {"noise_removal": note}


def taken_over(arrays: dict, earlier: dict, config: dict) -> dict:
    """Weights with the twin of earlier ones, which restores what it restored there.

    Only the gains are the network's own. Where they have changed, the first layers of the twin's
    synthesis make up for it.

    Args:
        arrays, earlier: arrays of two weights files of one configuration.
        config: that configuration, as it stands on a card.

    Raises:
        WeightsError: the arrays do not fit the configuration.
    """
    (own, _), (before, _) = map(weights.parted, (arrays, earlier))
    noisy = {
        name: np.array(value, "float32")
        for name, value in weights.for_noise(earlier).items()
        if name.startswith(("analysis/", "synthesis/")) and name != _SCALE
    }
    t = quality_position(denoising.QUALITY)
    then, now = (
        np.prod(Network(found, Config(**config)).gains(t), axis=0) for found in (before, own)
    )
    change = (then / now)[:, None]
    noisy["synthesis/linear/kernel"] *= change
    around = noisy["synthesis/linear/around"]
    around *= change[: around.shape[2]]
    noisy["synthesis/stem/kernel"][:, :, :-1] *= change * (before[_SCALE] / own[_SCALE])[:, None]
    return own | weights.differences(own, noisy)


def measure(network: Network, pictures: np.ndarray) -> list[float]:
    """Mean PSNR of pictures (n, H, W, 3) uint8, after noise of each level of `MEASURED`, clipped to
    8 bits, was removed."""
    found = []
    for sigma in MEASURED:
        psnr = []
        for seed, clean in enumerate(pictures):
            restored = denoising.cleaned(network, noise.add(clean, sigma, seed=seed), sigma)
            error = np.mean((restored.astype("float64") - clean) ** 2)
            psnr.append(10 * np.log10(255**2 / max(error, 1e-3)))
        found.append(float(np.mean(psnr)))
    return found


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


class Restoring(keras.Model):
    """Both transforms of a network, one after the other, as in `sdae.network.denoising`.

    Call: {"image": (B, H, W, 3) float32, "sigma": (B,)} → (B, H, W, 3) restored.
    """

    def __init__(self, network: Autoencoder):
        super().__init__(name="restoring")
        self.network, self.t = network, quality_position(denoising.QUALITY)
        network.gains.trainable = network.contexts.trainable = False

    def call(self, inputs):
        t = ops.full_like(inputs["sigma"], self.t)
        gain, inverse = self.network.gains(t)
        y = self.network.analysis(inputs["image"], inputs["sigma"], t)
        return self.network.synthesis(y * (gain * inverse), t)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        error = ops.mean(ops.square(y - y_pred), axis=(1, 2, 3))
        return ops.mean(ops.log(error + _LEAST))


def train(model, pictures, minutes, batch, side, rate, rng) -> int:
    """Train both transforms of a `Restoring` in place; the crops seen. Other arguments as for `fit`."""
    optimizer = compiled(model, rate, use_ema=True, ema_momentum=_AVERAGE)

    def make():
        clean = photographs.crops(pictures, batch, side, rng).astype("float32") / 255
        return noisy(clean, rng), clean

    begun, done, steps, seconds = None, 0.0, 0, 60 * minutes
    bar = progress(label="noise removal", total=round(seconds), unit="s")
    with bar:
        for ready in made_ahead(iter(make, None)):
            fall = max(0.0, done - _FLAT) / (1 - _FLAT)
            share = min(1.0, (steps + 1) / _RISE) * falling(fall)
            optimizer.learning_rate.assign(rate * share)
            loss = model.train_on_batch(*ready)
            begun, steps = begun or time.monotonic(), steps + 1  # the first step compiles
            done = (time.monotonic() - begun) / seconds
            bar.set_postfix_str(f"loss {loss:.3f}")
            bar.update(min(bar.total, int(seconds * done)) - bar.n)
            if done >= 1:
                break
    optimizer.finalize_variable_values(model.trainable_variables)
    return steps * batch
