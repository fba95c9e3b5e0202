"""What a visitor of the Compress page can do without for a while: it is worked out meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from pages.compress import estimates
from pages.shared import background, engine, other_codecs
from pages.shared.comparison import Result, Rival
from pages.shared.engine import Prepared


@dataclass(frozen=True)
class Later:
    """The tasks, the answers that are there, and what they mean.

    tasks, answers: for and from a `Queue`; `first` is the key that the visitor looks at.
    rivals: peer → its best file of at most the bytes of the result, None where none is so small.
    estimates: see `pages.compress.estimates.estimates`; None as long as there are none.
    """

    tasks: dict
    answers: dict
    first: tuple | None
    rivals: dict[str, Rival | None]
    estimates: tuple[list[int], list[float]] | None

    def follow(self) -> None:
        """Draw the page again when there is more."""
        background.follow(engine.queue(), self.tasks, self.answers, self.first)


def later(picture: Prepared, quality: int, result: Result | None, other: str) -> Later:
    """What there is so far. The rest is worked on, first the file of peer `other`, which is shown.

    Other codecs are searched and the neighbours of the quality, where an arrow key goes, worked
    out when there is a result.
    """
    curve = "curve", picture.key
    tasks, first = {curve: estimates.curve(picture)}, None
    if result:
        searches = other_codecs.tasks(picture, result.file_bytes)
        first = other_codecs.key(picture, result.file_bytes, other)
        near = [q for q in (quality + 1, quality - 1) if 1 <= q <= 100]
        ahead = {("ahead", picture.key, q): engine.ahead(picture, q) for q in near}
        tasks = {first: searches[first]} | tasks | searches | ahead
    answers, results = engine.queue().ask(tasks), engine.results(picture)
    return Later(
        tasks,
        answers,
        first,
        other_codecs.by_name(picture, result.file_bytes, answers) if result else {},
        estimates.estimates(answers[curve], results) if curve in answers and results else None,
    )
