"""What the original work states, and what we measure under the same words: ``sdae claims``.

The original (DeepImageCompressor, and the later write-up of it as auto-encoder-compressor) is a
stacked denoising autoencoder whose latent goes through Deflate, measured on Kodak scaled to
128×128. Here every picture is compressed into at most as many bytes as its four listed pictures
take on average, in proportion to the pixels, so that quality is compared at its own size.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from sdae.measuring import noise_study, packing, peer_files, peers, target_search
from sdae.measuring.evaluation import quality, warm_codec
from sdae.measuring.results import OURS, Results
from sdae.pictures import reading

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
"""Bytes for 128×128 pixels: the mean of the compressed latents in the original's table."""


def measure(place, rgb: np.ndarray) -> tuple[dict, bytes]:
    """One picture at the original's size: sizes and quality, and the .sdae file.

    Args:
        place: folder of the weights.
        rgb: (H, W, 3) uint8.

    Returns:
        the row: ``png_bytes`` of the original picture; ``bytes`` of the whole .sdae file and its
        quality; ``plain_bytes`` of a file that holds the same latent as int8 through zlib;
        ``latent_integers``; ``text_bytes`` of the latent as text with two decimals and
        ``text_deflated_bytes``; ``jpeg_top``, a JPEG of quality 100; ``equal_bytes``, each peer
        in as many bytes as ours; ``claimed_rate``, each peer at the original's reduction.
    """
    codec = warm_codec(place)
    data = target_search.within_bytes(codec, rgb, BUDGET * rgb.shape[0] * rgb.shape[1] // 128**2)
    latent = codec.unpack(data)
    text = " ".join(f"{value:.2f}" for value in latent.values.ravel()).encode()
    png_bytes = len(reading.png(rgb))

    def figures(file):
        return file and {"bytes": len(file.data), **quality(rgb, file.rgb)}

    def within(name, size):
        return figures(peer_files.at_bytes(name, rgb, int(size)))

    row = {
        "png_bytes": png_bytes,
        "bytes": len(data),
        "setting": latent.quality,
        **quality(rgb, np.asarray(codec.decode(latent))),
        "plain_bytes": len(codec.pack(latent, plain=True)),
        "latent_integers": latent.values.size,
        "text_bytes": len(text),
        "text_deflated_bytes": len(zlib.compress(text, 9)),
        "jpeg_top": within("jpeg", 10**9),
        "equal_bytes": {name: within(name, len(data)) for name in METHODS},
        "claimed_rate": {
            name: within(name, png_bytes * (1 - reduction / 100))
            for name, (reduction, *_) in METHODS.items()
        },
    }
    return row, data


def times(place, files: list[bytes]) -> dict[str, list[float]]:
    """Processor seconds of `packing.times` for each .sdae file, ours and zlib's."""
    codec, found = warm_codec(place), {}
    for data in files:
        latent = codec.unpack(data)
        code = round(100 * latent.quality)
        for name, seconds in packing.times([latent.values], code, codec.tables).items():
            found.setdefault(name, []).append(round(seconds, 7))
    return found


@dataclass(frozen=True)
class Claim:
    """One number of the original: its words, its value, ours, and why the two differ.

    `measured` is None where the command that makes it has not been run.
    """

    words: str
    original: str
    measured: str | None
    why: str


def comparison(results: Results, card: dict) -> list[Claim]:
    """The original's numbers beside ours, from what ``sdae claims`` and the noise study measured.

    Args:
        results: what is measured.
        card: of the weights.
    """
    measured = _measured(results.claims().get(SET))
    measured["Parameters"] = f"{card['parameters'] / 1e6:.2f} M"
    rows = results.noise(SET).get("rows", [])
    for sigma in NOISE:
        wanted = {"sigma": sigma, "clipped": True}
        before = noise_study.mean(rows, "psnr", denoiser=noise_study.NOISY, **wanted)
        after = noise_study.mean(rows, "psnr", denoiser=OURS, level="known", **wanted)
        if before is not None and after is not None:
            measured[f"Noise σ {sigma}"] = f"{before:.1f} → {after:.1f} dB"
    return [Claim(words, says, measured.get(words), why) for words, says, why in _CLAIMS]


def _measured(stored: dict | None) -> dict[str, str]:
    """Words of a claim → what we measured."""
    if not stored:
        return {}
    rows, seconds = list(stored["pictures"].values()), stored["seconds"]

    def mean(key):
        return np.mean([row[key] for row in rows])

    def rate(size):
        return f"{100 * np.mean([1 - size(row) / row['png_bytes'] for row in rows]):.2f} %"

    def pair(get):
        found = [get(row) for row in rows if get(row)]
        psnr, ssim = (np.mean([each[key] for each in found]) for key in ("psnr", "ssim"))
        return f"{psnr:.1f} dB / {ssim:.2f}"

    def both(zlib_name, ours_name):
        each = (f"{1000 * np.mean(seconds[name]):.2f} ms" for name in (zlib_name, ours_name))
        return "{} zlib, {} ours".format(*each)

    found = {
        "Reduction of the file, average": f"{rate(lambda r: r['bytes'])} as .sdae, "
        f"{rate(lambda r: r['plain_bytes'])} as int8 and zlib",
        "Reduction by JPEG, average": f"{rate(lambda r: r['jpeg_top']['bytes'])} at quality 100, "
        f"{pair(lambda r: r['jpeg_top'])}",
        "Reconstruction accuracy": f"{100 * mean('accuracy'):.1f} %; "
        f"{100 * mean('within_8'):.1f} % of samples within ±8",
        "PSNR": f"{mean('psnr'):.2f} dB",
        "SSIM": f"{mean('ssim'):.3f}",
        "Compressing, average": both("zlib 9, deflate", "ours, pack"),
        "Decompressing, average": both("zlib 9, inflate", "ours, unpack"),
        "Latent": f"{mean('latent_integers'):,.0f} integers; as text of two decimals "
        f"{mean('text_bytes'):,.0f} bytes, {mean('text_deflated_bytes'):,.0f} deflated",
    }
    for name in METHODS:
        at_rate, at_bytes = (
            pair(lambda row: row[kind][name]) for kind in ("claimed_rate", "equal_bytes")
        )
        found[_method(name)] = f"{at_rate} at that reduction; {at_bytes} in our bytes"
    return found


def _method(name):
    return f"{peers.PEERS[name].label}: PSNR / SSIM"


_CLAIMS = (
    (
        "Reduction of the file, average",
        "89.92 %",
        f"Against PNG. Ours may take at most {BUDGET:,} bytes, the original's mean, so that the "
        "quality below is at its size; zlib then needs more for the same integers.",
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
    (
        "Parameters",
        "2.1 M",
        "Analysis and synthesis together, and all that training alone needs.",
    ),
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

    The latent is counted as text with two decimals, the compressed one is the whole .sdae file.
    """
    measured = results.claims().get(SET, {"pictures": {}, "seconds": {}})
    seconds = zip(*(measured["seconds"].get(name, ()) for name in ("ours, pack", "ours, unpack")))

    def saved(size, row):
        return 100 * (1 - size / row["png_bytes"])

    return [
        (
            name,
            row["png_bytes"],
            row["text_bytes"],
            row["bytes"],
            *pair,
            saved(row["jpeg_top"]["bytes"], row),
            saved(row["bytes"], row),
        )
        for (name, row), pair in list(zip(measured["pictures"].items(), seconds))[:4]
    ]


def markdown(claims: list[Claim]) -> str:
    """The claims as a Markdown table."""
    lines = ["| words | the original says | we measure | why |", "|---|---|---|---|"]
    lines += [
        f"| {c.words} | {c.original} | {c.measured or 'not measured'} | {c.why} |" for c in claims
    ]
    return "\n".join(lines)
