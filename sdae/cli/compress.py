"""``sdae compress``: pictures into .sdae files, here or on a Dask cluster."""

from __future__ import annotations

import math
from itertools import count

from sdae.cli import arguments, batch, formats, sources, writing
from sdae.cli.arguments import number
from sdae.cli.job import STREAM, Job, Refused
from sdae.coding import container
from sdae.pictures import metadata, reading
from sdae.progress import heed, progress, stage


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
        "work on the Dask cluster whose scheduler is there and whose workers see all these files; "
        "started again, it goes on where it stood"
    )
    parser.add_argument("--dask", metavar="ADDRESS", help=about)


def run(args) -> int:
    """Compress pictures; one line each: bytes in and out, bits per pixel, reduction, PSNR."""
    if not args.dask:
        return batch.run(args, sources.PICTURES, ".sdae", compress, line)
    from sdae.cli import cluster

    return cluster.run(args, compress, line)


def compress(codec, args, job: Job) -> dict:
    """Compress one picture; returns the facts."""
    from sdae.measuring import metrics

    if job.target != STREAM and not formats.is_packed(job.target):
        raise Refused(f"{job.target} is to hold a .sdae file; end its name in .sdae.")
    picture = reading.read(sources.readable(job.source), keep_metadata=args.keep_metadata)
    with progress(label=job.source.name, total=100, unit="%", shown=args.jobs == 1) as bar:
        file = _encode(codec, args, picture, bar)
        # Part by part, for a picture of a hundred megapixels fits into memory once, not twice.
        restored = codec.decompress_parts(file, progress=stage(bar.share, 0.7, 1))
        psnr = metrics.psnr_by_parts(picture.rgb, restored)
    writing.write(job, file)
    height, width = picture.rgb.shape[:2]
    return {
        "file_bytes": picture.file_bytes,
        "bytes": len(file),
        "width": width,
        "height": height,
        "bpp": round(8 * len(file) / (width * height), 4),
        "quality": container.read_header(file)[0].quality,
        "psnr": None if math.isinf(psnr) else round(psnr, 4),
        "notices": list(picture.notices),
    }


def _encode(codec, args, picture, bar) -> bytes:
    """The .sdae file that is asked for, with the picture's metadata; moves a bar of 100 steps."""
    from sdae.measuring import target_search

    rgb, reserved, tries = picture.rgb, len(metadata.section(picture.metadata)), count(1)

    def step():
        heed()
        bar.set_postfix_str(f"try {next(tries)}")  # nobody knows of how many

    try:
        if args.target_bytes is not None:
            # Three more bytes at most state the length of the metadata.
            goal = args.target_bytes - (reserved and reserved + 3)
            if goal < 1:
                raise Refused(f"the metadata alone takes {reserved:,} bytes; leave it out.")
            file = target_search.within_bytes(codec, rgb, goal, step)
        elif args.target_psnr is not None:
            file = target_search.reaching_psnr(codec, rgb, args.target_psnr, step)
        else:
            file = codec.compress(rgb, quality=args.quality, progress=stage(bar.share, 0, 0.7))
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
