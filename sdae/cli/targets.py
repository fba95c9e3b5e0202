"""Where the result of each file goes, and which results must not be written."""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

from sdae.cli.job import STREAM, Job, Refused
from sdae.cli.sources import sources

_STANDARD_OUTPUT = {"-", "/dev/stdout", "/dev/fd/1"}


def jobs(
    paths: list[Path],
    takes: Callable,
    ending: str,
    output: str | None = None,
    force: bool = False,
) -> tuple[list[Job], bool]:
    """Every file that the paths lead to, with the file to write for it.

    What is written takes the source's name with `ending`; it lies beside the source, or in the
    output folder just as the source lies in its own.

    Args:
        paths, takes: see `sdae.cli.sources.sources`.
        ending: of the names of results.
        output: file or folder to write to, or - for standard output; None for beside the source.
        force: whether files that exist are replaced.

    Returns:
        the jobs, and whether any files were left out.

    Raises:
        Refused: paths and output do not fit.
    """
    files, left_out = sources(paths, takes, None if ending.startswith(".") else ending)
    if output is None and STREAM in (source for source, _ in files):
        output = "-"
    if output is None:
        targets = [source.with_name(source.stem + ending) for source, _ in files]
    elif not _is_one_file(output):
        targets = [output / name.with_name(name.stem + ending) for _, name in files]
    elif len(files) > 1 or os.path.isdir(paths[0]):
        raise Refused(
            f"{output} is one file and there are several sources; name a folder, with / at its end."
        )
    else:
        targets = [_standard_output() if output in _STANDARD_OUTPUT else Path(output)]
    read, written, result = {_same(source) for source, _ in files}, set(), []
    for (source, _), target in zip(files, targets):
        name = _same(target)
        if name in written:
            refusal = f"another source is written to {target}; rename one of them."
        elif name in read and name != _same(source):
            refusal = f"{target} is itself one of the sources; rename one of them."
        else:
            refusal = _occupied(target, force)
        written.add(name)
        result.append(Job(source, target, force, refusal))
    return result, left_out


def _is_one_file(output: str) -> bool:
    if output.endswith(("/", os.sep)) or os.path.isdir(output):
        return False
    return output in _STANDARD_OUTPUT or bool(Path(output).suffix) or os.path.exists(output)


def _standard_output() -> Path:
    closed = getattr(sys.stdout, "name", None) == os.devnull or not hasattr(sys.stdout, "buffer")
    if closed or sys.stdout.isatty():
        raise Refused("standard output is closed, or is for text; name a file with --output.")
    return STREAM


def _occupied(target: Path, force: bool) -> str | None:
    """Why a target cannot be written; None where it can."""
    try:
        mode = os.stat(target).st_mode if target != STREAM else stat.S_IFCHR
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{target} cannot be written: {error.strerror}."
    if stat.S_ISDIR(mode):
        return f"{target} is a folder; name a file with --output."
    if stat.S_ISREG(mode) and not force:
        return f"{target} exists; give --force to replace it, or --output."
    return None


def _same(path: Path) -> str:
    """What all spellings of a file share, even where a system folds case or forms of Unicode."""
    folded = unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
    return unicodedata.normalize("NFC", folded)
