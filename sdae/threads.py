"""Work that is shared out between the processor's cores, and the BLAS library's own threads.

Both work in a forked child and while the interpreter ends, where an executor takes no more work.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from queue import SimpleQueue

from threadpoolctl import OpenBLASController, ThreadpoolController


def share_out(work, parts) -> None:
    """Call ``work`` with each of the parts, on as many threads as there are cores.

    The thread that asks works as well, so all is done even where no other thread can help.
    """
    waiting, errors = iter(parts), SimpleQueue()

    def take_turns():
        for part in waiting:
            try:
                work(part)
                errors.put(None)
            except BaseException as error:
                errors.put(error)

    try:
        for _ in range(min(_cores(), len(parts)) - 1):
            _helpers().submit(take_turns)
    except RuntimeError:
        pass  # the interpreter is ending, or no thread can be started
    take_turns()
    for error in [errors.get() for _ in parts]:
        if error:
            raise error


def made_ahead(parts):
    """The parts of an iterator; a thread makes the next while one is used."""
    parts = iter(parts)
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(next, parts, None)
        while (part := ahead.result()) is not None:
            ahead = pool.submit(next, parts, None)
            yield part


@lru_cache(maxsize=1)
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores() - 1, "sdae")


@contextmanager
def one_blas_thread():
    """Products of matrices stay on the thread that asks for them.

    Rows are shared out between threads here. Threads of the BLAS library would wait for each
    other by spinning, which makes them many times slower wherever the cores have other work.
    """
    with _limit:
        yield


class _Limit:
    """The limit of `one_blas_thread`, which is the process's, for as long as anybody needs it."""

    def __init__(self):
        self.lock, self.needed, self.restore = threading.Lock(), 0, None

    def __enter__(self):
        with self.lock:
            if not self.needed:
                self.restore = _switch(lambda: _blas().limit(limits=1).restore_original_limits)
            self.needed += 1

    def __exit__(self, *error):
        with self.lock:
            self.needed -= 1
            if not self.needed:
                _switch(self.restore)


_limit = _Limit()


def in_one_blas_thread(parts):
    """The parts of an iterator, each made within `one_blas_thread`."""
    parts = iter(parts)
    while True:
        with one_blas_thread():
            part = next(parts, None)
        if part is None:
            return
        yield part


def _switch(change):
    found = change()
    # Otherwise threadpoolctl would let this thread alone change the limit from now on.
    OpenBLASController.clear_controlling_thread()
    return found


@lru_cache(maxsize=1)
def _blas():
    return ThreadpoolController().select(user_api="blas")


def _begin_anew():
    # In a forked child no other thread goes on, and what they needed is needed no more.
    global _limit
    _helpers.cache_clear()
    if _limit.needed:
        _switch(_limit.restore)
    _limit.lock.release()
    _limit = _Limit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _limit.lock.acquire(),
        after_in_parent=lambda: _limit.lock.release(),
        after_in_child=_begin_anew,
    )
