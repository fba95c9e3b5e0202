"""Which files a command reads: those that are named, and those inside folders that it can read."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdae.cli.job import STREAM, Refused
from sdae.coding import container
from sdae.pictures import opening
from sdae.progress import say

_START = 1024  # bytes of a file that say what it is


@dataclass(frozen=True)
class Kind:
    """What a command takes out of folders.

    Attributes:
        name: of such files, for messages.
        endings: of names that are taken whatever the file holds, so that a broken one is named.
        known: says of the first bytes of a file whether it is one, whatever its name.
        refusal: says of the first bytes of a file that is none why it is left out all the same;
            None where nobody would expect it to be taken.
    """

    name: str
    endings: frozenset[str]
    known: Callable[[bytes], object]
    refusal: Callable[[bytes], str | None] = lambda start: None


PICTURES = Kind("picture that can be read", opening.ENDINGS, opening.known, opening.unreadable)
PACKED = Kind(".sdae file", frozenset({".sdae"}), lambda start: start.startswith(container.MAGIC))


def sources(
    paths: list[Path], kind: Kind, own_ending: str = ""
) -> tuple[list[tuple[Path, Path]], bool]:
    """Every file that the paths name, with the name it goes by inside an output folder.

    A pattern that the shell has left alone is filled in; folders are searched, folders in them
    too. What a folder holds of a kind that cannot be read is counted on standard error.

    Args:
        paths: files, folders and patterns.
        kind: what to take out of folders.
        own_ending: of names in folders that are this command's own results, not sources.

    Returns:
        the files, and whether any were left out.

    Raises:
        Refused: a folder or a pattern leads to no file.
    """
    found, left_out = [], False
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
                inside, others = _inside(match, kind, own_ending)
                for reason, names in others.items():
                    left_out = True
                    count = "1 file is" if len(names) == 1 else f"{len(names)} files are"
                    listed = ", ".join(names[:3]) + ", …" * (len(names) > 3)
                    say(f"{match}: {count} left out ({listed}). {reason}", sys.stderr)
                if not inside:
                    raise Refused(f"{match} holds no {kind.name}.")
                found += [(p, p.relative_to(match)) for p in inside]
            else:
                found.append((match, Path(match.name)))
    return found, left_out


def _inside(folder: Path, kind: Kind, own_ending: str) -> tuple[list[Path], dict[str, list[str]]]:
    """The files to take out of a folder and of those in it, and what is left out, by the reason."""
    inside, others = [], {}

    def closed(error: OSError) -> None:
        others.setdefault(f"{error.strerror}.", []).append(str(error.filename))

    walk = os.walk(folder, onerror=closed)
    for path in sorted(Path(place, name) for place, _, names in walk for name in names):
        # Some systems write a file ._x beside each file x, for what its folder cannot hold.
        if not path.is_file() or path.name.startswith("._"):
            continue
        if own_ending and path.name.endswith(own_ending):
            continue
        try:
            with path.open("rb") as file:
                start = file.read(_START)
        except OSError:
            start = b""  # whoever reads it will say why it cannot be read
        reason = kind.refusal(start)
        if reason:
            others.setdefault(reason, []).append(path.name)
        elif path.suffix.lower() in kind.endings or kind.known(start):
            inside.append(path)
    return inside, others
