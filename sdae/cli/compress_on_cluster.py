"""Archives larger than one machine: pictures compressed by the workers of a Dask cluster.

Every file appears whole or not at all, whichever worker dies. The results themselves say what is
done, so that a run that is started again goes on where it stood.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path

import sdae
from sdae import cluster, weights
from sdae.cli import batch, sources, targets, writing
from sdae.cli.job import STREAM, Job, Refused
from sdae.progress import say

SETTINGS = "sdae-settings.json"
"""Name of the file in the output folder that says how the results there are made."""


def compress_all(
    address: str,
    paths: list[Path],
    compress: Callable,
    settings,
    weights_name=None,
    force: bool = False,
) -> tuple[Iterator[dict], int, bool]:
    """``sdae compress --dask ADDRESS SOURCE … FOLDER``.

    Args:
        address: of the cluster's scheduler.
        paths: sources, and the output folder at the end.
        compress: makes one file of a codec, the settings and a job; returns the facts.
        settings: a dataclass of what decides the content of files.
        weights_name: name or folder of the weights; None for the shipped.
        force: whether files that exist are replaced.

    Returns:
        the facts of each file, or its error, as they come; how many come; and whether any
        sources were left out.

    Raises:
        Refused: the paths do not fit, or results of other settings are there.
        ClusterError: there is no cluster.
        WeightsError: the weights are missing.
    """
    if len(paths) < 2 or STREAM in paths or os.path.isfile(paths[-1]):
        raise Refused("--dask reads files and needs an output folder as the last PATH; name both.")
    # Workers have working folders of their own.
    *inputs, output = [path.resolve() for path in paths]
    place = weights.folder(weights_name)
    sha256 = weights.read_card(place)["sha256"]
    jobs, left_out = targets.jobs(inputs, sources.pictures, ".sdae", f"{output}/", force)
    free = force or not any(os.path.exists(job.target) for job in jobs)
    since = _since(output / SETTINGS, {**asdict(settings), "weights": sha256}, free)
    missing = [job for job in jobs if force or not _is_done(job, since)]
    if len(missing) < len(jobs):
        say(f"{len(jobs) - len(missing)} of {len(jobs)} files are done already.", sys.stderr)
    task = partial(_compress, weights_name and place.resolve(), sha256, compress, settings)
    return _facts(address, task, missing, output), len(missing), left_out


def _since(path: Path, settings: dict, free: bool) -> int:
    """When results of these settings began to be written, in ns; now, if others were and may go."""
    earlier, wanted = path.read_bytes() if path.exists() else b"", json.dumps(settings).encode()
    if earlier not in (b"", wanted) and not free:
        raise Refused(
            f"{path.parent} holds results of other settings; name another folder, or give --force "
            "to replace them."
        )
    if earlier != wanted:
        path.parent.mkdir(parents=True, exist_ok=True)
        weights.replace(path, wanted)
    return path.stat().st_mtime_ns


def _is_done(job: Job, since: int) -> bool:
    """Whether a target was written with these settings and of the source as it is now.

    It has the time of its source then, which some file systems keep to two seconds only. When it
    was written is the time of its change.
    """
    try:
        source, target = os.stat(job.source), os.stat(job.target)
    except OSError:
        return False
    same = abs(source.st_mtime_ns - target.st_mtime_ns) < 2_000_000_000
    return same and target.st_ctime_ns >= since


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


def _compress(name, sha256: str, compress: Callable, settings, job: Job) -> dict:
    """One picture, on a worker."""
    codec = _codec(name)
    if codec.card["sha256"] != sha256:
        raise RuntimeError("it has other weights of that name")
    return batch.attempt(partial(compress, codec, settings), job)


_codec = lru_cache(maxsize=1)(sdae.load)
