"""Benchmarks: ``sdae bench``, ``bench coder``, ``bench training``, ``bench load`` and so on.

- ``codec``, which is meant where none is named: whole files (`sdae.measuring.speed`);
- ``coder``: the latent coder alone (`sdae.measuring.packing`);
- ``training``: its speed beside that of its convolutions (`sdae.training.step_time`);
- ``first-screen``, ``answers``: what one visitor of the app waits for (`sdae.measuring.waiting`);
- ``load``: what many visitors wait for together (`sdae.measuring.visitors`).

``--store`` keeps the figures with the results of the weights, where the documents take them from.
"""

import sys

import sdae
from sdae import weights
from sdae.cli.arguments import add_weights
from sdae.measuring import app, kodak, packing, speed, visitors, waiting
from sdae.measuring.results import Results
from sdae.pictures import reading
from sdae.progress import progress, say
from sdae.training import photographs

VIEWS = {
    "thumb": lambda rgb: [reading.thumb(rgb)],
    "tiles": reading.tiles,
    "whole": lambda rgb: [rgb],
}
"""Parts of a picture that ``coder`` measures."""


def add_arguments(parser) -> None:
    """The options of ``sdae bench``."""
    parser.set_defaults(bench="codec", sizes=speed.SIZES, rounds=3, weights=None, store=False)
    benches = parser.add_subparsers(dest="bench", metavar="BENCH")

    def bench(name, about, rounds=None):
        own = benches.add_parser(name, help=about)
        own.set_defaults(bench=name)
        add_weights(own)
        own.add_argument(
            "--store", action="store_true", help="keep the figures with the results of the weights"
        )
        if rounds:
            own.add_argument(
                "--rounds", type=int, default=rounds, help=f"turns that count; {rounds}"
            )
        return own

    whole = bench("codec", "whole files beside Pillow's codecs", rounds=3)
    whole.add_argument(
        "--sizes", nargs="+", type=_size, metavar="WxH", default=speed.SIZES, help=_SIZES
    )
    coder = bench("coder", "bytes and times of the latent coder")
    coder.add_argument("photos", nargs="*", help="folders of pictures (default: Kodak's)")
    coder.add_argument(
        "--view",
        choices=VIEWS,
        default="thumb",
        help="centre square scaled to 128×128, all 128×128 tiles, or pictures as they are",
    )
    coder.add_argument("--qualities", type=float, nargs="+", default=[25, 50, 75])
    training = bench("training", "speed of training beside its convolutions", rounds=15)
    training.add_argument("--batch", type=int, default=8, help="crops a step; 8")
    training.add_argument("--crop", type=int, default=128, help="side of a crop in pixels; 128")
    bench("first-screen", "what one visitor of the Compress page waits for", rounds=5)
    bench("answers", "what one visitor of the other pages waits for", rounds=3)
    load = bench("load", "visitors who move their sliders together")
    load.add_argument("--visitors", type=int, default=10, help="how many; 10")
    load.add_argument("--moves", type=int, default=5, help="of all sliders; 5")
    load.add_argument(
        "--size", type=_size, default=(768, 512), metavar="WxH", help="of their pictures; 768x512"
    )


_SIZES = "default " + " ".join(f"{width}x{height}" for width, height in speed.SIZES)


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def run(args) -> int:
    """Run a benchmark and print its table. Returns an exit code."""
    ways = {
        "codec": lambda: codec(args.sizes, args.rounds, args.weights),
        "coder": lambda: coder(args.photos, args.view, args.qualities, args.weights),
        "training": lambda: training(args.batch, args.crop, args.rounds),
        "first-screen": lambda: waiting.first_screen(args.rounds, say),
        "answers": lambda: waiting.answers(args.rounds, say),
        "load": lambda: load(args.visitors, args.moves, args.size),
    }
    try:
        figures = ways[args.bench or "codec"]()
    except (FileNotFoundError, ValueError, app.AppError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.store:
        Results.of(weights.folder(args.weights)).store_bench(args.bench or "codec", figures)
    return 1 if args.bench == "load" and figures["faults"] else 0


def codec(sizes, rounds: int, name) -> dict:
    """Whole files of pictures of these (width, height), by the weights of that name."""
    figures = {}
    turns = len(sizes) * len(speed.CODECS) * (rounds + 1)
    with progress(label="bench", total=turns, unit="turn") as bar:
        for width, height in sizes:
            measured = speed.measure((width, height), rounds, name, bar.update)
            figures[f"{width}×{height}"] = speed.medians(measured)
            say(f"{width}×{height}, medians of {rounds}; ratio: SDAE's time over the codec's")
            for line in speed.table(measured):
                say("  " + line)
    return figures


def coder(photos: list[str], view: str, qualities: list[float], name) -> dict:
    """Bytes and times of the latents of one of `VIEWS` of the pictures, at each quality."""
    paths = photographs.photographs(photos or [kodak.folder()])
    pictures = [part for path in paths for part in VIEWS[view](reading.named(path))]
    codec, rows = sdae.load(name), []
    for quality in qualities:
        with progress(pictures, f"quality {quality:g}", unit="picture") as bar:
            values = [codec.encode(part, quality=quality).values for part in bar]
        code = round(100 * quality)
        sizes = packing.coder(values, code, codec.tables)
        say(f"quality {quality:g}, {len(values)} latents ({view})")
        for way, size in sizes.items():
            say(f"  {way:28}{size:12,.1f} bytes {100 * (size / sizes['zlib 9'] - 1):+8.1f} %")
        sample = values[: max(1, min(len(values), 600_000 // values[0].size))]
        times = packing.times(sample, code, codec.tables)
        for way, seconds in times.items():
            say(f"  {way:28}{1000 * seconds:12,.3f} ms")
        row = {"quality": quality, "latents": len(values), "bytes": sizes, "seconds": times}
        rows.append(row)
    return {view: rows}


def training(batch: int, crop: int, rounds: int) -> dict:
    """Crops a second of training, and of its convolutions alone."""
    from sdae.training import step_time

    with progress(label="bench", total=rounds, unit="step") as bar:
        step, alone = step_time.measure(batch, crop, rounds, bar.update)
    say(f"batches of {batch} crops of {crop}×{crop}, medians of {rounds} steps")
    say(f"  training            {batch / step:8.1f} images a second")
    say(f"  convolutions alone  {batch / alone:8.1f} images a second")
    say(f"  share of a step     {100 * alone / step:8.1f} %")
    return {"training": batch / step, "convolutions": batch / alone}


def load(count: int, moves: int, size: tuple[int, int]) -> dict:
    """What so many visitors of the Compress page wait for together."""
    figures = visitors.measure(count, moves, size, say)
    say(
        f"at most: all bytes {figures['bytes_seconds']} s, all pictures {figures['picture_seconds']} s, "
        f"{figures['slowest']} times the median of a move, {figures['peak_mb']} MB"
    )
    for fault in figures["faults"]:
        say(fault, sys.stderr)
    return figures | {"visitors": count}
