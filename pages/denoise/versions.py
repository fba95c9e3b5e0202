"""What the Denoise page shows: noisy, denoised and filtered pictures, measured and remembered."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from pages.shared import engine
from pages.shared.engine import Prepared
from pages.shared.figures import table_csv
from sdae.measuring import classical_denoisers, metrics
from sdae.pictures import noise, reading

LEVELS = tuple(round(0.05 * step, 2) for step in range(11))
"""Noise levels of the curve."""

CURVE_SIDE = 512
"""The curve is measured on at most this many pixels a side, from the middle of the picture."""


@dataclass(frozen=True)
class Version:
    """One version of a picture.

    `rgb` is uint8 (H, W, 3), `png` the same pixels; `psnr` (dB) and `ssim` compare it with the
    clean picture, None where there is none. `seconds` is the processor time it took to make, `file`
    the .sdae file that it was restored from, `key` names the version.
    """

    key: str
    rgb: np.ndarray
    png: bytes
    psnr: float | None = None
    ssim: float | None = None
    seconds: float = 0.0
    file: bytes | None = None


def noisy(picture: Prepared, kind: str | None, sigma: float, seed: int) -> tuple[Version, float]:
    """The picture with noise (see `noise.add`) and the noise level that is measured in it.

    Kind None adds nothing: the picture is noisy already and there is no clean one.
    """
    return _noisy(picture.key, picture, kind, sigma, seed)


def denoised(picture: Prepared, start: Version, strength: float) -> Version:
    """Version `start` after the denoiser, which takes its noise to have level `strength`.

    Below a level of 0.02 the picture stays as it is.
    """
    key = f"{start.key} denoised {strength}"

    def work(codec, report):
        began = time.process_time()
        rgb = codec.clean(start.rgb, sigma=strength, progress=report)
        rgb = rgb[0] if isinstance(rgb, tuple) else rgb
        seconds = time.process_time() - began
        if rgb is start.rgb:
            return replace(start, key=key)
        return _measured(key, rgb, _clean(picture, start), seconds)

    return engine.answer((key,), "Removing the noise", work)


def in_a_file(
    picture: Prepared, start: Version, version: Version, quality: float, make: bool = False
) -> Version | None:
    """A version of noisy picture `start` in a .sdae file and out of it again.

    None where that was not made before and it is not to `make`.
    """
    key = f"{version.key} {quality}"

    def work(codec, report):
        began = time.process_time()
        latent = codec.encode(version.rgb, quality=quality, progress=report)
        rgb = np.asarray(codec.decode(latent))
        seconds = version.seconds + time.process_time() - began
        restored = _measured(key, rgb, _clean(picture, start), seconds)
        return replace(restored, file=codec.pack(latent))

    return engine.answer((key,), "Making the file", work) if make else engine.recall((key,))


def filters(picture: Prepared, start: Version, strength: float) -> dict:
    """Tasks for a `Queue`: version `start` through the classical denoisers, by `filter_key`."""

    def task(name):
        def work(wanted):
            engine.line.wait_until_free(wanted)
            # Of this thread alone, as it steps back for everything else.
            began = time.thread_time()
            rgb = classical_denoisers.denoise(name, start.rgb, strength)
            seconds = time.thread_time() - began
            return _measured(f"{start.key} {name}", rgb, _clean(picture, start), seconds)

        return work

    return {filter_key(start, strength, name): task(name) for name in classical_denoisers.QUICK}


def filter_key(start: Version, strength: float, name: str) -> tuple:
    return start.key, name, strength


def curve(picture: Prepared, kind: str, seed: int):
    """Yield, level by level: sigma, PSNR of the noisy picture, PSNR denoised with the measured
    level, PSNR denoised with the true level."""
    small = _middle(picture)
    for sigma in LEVELS:
        start, estimate = noisy(small, kind, sigma, seed)
        yield sigma, start.psnr, *(denoised(small, start, s).psnr for s in (estimate, sigma))


def shares(differences: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """How often each difference between two pictures occurs: name → 511 shares of the samples in
    percent, from −255 to 255."""
    return {
        name: np.bincount(values.ravel() + 255, minlength=511) / values.size * 100
        for name, values in differences.items()
    }


def histogram_csv(shares: dict[str, np.ndarray]) -> bytes:
    """The shares of `shares` as a CSV file, a row for each difference."""
    heads = ["difference", *(f"{name.lower()}_percent" for name in shares)]
    columns = zip(*(share.round(6).tolist() for share in shares.values()))
    return table_csv(heads, [(k - 255, *row) for k, row in enumerate(columns)])


def _clean(picture: Prepared, start: Version) -> np.ndarray | None:
    return None if start.psnr is None else picture.rgb


def _middle(picture: Prepared) -> Prepared:
    width, height = picture.size
    if max(width, height) <= CURVE_SIDE:
        return picture
    left, top = max(0, width - CURVE_SIDE) // 2, max(0, height - CURVE_SIDE) // 2
    rgb = picture.rgb[top : top + CURVE_SIDE, left : left + CURVE_SIDE]
    rgb = np.ascontiguousarray(rgb)
    return Prepared(rgb, reading.png(rgb), picture.key + "-middle", picture.full, ())


@st.cache_data(max_entries=64, max_size="200MB", show_spinner=False)
def _noisy(key, _picture, kind, sigma, seed) -> tuple[Version, float]:
    key = f"{key} {kind} {sigma} {seed}"
    if kind is None:
        start = Version(key, _picture.rgb, _picture.png)
    else:
        start = _measured(key, noise.add(_picture.rgb, sigma, kind, seed), _picture.rgb)
    return start, min(noise.estimate_sigma(start.rgb), noise.STRONGEST)


def _measured(key, rgb, clean, seconds=0.0) -> Version:
    if clean is None:
        return Version(key, rgb, reading.png(rgb), seconds=seconds)
    # Both spend their time outside Python's lock, so they share the cores.
    with ThreadPoolExecutor(1) as pool:
        png = pool.submit(reading.png, rgb)
        psnr, ssim = metrics.psnr(clean, rgb), metrics.ssim(clean, rgb)
        return Version(key, rgb, png.result(), psnr, ssim, seconds)
