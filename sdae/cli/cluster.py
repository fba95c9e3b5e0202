"""Pictures compressed by the workers of a Dask cluster (Rocklin 2015; https://distributed.dask.org).

A worker that dies takes nothing along: Dask gives its pictures to others. Results that are there
are done, so a run that is started again goes on where it stood.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import sdae
from sdae import weights
from sdae.cli import batch, sources, targets, writing
from sdae.cli.job import Job, Refused
from sdae.progress import say

_PATIENCE = 30  # seconds for the cluster to answer and for its first worker


def run(args, compress: Callable, line: Callable) -> int:
    """``sdae compress --dask ADDRESS``; returns the exit code.

    Args:
        args: of the command.
        compress: makes one file of a codec, `args` and a job; returns the facts.
        line: as for `batch.report`.

    Raises:
        Refused: the paths do not fit, or there is no cluster.
    """
    if "-" in (args.output, *map(str, args.paths)):
        raise Refused("--dask reads and writes files that its workers see; name them.")
    # Workers have working folders of their own.
    paths = [path.resolve() for path in args.paths]
    output = args.output and os.path.join(os.getcwd(), args.output)
    name = args.weights and weights.folder(args.weights).resolve()
    jobs = targets.jobs(paths, sources.PICTURES, ".sdae", output, args.force)
    missing = [job for job in jobs if not _is_done(job)]
    if len(missing) < len(jobs):
        done = f"{len(jobs) - len(missing)} of {len(jobs)} files are done already"
        say(f"{done}; --force makes them again, with other settings perhaps.", sys.stderr)
    facts = _facts(args.dask, partial(_compress, name, compress, args), missing)
    return batch.report(facts, len(missing), line, args.json)


def _is_done(job: Job) -> bool:
    """Whether a target has the time of its source, which some file systems keep to two seconds."""
    try:
        source, target = os.stat(job.source), os.stat(job.target)
    except OSError:
        return False
    return bool(job.refusal) and abs(source.st_mtime - target.st_mtime) < 2


def _facts(address: str, task: Callable, jobs: list[Job]) -> Iterator[dict]:
    from distributed import CancelledError, Client

    # What goes wrong is raised here, as one sentence.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    yield from (batch.attempt(task, job) for job in jobs if job.refusal)
    # A task is done again where its worker died after it had written.
    free = [replace(job, replace=True) for job in jobs if not job.refusal]
    try:
        with Client(address, timeout=_PATIENCE) as client:
            client.wait_for_workers(1, timeout=_PATIENCE)
            for job, future in zip(free, client.map(task, free, pure=False)):
                error = future.exception()
                if isinstance(error, CancelledError):
                    raise error
                lost = f"{job.source}: no worker lived to finish it; start the run again."
                yield {"error": lost} if error else future.result()
    except (OSError, ValueError, TypeError, CancelledError) as error:
        raise Refused(
            f"no Dask cluster with workers answers at {address}; check that and start again."
        ) from error
    finally:
        # What workers were writing when they died.
        for folder in {job.target.parent for job in free}:
            for part in folder.glob(writing.PARTS):
                part.unlink(missing_ok=True)


def _compress(name: Path | None, compress: Callable, args, job: Job) -> dict:
    """One picture, on a worker."""
    return batch.attempt(partial(compress, _codec(name), args), job)


_codec = lru_cache(maxsize=1)(sdae.load)
