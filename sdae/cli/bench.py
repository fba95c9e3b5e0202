"""Benchmarks: ``sdae bench``, ``bench coder``, ``bench effort FOLDER``, ``bench stages``, ``bench
training``.

- ``codec``, which is meant where none is named: whole files (`sdae.measuring.speed`);
- ``coder``: the latent coder alone (`sdae.measuring.packing`);
- ``effort``: what choosing the integers with care gains (`sdae.measuring.effort_gain`);
- ``stages``: where the time of one answer goes (`sdae.measuring.stages`);
- ``training``: its speed beside that of its convolutions (`sdae.training.step_time`).

``--store`` keeps the figures with the results of the weights, where the documents take them from.
"""

import sys

import numpy as np
from PIL import Image

import sdae
from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.measuring import effort_gain, kodak, packing, speed, stages
from sdae.measuring.results import Results
from sdae.pictures import reading
from sdae.progress import progress, say
from sdae.training import photographs


def add_arguments(parser) -> None:
    """The options of ``sdae bench``."""
    parser.set_defaults(bench=None, sizes=None, rounds=3, weights=None)
    benches = parser.add_subparsers(dest="bench", metavar="BENCH")
    whole = benches.add_parser("codec", help="whole files beside Pillow's codecs")
    whole.add_argument(
        "--sizes", nargs="+", type=_size, metavar="WxH", help="default 128x128 768x512 4000x3000"
    )
    whole.add_argument("--rounds", type=int, default=3, help="turns that count, default 3")
    coder = benches.add_parser("coder", help="bytes and times of the latent coder")
    coder.add_argument("photos", nargs="*", help="folders of pictures (default: Kodak's)")
    coder.add_argument(
        "--view",
        choices=("thumb", "tiles", "whole"),
        default="thumb",
        help="centre square scaled to 128×128, all 128×128 tiles, or pictures as they are",
    )
    coder.add_argument("--qualities", type=float, nargs="+", default=[25, 50, 75])
    care = benches.add_parser("effort", help="bytes saved by encoder effort, and its time")
    care.add_argument("photos", nargs="+", help="folders of pictures")
    care.add_argument("--pictures", type=int, default=12, help="how many, spread over all; 12")
    care.add_argument("--side", type=int, default=128, help="pixels of the centre crops; 128")
    care.add_argument("--efforts", type=int, nargs="+", default=[0, 1, 2, 5, 10])
    care.add_argument("--qualities", type=float, nargs="+", default=[10, 25, 40, 55, 70, 85])
    answer = benches.add_parser("stages", help="where the time of one answer goes")
    answer.add_argument("--sizes", nargs="+", type=_size, metavar="WxH", default=stages.SIZES)
    answer.add_argument("--quality", type=float, default=30, help="of the files; 30")
    answer.add_argument("--rounds", type=int, default=5, help="turns that count; 5")
    training = benches.add_parser("training", help="speed of training beside its convolutions")
    training.add_argument("--batch", type=int, default=8, help="crops a step; 8")
    training.add_argument("--crop", type=int, default=128, help="side of a crop in pixels; 128")
    training.add_argument("--rounds", type=int, default=15, help="steps that count; 15")
    for bench in (whole, coder, care, answer):
        add_weights(bench)
    parser.set_defaults(store=False)
    for bench in (whole, coder, care, answer, training):
        bench.add_argument(
            "--store", action="store_true", help="keep the figures with the results of the weights"
        )


def run(args) -> int:
    """Run a benchmark and print its table. Returns an exit code."""
    ways = {None: _codec, "codec": _codec, "stages": _stages, "training": _training}
    return ways.get(args.bench, _pictures)(args)


def _pictures(args) -> int:
    """``coder`` and ``effort``, which measure pictures of the user's."""
    try:
        paths = photographs.photographs(args.photos or [kodak.folder()])
        if args.bench == "effort":
            paths = paths[:: max(1, len(paths) // args.pictures)][: args.pictures]
        pictures = [reading.named(path) for path in paths]
        codec = sdae.load(args.weights)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.bench == "effort":
        crops = photographs.centres(map(Image.fromarray, pictures), args.side)
        found = effort_gain.measure(codec, crops, args.efforts, args.qualities)
        print(f"{'':20}{'BD-rate':>10}{'seconds':>10}")
        for way, (change, seconds) in found.items():
            print(f"{way:20}{change:+9.2f} %{seconds:10.3f}")
        _store(args, found)
        return 0
    views = {
        "thumb": lambda rgb: [reading.thumb(rgb)],
        "tiles": reading.tiles,
        "whole": lambda rgb: [rgb],
    }
    parts = [part for rgb in pictures for part in views[args.view](rgb)]
    rows = []
    for quality in args.qualities:
        with progress(parts, f"quality {quality:g}", unit="picture") as bar:
            values = [codec.encode(part, quality).values for part in bar]
        rows.append(_coder(values, quality, codec.tables, args.view))
    _store(args, {args.view: rows})
    return 0


def _coder(values, quality, tables, view) -> dict:
    """Print bytes and times of the latents of one quality; returns what is worth keeping."""
    code = round(100 * quality)
    sizes = packing.coder(values, code, tables)
    print(f"quality {quality:g}, {len(values)} latents ({view})")
    for name, size in sizes.items():
        print(f"  {name:28}{size:12,.1f} bytes {100 * (size / sizes['zlib 9'] - 1):+8.1f} %")
    sample = values[: max(1, min(len(values), 600_000 // values[0].size))]
    for name, seconds in packing.times(sample, code, tables).items():
        print(f"  {name:28}{1000 * seconds:12,.3f} ms")
    return {"quality": quality, "latents": len(values), "bytes": sizes}


def _store(args, figures: dict) -> None:
    if args.store:
        Results.of(weights.folder(args.weights)).store_bench(args.bench, figures)


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def _codec(args) -> int:
    sizes, stored = args.sizes or speed.SIZES, {}
    with progress(
        label="bench", total=len(sizes) * len(speed.CODECS) * (args.rounds + 1), unit="turn"
    ) as bar:
        for size in sizes:
            found = speed.measure(size, args.rounds, args.weights, bar.update)
            stored[f"{size[0]}×{size[1]}"] = speed.medians(found)
            say(
                f"{size[0]}×{size[1]}, medians of {args.rounds}; "
                "ratio: SDAE's time over the codec's"
            )
            for line in speed.table(found):
                say("  " + line)
    _store(args, stored)
    return 0


def _stages(args) -> int:
    codec, stored = sdae.load(args.weights), {}
    for size in args.sizes:
        rgb = np.asarray(speed.picture(size))
        found = stored[f"{size[0]}×{size[1]}"] = stages.measure(
            codec, rgb, args.quality, args.rounds
        )
        say(f"{size[0]}×{size[1]}, medians of {args.rounds}")
        for name, seconds in found.items():
            say(f"  {name:20}{1000 * seconds:10,.0f} ms")
    _store(args, stored)
    return 0


def _training(args) -> int:
    from sdae.training import step_time

    with progress(label="bench", total=args.rounds, unit="step") as bar:
        step, alone = step_time.measure(args.batch, args.crop, args.rounds, bar.update)
    say(f"batches of {args.batch} crops of {args.crop}×{args.crop}, medians of {args.rounds} steps")
    say(f"  training            {args.batch / step:8.1f} images a second")
    say(f"  convolutions alone  {args.batch / alone:8.1f} images a second")
    say(f"  share of a step     {100 * alone / step:8.1f} %")
    _store(args, {"training": args.batch / step, "convolutions": args.batch / alone})
    return 0
