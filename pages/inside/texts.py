"""What the lesson says, read from ``steps/``: a Markdown file a step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "steps"


@dataclass(frozen=True)
class Step:
    """The texts of a step, all in Markdown.

    Attributes:
        name: stands in the bar and in the link.
        title: above the screen.
        lead: what it is about, and what to look at.
        formula, sources: with TeX, and a list.
        exercises: pairs of a question for the class and its answer.
    """

    name: str
    title: str
    lead: str
    formula: str
    sources: str
    exercises: tuple[tuple[str, str], ...]


def _read(name: str) -> Step:
    """A step from its file: a title and the lead, then sections that begin with ``##``."""
    text = (_FOLDER / f"{name.lower()}.md").read_text(encoding="utf-8")
    head, *sections = text.removeprefix("# ").split("\n## ")
    title, lead = head.split("\n\n", 1)
    formula, sources, *exercises = (section.partition("\n")[2].strip() for section in sections)
    pairs = tuple(tuple(exercise.split("\n\n", 1)) for exercise in exercises)
    return Step(name, title, lead.strip(), formula, sources, pairs)


NAMES = "Pipeline", "Units", "Latent", "Bytes", "Noise", "Training", "Limits"

STEPS = tuple(map(_read, NAMES))
"""The seven steps, in order."""
