"""The noise study: sets × noise levels × denoisers, ``sdae evaluate --noise``.

Gaussian noise of known levels is added to clean pictures and clipped to 8 bits, as in a file. A
denoiser restores the picture, then a codec encodes the restored picture: ours with a network of its
own and a .sdae file, the others with a classical denoiser and AVIF or WebP. Such a *chain* is a
curve of bytes and quality against the clean picture. Every denoiser knows the level; ours is also
measured with the one that `sdae.pictures.noise.estimate_sigma` finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from sdae.measuring import classical_denoisers, curves, metrics, peer_files
from sdae.measuring.evaluation import QUALITIES
from sdae.measuring.results import OURS
from sdae.pictures import camera_noise, noise

NOISY = "noisy"
SIGMAS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Noise levels."""

DENOISERS = ("gaussian", "tv", "nlm", "bm3d")
"""Classical denoisers of `sdae.measuring.classical_denoisers` that are measured beside ours."""

CHAIN_SIGMAS = (0.1, 0.2, 0.3)
CODECS = ("avif", "webp")
"""Levels and peers of the chains."""

STANDARD = (25, 50)
"""Levels of the protocol of the literature, on the scale of 255."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Sizes at which chains are compared."""


def measure_ours(codec, name: str, rgb: np.ndarray) -> dict:
    """One picture through our denoiser and our codec, and the noisy picture itself, at every level.

    Args:
        codec: a `sdae.Codec`.
        name, rgb: of the clean picture, (H, W, 3) uint8; the name seeds its noise.

    Returns:
        ``rows``, at quality 100: dicts with sigma, denoiser (ours or noisy), level ("known",
        "estimated", or None for the noisy picture), strength, psnr (None where it is infinite) and
        ssim; ``chains``: dicts with sigma, denoiser, codec, pixels and points, one for each of
        `QUALITIES`.
    """
    rows, chains = [], []
    for sigma, noisy in _noisy(name, rgb):
        rows.append(_row(rgb, noisy, sigma, NOISY, None, sigma))
        strengths = {"known": sigma, "estimated": noise.estimate_sigma(noisy)}
        cleaned = {level: codec.clean(noisy, strength) for level, strength in strengths.items()}
        for level, strength in strengths.items():
            _, ours = _restored(codec, cleaned[level], 100)
            rows.append(_row(rgb, ours, sigma, OURS, level, strength))
        if sigma in CHAIN_SIGMAS:
            chains.append(_chain(rgb, sigma, OURS, OURS, _points(codec, rgb, cleaned["known"])))
    return {"rows": rows, "chains": chains}


def measure_classical(name: str, rgb: np.ndarray) -> dict:
    """One picture through the classical denoisers, and from there through the peers.

    Args and returns as `measure_ours`; chains also take the noisy picture as it is.
    """
    rows, chains = [], []
    for sigma, noisy in _noisy(name, rgb):
        cleaned = {NOISY: noisy}
        for denoiser in DENOISERS:
            cleaned[denoiser] = classical_denoisers.denoise(denoiser, noisy, sigma)
            rows.append(_row(rgb, cleaned[denoiser], sigma, denoiser, "known", sigma))
        for denoiser, restored in cleaned.items() if sigma in CHAIN_SIGMAS else ():
            for codec in CODECS:
                files = peer_files.files(codec, restored, effort="fast")
                points = [_point(rgb, file.data, file.rgb) for file in files]
                chains.append(_chain(rgb, sigma, denoiser, codec, points))
    return {"rows": rows, "chains": chains}


def measure_standard(codec, name: str, rgb: np.ndarray) -> dict[str, float]:
    """One picture by the protocol of the literature: noise unclipped, level known, no file.

    Args as `measure_ours`. Returns PSNR in dB of the restored picture, rounded to 8 bits, by each
    of `STANDARD`.
    """
    found = {}
    for level in STANDARD:
        noisy = noise.add(rgb, level / 255, seed=seed(name), clipped=False)
        found[str(level)] = round(metrics.psnr(rgb, codec.clean(noisy, level / 255)), 4)
    return found


def measure_camera(codec, name: str, rgb: np.ndarray) -> dict[str, dict]:
    """One picture with noise as cameras and files leave it, its level estimated.

    Args as `measure_ours`.

    Returns:
        ``rows``: kind of noise (`camera_noise.examples`) → PSNR in dB noisy, by ours, and by BM3D up to
        256×256 pixels, as it takes minutes for more;
        ``sensors``: level (of `camera_noise.SENSORS`) → pixels, and points as in a chain.
    """
    rows, sensors = {}, {}
    for kind, (noisy, clean) in camera_noise.examples(rgb, seed(name)).items():
        sigma = noise.estimate_sigma(noisy)
        found = {NOISY: noisy, OURS: codec.clean(noisy, sigma)}
        if rgb.shape[0] * rgb.shape[1] <= 256 * 256:
            found["bm3d"] = classical_denoisers.denoise("bm3d", noisy, sigma)
        rows[kind] = {who: round(metrics.psnr(clean, x), 4) for who, x in found.items()}
    for level in camera_noise.SENSORS:
        noisy = camera_noise.on_sensor(rgb, level, seed(name))
        cleaned = codec.clean(noisy, noise.estimate_sigma(noise.to_8_bits(noisy)))
        points = _points(codec, rgb, cleaned, QUALITIES[:9])
        sensors[str(level)] = {"pixels": rgb.shape[0] * rgb.shape[1], "points": points}
    return {"rows": rows, "sensors": sensors}


def seed(name: str) -> int:
    """The seed of a picture's noise."""
    return crc32(name.encode())


def _noisy(name, rgb):
    """(sigma, noisy picture) at all levels."""
    for sigma in SIGMAS:
        yield sigma, noise.add(rgb, sigma, seed=seed(name))


def _row(rgb, restored, sigma, denoiser, level, strength) -> dict:
    psnr = metrics.psnr(rgb, restored)
    return {
        "sigma": sigma,
        "denoiser": denoiser,
        "level": level,
        "strength": round(float(strength), 5),
        "psnr": round(psnr, 4) if np.isfinite(psnr) else None,
        "ssim": round(metrics.ssim(rgb, restored), 5),
    }


def _restored(codec, samples, quality):
    latent = codec.encode(samples, quality)
    return codec.pack(latent), np.asarray(codec.decode(latent))


def _points(codec, rgb, cleaned, qualities=QUALITIES) -> list[list]:
    return [_point(rgb, *_restored(codec, cleaned, quality)) for quality in qualities]


def _chain(rgb, sigma, denoiser, codec, points) -> dict:
    pixels = rgb.shape[0] * rgb.shape[1]
    names = {"sigma": sigma, "denoiser": denoiser, "codec": codec}
    return names | {"pixels": pixels, "points": points}


def _point(rgb, data, restored) -> list:
    return [len(data), round(metrics.psnr(rgb, restored), 3), round(metrics.ssim(rgb, restored), 4)]


def mean(rows: list[dict], key: str, **wanted) -> float | None:
    """The mean of a figure over the rows with these values that have it; None where there is none."""
    values = [row.get(key) for row in rows if all(row[k] == v for k, v in wanted.items())]
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def chain_at_bits(chains: list[dict], sizes: Sequence[float], **wanted) -> list[dict | None]:
    """Mean PSNR and SSIM of a chain when every picture may take so many bits a pixel.

    ``wanted`` names sigma, denoiser and codec. One answer for each of ``sizes``; None where some
    picture has no file so small.
    """
    rows = {
        number: [
            {"pixels": chain["pixels"]} | dict(zip(("bytes", "psnr", "ssim"), point))
            for point in chain["points"]
        ]
        for number, chain in enumerate(chains)
        if all(chain[k] == v for k, v in wanted.items())
    }
    return curves.at_bits(rows, sizes) if rows else [None] * len(sizes)
