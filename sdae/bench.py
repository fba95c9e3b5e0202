"""Benchmarks: ``python -m sdae bench``, ``python -m sdae bench coder FOLDER``.

``codec``, which is meant where none is named, measures whole files, see `sdae.speed`.

``coder`` measures the latent coder alone, on the latents that the network makes of a folder of
pictures: mean bytes beside other ways to pack the same integers, and times. The ideal coders write
no tables and need not round to whole bits; their statistics are those of all latents of one quality
together:

- static: one table a channel;
- contexts: one table a bucket of the finest layout, the same information that our coder has.
"""

import statistics
import sys
import time
import zlib
from pathlib import Path

import numpy as np

from sdae import data, deflate, images, latents, layouts
from sdae.progress import progress, say

_REPEATS = 15


def add_arguments(parser) -> None:
    """The options of ``sdae bench``."""
    parser.set_defaults(bench=None, sizes=None, rounds=3, photo=None, weights=None)
    benches = parser.add_subparsers(dest="bench", metavar="BENCH")
    whole = benches.add_parser("codec", help="time and memory of whole files beside Pillow's codecs")
    whole.add_argument("--sizes", nargs="+", type=_size, metavar="WxH",
                       help="default 128x128 768x512 4000x3000")
    whole.add_argument("--rounds", type=int, default=3, help="turns that count, default 3")
    whole.add_argument("--photo", type=Path, help="a picture file, default a sample")
    whole.add_argument("--weights", help="name or folder of the weights (default: the shipped)")
    coder = benches.add_parser("coder", help="bytes and times of the latent coder")
    coder.add_argument("photos", nargs="+", help="folders of pictures")
    coder.add_argument(
        "--view",
        choices=("thumb", "tiles", "whole"),
        default="thumb",
        help="centre square scaled to 128×128, all 128×128 tiles, or pictures as they are",
    )
    coder.add_argument("--qualities", type=float, nargs="+", default=[25, 50, 75])
    coder.add_argument("--weights", help="name or folder of the weights (default: the shipped)")


def run(args) -> int:
    """Run a benchmark and print its table. Returns an exit code."""
    if args.bench != "coder":
        return _codec(args)
    import sdae

    try:
        pictures = [images.read(path).rgb for path in data.photographs(args.photos)]
        codec = sdae.load(args.weights)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    views = {
        "thumb": lambda rgb: [images.thumb(rgb)],
        "tiles": images.tiles,
        "whole": lambda rgb: [rgb],
    }
    parts = [part for rgb in pictures for part in views[args.view](rgb)]
    for quality in args.qualities:
        with progress(parts, f"quality {quality:g}", unit="picture") as bar:
            values = [codec.encode(part, quality).values for part in bar]
        print(f"quality {quality:g}, {len(values)} latents ({args.view})")
        for line in coder(values, round(100 * quality), codec.tables):
            print("  " + line)
    return 0


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def _codec(args) -> int:
    from sdae import speed

    sizes = args.sizes or speed.SIZES
    with progress(label="bench", total=len(sizes) * len(speed.CODECS) * (args.rounds + 1),
                  unit="turn") as bar:
        for size in sizes:
            found = speed.measure(size, args.rounds, args.photo, args.weights, bar.update)
            say(f"{size[0]}×{size[1]}, medians of {args.rounds}; ratio: SDAE's time over the codec's")
            for line in speed.table(found):
                say("  " + line)
    return 0


def coder(values, quality_code: int, tables) -> list[str]:
    """Mean bytes and median times of the ways to pack latents, as lines of a table.

    Args:
        values: list of (h, w, C) int16.
        quality_code: quality in hundredths.
        tables: the context tables.
    """
    raw = [_int8(v) for v in values]
    packed = {
        "int8, not packed": [len(r) for r in raw],
        "zlib 9": [len(zlib.compress(r, 9)) for r in raw],
        "best zlib strategy": [_best_zlib(v) for v in values],
        "ours, effort 0": [len(latents.encode(v, quality_code, tables)) for v in values],
        "ours, effort 1": [len(latents.encode(v, quality_code, tables, 1)) for v in values],
        "ideal, static per channel": [ideal_static(values)],
        "ideal, our contexts": [ideal_contexts(values, quality_code, tables)],
    }
    reference = statistics.mean(packed["zlib 9"])
    lines = []
    for name, sizes in packed.items():
        size = statistics.mean(sizes)
        lines.append(f"{name:28}{size:12,.1f} bytes {100 * (size / reference - 1):+8.1f} %")
    sample = values[: max(1, min(len(values), 600_000 // values[0].size))]
    for name, seconds in times(sample, quality_code, tables).items():
        lines.append(f"{name:28}{1000 * seconds:12,.3f} ms")
    return lines


def times(values, quality_code: int, tables) -> dict[str, float]:
    """Median seconds a latent of packing and unpacking, ours and zlib's."""
    found = {}
    for v in values:
        raw = _int8(v)
        deflated = zlib.compress(raw, 9)
        payload = latents.encode(v, quality_code, tables)
        works = {
            "zlib 9, deflate": lambda: zlib.compress(raw, 9),
            "zlib 9, inflate": lambda: zlib.decompress(deflated),
            "ours, pack": lambda: latents.encode(v, quality_code, tables),
            "ours, unpack": lambda: latents.decode(payload, *v.shape[:2], quality_code, tables),
        }
        for name, work in works.items():
            found.setdefault(name, []).append(_seconds(work))
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def ideal_static(values) -> float:
    """Mean bytes of an ideal coder with one table a channel, fitted to all latents together."""
    rows = np.concatenate([v.reshape(-1, v.shape[2]) for v in values])
    tallies = (np.unique(channel, return_counts=True)[1] for channel in rows.T)
    return sum(float(layouts.entropy(t)) for t in tallies) / 8 / len(values)


def ideal_contexts(values, quality_code: int, tables) -> float:
    """Mean bytes of an ideal coder with one table a bucket of the finest layout."""
    finest = tables.buckets[tables.buckets.max((1, 2)).argmax()].ravel().astype("int64")
    pairs = []
    for v in values:
        cell, rank = latents.survey(v, quality_code, tables, v.shape[2])
        pairs.append(finest[cell] << 32 | rank)
    keys, tally = np.unique(np.concatenate(pairs), return_counts=True)
    buckets = np.split(tally, np.flatnonzero(np.diff(keys >> 32)) + 1)
    return sum(float(layouts.entropy(t)) for t in buckets) / 8 / len(values)


def _int8(values) -> bytes:
    return np.clip(values, -128, 127).astype("int8").tobytes()


def _best_zlib(values) -> int:
    """The smallest of zlib's strategies, position by position and channel by channel."""
    orders = _int8(values), _int8(values.transpose(2, 0, 1))
    strategies = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)
    return min(len(deflate.squeeze([raw], s)) for raw in orders for s in strategies)


def _seconds(work) -> float:
    """The median of several runs, in processor time, which a busy machine does not stretch."""
    found = []
    for _ in range(_REPEATS):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return statistics.median(found)
