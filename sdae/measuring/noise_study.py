"""The noise study: sets × noise levels × denoisers, ``sdae evaluate --noise``.

    results/noise-<set>.json              the noisy pictures, and ours
    results/noise-<set>-classical.json    classical denoisers, which no weights can change

Gaussian noise is added at known levels. What follows is measured twice, told the true level and
told the one that `sdae.pictures.noise.estimate_sigma` finds; BM3D, a hundred times slower than the
others, is told the true level alone, and so is ours with effort, on small pictures.

Ours restores through the latent, so its bytes are those of a whole .sdae file. The others need a
second step for that: the same noise is taken away and the result compressed by AVIF and WebP.
Such a *chain* is a curve of bytes and quality against the clean picture.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from zlib import crc32

import numpy as np

from sdae.measuring import classical_denoisers, metrics, peers
from sdae.measuring.evaluation import each_missing, warm_codec
from sdae.measuring.results import EFFORT, OURS, Results, at_bits, label, write_pictures
from sdae.pictures import noise

NOISY = "noisy"
SIGMAS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Noise levels, clipped to 8 bits as in a file."""

UNCLIPPED = tuple(level / 255 for level in (15, 25, 50))
"""Noise levels without clipping: those of the literature."""

DENOISERS = ("gaussian", "tv", "nlm", "wavelet", "bm3d")
"""Classical denoisers of `sdae.measuring.classical_denoisers` that are measured beside ours."""

CHAIN_SIGMAS = (0.1, 0.2, 0.3)
CODECS = ("avif", "webp")
"""Levels and peers of the chains."""

THOROUGH = f"{EFFORT}1"
SMALL = 256**2
"""Our codec at effort 1 is measured at the levels of the chains, on pictures of so many pixels."""

PARTS = (OURS, "classical")
"""The parts of the study, each with a file of its own."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Sizes at which chains are compared."""

PROTOCOL = (
    "Gaussian noise of standard deviation sigma on the scale [0, 1]; clipped: rounded and clipped "
    "to 8 bits. Rows of ours are at the highest of the qualities. PSNR over the three channels of "
    "8-bit RGB against the clean picture, SSIM with Gaussian weights (sigma 1.5), mean of "
    "channels. Points of a chain are [bytes of the whole file, PSNR, SSIM], level known, clipped; "
    "at equal bytes a picture counts with the best file that is not larger. Means over pictures."
)


def measure(results: Results, place: Path, set_name: str, part: str, args) -> None:
    """Measure the pictures of a set that a part of the study does not hold yet."""
    if part == OURS:
        options = {"qualities": list(args.qualities)}
        work = partial(_ours, place, tuple(args.qualities))
    else:
        versions(part)  # a missing package is better missed now
        options = {"effort": args.peer_effort}
        work = partial(measure_classical, args.peer_effort)
    stored = results.noise_part(set_name, part)
    known = stored["pictures"] if options.items() <= stored.get("options", {}).items() else {}
    options |= {"stride": args.stride, "jobs": args.jobs}
    for name, found in each_missing(work, known, set_name, part, args):
        known[name] = found
        write(results, set_name, part, options, known)


def measure_ours(codec, qualities: Iterable[float], item: tuple[str, np.ndarray]) -> dict:
    """One picture through our codec, and the noisy picture itself, at every level.

    Args:
        codec: a `sdae.Codec`.
        qualities: 1 to 100; rows are at the highest, the chain has a point for each.
        item: name of the picture, which also seeds its noise, and (H, W, 3) uint8, clean.

    Returns:
        ``rows``: dicts with sigma, clipped, denoiser (ours, with and without effort, or noisy),
        level ("known", "estimated", or None for the noisy picture), strength, psnr (None where it
        is infinite), ssim, and for ours bytes and seconds of processor time; ``chains``: dicts
        with sigma, denoiser, codec, pixels and points.
    """
    rows, chains = [], []
    name, rgb = item

    def restored(cleaned, quality, left, effort):
        latent = codec.encode(cleaned, quality, left, effort)
        return codec.pack(latent, effort), np.asarray(codec.decode(latent))

    for sigma, clipped, noisy in _noisy(name, rgb):
        rows.append(
            _row(rgb, noise.to_8_bits(noise.to_floats(noisy)), sigma, clipped, NOISY, None, sigma)
        )
        told = [(OURS, 0, level, strength) for level, strength in _levels(noisy, sigma)]
        if clipped and sigma in CHAIN_SIGMAS and rgb[..., 0].size <= SMALL:
            told.append((THOROUGH, 1, "known", sigma))
        for denoiser, effort, level, strength in told:
            begun = time.process_time()
            # The same as from the noisy picture at each quality, which is cleaned once here.
            cleaned, left = codec.clean(noisy, strength, effort)
            data, ours = restored(cleaned, max(qualities), left, effort)
            seconds = time.process_time() - begun
            rows.append(
                _row(rgb, ours, sigma, clipped, denoiser, level, strength, seconds)
                | {"bytes": len(data)}
            )
            if clipped and sigma in CHAIN_SIGMAS and level == "known":
                points = [
                    _point(rgb, *restored(cleaned, quality, left, effort)) for quality in qualities
                ]
                chains.append(_chain(rgb, sigma, denoiser, OURS, points))
    return {"rows": rows, "chains": chains}


def measure_classical(effort: str, item: tuple[str, np.ndarray]) -> dict:
    """One picture through the classical denoisers, and from there through the peers.

    Args:
        effort: of the peers, as in `sdae.measuring.peers`.
        item: as for `measure_ours`.

    Returns:
        as `measure_ours`; chains also take the noisy picture as it is.
    """
    rows, chains = [], []
    name, rgb = item
    for sigma, clipped, noisy in _noisy(name, rgb):
        cleaned = {NOISY: noisy}
        for denoiser in DENOISERS:
            for level, strength in _levels(noisy, sigma):
                if level == "estimated" and classical_denoisers.DENOISERS[denoiser].slow:
                    continue
                begun = time.process_time()
                restored = classical_denoisers.denoise(denoiser, noisy, strength)
                seconds = time.process_time() - begun
                rows.append(_row(rgb, restored, sigma, clipped, denoiser, level, strength, seconds))
                if level == "known":
                    cleaned[denoiser] = restored
        if clipped and sigma in CHAIN_SIGMAS:
            for denoiser, restored in cleaned.items():
                for codec in CODECS:
                    files = peers.curve(codec, restored, effort=effort)
                    points = [_point(rgb, file.data, file.rgb) for file in files]
                    chains.append(_chain(rgb, sigma, denoiser, codec, points))
    return {"rows": rows, "chains": chains}


def seed(name: str) -> int:
    """The seed of a picture's noise."""
    return crc32(name.encode())


def _ours(place, qualities, item):
    return measure_ours(warm_codec(place), qualities, item)


def _noisy(name, rgb):
    """(sigma, clipped, noisy picture) at all levels."""
    for clipped, sigmas in ((True, SIGMAS), (False, UNCLIPPED)):
        for sigma in sigmas:
            yield sigma, clipped, noise.add(rgb, sigma, seed=seed(name), clipped=clipped)


def _levels(noisy, sigma):
    return ("known", sigma), ("estimated", noise.estimate_sigma(noisy))


def _row(rgb, restored, sigma, clipped, denoiser, level, strength, seconds=None) -> dict:
    psnr = metrics.psnr(rgb, restored)
    row = {
        "sigma": sigma,
        "clipped": clipped,
        "denoiser": denoiser,
        "level": level,
        "strength": round(float(strength), 5),
        "psnr": round(psnr, 4) if np.isfinite(psnr) else None,
        "ssim": round(metrics.ssim(rgb, restored), 5),
    }
    return row if seconds is None else row | {"seconds": round(seconds, 4)}


def _chain(rgb, sigma, denoiser, codec, points) -> dict:
    return {
        "sigma": sigma,
        "denoiser": denoiser,
        "codec": codec,
        "pixels": rgb.shape[0] * rgb.shape[1],
        "points": points,
    }


def _point(rgb, data, restored) -> list:
    return [len(data), round(metrics.psnr(rgb, restored), 3), round(metrics.ssim(rgb, restored), 4)]


def versions(part: str) -> dict[str, str | None]:
    """Library → version, of everything that takes part; raises PackageNotFoundError."""
    libraries = ["numpy", "scipy", "scikit-image"]
    if part == OURS:
        return {name: version(name) for name in libraries}
    libraries += filter(None, (classical_denoisers.DENOISERS[name].package for name in DENOISERS))
    return peers.versions() | {name: version(name) for name in libraries}


def write(results: Results, set_name: str, part: str, options: dict, pictures: dict) -> None:
    """Write the file of one part of the study; ours names the weights' SHA-256."""
    note = {
        "set": Path(set_name).name,
        "part": part,
        "weights_sha256": results.sha256 if part == OURS else None,
        "options": options,
        "versions": versions(part),
        "date": datetime.date.today().isoformat(),
        "protocol": PROTOCOL,
    }
    write_pictures(results.noise_path(set_name, part), note, pictures)


def mean(rows: list[dict], key: str, **wanted) -> float | None:
    """The mean of a figure over the rows with these values; None where there is none."""
    found = [row[key] for row in rows if all(row[k] == v for k, v in wanted.items())]
    found = [value for value in found if value is not None]
    return float(np.mean(found)) if found else None


def chain_at_bits(chains: list[dict], sizes: Sequence[float], **wanted) -> list[dict | None]:
    """Mean PSNR and SSIM of a chain when every picture may take so many bits a pixel.

    ``wanted`` names sigma, denoiser and codec. One answer for each of ``sizes``; None where some
    picture has no file so small.
    """
    rows = {
        number: [
            {"pixels": chain["pixels"]} | dict(zip(("bytes", "psnr", "ssim"), point))
            for point in chain["points"]
        ]
        for number, chain in enumerate(chains)
        if all(chain[k] == v for k, v in wanted.items())
    }
    return at_bits(rows, sizes) if rows else [None] * len(sizes)


def at_equal_bytes(chains: list[dict], bits: float, **wanted) -> dict[str, float] | None:
    """`chain_at_bits` for one size."""
    return chain_at_bits(chains, [bits], **wanted)[0]


def tables(study: dict, title: str) -> str:
    """A study (`Results.noise`) as Markdown: each level with every denoiser, then the chains."""
    if not study:
        return f"**{title}**: no noise study of these weights\n"
    rows, chains = study["rows"], study["chains"]
    count = len({row["picture"] for row in rows})
    labels = {NOISY: "noisy"} | {name: label(name) for name in (OURS, THOROUGH)}
    labels |= {name: classical_denoisers.DENOISERS[name].label for name in DENOISERS}
    lines = []
    for clipped, level in (
        (True, "known"),
        (True, "estimated"),
        (False, "known"),
        (False, "estimated"),
    ):
        lines += [
            f"**{title}**, {count} pictures, PSNR in dB / SSIM, noise "
            f"{'clipped to 8 bits' if clipped else 'not clipped'}, level {level}",
            "",
            "| sigma | found | " + " | ".join(labels.values()) + " |",
            "|---" * (len(labels) + 2) + "|",
        ]
        for sigma in sorted({row["sigma"] for row in rows if row["clipped"] == clipped}):
            wanted = {"sigma": sigma, "clipped": clipped}
            found = mean(rows, "strength", level="estimated", **wanted)
            cells = [
                _cell(rows, **wanted, denoiser=name, level=None if name == NOISY else level)
                for name in labels
            ]
            lines.append(f"| {_level(sigma, clipped)} | {found:.3f} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += [
        f"**{title}**, {count} pictures, PSNR in dB / SSIM in files of so many bits per pixel, "
        "noise clipped, level known",
        "",
        "| sigma | denoiser | codec | " + " | ".join(map(str, BITS_PER_PIXEL)) + " |",
        "|---" * (len(BITS_PER_PIXEL) + 3) + "|",
    ]
    pairs = [(OURS, OURS), (THOROUGH, OURS)]
    pairs += [(name, codec) for name in (NOISY, *DENOISERS) for codec in CODECS]
    for sigma in CHAIN_SIGMAS:
        for name, codec in pairs:
            found = chain_at_bits(chains, BITS_PER_PIXEL, sigma=sigma, denoiser=name, codec=codec)
            if any(found):
                cells = [f"{f['psnr']:.2f} / {f['ssim']:.3f}" if f else "–" for f in found]
                lines.append(
                    f"| {sigma} | {'none' if name == NOISY else labels[name]} | "
                    f"{label(codec)} | " + " | ".join(cells) + " |"
                )
    return "\n".join(lines) + "\n"


def _cell(rows, **wanted) -> str:
    ssim = mean(rows, "ssim", **wanted)
    if ssim is None:
        return "–"
    psnr = mean(rows, "psnr", **wanted)
    return f"{metrics.decibels(psnr)} / {ssim:.3f}"


def _level(sigma: float, clipped: bool) -> str:
    return f"{sigma:g}" if clipped else f"{255 * sigma:g}/255"
