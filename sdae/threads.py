"""Work that is shared out between the processor's cores, and the BLAS library's own threads."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController

_limit = threading.Lock()
_limited = 0
_restore = None


def share_out(work, parts) -> None:
    """Call ``work`` with each of the parts, on as many threads as there are cores."""
    if len(parts) > 1:
        list(_workers().map(work, parts))
    else:
        for part in parts:
            work(part)


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ThreadPoolExecutor(cores or 1, "sdae")


@contextmanager
def one_blas_thread():
    """Products of matrices stay on the thread that asks for them.

    Rows are shared out between threads here. Threads of the BLAS library would wait for each
    other by spinning, which makes them many times slower wherever the cores have other work.
    """
    global _limited, _restore
    with _limit:
        if not _limited:
            _restore = _switch(lambda: _blas().limit(limits=1).restore_original_limits)
        _limited += 1
    try:
        yield
    finally:
        with _limit:
            _limited -= 1
            if not _limited:
                _switch(_restore)


def in_one_blas_thread(parts):
    """The parts of an iterator, each made within `one_blas_thread`."""
    parts = iter(parts)
    while True:
        with one_blas_thread():
            part = next(parts, None)
        if part is None:
            return
        yield part


def _switch(work):
    # The limit is the process's, and threadpoolctl lets one thread alone change it.
    return _keeper().submit(work).result()


@lru_cache(maxsize=1)
def _keeper():
    return ThreadPoolExecutor(1, "sdae-blas")


@lru_cache(maxsize=1)
def _blas():
    return ThreadpoolController().select(user_api="blas")
