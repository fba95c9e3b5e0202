"""What the original work states, and what we measure under the same words.

The original (DeepImageCompressor, and the later write-up of it as auto-encoder-compressor) is a
stacked denoising autoencoder whose latent goes through Deflate, measured on Kodak scaled to
128×128. Ours is read off the curves of `sdae evaluate` where every picture takes as many bytes as
the original's four listed pictures on average, so that quality is compared at its own size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdae.measuring import curves, noise_study, peers
from sdae.measuring.results import OURS, Results, common

SET = "kodak-thumb"
"""The set that stands for the original's own pictures: Kodak at 128×128."""

FOUR_ROWS = (
    (33_799, 11_487, 3_070, 0.0018, 3.9577e-5, 44.46, 90.92),
    (31_532, 11_414, 3_102, 0.0016, 4.3154e-5, 43.83, 90.16),
    (30_957, 11_323, 3_421, 0.0013, 4.4107e-5, 41.40, 88.95),
    (33_680, 11_423, 3_491, 0.0012, 4.3631e-5, 42.61, 89.63),
)
"""The original's size table: bytes of the file, of the latent and of the compressed latent, seconds
to deflate and to inflate, reduction by JPEG and by the original in percent."""

METHODS = {"jpeg": (43.07, 0.75, 26.2), "jpeg2000": (52.1, 0.78, 27.1), "webp": (58.3, 0.80, 27.8)}
"""The original's comparison: reduction in percent, SSIM, PSNR in dB."""

NOISE = {0.1: (20.1, 26.8), 0.2: (14.2, 23.1), 0.3: (10.5, 19.4)}
"""Noise level → the original's PSNR in dB, before and after."""

BUDGET = round(sum(row[2] for row in FOUR_ROWS) / len(FOUR_ROWS))
"""Bytes of a picture: the mean of the compressed latents in the original's table."""


@dataclass(frozen=True)
class Claim:
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
    measured = _read_off(results) | {"Parameters": f"{card['parameters'] / 1e6:.2f} M"}
    return [Claim(words, says, measured.get(words), why) for words, says, why in _CLAIMS]


def _read_off(results: Results) -> dict[str, str]:
    """Words of a claim → what we measured."""
    rows, measured = common(results, SET), {}
    png = {name: picture[0]["png_bytes"] for name, picture in rows.get(OURS, {}).items()}

    def at(codec, size, key):
        """Mean of a figure in files of size(name of the picture) bytes."""
        values = [
            curves.at_bytes(picture, size(name), key) for name, picture in rows[codec].items()
        ]
        values = [value for value in values if value is not None]
        return float(np.mean(values))

    def pair(codec, size):
        return f"{at(codec, size, 'psnr'):.1f} dB / {at(codec, size, 'ssim'):.2f}"

    def reduction(size):
        return f"{np.mean([curves.saved(size(name), png[name]) for name in png]):.2f} %"

    if png:
        budget = lambda name: BUDGET  # noqa: E731
        plain = {
            name: curves.at_bytes(picture, BUDGET, "plain_bytes")
            for name, picture in rows[OURS].items()
        }
        measured = {
            "Reduction of the file, average": f"{reduction(budget)} as .sdae, "
            f"{reduction(plain.get)} as int8 and zlib",
            "Reconstruction accuracy": f"{100 * at(OURS, budget, 'accuracy'):.1f} %; "
            f"{100 * at(OURS, budget, 'within_8'):.1f} % of samples within ±8",
            "PSNR": f"{at(OURS, budget, 'psnr'):.2f} dB",
            "SSIM": f"{at(OURS, budget, 'ssim'):.3f}",
            "Latent": f"{next(iter(rows[OURS].values()))[0]['latent_bytes']:,} integers",
        }
        for name, (saved, *_) in METHODS.items() if METHODS.keys() <= rows.keys() else ():
            sizes = {picture: png[picture] * (1 - saved / 100) for picture in png}
            # A picture whose largest file is smaller counts with that, so there is more to have.
            over = any(
                size > max(row["bytes"] for row in rows[name][picture])
                for picture, size in sizes.items()
            )
            measured[_method(name)] = (
                f"{'over ' if over else ''}{pair(name, sizes.get)} at that reduction; "
                f"{pair(name, budget)} in our bytes"
            )
        if "jpeg" in rows:
            top = {name: max(row["bytes"] for row in rows["jpeg"][name]) for name in png}
            measured["Reduction by JPEG, average"] = (
                f"{reduction(top.get)} at quality 95, {pair('jpeg', top.get)}"
            )
    if seconds := _seconds(results):
        for words, way, own in (
            ("Compressing, average", "zlib 9, deflate", "ours, pack"),
            ("Decompressing, average", "zlib 9, inflate", "ours, unpack"),
        ):
            measured[words] = (
                f"{1000 * seconds[way]:.2f} ms zlib, {1000 * seconds[own]:.2f} ms ours"
            )
    noisy = results.noise(SET).get("rows", [])
    for sigma in NOISE:
        wanted = {"sigma": sigma, "clipped": True}
        before = noise_study.mean(noisy, "psnr", denoiser=noise_study.NOISY, **wanted)
        after = noise_study.mean(noisy, "psnr", denoiser=OURS, level="known", **wanted)
        if before is not None and after is not None:
            measured[f"Noise σ {sigma}"] = f"{before:.1f} → {after:.1f} dB"
    return measured


def _seconds(results) -> dict | None:
    """Times of packing at the quality whose files come nearest to the budget."""
    timed = [row for row in results.bench("coder").get("thumb", ()) if "seconds" in row]
    nearest = min(timed, key=lambda row: abs(row["bytes"]["ours"] - BUDGET), default={})
    return nearest.get("seconds")


def _method(name):
    return f"{peers.PEERS[name].label}: PSNR / SSIM"


_CLAIMS = (
    (
        "Reduction of the file, average",
        "89.92 %",
        f"Against PNG. Ours takes {BUDGET:,} bytes, the original's mean, so that the quality below "
        "is at its size; zlib then needs more for the same integers.",
    ),
    (
        "Reduction by JPEG, average",
        "43.07 %",
        "A JPEG that large is nearly lossless and no rival at that size; the original's must have "
        "been near top quality too. The rows below give JPEG as many bytes as ours.",
    ),
    (
        "Reconstruction accuracy",
        "76 %",
        "The share of pixels whose largest channel stays the largest. It ignores brightness, so a "
        "picture can score well and look wrong; the second figure does not.",
    ),
    (
        "PSNR",
        "28.5 dB",
        "At the original's bytes, header included; a network trained with its rate.",
    ),
    ("SSIM", "0.82", "The same pictures as above; window of the SSIM paper."),
    *(
        (
            _method(name),
            f"{psnr} dB / {ssim:.2f} at {reduction} %",
            "Size and quality of the original cannot belong to one file: at that size the picture "
            "is far better, and for that quality the file is far smaller.",
        )
        for name, (reduction, ssim, psnr) in METHODS.items()
    ),
    (
        "Compressing, average",
        "1.47 ms",
        "Deflate alone, without the network, of one latent. The original packs fewer values; ours "
        "also computes contexts.",
    ),
    ("Decompressing, average", "42.62 µs", "Inflate alone, without the network, of one latent."),
    ("Parameters", "2.1 M", "Analysis and synthesis together, and all that training alone needs."),
    (
        "Latent",
        "11,424 elements",
        "11,424 is the mean size in bytes: 2,048 values as text of two decimals. Ours has more "
        "values, most of them zero.",
    ),
    *(
        (
            f"Noise σ {sigma}",
            f"{before} → {after} dB",
            "PSNR of the noisy picture, clipped to 8 bits as in a file, and of the restored one; "
            "our denoiser is given the level.",
        )
        for sigma, (before, after) in NOISE.items()
    ),
)
"""Words of the original, its figure, and why ours differs."""


def four_rows(results: Results) -> list[tuple]:
    """Rows as in `FOUR_ROWS` for the first four pictures of `SET`, its name before; maybe empty.

    Each has the file that comes nearest to the budget. The latent counts as one byte an integer,
    the compressed one is the whole .sdae file, JPEG is at its highest quality measured; seconds of
    packing are means.
    """
    rows, seconds = common(results, SET), _seconds(results)
    if not (seconds and rows.keys() >= {OURS, "jpeg"}):
        return []
    lines = []
    for name, picture in list(rows[OURS].items())[:4]:
        row = min(picture, key=lambda row: abs(row["bytes"] - BUDGET))
        sizes = row["png_bytes"], row["latent_bytes"], row["bytes"]
        jpeg = max(other["bytes"] for other in rows["jpeg"][name])
        saved = (curves.saved(size, row["png_bytes"]) for size in (jpeg, row["bytes"]))
        lines.append((name, *sizes, seconds["ours, pack"], seconds["ours, unpack"], *saved))
    return lines


def markdown(claims: list[Claim]) -> str:
    """The claims as a Markdown table."""
    lines = ["| words | the original says | we measure | why |", "|---|---|---|---|"]
    lines += [
        f"| {c.words} | {c.original} | {c.measured or 'not measured'} | {c.why} |" for c in claims
    ]
    return "\n".join(lines)
