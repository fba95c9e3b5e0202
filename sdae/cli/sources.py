"""Which files a command reads: those that are named, and those inside folders that it can read."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from sdae.cli.job import STREAM, Refused
from sdae.coding import container
from sdae.pictures import opening
from sdae.progress import say

_START = 1024  # bytes of a file that say what it is

_STANDARD_INPUT = {STREAM, Path("/dev/stdin"), Path("/dev/fd/0")}


def pictures(path: Path, start: bytes) -> str | bool:
    """Whether a file inside a folder is taken for a picture; or why it can't be, as a sentence.

    One with the name of a picture is taken whatever it holds, so that a broken one is named.
    """
    reason = opening.unreadable(start)
    return reason or path.suffix.lower() in opening.ENDINGS or bool(opening.known(start))


def packed(path: Path, start: bytes) -> str | bool:
    """The same for .sdae files."""
    return path.suffix.lower() == ".sdae" or container.begins(start)


def sources(
    paths: list[Path], takes: Callable, own_ending: str | None = None
) -> tuple[list[tuple[Path, Path]], bool]:
    """Every file that the paths name, with the name it goes by inside an output folder.

    A pattern that the shell has left alone is filled in. Folders are searched, and folders in
    them, linked ones too; each but once, so that a circle of links ends. What a folder holds
    that cannot be read is counted on standard error, with the reason.

    Args:
        paths: files, folders and patterns.
        takes: `pictures` or `packed`.
        own_ending: of names in folders that are this command's own results, not sources.

    Returns:
        the files, and whether any were left out.

    Raises:
        Refused: a pattern, or all that is named, leads to no file.
    """
    files, any_left_out = [], False
    for path in chain.from_iterable(map(_matches, paths)):
        if path in _STANDARD_INPUT:
            files.append((STREAM, Path("stdin")))
        elif os.path.isdir(path):
            inside, left_out = _inside(path, takes, own_ending)
            for reason, names in left_out.items():
                any_left_out = True
                count = "1 file is" if len(names) == 1 else f"{len(names)} files are"
                listed = ", ".join(names[:3]) + ", …" * (len(names) > 3)
                say(f"{path}: {count} left out ({listed}). {reason}", sys.stderr)
            if not inside:
                any_left_out = True
                say(f"{path} holds no file that this command reads.", sys.stderr)
            files += [(file, file.relative_to(path)) for file in inside]
        else:
            files.append((path, Path(path.name)))
    if not files:
        raise Refused("there is nothing to read; name other files or folders.")
    return files, any_left_out


def readable(source: Path):
    """What `sdae.pictures.reading` reads a source from: its path, or standard input."""
    return getattr(sys.stdin, "buffer", sys.stdin) if source == STREAM else source


def _matches(path: Path) -> list[Path]:
    """What a pattern stands for; a path that is there, or is no pattern, for itself."""
    if not glob.has_magic(str(path)) or os.path.lexists(path):
        return [path]
    matches, every = {}, map(Path, glob.glob(str(path), recursive=True))
    for match in sorted(every, key=lambda match: (len(match.parts), match)):
        # A folder that links to one around it was searched over and over.
        matches.setdefault((os.path.realpath(match.parent), match.name), match)
    if not matches:
        raise Refused(f"no file fits the pattern {path}; check it and try again.")
    return list(matches.values())


def _inside(folder: Path, takes, own_ending) -> tuple[list[Path], dict[str, list[str]]]:
    """The files to take out of a folder, and the names of what is left out, by their reason."""
    files, left_out = [], {}

    def leave(place, reason):
        left_out.setdefault(reason, []).append(os.path.relpath(place, folder))

    for path in sorted(_searched(folder, leave)):
        # Some systems write a file ._x beside each file x, for what its folder cannot hold.
        if path.name.startswith("._") or (own_ending and path.name.endswith(own_ending)):
            continue
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                continue
            with path.open("rb") as file:
                taken = takes(path, file.read(_START))
        except OSError as error:
            taken = f"{error.strerror}."
        if isinstance(taken, str):
            leave(path, taken)
        elif taken:
            files.append(path)
    return files, left_out


def _searched(folder: Path, leave) -> Iterator[Path]:
    """All that lies in a folder and in those inside it, linked ones last."""
    seen, starts = set(), [folder]
    for start in starts:
        walk = os.walk(start, onerror=lambda error: leave(error.filename, f"{error.strerror}."))
        for place, folders, names in walk:
            real = os.path.realpath(place)
            if real in seen:
                leave(place, "It is a link to a folder that is searched already.")
                folders.clear()
                continue
            seen.add(real)
            yield from (Path(place, name) for name in names)
            inner = ((os.path.join(place, name), os.path.join(real, name)) for name in folders)
            starts += [link for link, path in inner if os.path.realpath(link) != path]
