"""Other codecs at the same bytes: searched behind the page's back, shown as they arrive."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from html import escape

import streamlit as st

from sdae import measure
from sdae.measure import Result, Rival
from sdae.peers import PEERS
from sdae.ui.engine import Prepared

_REMEMBERED = 48
_TICK = 0.1  # seconds


class _Searches:
    """One queue for the whole server; the latest answers stay, the oldest are forgotten."""

    def __init__(self):
        self._worker = ThreadPoolExecutor(1, "rivals", initializer=_step_back)
        self._futures: OrderedDict[tuple, Future] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, name: str, picture: Prepared, budget: int) -> Future:
        key = name, picture.key, budget
        with self._lock:
            future = self._futures.pop(key, None)
            if future is None or future.cancelled():
                future = self._worker.submit(measure.rival, name, picture.rgb, budget)
            self._futures[key] = future
            while len(self._futures) > _REMEMBERED:
                self._futures.popitem(last=False)[1].cancel()
        return future


def _step_back() -> None:
    # The codec's own answer comes first; Linux alone has priorities for single threads.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


@st.cache_resource(show_spinner=False)
def _searches() -> _Searches:
    return _Searches()


def search(picture: Prepared, budget: int, first: str) -> Iterator[dict[str, Rival | None]]:
    """Yield the answers so far, by peer name, about ten times a second until all are there.

    An answer is None where a peer has no file of at most `budget` bytes. Peer `first` is searched
    before the others. What this session searched before and what has not begun is dropped.
    """
    for future in st.session_state.get("rivals", ()):
        future.cancel()
    names = sorted(PEERS, key=lambda name: name != first)
    while True:
        # Asking again brings back what another session has dropped.
        futures = {name: _searches().ask(name, picture, budget) for name in names}
        st.session_state["rivals"] = list(futures.values())
        done = {n: f for n, f in futures.items() if f.done() and not f.cancelled()}
        yield {name: future.result() for name, future in done.items()}
        if len(done) == len(futures):
            return
        time.sleep(_TICK)


_STYLE = """
<style>
.sdae-rivals { width: 100%; border-collapse: collapse; font-size: 0.875rem;
  font-variant-numeric: tabular-nums; }
.sdae-rivals th, .sdae-rivals td { padding: 0.45rem 0.5rem; text-align: right; font-weight: 400;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.sdae-rivals th:first-child { text-align: left; padding-left: 0; }
.sdae-rivals thead th { opacity: 0.75; font-size: 0.8125rem; }
.sdae-rivals th small { display: block; opacity: 0.7; font-size: 0.75rem; }
.sdae-rivals .ours th, .sdae-rivals .ours td, .sdae-rivals td.best { font-weight: 600; }
.sdae-rivals td.wait { opacity: 0.7; text-align: left; }
</style>
"""


def table(ours: Result, answers: dict[str, Rival | None]) -> None:
    """Draw our result and the peers' answers so far; the best figures are bold."""
    found = [ours, *filter(None, answers.values())]
    best = {"psnr": max(r.psnr for r in found), "ssim": max(r.ssim for r in found)}
    rows = [_row("SDAE", f"quality {ours.quality:g}", ours, best, "ours")]
    for name, peer in PEERS.items():
        if answers.get(name):
            rows.append(_row(peer.label, answers[name].settings, answers[name], best))
        else:
            text = "searching …" if name not in answers else "no file is this small"
            rows.append(f"<tr><th scope='row'>{escape(peer.label)}</th>"
                        f"<td class='wait' colspan='3'>{text}</td></tr>")
    heads = "".join(f"<th scope='col'>{head}</th>" for head in ("Codec", "Bytes", "PSNR", "SSIM"))
    st.html(f"{_STYLE}<table class='sdae-rivals'><thead><tr>{heads}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table>")


def _row(label, settings, result, best, kind="") -> str:
    def figure(name, form):
        value = getattr(result, name)
        mark = " class='best'" if value == best[name] else ""
        return f"<td{mark}>{value:{form}}</td>"

    return (
        f"<tr class='{kind}'><th scope='row'>{escape(label)}<small>{escape(settings)}</small></th>"
        f"<td>{result.file_bytes:,}</td>{figure('psnr', '.2f')}{figure('ssim', '.4f')}</tr>"
    )
