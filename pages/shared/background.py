"""Slow answers: worked out behind a page's back, one after another, and collected as they come."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from queue import SimpleQueue

import streamlit as st


class Dropped(Exception):
    """Raised by a task that has seen that nobody wants its answer any more."""


@dataclass(frozen=True)
class _Job:
    future: Future
    stop: threading.Event

    def drop(self) -> None:
        self.stop.set()
        self.future.cancel()

    @property
    def ended(self) -> bool:
        """Whether it has an answer, or an exception that says why not; one that was dropped has
        neither."""
        if not self.future.done() or self.future.cancelled():
            return False
        return not isinstance(self.future.exception(), Dropped)

    @property
    def answered(self) -> bool:
        return self.ended and not self.future.exception()


class Queue:
    """One worker for the whole server; the latest answers stay, the oldest are forgotten.

    A task is called with a function that says whether its answer is still wanted. One that takes
    long asks it now and then, and raises `Dropped` where it is not.
    """

    def __init__(self, name: str, remembered: int = 64, niceness: int = 10):
        self._name, self._remembered = name, remembered
        self._waiting = SimpleQueue()
        # Not of an executor: that would work off all that waits before the server may end.
        threading.Thread(target=self._work, args=[niceness], name=name, daemon=True).start()
        self._jobs: OrderedDict[tuple, _Job] = OrderedDict()
        self._lock = threading.Lock()

    def collect(self, tasks: dict[tuple, Callable], first=None, patience: float = 0.0) -> dict:
        """The answers that are there, by key; the others are worked on, so ask again.

        A key stands for its answer, whoever asks. Key `first` comes before the others and is
        waited for, up to `patience` seconds. What this session asked here before and no longer
        asks is dropped; where another key is to be first, the others step back behind it. What a
        task raises is raised here, and it is begun anew when it is asked for again.
        """
        asked = f"{self._name} jobs"
        keys = sorted(tasks, key=lambda key: key != first)
        leader, before = st.session_state.get(asked, (None, {}))
        for key, job in before.items():
            if key not in tasks:
                job.drop()
            elif first not in (leader, key):
                job.future.cancel()
        # Asking again also brings back what another session has dropped.
        jobs = {key: self._ask(key, tasks[key]) for key in keys}
        st.session_state[asked] = first, jobs
        wait([jobs[first].future] if first in jobs else [], patience)
        return {key: job.future.result() for key, job in jobs.items() if job.ended}

    def _ask(self, key: tuple, task: Callable) -> _Job:
        """The job that answers; one whose key was asked before is not started again."""
        with self._lock:
            job = self._jobs.pop(key, None)
            if job is None or not job.answered and (job.stop.is_set() or job.future.done()):
                job = _Job(Future(), threading.Event())
                self._waiting.put((job, task))
            self._jobs[key] = job
            while len(self._jobs) > self._remembered:
                self._jobs.popitem(last=False)[1].drop()
        return job

    def _work(self, niceness: int) -> None:
        _step_back(niceness)
        while True:
            job, task = self._waiting.get()
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                job.future.set_result(task(lambda stop=job.stop: not stop.is_set()))
            except BaseException as error:
                job.future.set_exception(error)


def _step_back(niceness: int) -> None:
    # What a visitor waits for comes first; Linux alone has priorities for single threads.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
