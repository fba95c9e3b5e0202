"""Work for the workers of a Dask cluster (Rocklin 2015; https://distributed.dask.org).

A worker that dies takes nothing along: Dask gives its tasks to others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

_PATIENCE = 30  # seconds for the cluster to answer and for its first worker

_LOST = "the scheduler of the cluster went away; start it and the run again, which then goes on."


class ClusterError(Exception):
    """There is no cluster to work on; the message says what to do."""


def results(address: str, task: Callable, items: Iterable) -> Iterator[tuple]:
    """Do `task(item)` for every item on the cluster; yields (item, result) as they come.

    A result may be the exception that its task raised. Only so many items are taken ahead as
    keep the workers busy, so there may be any number of them.

    Args:
        address: of the scheduler, such as ``tcp://host:8786``.
        task: a function that pickle takes, importable on the workers.
        items: what pickle takes.

    Raises:
        ClusterError: no cluster answers, it has no workers, or it goes away.
    """
    try:
        from distributed import CancelledError, Client, as_completed
        from distributed.comm import CommClosedError
    except ImportError as error:
        raise ClusterError(
            "--dask needs Dask; install it with pip install 'sdae[dask]'."
        ) from error

    # What goes wrong is raised here, as one sentence.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    items = iter(items)
    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}; check the address.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise ClusterError(f"the cluster at {address} has no workers; start some.") from error
        begun, waiting = {}, as_completed()

        def submit(count):
            for item in islice(items, count):
                future = client.submit(task, item, pure=False)
                begun[future] = item
                waiting.add(future)

        submit(2 * sum(client.nthreads().values()) + 2)
        try:
            for future in waiting:
                result = future.exception() or future.result()
                if isinstance(result, CancelledError):
                    raise result
                yield begun.pop(future), result
                submit(1)
        except (CancelledError, CommClosedError) as error:
            raise ClusterError(_LOST) from error


def reason(error: Exception) -> str:
    """Why a task failed, as a sentence."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "each worker that began it died, perhaps for want of memory; start the run again."
    return f"failed on its worker ({error}); start the run again."
