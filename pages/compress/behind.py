"""What is worked out behind the Compress page: other codecs, estimates, and qualities nearby."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pages.compress import estimates
from pages.shared import engine, other_codecs
from pages.shared.background import Queue
from pages.shared.engine import Prepared
from sdae.measuring.comparison import Result, Rival
from sdae.measuring.peers import PEERS

LADDER = 10, 25, 40, 60, 80
"""Qualities worked out for any picture, to be shown while the one asked for is made."""

PIXELS = 400_000
"""Larger pictures are not worked out ahead: each would take seconds."""


@dataclass(frozen=True)
class Behind:
    """What there is so far.

    rivals: peer → its best file of at most the bytes of the result, None where none is so small.
    smaller: the smallest file at the result's quality of the peer that is closest at its bytes;
        None where SDAE is closest, and as long as it is searched.
    estimates: see `pages.compress.estimates.estimates`; None as long as there are none.
    complete: whether there is nothing to wait for.
    """

    rivals: dict[str, Rival | None] = field(default_factory=dict)
    smaller: Rival | None = None
    estimates: tuple[list[int], list[float]] | None = None
    complete: bool = False

    @property
    def drawn(self) -> tuple:
        """Changes with all that the page shows of this."""
        return len(self.rivals), self.smaller is None, self.estimates is None, self.complete


def look(picture: Prepared, quality: int, effort: int, result: Result | None, first: str) -> Behind:
    """What there is so far; the rest is worked on, peer `first` before the others.

    Without a result, which comes first, other codecs are not searched any more.
    """
    if not result:
        other_codecs.none_wanted()
        return Behind(estimates=_estimates(picture, quality, effort, False))
    rivals = other_codecs.search(picture, result.file_bytes, first)
    searched, smaller = len(rivals) == len(PEERS), None
    name = closest(result, rivals)
    if searched and name:
        smaller = other_codecs.equal(picture, result.psnr, name)
        searched = smaller is not None
    found = _estimates(picture, quality, effort, searched)
    return Behind(rivals, smaller, found, searched and found is not None)


def closest(ours: Result, rivals: dict[str, Rival | None]) -> str | None:
    """The name of the peer that is closer than SDAE at the same bytes, and closest of all."""
    closer = {name: r.psnr for name, r in rivals.items() if r and r.psnr > ours.psnr}
    return max(closer, key=closer.get, default=None)


def _estimates(picture, quality, effort, idle):
    """Estimates of what is known. Once all else is done (`idle`), the neighbours of the quality,
    where an arrow key goes, and the ladder are worked out, which makes them better."""
    key = "curve", picture.key
    tasks = {key: estimates.curve(picture)}
    width, height = picture.size
    if idle and width * height <= PIXELS:
        near = [q for q in (quality + 1, quality - 1) if 1 <= q <= 100]
        ladder = sorted(LADDER, key=lambda q: abs(q - quality))
        tasks |= {("ahead", picture.key, q): engine.ahead(picture, q) for q in [*near, *ladder]}
    curve, known = _queue().collect(tasks, key).get(key), engine.results(picture, effort)
    return estimates.estimates(curve, known) if curve is not None and known else None


@st.cache_resource(show_spinner=False)
def _queue() -> Queue:
    return Queue("ahead", niceness=5)
