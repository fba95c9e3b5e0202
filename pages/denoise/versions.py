"""What the Denoise page shows: noisy, denoised and filtered pictures, measured and remembered."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from pages.denoise.settings import CAMERA
from pages.shared import engine
from pages.shared.engine import Prepared
from sdae.measuring import classical_denoisers, metrics
from sdae.pictures import camera_noise, noise, reading


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


def noisy(picture: Prepared, kind: str | None, strength: float) -> tuple[Prepared, Version, float]:
    """The clean picture, that with noise, and the noise level that is measured in it.

    The clean picture of a camera is what it would have taken without noise. Kind None adds nothing:
    the picture is noisy already and there is no clean one.
    """
    return _noisy(picture.key, picture, kind, strength)


def denoised(picture: Prepared, start: Version, strength: float) -> Version:
    """Version `start` after the denoiser, which takes its noise to have level `strength`.

    Below a level of 0.02 the picture stays as it is.
    """
    key = f"{start.key} denoised {strength}"

    def work(codec, report):
        began = time.process_time()
        rgb = codec.clean(start.rgb, sigma=strength, progress=report)
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
            # Of this thread alone, whatever else the server does.
            began = time.thread_time()
            rgb = classical_denoisers.denoise(name, start.rgb, strength)
            seconds = time.thread_time() - began
            return _measured(f"{start.key} {name}", rgb, _clean(picture, start), seconds)

        return work

    return {filter_key(start, strength, name): task(name) for name in classical_denoisers.QUICK}


def filter_key(start: Version, strength: float, name: str) -> tuple:
    return start.key, name, strength


def _clean(picture: Prepared, start: Version) -> np.ndarray | None:
    return None if start.psnr is None else picture.rgb


@st.cache_data(max_entries=64, max_size="200MB", show_spinner=False)
def _noisy(key, _picture, kind, strength) -> tuple[Prepared, Version, float]:
    key, clean = f"{key} {kind} {strength}", _picture
    if kind is None:
        start = Version(key, clean.rgb, clean.png)
    elif kind == CAMERA:
        rgb, taken = camera_noise.photographed(clean.rgb, strength)
        clean = replace(clean, rgb=taken, png=reading.png(taken))
        start = _measured(key, rgb, taken)
    else:
        start = _measured(key, noise.add(clean.rgb, strength), clean.rgb)
    return clean, start, min(noise.estimate_sigma(start.rgb), noise.STRONGEST)


def _measured(key, rgb, clean, seconds=0.0) -> Version:
    png = reading.png(rgb)
    if clean is None:
        return Version(key, rgb, png, seconds=seconds)
    return Version(key, rgb, png, metrics.psnr(clean, rgb), metrics.ssim(clean, rgb), seconds)
