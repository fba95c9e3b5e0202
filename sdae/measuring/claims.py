"""What the original work states, and what we measure under the same words: ``sdae claims``.

The original (DeepImageCompressor, and the later write-up of it as auto-encoder-compressor) is a
stacked denoising autoencoder whose latent goes through Deflate, measured on Kodak scaled to
128×128. Here every picture is compressed into at most as many bytes as its four listed pictures
take on average, in proportion to the pixels, so that quality is compared at its own size:

    results/claims.json    for each set the rows of all pictures, and times of packing

Times are processor time, taken after everything else.
"""

from __future__ import annotations

import datetime
import json
import zlib
from dataclasses import dataclass

import numpy as np

from sdae import weights
from sdae.measuring import peers, target_search
from sdae.measuring.evaluation import quality, warm_codec
from sdae.measuring.results import OURS, PROTOCOL, Results
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

METHODS = {
    "jpeg": (43.07, 0.75, 26.2),
    "jpeg2000": (52.1, 0.78, 27.1),
    "webp": (58.3, 0.80, 27.8),
    "sdae": (89.92, 0.82, 28.5),
}
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
    budget = BUDGET * rgb.shape[0] * rgb.shape[1] // 128**2
    data = target_search.within_bytes(codec, rgb, budget)
    latent = codec.unpack(data)
    text = " ".join(f"{value:.2f}" for value in latent.values.ravel()).encode()
    png_bytes = len(reading.png(rgb))
    row = {
        "png_bytes": png_bytes,
        "bytes": len(data),
        "setting": latent.quality,
        **quality(rgb, np.asarray(codec.decode(latent))),
        "plain_bytes": len(codec.pack(latent, plain=True)),
        "latent_integers": latent.values.size,
        "text_bytes": len(text),
        "text_deflated_bytes": len(zlib.compress(text, 9)),
        "jpeg_top": _peer(rgb, peers.curve("jpeg", rgb, [100])[-1]),
        "equal_bytes": {
            name: _peer(rgb, peers.at_bytes(name, rgb, len(data))) for name in peers.PEERS
        },
        "claimed_rate": {
            name: _peer(rgb, peers.at_bytes(name, rgb, int(png_bytes * (1 - reduction / 100))))
            for name, (reduction, *_) in METHODS.items()
            if name in peers.PEERS
        },
    }
    return row, data


def _peer(rgb, found):
    return found and {
        "settings": found.settings,
        "bytes": len(found.data),
        **quality(rgb, found.rgb),
        "encode_seconds": round(found.encode_seconds, 5),
        "decode_seconds": round(found.decode_seconds, 5),
    }


def times(place, files: list[bytes]) -> dict[str, list[float]]:
    """Seconds of `packing.times` for each .sdae file: packing and unpacking, ours and zlib's."""
    import sdae
    from sdae.measuring import packing

    codec, found = sdae.load(place), {}
    for data in files:
        latent = codec.unpack(data)
        code = round(100 * latent.quality)
        for name, seconds in packing.times([latent.values], code, codec.tables).items():
            found.setdefault(name, []).append(round(seconds, 7))
    return found


def write(results: Results, set_name: str, measured: dict) -> None:
    """Put one set into ``claims.json``; other sets stay if they are of the same weights."""
    note = {
        "weights_sha256": results.sha256,
        "budget_bytes": BUDGET,
        "versions": peers.versions(),
        "date": datetime.date.today().isoformat(),
        "protocol": PROTOCOL,
        "sets": results.claims() | {set_name: measured},
    }
    results.folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(note, indent=1) + "\n"
    weights.replace(results.folder / "claims.json", text.encode())


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
    """The original's numbers beside ours, from ``claims.json`` and the noise study of `SET`.

    Args:
        results: what is measured.
        card: of the weights.
    """
    measured = results.claims().get(SET)
    rows = list(measured["pictures"].values()) if measured else []
    seconds = measured["seconds"] if measured else {}

    def mean(value):
        return float(np.mean([value(row) for row in rows]))

    def rate(size):
        return 100 * mean(lambda row: 1 - size(row) / row["png_bytes"])

    def when(condition, text):
        return text() if condition else None

    def pair(get):
        found = [row for row in rows if get(row)]
        psnr, ssim = (np.mean([get(row)[key] for row in found]) for key in ("psnr", "ssim"))
        return f"{psnr:.1f} dB / {ssim:.2f}"

    claims = [
        Claim(
            "Reduction of the file, average",
            "89.92 %",
            when(
                rows,
                lambda: (
                    f"{rate(lambda r: r['bytes']):.2f} % as .sdae, "
                    f"{rate(lambda r: r['plain_bytes']):.2f} % as int8 and zlib"
                ),
            ),
            f"Against PNG. Ours is told to take at most {BUDGET:,} bytes, the original's mean, so "
            "that the quality below is at its size; zlib then needs more for the same integers.",
        ),
        Claim(
            "Reduction by JPEG, average",
            "43.07 %",
            when(
                rows,
                lambda: (
                    f"{rate(lambda r: r['jpeg_top']['bytes']):.2f} % at quality 100, "
                    f"{pair(lambda r: r['jpeg_top'])}"
                ),
            ),
            "A JPEG that large is nearly lossless and no rival at that size; the original's must "
            "have been near top quality too. The rows below give JPEG as many bytes as ours.",
        ),
        Claim(
            "Reconstruction accuracy",
            "76 %",
            when(
                rows,
                lambda: (
                    f"{100 * mean(lambda r: r['accuracy']):.1f} %; "
                    f"{100 * mean(lambda r: r['within_8']):.1f} % of samples within ±8"
                ),
            ),
            "The share of pixels whose largest channel stays the largest. It ignores brightness, "
            "so a picture can score well and look wrong; the second figure does not.",
        ),
        Claim(
            "PSNR",
            "28.5 dB",
            when(rows, lambda: f"{mean(lambda r: r['psnr']):.2f} dB"),
            "At the original's bytes, header included; another network, trained with its rate.",
        ),
        Claim(
            "SSIM",
            "0.82",
            when(rows, lambda: f"{mean(lambda r: r['ssim']):.3f}"),
            "The same pictures as above; window of the SSIM paper.",
        ),
    ]
    for name, (reduction, ssim, psnr) in METHODS.items():
        if name not in peers.PEERS:
            continue
        claims.append(
            Claim(
                f"{peers.PEERS[name].label}: PSNR / SSIM",
                f"{psnr} dB / {ssim:.2f} at {reduction} %",
                when(
                    rows,
                    lambda: (
                        f"{pair(lambda r: r['claimed_rate'][name])} at that reduction; "
                        f"{pair(lambda r: r['equal_bytes'][name])} in our bytes"
                    ),
                ),
                "Size and quality of the original cannot belong to one file: at that size the picture "
                "is far better, and for that quality the file is far smaller.",
            )
        )
    noisy = _noise(results)
    claims += [
        Claim(
            "Compressing, average",
            "1.47 ms",
            when(
                seconds,
                lambda: (
                    f"{_milli(seconds, 'zlib 9, deflate')} zlib, "
                    f"{_milli(seconds, 'ours, pack')} ours"
                ),
            ),
            "Deflate alone, without the network, of one latent. The original packs fewer values; "
            "ours also computes contexts.",
        ),
        Claim(
            "Decompressing, average",
            "42.62 µs",
            when(
                seconds,
                lambda: (
                    f"{_milli(seconds, 'zlib 9, inflate')} zlib, "
                    f"{_milli(seconds, 'ours, unpack')} ours"
                ),
            ),
            "Inflate alone, without the network, of one latent.",
        ),
        Claim(
            "Parameters",
            "2.1 M",
            f"{card['parameters'] / 1e6:.2f} M",
            "Analysis and synthesis together, and all that training alone needs.",
        ),
        Claim(
            "Latent",
            "11,424 elements",
            when(
                rows,
                lambda: (
                    f"{mean(lambda r: r['latent_integers']):,.0f} integers; as text of "
                    f"two decimals {mean(lambda r: r['text_bytes']):,.0f} bytes, "
                    f"{mean(lambda r: r['text_deflated_bytes']):,.0f} deflated"
                ),
            ),
            "11,424 is the mean size in bytes: 2,048 values as text of two decimals. Ours has more "
            "values, most of them zero.",
        ),
    ]
    for sigma, (before, after) in NOISE.items():
        found = noisy.get(sigma)
        claims.append(
            Claim(
                f"Noise σ {sigma}: PSNR in → out",
                f"{before} → {after} dB",
                found and f"{found[0]:.1f} → {found[1]:.1f} dB",
                "Clipped to 8 bits as in a file; our network is told the level.",
            )
        )
    return claims


def four_rows(results: Results) -> list[tuple]:
    """Rows as in `FOUR_ROWS` for the first four pictures of `SET`, its name before; maybe empty.

    The latent is counted as text with two decimals, the compressed one is the whole .sdae file.
    """
    measured = results.claims().get(SET, {"pictures": {}, "seconds": {}})
    seconds = zip(*(measured["seconds"].get(name, ()) for name in ("ours, pack", "ours, unpack")))
    return [
        (
            name,
            row["png_bytes"],
            row["text_bytes"],
            row["bytes"],
            pack,
            unpack,
            100 * (1 - row["jpeg_top"]["bytes"] / row["png_bytes"]),
            100 * (1 - row["bytes"] / row["png_bytes"]),
        )
        for (name, row), (pack, unpack) in list(zip(measured["pictures"].items(), seconds))[:4]
    ]


def markdown(claims: list[Claim]) -> str:
    """The claims as a Markdown table."""
    lines = ["| words | the original says | we measure | why |", "|---|---|---|---|"]
    lines += [
        f"| {c.words} | {c.original} | {c.measured or 'not measured'} | {c.why} |" for c in claims
    ]
    return "\n".join(lines)


def _milli(seconds, name):
    return f"{1000 * np.mean(seconds[name]):.2f} ms"


def _noise(results):
    """Noise level → mean PSNR before and after, where the level is known."""
    rows = results.noise(SET).get("rows", ())
    found = {}
    for sigma in NOISE:
        before, after = (
            [
                r["psnr"]
                for r in rows
                if r["sigma"] == sigma
                and r["denoiser"] == name
                and r["level"] == level
                and r.get("clipped", True)
            ]
            for name, level in (("noisy", None), (OURS, "known"))
        )
        if before and after:
            found[sigma] = float(np.mean(before)), float(np.mean(after))
    return found
