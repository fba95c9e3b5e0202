"""Archives larger than one machine: pictures compressed by the workers of a Dask cluster.

Every file appears whole or not at all, whichever worker dies. Results that are there are done, so
that a run that is started again goes on where it stood.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import sdae
from sdae import cluster, weights
from sdae.cli import batch, sources, targets, writing
from sdae.cli.job import STREAM, Job, Refused
from sdae.progress import say


def compress_all(args, compress: Callable) -> tuple[Iterator[dict], int]:
    """``sdae compress --dask ADDRESS SOURCE … FOLDER``.

    Args:
        args: of the command.
        compress: makes one file of a codec, `args` and a job; returns the facts.

    Returns:
        the facts of each file, or its error, as they come; and how many come.

    Raises:
        Refused: the paths do not fit.
        ClusterError: there is no cluster.
        WeightsError: the weights are missing.
    """
    paths = [*args.paths, *([Path(args.output)] if args.output else [])]
    if len(paths) < 2 or STREAM in paths or os.path.isfile(paths[-1]):
        raise Refused("--dask reads files and needs an output folder as the last PATH; name both.")
    # Workers have working folders of their own.
    *inputs, output = [path.resolve() for path in paths]
    name = args.weights and weights.folder(args.weights).resolve()
    jobs = targets.jobs(inputs, sources.pictures, ".sdae", f"{output}/", args.force)
    missing = [job for job in jobs if not (job.refusal and _is_done(job))]
    if len(missing) < len(jobs):
        done = f"{len(jobs) - len(missing)} of {len(jobs)} files are done already"
        say(f"{done}; --force makes them again, with other settings perhaps.", sys.stderr)
    return _facts(args.dask, partial(_compress, name, compress, args), missing, output), len(
        missing
    )


def _is_done(job: Job) -> bool:
    """Whether a target has the time of its source, which some file systems keep to two seconds."""
    try:
        source, target = os.stat(job.source), os.stat(job.target)
    except OSError:
        return False
    return abs(source.st_mtime_ns - target.st_mtime_ns) < 2_000_000_000


def _facts(address: str, task, jobs: list[Job], output: Path) -> Iterator[dict]:
    yield from (batch.attempt(task, job) for job in jobs if job.refusal)
    # A task is done again where its worker died after it had written.
    free = [replace(job, replace=True) for job in jobs if not job.refusal]
    try:
        for job, facts in cluster.results(address, task, free):
            failed = isinstance(facts, Exception)
            yield {"error": f"{job.source}: {cluster.reason(facts)}"} if failed else facts
    finally:
        # What workers were writing when they died.
        for part in output.rglob(writing.PARTS):
            part.unlink(missing_ok=True)


def _compress(name, compress: Callable, args, job: Job) -> dict:
    """One picture, on a worker."""
    return batch.attempt(partial(compress, _codec(name), args), job)


_codec = lru_cache(maxsize=1)(sdae.load)
