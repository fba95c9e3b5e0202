"""``sdae compress``: pictures into .sdae files, here or on a Dask cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import sdae
from sdae.cli import arguments, batch, formats, sources, targets, writing
from sdae.cli.arguments import number
from sdae.cli.job import Job, Refused
from sdae.coding import container
from sdae.pictures import metadata, reading
from sdae.progress import heed, progress, stage


@dataclass(frozen=True)
class Settings:
    """What decides the content of a file, beside the picture and the weights; see the options."""

    quality: float = 75
    target_bytes: int | None = None
    target_psnr: float | None = None
    keep_metadata: bool = False


def add_arguments(parser) -> None:
    """The options of ``sdae compress``."""
    arguments.add_files(parser, "picture files", ".jpg")
    target = parser.add_mutually_exclusive_group()
    about = "1 (smallest file) to 100 (closest picture) (default: 75)"
    level = number(float, 1, 100)
    target.add_argument("--quality", type=level, default=75, metavar="Q", help=about)
    about = "the closest picture whose whole file has at most N bytes"
    target.add_argument("--target-bytes", type=number(int, 1), metavar="N", help=about)
    about = "the smallest file whose picture has at least DB decibels"
    target.add_argument("--target-psnr", type=level, metavar="DB", help=about)
    arguments.add_metadata(parser)
    about = (
        "work on the Dask cluster whose scheduler is there; the last PATH is then the output "
        "folder, and all of them must lie where its workers see them; started again, it goes on "
        "where it stood"
    )
    parser.add_argument("--dask", metavar="ADDRESS", help=about)


def run(args) -> int:
    """Compress pictures; one line each: bytes in and out, bits per pixel, reduction, PSNR."""
    settings = Settings(args.quality, args.target_bytes, args.target_psnr, args.keep_metadata)
    if args.dask:
        from sdae.cli import compress_on_cluster

        paths = [*args.paths, *([Path(args.output)] if args.output else [])]
        facts, total, left_out = compress_on_cluster.compress_all(
            args.dask, paths, compress, settings, args.weights, args.force
        )
    else:
        jobs, left_out = targets.jobs(
            args.paths, sources.pictures, ".sdae", args.output, args.force
        )
        work = partial(compress, sdae.load(args.weights), settings, shown=args.jobs == 1)
        facts, total = batch.each(jobs, work, args.jobs), len(jobs)
    return batch.report(facts, total, "compress", line, args.json) or int(left_out)


def compress(codec, settings: Settings, job: Job, shown: bool = False) -> dict:
    """Compress one picture; returns the facts. `shown` says whether its progress is."""
    from sdae.measuring import metrics

    formats.check_packed(job.target)
    picture = reading.read(sources.readable(job.source), keep_metadata=settings.keep_metadata)
    with progress(label=job.source.name, total=100, unit="%", shown=shown) as bar:
        file = _encode(codec, settings, picture, bar)
        # Part by part, for a picture of a hundred megapixels fits into memory once, not twice.
        restored = codec.decompress_parts(file, progress=stage(bar.share, 0.7, 1))
        psnr = metrics.psnr_by_parts(picture.rgb, restored)
    writing.write(job, file)
    height, width = picture.rgb.shape[:2]
    return {
        "file": str(job.source),
        "target": str(job.target),
        "file_bytes": picture.file_bytes,
        "bytes": len(file),
        "width": width,
        "height": height,
        "bpp": round(8 * len(file) / (width * height), 4),
        "quality": container.read_header(file)[0].quality,
        "psnr": None if math.isinf(psnr) else round(psnr, 4),
        "notices": list(picture.notices),
    }


def _encode(codec, settings: Settings, picture, bar) -> bytes:
    """The .sdae file that is asked for, with the picture's metadata; moves a bar of 100 steps."""
    from sdae.measuring import target_search

    reserved = len(formats.section(picture.metadata))
    tries = count(1)

    def step():
        heed()
        bar.set_postfix_str(f"try {next(tries)}")  # nobody knows of how many

    if settings.target_bytes is not None:
        # Three more bytes at most state the length of the metadata.
        goal = settings.target_bytes - (reserved and reserved + 3)
        if goal < 1:
            raise Refused(f"the metadata alone takes {reserved:,} bytes; leave it out.")
        search = partial(target_search.within_bytes, codec, picture.rgb, goal, step=step)
    elif settings.target_psnr is not None:
        goal = settings.target_psnr
        search = partial(target_search.reaching_psnr, codec, picture.rgb, goal, step=step)
    else:
        report = stage(bar.share, 0, 0.7)
        search = partial(codec.compress, picture.rgb, quality=settings.quality, progress=report)
    try:
        file = search()
    except target_search.TargetError as error:
        raise Refused(error) from error
    return metadata.attach(file, picture.metadata) if reserved else file


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    from sdae.measuring import metrics

    change = fact["bytes"] / fact["file_bytes"] - 1
    return (
        f"{fact['file']}: {fact['file_bytes']:,} -> {fact['bytes']:,} bytes, {fact['bpp']:.3f} bpp, "
        f"{abs(change):.1%} {'larger' if change > 0 else 'smaller'}, "
        f"PSNR {metrics.decibels(fact['psnr'])} dB"
    )
