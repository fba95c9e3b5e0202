"""Files for the commands: which to read, which to write, and what to say about each."""

from __future__ import annotations

import glob
import io
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

import sdae
from sdae.cli import arguments
from sdae.codec import MAX_PIXELS
from sdae.pictures import reading
from sdae.pictures.metadata import Metadata
from sdae.progress import progress, say
from sdae.training import photographs

PICTURES = photographs.SUFFIXES | {".gif", ".j2k", ".jp2"}
"""Endings of the files that count as pictures inside a folder."""

STREAM = Path("-")
"""Standard input as a source, standard output as a target."""


class Refused(Exception):
    """What cannot be done, as a sentence for the user."""


@dataclass(frozen=True)
class Job:
    """A file to read, and the one to write, None where nothing is written."""

    source: Path
    target: Path | None = None


def add_arguments(parser, about: str) -> None:
    """The options of commands that read files and write files; `about` says what PATH is."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH",
                        help=f"{about}, folders or patterns such as '*.jpg'; - is standard input")
    parser.add_argument("-o", "--output", type=Path, metavar="PATH",
                        help="file to write (for one PATH), or folder, or - for standard output; "
                             "default beside the source")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument("--jobs", type=arguments.number(int, 1), default=1, metavar="N",
                        help="files at a time, default 1")
    parser.add_argument("--json", action="store_true",
                        help="print a JSON list, one object a file, instead of lines")
    parser.add_argument("--weights", metavar="NAME", help="name or folder of other weights")


def load(args) -> sdae.Codec:
    """The codec with the weights that the options name."""
    return sdae.load(args.weights)


def sources(paths: list[Path], endings: set[str]) -> list[tuple[Path, Path]]:
    """Every file that the paths name, with the name it goes by inside an output folder.

    A pattern that the shell has left alone is filled in; folders are searched, folders in them
    too, for names that end in one of `endings`.

    Raises:
        Refused: a folder or a pattern leads to no file.
    """
    found = []
    for path in paths:
        matches = [path]
        if glob.has_magic(str(path)) and not path.exists():
            matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
            if not matches:
                raise Refused(f"no file fits the pattern {path}; check it and try again.")
        for match in matches:
            if match == STREAM:
                found.append((STREAM, Path("stdin")))
            elif match.is_dir():
                inside = sorted(p for p in match.rglob("*") if p.suffix.lower() in endings)
                if not inside:
                    raise Refused(f"{match} holds no file ending in {', '.join(sorted(endings))}.")
                found += [(p, p.relative_to(match)) for p in inside]
            else:
                found.append((match, Path(match.name)))
    return found


def jobs(args, endings: set[str], ending: str) -> list[Job]:
    """Every source with the file to write for it.

    What is written takes the source's name with `ending`; it lies beside the source, or in the
    --output folder just as the source lies in its own.

    Raises:
        Refused: sources and output do not fit.
    """
    found = sources(args.paths, endings)
    output = args.output
    if output is None and STREAM in args.paths:
        output = STREAM
    if output is None:
        return [Job(source, source.with_name(source.stem + ending)) for source, _ in found]
    if output == STREAM or (output.suffix and not output.is_dir()):
        if len(found) > 1 or args.paths[0].is_dir():
            place = "standard output" if output == STREAM else output
            raise Refused(f"{place} is one file and there are several sources; name a folder.")
        if output == STREAM:
            _check_standard_output(args)
        return [Job(found[0][0], output)]
    return [Job(source, output / name.with_name(name.stem + ending)) for source, name in found]


def _check_standard_output(args) -> None:
    if args.json:
        raise Refused("--json needs standard output for itself; name a file with --output.")
    if sys.stdout.isatty():
        raise Refused("standard output is a terminal; name a file with --output.")


def each(found: list[Job], args, label: str, work: Callable[[Job], dict],
         line: Callable[[dict], str]) -> int:
    """Do `work(job)`, which returns facts, for every job; print them. Returns the exit code.

    A file that fails is named with its reason and the rest go on. --jobs of them are worked on
    at a time, in threads: they share one network.
    """
    refusals = refused(found, args)
    workers = min(args.jobs, len(found))
    if workers == 1:
        return report(map(partial(attempt, work), found, refusals), len(found), args, label, line)
    pool = ThreadPoolExecutor(workers)
    try:
        facts = pool.map(partial(attempt, work), found, refusals)
        return report(facts, len(found), args, label, line)
    finally:
        pool.shutdown(cancel_futures=True)


def refused(found: list[Job], args, mine=lambda target: False) -> list[str | None]:
    """For each job the reason why it must not write its file; None where it may.

    `mine(target)` says whether a file that exists may be replaced all the same.
    """
    reasons, taken = [], set()
    for job in found:
        reason = None
        if job.target and job.target in taken:
            reason = f"another source is written to {job.target}; rename one of them."
        elif (job.target not in (None, STREAM) and job.target.exists()
              and not (args.force or mine(job.target))):
            reason = f"{job.target} exists; give --force to replace it, or --output."
        taken.add(job.target)
        reasons.append(reason)
    return reasons


def attempt(work: Callable[[Job], dict], job: Job, refusal: str | None = None) -> dict:
    """The facts that `work(job)` returns, or the sentence on why there are none, as `error`."""
    if refusal:
        return {"error": f"{job.source}: {refusal}"}
    try:
        return work(job)
    except (Refused, sdae.BitstreamError, sdae.ImageError) as error:
        return {"error": f"{job.source}: {error}"}
    except OSError as error:
        return {"error": f"{error.filename or job.source}: {error.strerror or error}."}
    except MemoryError:
        return {"error": f"{job.source}: more than this machine's memory; scale it down."}


def report(facts: Iterator[dict], total: int, args, label: str,
           line: Callable[[dict], str]) -> int:
    """Print facts as they come, `line(facts)` or JSON, and errors. Returns the exit code."""
    code, good = 0, []
    with progress(facts if total > 1 else None, label, total=total, unit="file") as bar:
        for fact in bar if total > 1 else facts:
            for notice in fact.pop("notices", ()):
                say(f"{fact['file']}: {notice}", sys.stderr)
            if "error" in fact:
                code = 1
                say(fact["error"], sys.stderr)
            elif args.json:
                good.append(fact)
            else:
                say(line(fact), sys.stderr if fact.get("target") == str(STREAM) else None)
    if args.json:
        print(json.dumps(good, indent=2))
    return code


def bar(label: str | None, total: int, unit: str):
    """A progress bar that the caller moves; none is shown where `label` is None."""
    shown = progress(label=label or "", total=total, unit=unit)
    shown.disable = shown.disable or label is None
    return shown


def read_picture(source: Path, keep_metadata: bool = False) -> reading.Picture:
    """The picture in a file or on standard input; raises `ImageError`."""
    stream = sys.stdin.buffer if source == STREAM else source
    return reading.read(stream, keep_metadata=keep_metadata)


def read_sdae(source: Path) -> bytes:
    """The bytes of a .sdae file or of standard input, unless they are too many to be one."""
    # Four bytes a pixel is more than integers without any packing take.
    limit = 4 * MAX_PIXELS
    if source == STREAM:
        content = sys.stdin.buffer.read(limit + 1)
    else:
        with open(source, "rb") as file:
            content = file.read(limit + 1)
    if len(content) > limit:
        raise Refused(f"larger than {limit / 1e6:.0f} MB, which no .sdae file is.")
    return content


def write(job: Job, content: bytes) -> None:
    """Write the target, whole or not at all, with the modification time of the source."""
    if job.target == STREAM:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    job.target.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two processes may be at work on one target.
    part = job.target.with_name(f"{job.target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.write_bytes(content)
        if job.source != STREAM:
            times = os.stat(job.source)
            os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.replace(part, job.target)
    finally:
        part.unlink(missing_ok=True)


def picture_format(target: Path) -> str:
    """The Pillow format that a file name's ending stands for; PNG for standard output."""
    if target == STREAM:
        return "PNG"
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind == "SDAE":
        raise Refused(f"{target} would compress the restored picture again; "
                      "end the name in .png, .jpg or .webp.")
    if kind not in Image.SAVE:
        raise Refused(f"no picture format ends in {target.suffix}; use .png, .jpg or .webp.")
    return kind


def encoded(image: Image.Image, kind: str, kept: Metadata = Metadata()) -> bytes:
    """A picture as the bytes of a file of Pillow's format `kind`, with its metadata."""
    content = io.BytesIO()
    try:
        image.save(content, kind, quality=95, **kept.info())
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be written as {kind} ({error}); use .png.") from error
    return content.getvalue()
