"""Slow answers: worked out behind a page's back, one after another, and collected as they come."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import streamlit as st


class Queue:
    """One worker for the whole server; the latest answers stay, the oldest are forgotten."""

    def __init__(self, name: str, remembered: int = 64):
        self._name, self._remembered = name, remembered
        self._worker = ThreadPoolExecutor(1, name, initializer=_step_back)
        self._futures: OrderedDict[tuple, Future] = OrderedDict()
        self._lock = threading.Lock()

    def collect(self, tasks: dict[tuple, Callable], first=None, patience: float = 0.0) -> dict:
        """The answers that are there, by key; the others are worked on, so ask again.

        A key stands for its answer, whoever asks. Key `first` comes before the others and is
        waited for, up to `patience` seconds. What this session asked here before and no longer
        asks is dropped if it has not begun; where another key is to be first, the others step
        back behind it.
        """
        asked = f"{self._name} futures"
        keys = sorted(tasks, key=lambda key: key != first)
        leader, waiting = st.session_state.get(asked, (None, {}))
        for key, future in waiting.items():
            if key not in tasks or first not in (leader, key):
                future.cancel()
        # Asking again also brings back what another session has dropped.
        futures = {key: self.ask(key, tasks[key]) for key in keys}
        st.session_state[asked] = first, futures
        wait([futures[first]] if first in futures else [], patience)
        return {k: f.result() for k, f in futures.items() if f.done() and not f.cancelled()}

    def ask(self, key: tuple, task: Callable) -> Future:
        """The answer to come; a task whose key was asked before is not started again."""
        with self._lock:
            future = self._futures.pop(key, None)
            if future is None or future.cancelled():
                future = self._worker.submit(task)
            self._futures[key] = future
            while len(self._futures) > self._remembered:
                self._futures.popitem(last=False)[1].cancel()
        return future


def _step_back() -> None:
    # The codec's own answer comes first; Linux alone has priorities for single threads.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)
