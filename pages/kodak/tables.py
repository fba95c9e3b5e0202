"""The results behind the Kodak page, read and averaged once and remembered until a file changes."""

from __future__ import annotations

import csv
from pathlib import Path

import streamlit as st

from sdae.measuring import classical_denoisers, evaluation, noise_study, results
from sdae.measuring.metrics import decibels
from sdae.measuring.results import OURS, Results

BITS = evaluation.BITS_PER_PIXEL
"""Sizes at which codecs can be compared at equal bytes."""


def codecs(found: Results, set_name: str) -> list[str]:
    """As `Results.codecs`."""
    return _read(found, set_name)[0]


def common(found: Results, set_name: str) -> dict[str, dict]:
    """As `sdae.measuring.results.common`; not to be changed."""
    return _read(found, set_name)[1]


def curves(found: Results, set_name: str) -> dict[str, dict]:
    """Codec → `sdae.measuring.results.curve` of the common pictures."""
    return _read(found, set_name)[2]


def bd_rates(found: Results, set_name: str) -> dict[str, dict[str, float | None]]:
    """Other codec → figure → BD-rate of ours in percent."""
    return _read(found, set_name)[3]


def equal_bytes(found: Results, set_name: str) -> tuple[list[str], list[tuple]]:
    """Heads and rows: bits per pixel, then PSNR / SSIM of every codec."""
    rows = common(found, set_name)
    table = []
    means = [results.at_bits(pictures, BITS) for pictures in rows.values()]
    for bits, cells in zip(BITS, zip(*means)):
        if any(cells):
            table.append(
                (f"{bits:g}", *(f"{c['psnr']:.2f} / {c['ssim']:.3f}" if c else None for c in cells))
            )
    return ["bits per pixel", *map(results.label, rows)], table


def noise_table(rows: list[dict]) -> tuple[list[str], list[tuple]]:
    """Heads and rows: noise level, then PSNR / SSIM of every denoiser, told the true level."""
    columns = [
        (noise_study.NOISY, None, "Noisy"),
        (OURS, "known", "SDAE"),
        (OURS, "estimated", "SDAE, estimated"),
    ]
    columns += [
        (name, "known", classical_denoisers.DENOISERS[name].label)
        for name in dict.fromkeys(row["denoiser"] for row in rows)
        if name in classical_denoisers.DENOISERS
    ]
    table = []
    for sigma in sorted({row["sigma"] for row in rows}):
        cells = []
        for name, level, _ in columns:
            wanted = {"sigma": sigma, "denoiser": name, "level": level}
            psnr, ssim = (noise_study.mean(rows, key, **wanted) for key in ("psnr", "ssim"))
            cells.append(f"{decibels(psnr)} / {ssim:.3f}" if ssim else None)
        table.append((f"{sigma:g}", *cells))
    return ["sigma", *(label for *_, label in columns)], table


def chain_table(chains: list[dict], sigma: float) -> tuple[list[str], list[tuple]]:
    """Heads and rows: what was denoised and compressed, then PSNR / SSIM at equal bytes."""
    bits, table = noise_study.BITS_PER_PIXEL, []
    names = {noise_study.NOISY: "no denoiser"}
    names |= {name: found.label for name, found in classical_denoisers.DENOISERS.items()}
    for denoiser, codec in dict.fromkeys((c["denoiser"], c["codec"]) for c in chains):
        cells = [
            noise_study.at_equal_bytes(chains, size, sigma=sigma, denoiser=denoiser, codec=codec)
            for size in bits
        ]
        if any(cells):
            way = (
                results.label(denoiser)
                if codec == OURS
                else f"{names[denoiser]}, {results.label(codec)}"
            )
            table.append(
                (way, *(f"{c['psnr']:.2f} / {c['ssim']:.3f}" if c else None for c in cells))
            )
    return ["bits per pixel", *(f"{size:g}" for size in bits)], table


def ablations(place: Path) -> tuple[list[str], list[tuple], int]:
    """Heads and rows of ``experiments.csv`` beside the weights' folder, the best first, and how
    many crops each variant saw; no rows where there is none.

    Variants can be compared only after equally many crops: those with the most are taken.
    """
    path = Path(place).parent / "experiments.csv"
    if not path.exists():
        return [], [], 0
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    most = max((int(row["images"]) for row in found), default=0)
    found = sorted(
        (row for row in found if int(row["images"]) == most),
        key=lambda row: float(row["validation_loss"]),
    )
    rows = [
        (
            row["variant"],
            f"{float(row['validation_loss']):.3f}",
            f"{float(row['denoised_psnr']):.2f}",
            row["minutes"] or None,
        )
        for row in found
    ]
    return ["variant", "validation loss", "σ 0.1 restored, dB", "minutes"], rows, most


def _read(found: Results, set_name: str):
    files = sorted(found.path(set_name, OURS).parent.glob("*.json"))
    stamp = tuple((file.name, file.stat().st_mtime_ns) for file in files)
    return _digest(str(found.folder), found.sha256, set_name, stamp)


@st.cache_resource(max_entries=12, show_spinner=False)
def _digest(folder: str, sha256: str, set_name: str, stamp):
    found = Results(Path(folder).parent, sha256)
    names = found.codecs(set_name)
    rows = results.common(found, set_name)
    averages = {name: results.curve(pictures) for name, pictures in rows.items()}
    rates = (
        {
            name: {
                key: results.bd_rate(rows[OURS], rows[name], key)
                for key in ("psnr", "ssim", "ms_ssim")
            }
            for name in rows
            if name != OURS
        }
        if OURS in rows
        else {}
    )
    return names, rows, averages, rates
