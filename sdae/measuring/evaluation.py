"""Sets × codecs × qualities → one results file each: ``sdae evaluate``.

Measurements are kept as they come, so an interrupted run continues where it stood. Times are
processor time, which a busy machine does not stretch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from sdae.measuring import curves, kodak, metrics, peer_files
from sdae.measuring.results import OURS, Results, common, label
from sdae.pictures import reading
from sdae.progress import progress

QUALITIES = (1, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 90, 100)
"""Settings of our own curve."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Sizes at which codecs are compared at equal bytes."""


def measure(
    results: Results,
    set_name: str,
    study: str,
    codec_name: str,
    work: Callable,
    stride: int = 1,
) -> None:
    """Measure what the results do not hold yet of a set, under a bar.

    Args:
        results: where they are kept, under the name of the set after `study`.
        set_name: of a Kodak set, or a folder of pictures.
        codec_name: who is measured.
        work: function of the name of a picture and its pixels, (H, W, 3) uint8 → what is kept.
        stride: one picture in so many is taken.

    Raises:
        ImageError: a picture of the folder cannot be read; it is named.
    """
    if set_name in kodak.SETS:
        every, total = kodak.pictures(set_name), kodak.SETS[set_name]
    else:
        from sdae.training import photographs

        paths = photographs.photographs([set_name])
        every, total = ((path.stem, reading.named(path)) for path in paths), len(paths)
    kept_as = study + Path(set_name).name
    known = results.rows(kept_as, codec_name)
    with progress(
        label=f"{kept_as} {codec_name}", total=-(-total // stride), unit="picture"
    ) as bar:
        for name, rgb in islice(every, 0, None, stride):
            if name not in known:
                results.add(kept_as, codec_name, name, work(name, rgb), {"stride": stride})
            bar.update()


def quality(rgb, restored) -> dict:
    """The figures of one restored picture, rounded to what is worth keeping."""
    psnr = metrics.psnr(rgb, restored)
    row = {
        "psnr": round(min(psnr, 100.0), 4),  # identical pictures have no finite one
        "ssim": round(metrics.ssim(rgb, restored), 5),
        "accuracy": round(metrics.accuracy(rgb, restored), 4),
    }
    if min(rgb.shape[:2]) >= metrics.MS_SSIM_SIDE:
        row["ms_ssim"] = round(metrics.ms_ssim(rgb, restored), 5)
    return row


def measure_ours(codec, name, rgb) -> list[dict]:
    """A `sdae.Codec` on one picture at every quality."""
    size = {"pixels": rgb.shape[0] * rgb.shape[1], "png_bytes": len(reading.png(rgb))}
    rows = []
    for setting in QUALITIES:
        begun = time.process_time()
        latent = codec.encode(rgb, quality=setting)
        data = codec.pack(latent)
        encoded = time.process_time()
        restored = np.asarray(codec.decompress(data))
        times = {
            "encode_seconds": round(encoded - begun, 4),
            "decode_seconds": round(time.process_time() - encoded, 4),
        }
        sizes = {
            "bytes": len(data),
            "latent_bytes": latent.values.size,
            "plain_bytes": len(codec.pack(latent, plain=True)),
        }
        rows.append({"setting": setting, **size, **sizes, **quality(rgb, restored), **times})
    return rows


def measure_peer(codec_name, name, rgb) -> list[dict]:
    """A peer on one picture, every variant along its curve."""
    return [
        {
            "setting": file.settings,
            "variant": file.variant,
            "pixels": rgb.shape[0] * rgb.shape[1],
            "bytes": len(file.data),
            **quality(rgb, file.rgb),
            "encode_seconds": round(file.encode_seconds, 4),
            "decode_seconds": round(file.decode_seconds, 4),
        }
        for file in peer_files.files(codec_name, rgb)
    ]


def table(results: Results, set_name: str, sizes: Sequence[float] = BITS_PER_PIXEL) -> str:
    """The table at equal bytes and the BD-rates of a set, as Markdown; the best PSNR in bold.

    Only pictures count that every codec with results has measured. ``sizes`` are bits per pixel.
    """
    rows = common(results, set_name)
    count = len(next(iter(rows.values()), ()))
    lines = [f"**{Path(set_name).name}**, {count} pictures, PSNR in dB / SSIM at equal bytes", ""]
    if not count:
        return lines[0]
    lines.append("| bits per pixel | " + " | ".join(map(label, rows)) + " |")
    lines.append("|---" * (len(rows) + 1) + "|")
    means = [curves.at_bits(pictures, sizes) for pictures in rows.values()]
    for bits, cells in zip(sizes, zip(*means)):
        if any(cells):
            texts = [f"{c['psnr']:.2f} / {c['ssim']:.3f}" if c else "–" for c in cells]
            if sum(map(bool, cells)) > 1:
                best = max(range(len(cells)), key=lambda k: cells[k]["psnr"] if cells[k] else 0)
                texts[best] = f"**{texts[best]}**"
            lines.append(f"| {bits} | " + " | ".join(texts) + " |")
    others = [name for name in rows if name != OURS] if OURS in rows else []
    for key, name in curves.MEASURES.items():
        rates = [curves.bd_rate(rows[OURS], rows[other], key) for other in others]
        if any(rate is not None for rate in rates):
            shown = " | ".join("–" if rate is None else percent(rate) for rate in rates)
            lines.append(f"| BD-rate of SDAE, {name}, % | – | {shown} |")
    return "\n".join(lines)


def percent(change: float) -> str:
    """A change in percent as people read it, such as −4.1."""
    return f"{change:+.1f}".replace("-", "−")
