"""``sdae compress``: pictures into .sdae files, here or on a Dask cluster."""

from __future__ import annotations

import math
from functools import partial

from sdae.cli import files, sources, writing
from sdae.cli.arguments import number
from sdae.cli.job import Job, Refused
from sdae.coding import container
from sdae.pictures import metadata


def add_arguments(parser) -> None:
    """The options of ``sdae compress``."""
    files.add_arguments(parser, "picture files")
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        "--quality",
        type=number(float, 1, 100),
        default=75,
        metavar="Q",
        help="1 (smallest file) to 100 (closest picture), default 75",
    )
    target.add_argument(
        "--target-bytes",
        type=number(int, 1),
        metavar="N",
        help="the closest picture whose whole file has at most N bytes",
    )
    target.add_argument(
        "--target-psnr",
        type=number(float, 1, 100),
        metavar="DB",
        help="the smallest file whose picture has at least DB decibels",
    )
    parser.add_argument(
        "--effort",
        type=number(int, 0, 10),
        default=0,
        metavar="E",
        help="0 (fast, default) to 10 (slow): fewer bytes for a picture as close",
    )
    parser.add_argument(
        "--keep-metadata",
        action="store_true",
        help="keep Exif data, places and times among it, and the colour profile "
        "with its colours; otherwise they go and colours become sRGB",
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="work on the Dask cluster whose scheduler is there; the last PATH is "
        "then the output folder, and all of them must lie where its workers "
        "see them; started again, it goes on where it stood",
    )


def run(args) -> int:
    """Compress pictures; one line each: bytes in and out, bits per pixel, reduction, PSNR."""
    if args.dask:
        from sdae.cli import compress_on_cluster

        return compress_on_cluster.run(args, compress, line)
    found = files.jobs(args, sources.PICTURES, ".sdae", (".sdae",))
    work = partial(compress, files.load(args), args, bars=args.jobs == 1)
    return files.each(found, args, "compress", work, line)


def compress(codec, args, job: Job, bars: bool = False) -> dict:
    """Compress one picture by the options; returns the facts. `bars` shows its progress."""
    picture = files.read_picture(job.source, args.keep_metadata)
    section = files.section(picture.metadata)
    file = _encode(codec, args, picture.rgb, len(section), job.source.name if bars else None)
    if section:
        file = metadata.attach(file, picture.metadata)
    height, width = picture.rgb.shape[:2]
    from sdae.measuring import metrics

    # Part by part, for a picture of a hundred megapixels fits into memory once, not twice.
    restored = codec.decompress_parts(file)
    psnr = metrics.psnr_by_parts(picture.rgb, restored)
    writing.write(job, file)
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


def _encode(codec, args, rgb, reserved: int, label: str | None) -> bytes:
    """The .sdae file that the options ask for, `reserved` bytes smaller than they allow."""
    from sdae.measuring import target_search

    if args.target_bytes is None and args.target_psnr is None:
        with files.bar(label, 100, "%") as bar:
            return codec.compress(
                rgb, args.quality, args.effort, lambda share: bar.update(round(100 * share) - bar.n)
            )
    if args.target_bytes is not None:
        # Three more bytes at most state the length of the metadata.
        find, goal = target_search.within_bytes, args.target_bytes - (reserved and reserved + 3)
        if goal < 1:
            raise Refused(f"the metadata alone takes {reserved:,} bytes; leave it out.")
    else:
        find, goal = target_search.reaching_psnr, args.target_psnr
    with files.bar(label, None, "try") as bar:
        try:
            return find(codec, rgb, goal, args.effort, bar.update)
        except target_search.TargetError as error:
            raise Refused(error) from error


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    from sdae.measuring import metrics

    change = fact["bytes"] / fact["file_bytes"] - 1
    return (
        f"{fact['file']}: {fact['file_bytes']:,} -> {fact['bytes']:,} bytes, "
        f"{8 * fact['bytes'] / (fact['width'] * fact['height']):.3f} bpp, "
        f"{abs(change):.1%} {'larger' if change > 0 else 'smaller'}, "
        f"PSNR {metrics.decibels(fact['psnr'])} dB"
    )
