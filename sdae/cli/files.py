"""What commands do alike: files in, files out, and a line or a JSON object about each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path

import sdae
from sdae.cli import arguments
from sdae.cli.job import STREAM, Job, Refused
from sdae.cli.sources import Kind, sources
from sdae.cli.writing import is_special, writing
from sdae.codec import MAX_PIXELS
from sdae.pictures import metadata, reading
from sdae.pictures.metadata import Metadata
from sdae.progress import progress, say


class Folder(type(Path())):
    """A path that was written with a slash at its end, which says that it is a folder."""


def _output(text: str) -> Path:
    return Folder(text) if text.endswith(("/", os.sep)) else Path(text)


def add_arguments(parser, about: str) -> None:
    """The options of commands that read files and write files; `about` says what PATH is."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help=f"{about}, folders or patterns such as '*.jpg'; - is standard input",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_output,
        metavar="PATH",
        help="file to write (for one PATH), or folder, with / at its end where it "
        "has a dot and is not there yet, or - for standard output; default "
        "beside the source",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--jobs",
        type=arguments.number(int, 1),
        default=1,
        metavar="N",
        help="files at a time, default 1",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON list, one object a file, instead of lines"
    )
    parser.add_argument("--weights", metavar="NAME", help="name or folder of other weights")
    parser.set_defaults(left_out=False)


def load(args) -> sdae.Codec:
    """The codec with the weights that the options name."""
    return sdae.load(args.weights)


def jobs(args, kind: Kind, ending: str, endings: tuple[str, ...] = ()) -> list[Job]:
    """Every source with the file to write for it; sets `args.left_out`.

    What is written takes the source's name with `ending`; it lies beside the source, or in the
    --output folder just as the source lies in its own.

    Args:
        args: the options.
        kind: what to take out of folders.
        ending: of the names of results.
        endings: those that a file named by --output may have; any where there are none.

    Raises:
        Refused: sources and output do not fit.
    """
    own = "" if ending.startswith(".") else ending
    found, args.left_out = sources(args.paths, kind, own)
    output = args.output
    if output is None and STREAM in args.paths:
        output = STREAM
    if output is None:
        return [Job(source, source.with_name(source.stem + ending)) for source, _ in found]
    if not _is_file(output):
        return [Job(source, output / name.with_name(name.stem + ending)) for source, name in found]
    if len(found) > 1 or args.paths[0].is_dir():
        place = "standard output" if output == STREAM else output
        raise Refused(
            f"{place} is one file and there are several sources; name a folder, with / at its end."
        )
    if output == STREAM:
        _check_standard_output(args)
    elif endings and output.suffix.lower() not in endings and not is_special(output):
        raise Refused(
            f"{output} does not end in {' or '.join(endings)}, "
            "as what is written into it does; end its name so."
        )
    return [Job(found[0][0], output)]


def _is_file(output: Path) -> bool:
    """Whether --output names a file and not a folder."""
    if isinstance(output, Folder) or output.is_dir():
        if output.exists() and not output.is_dir():
            raise Refused(f"{output} is a file; name a folder, or leave out the / at its end.")
        return False
    return output == STREAM or bool(output.suffix) or output.exists()


def _check_standard_output(args) -> None:
    if args.json:
        raise Refused("--json needs standard output for itself; name a file with --output.")
    if getattr(sys.stdout, "name", None) == os.devnull:
        raise Refused("standard output is closed; name a file with --output.")
    if sys.stdout.isatty():
        raise Refused("standard output is a terminal; name a file with --output.")


def each(
    found: list[Job], args, label: str, work: Callable[[Job], dict], line: Callable[[dict], str]
) -> int:
    """Do `work(job)`, which returns facts, for every job; print them. Returns the exit code.

    A file that fails is named with its reason and the rest go on. --jobs of them are worked on
    at a time, in threads: they share one network.
    """
    pairs = list(zip(found, refused(found, args)))
    workers = min(args.jobs, len(found))

    def one(pair):
        return attempt(work, *pair)

    if workers == 1:
        return report(map(one, pairs), len(found), args, label, line)
    with ThreadPool(workers) as pool:
        try:
            return report(pool.imap(one, pairs), len(found), args, label, line)
        except KeyboardInterrupt:
            # Threads cannot be stopped and would go on with their pictures for minutes; once none
            # is writing, none is to begin.
            writing.acquire()
            sys.stdout.flush()
            os._exit(130)


def refused(found: list[Job], args, mine=lambda target: False) -> list[str | None]:
    """For each job the reason why it must not write its file; None where it may.

    `mine(target)` says whether a file that exists may be replaced all the same.
    """
    reasons, taken = [], set()
    for job in found:
        reason = None
        if job.target and job.target in taken:
            reason = f"another source is written to {job.target}; rename one of them."
        elif (
            job.target not in (None, STREAM)
            and job.target.exists()
            and not (args.force or mine(job.target) or is_special(job.target))
        ):
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
    except BrokenPipeError:
        raise
    except OSError as error:
        place = error.filename2 or error.filename or job.source
        return {"error": f"{place}: {error.strerror or error}."}
    except MemoryError:
        return {"error": f"{job.source}: more than this machine's memory; scale it down."}
    except Exception as error:  # whatever is wrong with one file, the others go on
        return {
            "error": f"{job.source}: failed with {type(error).__name__} ({error}); "
            "please report this file."
        }


def report(facts: Iterator[dict], total: int, args, label: str, line: Callable[[dict], str]) -> int:
    """Print facts as they come, `line(facts)` or JSON, and errors. Returns the exit code.

    Work goes on where nothing can be printed any more; that is raised at its end.
    """
    code, good, unheard = int(args.left_out), [], None

    def tell(text, stream=None):
        nonlocal unheard
        try:
            say(text, stream)
        except BrokenPipeError:
            raise
        except OSError as error:
            unheard = error

    with progress(facts if total > 1 else None, label, total=total, unit="file") as bar:
        for fact in bar if total > 1 else facts:
            for notice in fact.pop("notices", ()):
                tell(f"{fact['file']}: {notice}", sys.stderr)
            if "error" in fact:
                code = 1
                tell(fact["error"], sys.stderr)
            elif args.json:
                good.append(fact)
            else:
                tell(line(fact), sys.stderr if fact.get("target") == str(STREAM) else None)
    if args.json:
        print(json.dumps(good, indent=2, allow_nan=False))
    if unheard:
        raise unheard
    return code


def bar(label: str | None, total: int | None, unit: str):
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


def section(kept: Metadata) -> bytes:
    """`metadata.section`, refused in a sentence where there is too much."""
    try:
        return metadata.section(kept)
    except ValueError as error:
        raise Refused(error) from error
