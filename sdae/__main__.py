"""Command line: ``python -m sdae COMMAND …``.

Each command imports what it needs when it runs, so that ``--help`` and ``info`` answer at once.
Exit codes: 0 all done; 1 something failed, each failure with its file and reason on standard
error; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from PIL import Image

import sdae
from sdae import bitstream, data, images
from sdae.codec import MAX_PIXELS
from sdae.progress import progress, say

_ELSEWHERE = {
    "train": ("sdae.train", "train weights on folders of photographs"),
    "fit-contexts": ("sdae.fit_contexts", "fit the context tables of trained weights"),
    "evaluate": ("sdae.evaluate", "measure this codec and the others on sets of pictures"),
    "noise-study": ("sdae.noise_study", "measure denoising against classical filters"),
    "bench": ("sdae.bench", "measure the latent coder beside other ways to pack the same integers"),
    "fuzz": ("sdae.fuzz", "open damaged and hostile .sdae files and report what goes wrong"),
}
"""Commands that live in modules of their own: `add_arguments(parser)` and `run(args) -> int`."""


class _Refused(Exception):
    """What cannot be done, as a sentence for the user."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    argv = sys.argv[1:] if argv is None else argv
    args = parser(argv).parse_args(argv)
    try:
        return args.run(args)
    except (_Refused, sdae.WeightsError) as error:
        print(f"sdae: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser(argv: list[str]) -> argparse.ArgumentParser:
    """The options of all commands; of those in `_ELSEWHERE` only the one that `argv` names."""
    whole = argparse.ArgumentParser(
        prog="sdae", description="A learned image codec: photographs in, small .sdae files out.")
    whole.add_argument("--version", action="version", version=f"sdae {sdae.__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def command(name, about, run=None):
        sub = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        sub.set_defaults(run=run)
        return sub

    sub = command("compress", "compress pictures into .sdae files", compress)
    _add_files(sub, "picture files, or folders of them")
    target = sub.add_mutually_exclusive_group()
    target.add_argument("--quality", type=_number(float, 1, 100), default=75, metavar="Q",
                        help="1 (smallest file) to 100 (closest picture), default 75")
    target.add_argument("--target-bytes", type=_number(int, 1), metavar="N",
                        help="the closest picture whose whole file has at most N bytes")
    target.add_argument("--target-psnr", type=_number(float, 1, 100), metavar="DB",
                        help="the smallest file whose picture has at least DB decibels")
    sub.add_argument("--effort", type=_number(int, 0, 10), default=0, metavar="E",
                     help="0 (fast, default) to 10 (slow): a better picture in fewer bytes")

    sub = command("decompress", "restore the pictures of .sdae files", decompress)
    _add_files(sub, ".sdae files, or folders of them")

    sub = command("info", "say what .sdae files hold, without decoding them", info)
    sub.add_argument("paths", nargs="+", type=Path, metavar="FILE", help=".sdae files")
    sub.add_argument("--json", action="store_true", help="print a JSON list")

    sub = command("denoise", "remove noise from pictures", denoise)
    _add_files(sub, "picture files, or folders of them")
    sub.add_argument("--sigma", type=_number(float, 0, 1), metavar="S",
                     help="strength of the noise: its standard deviation over full scale, "
                          "0 to 1; estimated by default")
    sub.add_argument("--quality", type=_number(float, 1, 100), default=90, metavar="Q",
                     help="1 (smooth) to 100 (all detail), default 90")

    sub = command("kodak", "fetch and verify the 24 Kodak pictures, for measuring", kodak)
    sub.add_argument("folder", nargs="?", type=Path,
                     help="where they lie or shall lie; default $SDAE_KODAK, else a cache folder")

    for name, (place, about) in _ELSEWHERE.items():
        sub = command(name, about)
        if argv[:1] == [name]:
            module = importlib.import_module(place)
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return whole


def _add_files(parser, about: str) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=about)
    parser.add_argument("-o", "--output", type=Path, metavar="PATH",
                        help="file to write (for one PATH), or folder; default beside the source")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument("--weights", metavar="NAME", help="name or folder of other weights")


def _number(kind, low, high=None):
    def number(text):
        value = kind(text)
        if not (low <= value and (high is None or value <= high)):
            limits = f"at least {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text} is not {limits}")
        return value
    return number


def compress(args) -> int:
    """Compress pictures; one line each: bytes in and out, bits per pixel, reduction, PSNR."""
    from sdae import metrics, search

    codec = _load(args)

    def encode(rgb, label):
        if args.target_bytes is None and args.target_psnr is None:
            with progress(label=label, total=100, unit="%") as bar:
                return codec.compress(rgb, args.quality, args.effort,
                                      lambda share: bar.update(round(100 * share) - bar.n))
        if args.target_bytes is not None:
            find, goal = search.within_bytes, args.target_bytes
        else:
            find, goal = search.reaching_psnr, args.target_psnr
        with progress(label=label, total=search.STEPS, unit="try") as bar:
            try:
                return find(codec, rgb, goal, args.effort, bar.update)
            except search.TargetError as error:
                raise _Refused(error) from error

    def work(source, target):
        picture = _read(source)
        file = encode(picture.rgb, source.name)
        _write(target, file, args.force)
        height, width = picture.rgb.shape[:2]
        psnr = metrics.psnr(picture.rgb, np.asarray(codec.decompress(file)))
        change = len(file) / picture.file_bytes - 1
        return (f"{source}: {picture.file_bytes:,} -> {len(file):,} bytes, "
                f"{8 * len(file) / (width * height):.3f} bpp, "
                f"{abs(change):.1%} {'larger' if change > 0 else 'smaller'}, PSNR {psnr:.2f} dB")

    return _each(_jobs(args, data.SUFFIXES, ".sdae"), "compress", work, args.force)


def decompress(args) -> int:
    """Restore the pictures of .sdae files."""
    codec = _load(args)

    def work(source, target):
        kind = _format(target)
        image = codec.decompress(_read_sdae(source))
        _write(target, _encoded(image, kind), args.force)
        return f"{source}: {image.width} x {image.height} pixels -> {target}"

    return _each(_jobs(args, {".sdae"}, ".png"), "decompress", work, args.force)


def denoise(args) -> int:
    """Remove noise from pictures."""
    from sdae import noise

    codec = _load(args)

    def work(source, target):
        kind = _format(target)
        rgb = _read(source).rgb
        sigma = noise.estimate_sigma(rgb) if args.sigma is None else args.sigma
        image = codec.denoise(rgb, sigma, args.quality)
        _write(target, _encoded(image, kind), args.force)
        origin = "estimated" if args.sigma is None else "given"
        return f"{source}: sigma {sigma:.3f} ({origin}) -> {target}"

    return _each(_jobs(args, data.SUFFIXES, "-denoised.png"), "denoise", work, args.force)


def info(args) -> int:
    """Print what the headers of .sdae files say; their checksums are verified."""
    found = []

    def work(source, _):
        file = _read_sdae(source)
        header, _ = bitstream.read_header(file)
        bpp = 8 * len(file) / (header.width * header.height)
        fact = {
            "file": str(source),
            "bytes": len(file),
            "width": header.width,
            "height": header.height,
            "bpp": round(bpp, 4),
            "quality": header.quality,
            "coding": "plain" if header.mode == bitstream.PLAIN else "contexts",
            "weights": header.model_id.hex(),
        }
        found.append(fact)
        return None if args.json else (
            f"{source}: {len(file):,} bytes, {header.width} x {header.height} pixels, "
            f"{bpp:.3f} bpp, quality {header.quality:g}, {fact['coding']} coding, "
            f"weights {fact['weights']}")

    code = _each([(path, None) for path in args.paths], "info", work)
    if args.json:
        print(json.dumps(found, indent=2))
    return code


def kodak(args) -> int:
    """Fetch the Kodak pictures that are missing, and verify all of them."""
    from sdae import kodak

    place = kodak.folder(args.folder)
    with progress(kodak.KODAK, "Kodak", unit="picture") as names:
        for name in names:
            try:
                kodak.fetch(name, place)
            except kodak.KodakError as error:
                say(f"sdae: {error}", sys.stderr)
                return 1
    say(f"{place} holds the {len(kodak.KODAK)} pictures, all as published.")
    return 0


def _load(args) -> sdae.Codec:
    codec = sdae.load(args.weights)
    if sys.stderr.isatty():
        say("Loading the network.", sys.stderr)
    with _silence():
        codec.model
    return codec


@contextmanager
def _silence():
    """Drop what compiled code writes to standard error.

    TensorFlow logs a remark or two as it starts, whatever log level is set; what fails there
    raises an exception all the same.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _each(jobs: list[tuple[Path, Path | None]], label: str, work, force: bool = False) -> int:
    """Do `work(source, target)` for every job and print the line that it returns.

    A file that fails is named with its reason and the rest go on. Returns the exit code.
    """
    code = 0
    written = set()
    with progress(jobs, label, unit="file") if len(jobs) > 1 else nullcontext(jobs) as shown:
        for source, target in shown:
            try:
                if target and target in written:
                    raise _Refused(f"another source was written to {target}; rename one of them.")
                if target and target.exists() and not force:
                    raise _Refused(f"{target} exists; give --force to replace it, or --output.")
                line = work(source, target)
                written.add(target)
            except (_Refused, sdae.BitstreamError, sdae.ImageError) as error:
                code, line = 1, None
                say(f"{source}: {error}", sys.stderr)
            except OSError as error:
                code, line = 1, None
                say(f"{error.filename or source}: {error.strerror or error}.", sys.stderr)
            if line:
                say(line)
    return code


def _jobs(args, endings: set[str], ending: str) -> list[tuple[Path, Path]]:
    """Every source file with the file to write for it.

    Folders are searched, folders in them too, for names that end in one of `endings`. What is
    written takes the source's name with `ending`; it lies beside the source, or in the --output
    folder just as the source lies in its own.
    """
    found = []
    for path in args.paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in endings)
            if not inside:
                raise _Refused(f"{path} holds no file ending in {', '.join(sorted(endings))}.")
            found += [(p, p.relative_to(path)) for p in inside]
        else:
            found.append((path, Path(path.name)))

    output = args.output
    if output is None:
        return [(source, source.with_name(source.stem + ending)) for source, _ in found]
    if output.suffix and not output.is_dir():
        if len(args.paths) > 1 or args.paths[0].is_dir():
            raise _Refused(f"{output} is one file and there are several sources; name a folder.")
        return [(found[0][0], output)]
    return [(source, output / name.with_name(name.stem + ending)) for source, name in found]


def _read(source: Path) -> images.Picture:
    picture = images.read(source)
    for notice in picture.notices:
        say(f"{source}: {notice}", sys.stderr)
    return picture


def _read_sdae(source: Path) -> bytes:
    # Four bytes a pixel is more than integers without any packing take.
    limit = 4 * MAX_PIXELS
    with open(source, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _Refused(f"larger than {limit / 1e6:.0f} MB, which no .sdae file is.")
    return content


def _write(target: Path, content: bytes, force: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb" if force else "xb") as file:
        file.write(content)


def _format(target: Path) -> str:
    """The Pillow format that a file name's ending stands for."""
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind not in Image.SAVE:
        raise _Refused(f"no picture format ends in {target.suffix}; use .png, .jpg or .webp.")
    return kind


def _encoded(image: Image.Image, kind: str) -> bytes:
    content = io.BytesIO()
    try:
        image.save(content, kind, quality=95)
    except (OSError, ValueError) as error:
        raise _Refused(f"cannot be written as {kind} ({error}); use .png.") from error
    return content.getvalue()


if __name__ == "__main__":
    sys.exit(main())
