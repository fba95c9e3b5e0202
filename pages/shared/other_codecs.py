"""Other codecs at the same bytes: searched behind the page's back, shown as they arrive."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from pages.shared import engine
from pages.shared.background import Queue
from pages.shared.engine import Prepared
from pages.shared.numbers import decibels
from sdae.measuring import comparison
from sdae.measuring.comparison import Result, Rival
from sdae.measuring.peers import PEERS

_REMEMBERED = 48


@st.cache_resource(show_spinner=False)
def _searches() -> Queue:
    return Queue("rivals", _REMEMBERED)


@st.cache_resource(show_spinner=False)
def _equals() -> Queue:
    return Queue("equals", _REMEMBERED)


def search(
    picture: Prepared, budget: int, first: str | None = None, patience: float = 0.0
) -> dict[str, Rival | None]:
    """The answers that are there, by peer name; the rest is searched on, so ask again.

    An answer is None where a peer has no file of at most `budget` bytes. Peer `first` is searched
    before the others and waited for, up to `patience` seconds.
    """
    keys = {name: (name, picture.key, budget) for name in PEERS}
    tasks = {
        key: _search(comparison.rival, name, picture.rgb, budget) for name, key in keys.items()
    }
    found = _searches().collect(tasks, keys.get(first), patience)
    return {name: found[key] for name, key in keys.items() if key in found}


def equal(picture: Prepared, psnr: float, name: str) -> Rival | None:
    """Peer `name` at the same quality: its smallest file of at least `psnr` dB.

    None as long as it is searched, so ask again, and where there is none.
    """
    key = name, picture.key, psnr
    task = _search(comparison.equal, name, picture.rgb, psnr)
    return _equals().collect({key: task}).get(key)


def none_wanted() -> None:
    """The visitor has moved on: what is searched for this session is dropped."""
    _searches().collect({})


def _search(function, *question):
    """A task that makes way for the codec before each file that the peer encodes."""
    return lambda wanted: function(*question, pause=partial(engine.when_idle, wanted))


_STYLE = """
<style>
.sdae-rivals { width: 100%; border-collapse: collapse; font-size: 0.875rem;
  font-variant-numeric: tabular-nums; }
.sdae-rivals th, .sdae-rivals td { padding: 0.45rem 0.5rem; text-align: right; font-weight: 400;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.sdae-rivals th:first-child { text-align: left; }
.sdae-rivals thead th { opacity: 0.75; font-size: 0.8125rem; }
.sdae-rivals th small { display: block; opacity: 0.7; font-size: 0.75rem; }
.sdae-rivals .ours { background: color-mix(in srgb, #2B87C8 14%, transparent); }
.sdae-rivals td.best { font-weight: 700; }
.sdae-rivals td.wait { opacity: 0.7; text-align: left; }
</style>
"""


def table(ours: Result, answers: dict[str, Rival | None]) -> None:
    """Draw our result and the peers' answers so far; ours is tinted, the best figures are bold."""
    found = [ours, *filter(None, answers.values())]
    best = {"psnr": max(r.psnr for r in found), "ssim": max(r.ssim for r in found)}
    rows = [_row("SDAE", f"quality {ours.quality:g}", ours, best, "ours")]
    for name, peer in PEERS.items():
        if answers.get(name):
            rows.append(_row(peer.label, answers[name].settings, answers[name], best))
        else:
            text = "searching …" if name not in answers else "no file is this small"
            rows.append(
                f"<tr><th scope='row'>{escape(peer.label)}</th>"
                f"<td class='wait' colspan='3'>{text}</td></tr>"
            )
    heads = "".join(f"<th scope='col'>{head}</th>" for head in ("Codec", "Bytes", "PSNR", "SSIM"))
    st.html(
        f"{_STYLE}<table class='sdae-rivals'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(label, settings, result, best, kind="") -> str:
    def figure(name, form):
        value = getattr(result, name)
        mark = " class='best'" if value == best[name] else ""
        return f"<td{mark}>{form(value)}</td>"

    return (
        f"<tr class='{kind}'><th scope='row'>{escape(label)}<small>{escape(settings)}</small></th>"
        f"<td>{result.file_bytes:,}</td>{figure('psnr', decibels)}{figure('ssim', '{:.4f}'.format)}</tr>"
    )
