"""What the original work states, and what we measure under the same words.

The original (DeepImageCompressor, and the later write-up of it as auto-encoder-compressor) is a
stacked denoising autoencoder whose latent goes through Deflate, measured on Kodak scaled to
128×128. Ours is read off the curves of `sdae evaluate` where every picture takes as many bytes as
the original's four listed pictures on average, so that quality is compared at its own size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sdae.measuring import curves, noise_study, peers
from sdae.measuring.results import OURS, Results, common

SET = "kodak-thumb"
"""The set that stands for the original's own pictures: Kodak at 128×128."""

BUDGET = 3271
"""Bytes of a picture: the mean of the original's four, 3,070, 3,102, 3,421 and 3,491."""

METHODS = {"jpeg": (43.07, 0.75, 26.2), "jpeg2000": (52.1, 0.78, 27.1), "webp": (58.3, 0.80, 27.8)}
"""The original's comparison: reduction in percent, SSIM, PSNR in dB."""

NOISE = {0.1: (20.1, 26.8), 0.2: (14.2, 23.1), 0.3: (10.5, 19.4)}
"""Noise level → the original's PSNR in dB, before and after."""


class Claim(NamedTuple):
    """One number of the original: its words, its value, ours, and why the two differ.

    `measured` is None where the commands that make it have not been run.
    """

    words: str
    original: str
    measured: str | None
    why: str


def comparison(results: Results, card: dict) -> list[Claim]:
    """The original's numbers beside ours.

    Args:
        results: what is measured.
        card: of the weights.
    """
    measured = _compressed(results) | _denoised(results)
    measured["Parameters"] = f"{card['parameters'] / 1e6:.2f} M"
    return [Claim(words, says, measured.get(words), why) for words, says, why in _CLAIMS]


def _compressed(results: Results) -> dict[str, str]:
    """Words of a claim → what we measured in `BUDGET` bytes a picture."""
    rows = common(results, SET)
    if OURS not in rows:
        return {}

    def mean(codec, key):
        values = [curves.at_bytes(picture, BUDGET, key) for picture in rows[codec].values()]
        return float(np.mean([value for value in values if value is not None]))

    png = [picture[0]["png_bytes"] for picture in rows[OURS].values()]
    measured = {
        "Reduction of the file, average": f"{np.mean([curves.saved(BUDGET, n) for n in png]):.2f} %",
        "Reconstruction accuracy": f"{100 * mean(OURS, 'accuracy'):.1f} %",
        "PSNR": f"{mean(OURS, 'psnr'):.2f} dB",
        "SSIM": f"{mean(OURS, 'ssim'):.3f}",
        "Latent": f"{next(iter(rows[OURS].values()))[0]['latent_bytes']:,} integers",
    }
    for name in METHODS.keys() & rows.keys():
        measured[_method(name)] = f"{mean(name, 'psnr'):.1f} dB / {mean(name, 'ssim'):.2f}"
    return measured


def _denoised(results: Results) -> dict[str, str]:
    """Words of a claim → what our denoiser restores."""
    rows, measured = results.noise(SET).get("rows", []), {}
    for sigma in NOISE:
        before = noise_study.mean(rows, "psnr", denoiser=noise_study.NOISY, sigma=sigma)
        after = noise_study.mean(rows, "psnr", denoiser=OURS, level="known", sigma=sigma)
        if before is not None and after is not None:
            measured[f"Noise σ {sigma}"] = f"{before:.1f} → {after:.1f} dB"
    return measured


def _method(name):
    return f"{peers.PEERS[name].label}: PSNR / SSIM"


_CLAIMS = [
    (
        "Reduction of the file, average",
        "89.92 %",
        f"Against PNG. Ours takes {BUDGET:,} bytes, so that the quality below is at that size.",
    ),
    (
        "Reconstruction accuracy",
        "76 %",
        "The share of pixels whose largest channel stays the largest; it ignores brightness.",
    ),
    ("PSNR", "28.5 dB", "At the original's bytes, header included."),
    ("SSIM", "0.82", "The same pictures as above; window of the SSIM paper."),
    ("Parameters", "2.1 M", "All networks together, and all that training alone needs."),
    (
        "Latent",
        "11,424 elements",
        "11,424 is the mean size in bytes: 2,048 values as text of two decimals.",
    ),
]
_CLAIMS[4:4] = [
    (
        _method(name),
        f"{psnr} dB / {ssim:.2f} at {reduction} %",
        "Ours is in the same bytes as SDAE above. At the original's size it is far better, so size "
        "and quality of the original cannot belong to one file.",
    )
    for name, (reduction, ssim, psnr) in METHODS.items()
]
_CLAIMS += [
    (
        f"Noise σ {sigma}",
        f"{before} → {after} dB",
        "PSNR of the noisy picture, clipped to 8 bits, and of the restored one; level given.",
    )
    for sigma, (before, after) in NOISE.items()
]
"""Words of the original, its figure, and why ours differs."""


def markdown(claims: list[Claim]) -> str:
    """The claims as a Markdown table."""
    lines = ["| words | the original says | we measure | why |", "|---|---|---|---|"]
    lines += [
        f"| {c.words} | {c.original} | {c.measured or 'not measured'} | {c.why} |" for c in claims
    ]
    return "\n".join(lines)
