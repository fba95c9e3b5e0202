"""Where the result of each file goes, and which results must not be written."""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections.abc import Set
from dataclasses import replace
from pathlib import Path

from sdae.cli.job import STREAM, Job, Refused
from sdae.cli.sources import sources


def jobs(paths: list[Path], kinds: Set[str], ending: str, output=None, force=False) -> list[Job]:
    """Every file that the paths lead to, with the file to write for it.

    What is written takes the source's name with `ending`; it lies beside the source, or in the
    output folder just as the source lies in its own.

    Args:
        paths, kinds: see `sdae.cli.sources.sources`.
        ending: of the names of results.
        output: file or folder to write to, or - for standard output; None for beside the source.
        force: whether files that exist are replaced.

    Raises:
        Refused: paths and output do not fit.
    """
    files = list(sources(paths, kinds, None if ending.startswith(".") else ending))
    if output is None and any(job.source == STREAM for job, _ in files):
        output = "-"
    one = output is not None and _is_one_file(output)
    if one and (len(files) > 1 or os.path.isdir(paths[0])):
        raise Refused(
            f"{output} is one file and there are several sources; name a folder, with / at its end."
        )
    if output == "-" and (not hasattr(sys.stdout, "buffer") or sys.stdout.isatty()):
        raise Refused("standard output is for text here; name a file with --output.")
    read, written, result = {_same(job.source) for job, _ in files}, set(), []
    for job, name in files:
        folder = job.source.parent if output is None else output / name.parent
        target = Path(output) if one else folder / (name.stem + ending)
        key = _same(target)
        if job.refusal:
            refusal = job.refusal
        elif key in written:
            refusal = f"another source is written to {target}; rename one of them."
        elif key in read and key != _same(job.source):
            refusal = f"{target} is itself one of the sources; rename one of them."
        else:
            refusal = _occupied(target, force)
        written.add(key)
        result.append(replace(job, target=target, replace=force, refusal=refusal))
    return result


def _is_one_file(output: str) -> bool:
    if output.endswith(("/", os.sep)) or os.path.isdir(output):
        return False
    return output == "-" or bool(Path(output).suffix) or os.path.exists(output)


def _occupied(target: Path, force: bool) -> str | None:
    """Why a target cannot be written; None where it can."""
    try:
        is_file = target == STREAM or stat.S_ISREG(os.stat(target).st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{target} cannot be written: {error.strerror}."
    if not is_file:
        return f"{target} is a folder or a device; name a file with --output, or - for a stream."
    if target != STREAM and not force:
        return f"{target} exists; give --force to replace it, or --output."
    return None


def _same(path: Path) -> str:
    """What all spellings of a file share, even where a system folds case or forms of Unicode."""
    folded = unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
    return unicodedata.normalize("NFC", folded)
