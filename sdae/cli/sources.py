"""Which files a command reads: those that are named, and those inside folders by their endings."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Set
from itertools import chain
from pathlib import Path

from sdae.cli.job import STREAM, Job, Refused
from sdae.pictures import opening

PICTURES = opening.ENDINGS
PACKED = frozenset({".sdae"})
"""Endings, in lower case, of the names of files that are taken inside folders."""


def sources(paths: list[Path], kinds: Set[str], own_ending=None) -> Iterator[tuple[Job, Path]]:
    """Every file that the paths name, with the name it goes by inside an output folder.

    A pattern that the shell has left alone is filled in. Folders are searched, and folders in
    them, linked ones too; each but once, so that a circle of links ends. What cannot be searched
    is a job that says why it is refused.

    Args:
        paths: files, folders and patterns.
        kinds: `PICTURES` or `PACKED`.
        own_ending: of names in folders that are this command's own results, not sources; or None.

    Raises:
        Refused: a pattern leads to no file.
    """
    for path in chain.from_iterable(map(_matches, paths)):
        if path == STREAM:
            yield Job(STREAM), Path("stdin")
        elif os.path.isdir(path):
            for job in _inside(path, kinds, own_ending):
                yield job, job.source.relative_to(path)
        else:
            yield Job(path), Path(path.name)


def readable(source: Path):
    """What `sdae.pictures.reading` reads a source from: its path, or standard input."""
    return getattr(sys.stdin, "buffer", sys.stdin) if source == STREAM else source


def _matches(path: Path) -> list[Path]:
    """What a pattern stands for; a path that is there, or is no pattern, for itself."""
    if not glob.has_magic(str(path)) or os.path.lexists(path):
        return [path]
    matches = sorted(map(Path, glob.glob(str(path), recursive=True)))
    if not matches:
        raise Refused(f"no file fits the pattern {path}; check it and try again.")
    return matches


def _inside(folder: Path, kinds: Set[str], own_ending: str | None) -> list[Job]:
    """Jobs for what is taken of a folder and of those inside it, and for what cannot be searched."""
    jobs, seen = [], set()

    def leave(error):
        jobs.append(Job(Path(error.filename), refusal=f"{error.strerror}."))

    for place, folders, names in os.walk(folder, onerror=leave, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for path in (Path(place, name) for name in names):
            own = own_ending and path.name.endswith(own_ending)
            # Some systems write a file ._x beside each file x, for what its folder cannot hold.
            if path.suffix.lower() in kinds and not own and not path.name.startswith("._"):
                jobs.append(Job(path))
    jobs.sort(key=lambda job: job.source)
    return jobs or [Job(folder, refusal="it holds no file that this command reads.")]
