"""The results behind the Kodak page, read and averaged once in ten minutes for all visitors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from sdae.measuring import classical_denoisers, curves, evaluation, noise_study, results
from sdae.measuring.metrics import decibels
from sdae.measuring.results import OURS, Results

SETS = {
    "kodak": "Whole pictures",
    "kodak-128": "Tiles of 128×128",
    "kodak-thumb": "Scaled to 128×128",
}
_MIDDLE = 1.0  # bits per pixel at which times are compared


@dataclass(frozen=True)
class Summary:
    """What was measured of one set; not to be changed, as all visitors share it.

    pictures: codec → picture → rows, of the pictures that every codec has measured.
    curves: measure → codec → `sdae.measuring.curves.curve` of these, where all pictures have it.
    bd_rates: other codec → measure → BD-rate of ours in percent.
    notes: codec → provenance, and the number of pictures in ``count``.
    """

    pictures: dict[str, dict]
    curves: dict[str, dict[str, dict]]
    bd_rates: dict[str, dict[str, float | None]]
    notes: dict[str, dict]


@st.cache_resource(
    max_entries=12,
    ttl=600,
    show_spinner=False,
    hash_funcs={Results: lambda stored: (str(stored.folder), stored.sha256)},
)
def summary(stored: Results, set_name: str) -> Summary:
    """The results of a set; everything in it is empty where nothing was measured."""
    pictures = results.common(stored, set_name)
    return Summary(
        pictures=pictures,
        curves={key: _curves(pictures, key) for key in (*curves.MEASURES, "accuracy")},
        bd_rates={
            name: {key: curves.bd_rate(pictures[OURS], rows, key) for key in curves.MEASURES}
            for name, rows in pictures.items()
            if OURS in pictures and name != OURS
        },
        notes={
            name: stored.note(set_name, name) | {"count": len(stored.rows(set_name, name))}
            for name in pictures
        },
    )


def _curves(pictures: dict[str, dict], key: str) -> dict[str, dict]:
    """Codec → its curve by a measure. Accuracy is that of the files that are best in PSNR."""
    return {
        name: curves.curve(rows, "psnr" if key == "accuracy" else key)
        for name, rows in pictures.items()
        if all(key in row for picture in rows.values() for row in picture)
    }


def bd_rates(measured: Summary) -> tuple[list[str], list[tuple]]:
    """Heads and rows: other codec, then BD-rate of ours by each measure that both have."""
    changes = measured.bd_rates
    held = [key for key in curves.MEASURES if any(row[key] is not None for row in changes.values())]
    rows = [
        (results.label(peer), *(signed(changes[peer][key]) for key in held)) for peer in changes
    ]
    return ["against", *(f"{curves.MEASURES[key].split()[0]}, %" for key in held)], rows


def equal_bytes(measured: Summary) -> tuple[list[str], list[tuple]]:
    """Heads and rows: bits per pixel, then PSNR / SSIM of every codec."""
    bits = evaluation.BITS_PER_PIXEL
    means = [curves.at_bits(pictures, bits) for pictures in measured.pictures.values()]
    rows = [
        (f"{size:g}", *map(_pair, cells)) for size, cells in zip(bits, zip(*means)) if any(cells)
    ]
    return ["bits per pixel", *map(results.label, measured.pictures)], rows


def times(stored: Results, measured: Summary, set_name: str) -> dict[tuple[str, str], float]:
    """Codec and how it ran → seconds of processor time to compress and restore one picture.

    The first ones are means over the set at about one bit per pixel, each codec as its curve was
    measured. Those that follow ran as Pillow runs them by default, see `sdae.measuring.speed`.
    """
    seconds = {}
    for name, curve in measured.curves["psnr"].items():
        if "encode_seconds" in curve:
            place = int(np.argmin(np.abs(np.array(curve["bpp"]) - _MIDDLE)))
            how = "" if name == OURS else "at its slowest, as in the curves"
            spent = curve["encode_seconds"][place] + curve["decode_seconds"][place]
            seconds[results.label(name), how] = spent
    size = "768×512" if set_name == "kodak" else "128×128"
    for label, row in stored.bench("codec").get(size, {}).items():
        if label != results.label(OURS):
            seconds[label, "by Pillow's defaults"] = row["processor"]
    return seconds


def noise_means(rows: list[dict]) -> dict[str, dict[float, tuple]]:
    """Label of a denoiser → noise level → mean PSNR and SSIM, the noisy picture itself first.

    PSNR and SSIM are None where they were not measured or the picture is unchanged.
    """
    denoisers = {
        "Noisy": (noise_study.NOISY, None),
        "SDAE": (OURS, "known"),
        "SDAE, level estimated": (OURS, "estimated"),
    }
    measured = {row["denoiser"] for row in rows}
    for name, denoiser in classical_denoisers.DENOISERS.items():
        if name in measured:
            denoisers[denoiser.label] = name, "known"
    return {
        label: {
            sigma: tuple(
                noise_study.mean(rows, key, denoiser=name, level=level, sigma=sigma)
                for key in ("psnr", "ssim")
            )
            for sigma in sorted({row["sigma"] for row in rows})
        }
        for label, (name, level) in denoisers.items()
    }


def noise_table(means: dict[str, dict[float, tuple]]) -> tuple[list[str], list[tuple]]:
    """Heads and rows of `noise_means`: noise level, then PSNR / SSIM of every denoiser."""

    def cell(psnr, ssim):
        return f"{decibels(psnr)} / {ssim:.3f}" if ssim else None

    rows = [
        (f"{sigma:g}", *(cell(*points[sigma]) for points in means.values()))
        for sigma in next(iter(means.values()))
    ]
    return ["sigma", *means], rows


def chain_table(chains: list[dict], sigma: float) -> tuple[list[str], list[tuple]]:
    """Heads and rows: denoiser and codec, then PSNR / SSIM at equal bytes."""
    names = {noise_study.NOISY: "none", OURS: "SDAE"}
    names |= {name: row.label for name, row in classical_denoisers.DENOISERS.items()}
    bits, rows = noise_study.BITS_PER_PIXEL, []
    for denoiser, codec in dict.fromkeys((c["denoiser"], c["codec"]) for c in chains):
        if denoiser in names:
            wanted = {"sigma": sigma, "denoiser": denoiser, "codec": codec}
            cells = noise_study.chain_at_bits(chains, bits, **wanted)
            if any(cells):
                rows.append((f"{names[denoiser]}, {results.label(codec)}", *map(_pair, cells)))
    return ["denoiser, codec", *(f"{size:g}" for size in bits)], rows


def camera_table(pictures: dict[str, dict]) -> tuple[list[str], list[tuple]]:
    """Heads and rows: kind of noise, then mean PSNR noisy, by BM3D and by SDAE.

    pictures: what `sdae.measuring.noise_study.measure_camera` gave of each.
    """
    names = {noise_study.NOISY: "noisy", "bm3d": "BM3D", OURS: "SDAE"}
    found = [picture["rows"] for picture in pictures.values()]

    def mean(kind, who):
        psnr = noise_study.mean([row[kind] for row in found], who)
        return "–" if psnr is None else f"{psnr:.2f}"

    rows = [(kind, *(mean(kind, who) for who in names)) for kind in (found[0] if found else ())]
    return ["noise", *names.values()], rows


def signed(change: float | None) -> str | None:
    """A change in percent as people read it, such as −4.1."""
    return None if change is None else evaluation.percent(change)


def _pair(means: dict | None) -> str | None:
    return means and f"{means['psnr']:.2f} / {means['ssim']:.3f}"
