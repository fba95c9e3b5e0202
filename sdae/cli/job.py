"""One file of a command: where it is read from and where its result goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STREAM = Path("-")
"""Standard input as a source, standard output as a target."""


class Refused(Exception):
    """What cannot be done, as a sentence for the user."""


@dataclass(frozen=True)
class Job:
    """A file to read, and the one to write.

    Attributes:
        source: a file, or `STREAM`.
        target: a file, or `STREAM`; None where nothing is written.
        replace: whether a file that is there already may be replaced.
        refusal: why this cannot be done, known before it is begun; None where it can.
    """

    source: Path
    target: Path | None = None
    replace: bool = False
    refusal: str | None = None
