"""What the Denoise page shows: noisy, restored and filtered pictures, measured and remembered."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from pages.shared import engine
from pages.shared.background import Queue
from pages.shared.engine import Prepared
from pages.shared.figures import table_csv
from sdae.measuring import classical_denoisers, metrics
from sdae.pictures import noise, reading

LEVELS = tuple(round(0.05 * step, 2) for step in range(11))
"""Noise levels of the curve."""

CURVE_SIDE = 512
"""The curve is measured on at most this many pixels a side, from the middle of the picture."""

_PATIENCE = 60.0
_REMEMBERED = 20
# Seconds; and how many versions each queue keeps, of 10 MB where pictures are large.


@dataclass(frozen=True)
class Version:
    """One version of a picture.

    `rgb` is uint8 (H, W, 3), `png` the same pixels; `psnr` (dB) and `ssim` compare it with the
    clean picture, None where there is none. `seconds` is the processor time it took to make, `file` the
    .sdae file that it was restored from, `key` names the version.
    """

    key: str
    rgb: np.ndarray
    png: bytes
    psnr: float | None = None
    ssim: float | None = None
    seconds: float = 0.0
    file: bytes | None = None


def noisy(picture: Prepared, kind: str | None, sigma: float, seed: int) -> tuple[Version, float]:
    """The picture with noise (see `noise.add`) and the noise level that is found in it.

    Kind None adds nothing: the picture is noisy already and there is no clean one.
    """
    return _noisy(picture.key, picture, kind, sigma, seed)


def restored(picture: Prepared, start: Version, strength: float, quality: float) -> Version:
    """Version `start` through the codec, told that its noise has level `strength`.

    While its file is made, which takes longer, the cleaned picture that goes into it: that one has
    no `file`, so ask again.
    """
    cleaned, key, task = _through_a_file(picture, start, strength, quality)
    # One that is not noisy enough to be cleaned would show as it was: better wait for the file.
    patience = _PATIENCE if cleaned.key == start.key else 0.0
    return _files().collect({key: lambda _: task()}, key, patience).get(key, cleaned)


def filtered(
    picture: Prepared, start: Version, strength: float, first: str | None, patience: float = 0.0
) -> dict[str, Version]:
    """Version `start` through the classical denoisers: by name, those that are ready.

    Ask again for the others. Denoiser `first` is waited for, up to `patience` seconds.
    """
    keys = {name: (start.key, name, strength) for name in classical_denoisers.QUICK}
    clean = _clean(picture, start)
    tasks = {key: partial(_filter, name, start, clean, strength) for name, key in keys.items()}
    found = _filters().collect(tasks, keys.get(first), patience)
    return {name: found[key] for name, key in keys.items() if key in found}


def curve(picture: Prepared, kind: str, seed: int, quality: float):
    """Yield, level by level: sigma, PSNR of the noisy picture, PSNR restored with the estimated
    level, PSNR restored with the true level."""
    small = _middle(picture)
    for sigma in LEVELS:
        start, estimate = noisy(small, kind, sigma, seed)
        found, known = (
            _through_a_file(small, start, strength, quality)[-1]().psnr
            for strength in (estimate, sigma)
        )
        yield sigma, start.psnr, found, known


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


def _through_a_file(picture, start, strength, quality):
    """The cleaned picture; the key of what comes out of a file of it, and what makes that."""
    clean = _clean(picture, start)
    cleaned, left = _cleaned(start.key, start, clean, strength)
    key = f"{cleaned.key} {quality}"
    return cleaned, key, partial(_coded, *engine.load(), key, cleaned, left, clean, quality)


@st.cache_data(max_entries=32, max_size="200MB", show_spinner=False)
def _cleaned(key, _start, _clean, strength) -> tuple[Version, float]:
    """What the codec encodes in place of a noisy picture, and the noise level to tell it then."""
    with engine.turn() as codec:
        began = time.process_time()
        rgb, left = codec.clean(_start.rgb, strength)
        seconds = time.process_time() - began
    if rgb is _start.rgb:
        return _start, left
    return _measured(f"{key} {strength}", rgb, _clean, seconds), left


def _coded(codec, lock, key, cleaned, left, clean, quality) -> Version:
    """The cleaned picture in a file and out of it again."""
    with engine.visitors, lock:
        began = time.process_time()
        latent = codec.encode(cleaned.rgb, quality, left)
        rgb = np.asarray(codec.decode(latent))
        seconds = cleaned.seconds + time.process_time() - began
    version = _measured(key, rgb, clean, seconds)
    return replace(version, file=codec.pack(latent))


def _filter(name, start, clean, strength, wanted) -> Version:
    engine.when_idle(wanted)
    # Processor time, because the worker has to step back for everything else.
    began = time.thread_time()
    rgb = classical_denoisers.denoise(name, start.rgb, strength)
    seconds = time.thread_time() - began
    return _measured(f"{start.key} {name} {strength}", rgb, clean, seconds)


def _measured(key, rgb, clean, seconds=0.0) -> Version:
    if clean is None:
        return Version(key, rgb, reading.png(rgb), seconds=seconds)
    # Both spend their time outside Python's lock, so they share the cores.
    with ThreadPoolExecutor(1) as pool:
        png = pool.submit(reading.png, rgb)
        psnr, ssim = metrics.psnr(clean, rgb), metrics.ssim(clean, rgb)
        return Version(key, rgb, png.result(), psnr, ssim, seconds)


@st.cache_resource(show_spinner=False)
def _filters() -> Queue:
    return Queue("filters", _REMEMBERED)


@st.cache_resource(show_spinner=False)
def _files() -> Queue:
    return Queue("files", _REMEMBERED, niceness=0)
