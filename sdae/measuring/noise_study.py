"""The noise study: sets × noise levels × denoisers, ``sdae evaluate --noise``.

    noise-<set>.json              the noisy pictures, and ours
    noise-<set>-classical.json    classical denoisers, which no weights can change
    noise-<set>-standard.json     ours by the standard protocol, see `STANDARD`

Gaussian noise of known levels is added to clean pictures. A denoiser restores the picture, then a
codec encodes the restored picture: ours with a network of its own and a .sdae file, the others with
a classical denoiser and AVIF or WebP. Such a *chain* is a curve of bytes and quality against the
clean picture. What a denoiser restores is measured twice, given the true level and given the one
that `sdae.pictures.noise.estimate_sigma` finds; BM3D, a hundred times slower than the others, is
given the true level alone.
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

from sdae.measuring import classical_denoisers, curves, metrics, peer_files, peers
from sdae.measuring.evaluation import Selection, warm_codec
from sdae.measuring.results import OURS, Results, label, write_pictures
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

PARTS = (OURS, "classical")
"""The parts of the study, each with a file of its own."""

STANDARD = {
    "CBM3D": (31.68, 28.46),
    "DnCNN": (32.14, 28.95),
    "FFDNet": (32.13, 28.98),
    "DRUNet": (32.89, 29.86),
}
"""Denoiser → published mean PSNR in dB on the whole pictures of Kodak with unclipped Gaussian noise
of σ 25 and 50 of 255, level known (collected by Zhang et al. 2021, "Plug-and-play image restoration
with deep denoiser prior")."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Sizes at which chains are compared."""

PROTOCOL = (
    "Gaussian noise of standard deviation sigma on the scale [0, 1]; clipped: rounded and clipped "
    "to 8 bits. Rows of ours are at the highest of the qualities. PSNR over the three channels of "
    "8-bit RGB against the clean picture, SSIM with Gaussian weights (sigma 1.5), mean of "
    "channels. Points of a chain are [bytes of the whole file, PSNR, SSIM], level known, clipped; "
    "at equal bytes a picture counts with the best file that is not larger. Means over pictures."
)


def measure(
    results: Results, part: str, selection: Selection, place, qualities, peer_effort: str
) -> None:
    """Measure the pictures of a set that a part of the study does not hold yet.

    Arguments as for `sdae.measuring.evaluation.measure`, and ``part``, one of `PARTS` or "standard".
    """
    set_name = selection.set_name
    if part == "classical":
        versions(part)  # a missing package is better missed now
        options = {"effort": peer_effort}
        work = partial(measure_classical, peer_effort)
    else:
        options = {"qualities": list(qualities)}
        work = partial(_ours, place, tuple(qualities), part == "standard")
    stored = results.noise_part(set_name, part)
    known = stored["pictures"] if options.items() <= stored.get("options", {}).items() else {}
    options = options | {"stride": selection.stride, "jobs": selection.jobs}
    for name, measured in selection.measured(work, known, part):
        known[name] = measured
        write(results, set_name, part, options, known)


def measure_ours(
    codec, qualities: Iterable[float], item: tuple[str, np.ndarray], standard: bool = False
) -> dict:
    """One picture through our denoiser and our codec, and the noisy picture itself, at every level.

    Args:
        codec: a `sdae.Codec`.
        qualities: 1 to 100; rows are at the highest, the chain has a point for each.
        item: name of the picture, which also seeds its noise, and (H, W, 3) uint8, clean.
        standard: only the levels and rows of `STANDARD`.

    Returns:
        ``rows``: dicts with sigma, clipped, denoiser (ours or noisy), level ("known", "estimated",
        or None for the noisy picture), strength, psnr (None where it is infinite), ssim, and for
        ours bytes and seconds of processor time; ``chains``: dicts with sigma, denoiser, codec,
        pixels and points.
    """
    rows, chains = [], []
    name, rgb = item

    def restored(noisy, quality, strength):
        latent = codec.encode(noisy, quality=quality, sigma=strength)
        return codec.pack(latent), np.asarray(codec.decode(latent))

    for sigma, clipped, noisy in _noisy(name, rgb):
        if standard and (clipped or sigma not in UNCLIPPED[1:]):
            continue
        same = noise.to_8_bits(noise.to_floats(noisy))
        rows.append(_row(rgb, same, sigma, clipped, NOISY, None, sigma))
        for level, strength in _levels(noisy, sigma)[: 1 if standard else 2]:
            begun = time.process_time()
            data, ours = restored(noisy, max(qualities), strength)
            seconds = time.process_time() - begun
            row = _row(rgb, ours, sigma, clipped, OURS, level, strength, seconds)
            rows.append(row | {"bytes": len(data)})
        if clipped and sigma in CHAIN_SIGMAS:
            points = [_point(rgb, *restored(noisy, quality, sigma)) for quality in qualities]
            chains.append(_chain(rgb, sigma, OURS, OURS, points))
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
                    files = peer_files.files(codec, restored, effort=effort)
                    points = [_point(rgb, file.data, file.rgb) for file in files]
                    chains.append(_chain(rgb, sigma, denoiser, codec, points))
    return {"rows": rows, "chains": chains}


def seed(name: str) -> int:
    """The seed of a picture's noise."""
    return crc32(name.encode())


def _ours(place, qualities, standard, item):
    return measure_ours(warm_codec(place), qualities, item, standard)


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
    pixels = rgb.shape[0] * rgb.shape[1]
    names = {"sigma": sigma, "denoiser": denoiser, "codec": codec}
    return names | {"pixels": pixels, "points": points}


def _point(rgb, data, restored) -> list:
    return [len(data), round(metrics.psnr(rgb, restored), 3), round(metrics.ssim(rgb, restored), 4)]


def versions(part: str) -> dict[str, str | None]:
    """Library → version, of everything that takes part; raises PackageNotFoundError."""
    libraries = ["numpy", "scipy", "scikit-image"]
    if part != "classical":
        return {name: version(name) for name in libraries}
    libraries += filter(None, (classical_denoisers.DENOISERS[name].package for name in DENOISERS))
    return peers.versions() | {name: version(name) for name in libraries}


def write(results: Results, set_name: str, part: str, options: dict, pictures: dict) -> None:
    """Write the file of one part of the study; ours name the weights' SHA-256."""
    note = {
        "set": Path(set_name).name,
        "part": part,
        "weights_sha256": None if part == "classical" else results.sha256,
        "options": options,
        "versions": versions(part),
        "date": datetime.date.today().isoformat(),
        "protocol": PROTOCOL,
    }
    write_pictures(results.noise_path(set_name, part), note, pictures)


def mean(rows: list[dict], key: str, **wanted) -> float | None:
    """The mean of a figure over the rows with these values; None where there is none."""
    values = [row[key] for row in rows if all(row[k] == v for k, v in wanted.items())]
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


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
    return curves.at_bits(rows, sizes) if rows else [None] * len(sizes)


def tables(study: dict, title: str) -> str:
    """A study (`Results.noise`) as Markdown: each level with every denoiser, then the chains."""
    if not study:
        return f"**{title}**: no noise study of these weights\n"
    rows, chains = study["rows"], study["chains"]
    about = f"**{title}**, {len({row['picture'] for row in rows})} pictures, PSNR in dB / SSIM"
    labels = {OURS: label(OURS)}
    labels |= {name: classical_denoisers.DENOISERS[name].label for name in DENOISERS}
    columns = [("noisy", NOISY, None), ("SDAE, level estimated", OURS, "estimated")]
    columns += [(text, name, "known") for name, text in labels.items()]
    lines = []
    for clipped in True, False:
        where = "clipped to 8 bits" if clipped else "not clipped"
        lines += [f"{about}, noise {where}, level known where nothing else is said", ""]
        lines += _head("sigma", *(text for text, *_ in columns))
        for sigma in sorted({row["sigma"] for row in rows if row["clipped"] == clipped}):
            wanted = {"sigma": sigma, "clipped": clipped}
            cells = [
                _cell(rows, denoiser=name, level=level, **wanted) for _, name, level in columns
            ]
            lines.append(_line(f"{sigma:g}" if clipped else f"{255 * sigma:g}/255", *cells))
        lines.append("")
    lines += [f"{about} in files of so many bits per pixel, noise clipped, level known", ""]
    lines += _head("sigma", "denoiser", "codec", *map(str, BITS_PER_PIXEL))
    pairs = [(OURS, OURS), *((name, codec) for name in (NOISY, *DENOISERS) for codec in CODECS)]
    for sigma in CHAIN_SIGMAS:
        for name, codec in pairs:
            means = chain_at_bits(chains, BITS_PER_PIXEL, sigma=sigma, denoiser=name, codec=codec)
            if any(means):
                cells = [f"{f['psnr']:.2f} / {f['ssim']:.3f}" if f else "–" for f in means]
                lines.append(_line(str(sigma), labels.get(name, "none"), label(codec), *cells))
    return "\n".join(lines) + "\n"


def standard(results: Results, set_name: str = "kodak") -> str:
    """Ours by the standard protocol beside the published figures, as Markdown."""
    pictures = results.noise_part(set_name, "standard")["pictures"]
    rows = [row for picture in pictures.values() for row in picture["rows"]]
    lines = _head(f"{len(pictures)} pictures, PSNR in dB", "σ 25/255", "σ 50/255")
    lines += [
        _line(name, *(f"{psnr:.2f}" for psnr in published)) for name, published in STANDARD.items()
    ]
    ours = [mean(rows, "psnr", denoiser=OURS, sigma=sigma) for sigma in UNCLIPPED[1:]]
    lines.append(_line(label(OURS), *("–" if psnr is None else f"{psnr:.2f}" for psnr in ours)))
    return "\n".join(lines) + "\n"


def _head(*cells) -> list[str]:
    return [_line(*cells), "|---" * len(cells) + "|"]


def _line(*cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(rows, **wanted) -> str:
    ssim = mean(rows, "ssim", **wanted)
    if ssim is None:
        return "–"
    return f"{metrics.decibels(mean(rows, 'psnr', **wanted))} / {ssim:.3f}"
