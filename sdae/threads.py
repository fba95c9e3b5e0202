"""Work that is shared out between the processor's cores, and the BLAS library's own threads.

All of it works in forked children, in threads that outlive the main one and in exit handlers.
"""

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial

from threadpoolctl import OpenBLASController, ThreadpoolController


class _Here(threading.local):
    together = 0


here = _Here()


@contextmanager
def together():
    """What this thread does with others, counted in ``here.together``. A signal must not raise an
    exception meanwhile: it could tear a lock that the others wait for, then or at the end."""
    here.together += 1
    try:
        yield
    finally:
        here.together -= 1


@together()
def share_out(work, items) -> None:
    """Call ``work`` with each of the items, on as many threads as there are cores.

    The thread that asks works as well, so all is done even where no other thread can help. An
    error is raised when nobody works any more.
    """
    waiting, helpers = iter(items), []

    def take_turns():
        for item in waiting:
            work(item)

    with suppress(RuntimeError):  # the interpreter is ending, or no thread can be started
        for _ in range(min(_cores(), len(items)) - 1):
            helpers.append(_helpers().submit(take_turns))
    try:
        take_turns()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.result()


def made_ahead(items):
    """The items of an iterator; a thread makes the next while one is used."""
    items, ended = iter(items), together()(Future.result)
    with ThreadPoolExecutor(1) as pool:
        begun = together()(partial(pool.submit, next, items, None))
        ahead = begun()
        while (item := ended(ahead)) is not None:
            ahead = begun()
            yield item


@contextmanager
def one_blas_thread():
    """Products of matrices stay on the thread that asks for them.

    Rows are shared out between threads here. Threads of the BLAS library would wait for each
    other by spinning, which makes them many times slower wherever the cores have other work.
    The limit is the process's, so it holds as long as any thread needs it.
    """
    global _users, _limit
    with _lock:
        if not _users:
            _limit = _blas().limit(limits=1)
            OpenBLASController.clear_controlling_thread()  # or this thread alone could lift it
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limit.restore_original_limits()
                OpenBLASController.clear_controlling_thread()


def in_one_blas_thread(items):
    """The items of an iterator, each made within `one_blas_thread`."""
    items = iter(items)
    while True:
        with one_blas_thread():
            item = next(items, None)
        if item is None:
            return
        yield item


_lock, _users, _limit = threading.Lock(), 0, None


@lru_cache(maxsize=1)
def _blas():
    return ThreadpoolController().select(user_api="blas")


@lru_cache(maxsize=1)
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores() - 1, "sdae")


def _begin_anew():
    """In a forked child, whose helpers are gone. A limit that others needed stays: one is plenty."""
    _helpers.cache_clear()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _lock.acquire(),
        after_in_parent=lambda: _lock.release(),
        after_in_child=_begin_anew,
    )
