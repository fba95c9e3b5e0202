"""The view of claims: what the original work states, and what we measure under the same words.

The original (DeepImageCompressor, and the later write-up of it as auto-encoder-compressor) is a
stacked denoising autoencoder whose latent goes through Deflate, measured on Kodak scaled to
128×128. Ours is read off the curves of `sdae evaluate` where every picture takes as many bytes as
the original's four listed pictures on average, so that quality is compared at its own size.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.kodak import display
from sdae.measuring import curves, noise_study, peers
from sdae.measuring.results import OURS, Results, common

SET = "kodak-thumb"
"""The set that stands for the original's own pictures: Kodak at 128×128."""

BUDGET = 3271
"""Bytes of a picture: the mean of the original's four, 3,070, 3,102, 3,421 and 3,491."""

_METHODS = {
    "jpeg": "26.2 dB / 0.75 at 43.07 %",
    "jpeg2000": "27.1 dB / 0.78 at 52.1 %",
    "webp": "27.8 dB / 0.80 at 58.3 %",
}
_NOISE = {0.1: "20.1 → 26.8 dB", 0.2: "14.2 → 23.1 dB", 0.3: "10.5 → 19.4 dB"}


def view(stored: Results, card: dict) -> None:
    """Draw the view; on a phone its last column keeps a width that can be read."""
    st.html(
        "<style>@media (max-width: 640px) { td:last-child:nth-child(4) { min-width: 14rem; } }</style>"
    )
    compared = comparison(stored, card)
    measured = sum(bool(ours) for _, _, ours, _ in compared)
    display.finding(
        f"The original work states {len(compared)} figures about itself; {measured} were "
        "measured again under the same words."
    )
    display.table(
        ["Quantity", "The original says", "We measure", "Why they differ"],
        [(*said, ours or "not measured yet", why) for *said, ours, why in compared],
        "claims",
        how=f"Kodak scaled to 128×128, at most {BUDGET:,} bytes a picture, the original's mean.",
    )


def comparison(results: Results, card: dict) -> list[tuple[str, str, str | None, str]]:
    """The original's words and numbers, ours, and why the two differ; ours is None where the commands
    that make it have not been run.

    Args:
        results: what is measured.
        card: of the weights.
    """
    rows, noise = common(results, SET), results.noise(SET).get("rows", [])
    ours = _at_budget(rows, OURS)
    figures = [
        ("Reduction of the file, average", "89.92 %", _said("{saved:.2f} %", ours)),
        ("Reconstruction accuracy", "76 %", _said("{accuracy:.1f} %", ours)),
        ("PSNR", "28.5 dB", _said("{psnr:.2f} dB", ours)),
        ("SSIM", "0.82", _said("{ssim:.3f}", ours)),
        ("Parameters", "2.1 M", f"{card['parameters'] / 1e6:.2f} M"),
        ("Latent", "11,424 elements", _said("{latent:,} integers", ours)),
    ]
    claims = [(*figure, why) for figure, why in zip(figures, _WHY)]
    claims[4:4] = [
        (
            f"{peers.PEERS[name].label}: PSNR / SSIM",
            original,
            _said("{psnr:.1f} dB / {ssim:.2f}", _at_budget(rows, name) if ours else {}),
            "Ours is in the same bytes as SDAE above. At the original's size it is far better, so "
            "size and quality of the original cannot belong to one file.",
        )
        for name, original in _METHODS.items()
    ]
    return claims + [
        (
            f"Noise σ {sigma}",
            original,
            _said("{before:.1f} → {after:.1f} dB", _denoised(noise, sigma)),
            "PSNR of the noisy picture, clipped to 8 bits, and of the restored one; level given.",
        )
        for sigma, original in _NOISE.items()
    ]


_WHY = [
    f"Against PNG. Ours takes {BUDGET:,} bytes, so that the quality below is at that size.",
    "The share of pixels whose largest channel stays the largest; it ignores brightness.",
    "At the original's bytes, header included.",
    "The same pictures as above; window of the SSIM paper.",
    "All networks together, and all that training alone needs.",
    "11,424 is the mean size in bytes: 2,048 values as text of two decimals.",
]


def _said(words: str, figures: dict) -> str | None:
    return words.format(**figures) if figures else None


def _at_budget(rows: dict, codec: str) -> dict:
    """Means of a codec in `BUDGET` bytes a picture; empty where it is not measured."""
    pictures = list(rows.get(codec, {}).values())
    if not pictures:
        return {}
    values = {
        key: [curves.at_bytes(picture, BUDGET, key) for picture in pictures]
        for key in ("psnr", "ssim", "accuracy")
    }
    means = {key: np.nanmean(np.array(of_key, float)) for key, of_key in values.items()}
    means["accuracy"] *= 100
    if codec == OURS:
        means["saved"] = np.mean([curves.saved(BUDGET, p[0]["png_bytes"]) for p in pictures])
        means["latent"] = pictures[0][0]["latent_bytes"]
    return means


def _denoised(rows: list[dict], sigma: float) -> dict:
    """PSNR before and after; empty where it is not measured."""
    before = noise_study.mean(rows, "psnr", denoiser=noise_study.NOISY, sigma=sigma)
    after = noise_study.mean(rows, "psnr", denoiser=OURS, level="known", sigma=sigma)
    return {} if before is None or after is None else {"before": before, "after": after}
