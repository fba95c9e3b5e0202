"""Who gets the processor: visitors in the order in which they came, and then what can wait."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager

import streamlit as st

from pages.shared.progress_bar import late_bar

_TICK, _LOOK = 0.1, 2.0
# Seconds: whoever waits looks so often whether the answer is still wanted, and a page that is
# drawn so often whether there is more.


class Dropped(Exception):
    """Raised by a task that has seen that nobody wants its answer any more."""


class Line:
    """A lock that is given in the order in which it was asked for."""

    def __init__(self):
        self._tickets, self._changed = [], threading.Condition()

    @property
    def length(self) -> int:
        """How many have the lock or wait for it."""
        return len(self._tickets)

    @contextmanager
    def turn(self, waiting: Callable[[int], None] = lambda place: None):
        """Hold the lock, after all who came before.

        Until then `waiting` is called now and then with the place in line, 1 for the next. An
        exception of it leaves the line.
        """
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
        try:
            while place := self._tickets.index(ticket):
                waiting(place)
                with self._changed:
                    self._changed.wait_for(lambda: self._tickets.index(ticket) < place, _TICK)
            yield
        finally:
            with self._changed:
                self._tickets.remove(ticket)
                self._changed.notify_all()

    def wait_until_free(self, wanted: Callable[[], bool]) -> None:
        """Let everybody in line go first. Raises `Dropped` once `wanted()` is false."""
        with self._changed:
            while self._tickets and wanted():
                self._changed.wait(_TICK)
        if not wanted():
            raise Dropped


class Remembered:
    """Answers by question, the latest used, of `most` bytes together; for several threads."""

    def __init__(self, most: int = 200_000_000):
        self._most, self._lock = most, threading.Lock()
        self._answers = OrderedDict()

    def __contains__(self, question) -> bool:
        return question in self._answers

    def get(self, question):
        """The answer, None where there is none."""
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
            return self._answers.get(question)

    def put(self, question, answer) -> None:
        with self._lock:
            self._answers[question] = answer
            self._answers.move_to_end(question)
            while len(self._answers) > 1 and sum(map(_size, self._answers.values())) > self._most:
                self._answers.popitem(last=False)

    def forget(self, question) -> None:
        with self._lock:
            self._answers.pop(question, None)

    def items(self) -> list:
        with self._lock:
            return list(self._answers.items())


def _size(answer) -> int:
    """The bytes of all files and arrays that an answer holds."""
    values = vars(answer).values() if hasattr(answer, "__dict__") else [answer]
    return sum(len(v) if isinstance(v, bytes) else getattr(v, "nbytes", 0) for v in values)


class Queue:
    """One worker for all that visitors can do without for a while, one task of each in turn.

    A task is a function that is called with `wanted`, a function that says whether anybody still
    wants its answer. One that takes long asks that now and then and raises `Dropped`.
    """

    def __init__(self):
        self._answers = Remembered()
        self._wanted: OrderedDict[str, dict[tuple, Callable]] = OrderedDict()
        self._changed = threading.Condition()
        # Not of an executor: that would work off all that waits before the server may end.
        threading.Thread(target=self._work, name="background", daemon=True).start()

    def ask(self, tasks: dict[tuple, Callable]) -> dict:
        """The answers that are there, by key; ask again for the others, which are worked out.

        A key stands for its answer, whoever asks. Tasks are begun in their order. What this
        visitor has asked before and no longer asks is dropped. What a task raises is raised here.
        """
        visitor = _visitor()
        with self._changed:
            answers = {key: self._answers.get(key) for key in tasks if key in self._answers}
            self._wanted[visitor] = {k: task for k, task in tasks.items() if k not in answers}
            if not self._wanted[visitor]:
                del self._wanted[visitor]
            self._changed.notify_all()
        for key, answer in answers.items():
            if isinstance(answer, Exception):
                self._answers.forget(key)  # begun anew when it is asked for again
                raise answer
        return answers

    def wait(self, key: tuple, waiting: Callable[[], None]) -> None:
        """Wait for the answer of a key that this visitor has asked; `waiting` is called now and
        then, and may raise."""
        while key not in self._answers:
            waiting()
            with self._changed:
                self._changed.wait_for(lambda: key in self._answers, _TICK)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
                visitor, tasks = next(iter(self._wanted.items()))
                self._wanted.move_to_end(visitor)
                key, task = next(iter(tasks.items()))
            try:
                answer = task(lambda key=key: self._is_wanted(key))
            except Dropped:
                continue
            except Exception as error:
                answer = error
            with self._changed:
                self._answers.put(key, answer)
                for visitor, tasks in list(self._wanted.items()):
                    tasks.pop(key, None)
                    if not tasks:
                        del self._wanted[visitor]
                self._changed.notify_all()

    def _is_wanted(self, key: tuple) -> bool:
        with self._changed:
            return any(key in tasks for tasks in self._wanted.values())


def follow(queue: Queue, tasks: dict[tuple, Callable], answers: dict, first: tuple | None) -> None:
    """The end of a page that shows `answers` to `tasks`: it runs again when there are more.

    Key `first` is what the visitor looks at: the page waits for it. For the others it looks now
    and then.
    """
    if first in tasks and first not in answers:
        with late_bar() as report:
            queue.wait(first, lambda: report("Working"))
        st.rerun()
    complete = len(answers) == len(tasks)
    st.fragment(_look, run_every=None if complete else _LOOK)(queue, tasks, len(answers))


def _look(queue: Queue, tasks: dict, count: int) -> None:
    if len(queue.ask(tasks)) > count:
        st.rerun()


def _visitor() -> str:
    """A name for the session whose page is running."""
    return st.session_state.setdefault("visitor", os.urandom(8).hex())
