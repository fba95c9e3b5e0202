"""Archives larger than one machine: pictures compressed by the workers of a Dask cluster.

Each worker loads the codec once. A worker that dies takes nothing along: Dask gives its pictures
to others, and every file appears whole or not at all. A manifest beside the results says what is
done, so that a run that is started again goes on where it stood.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import sdae

_PATIENCE = 30  # seconds for the cluster to answer and for its first worker


class ClusterError(Exception):
    """There is no cluster to work on; the message says what to do."""


class Manifest:
    """What became of the files of an archive: a text file, one JSON object a line.

    A line with nothing but a target claims it before work begins; one with facts says that it
    was written. The last line on a target counts; one that was cut short counts as not there.

    Args:
        path: the manifest's file, which need not exist.
        settings: what decides the content of files, as JSON can hold it.
    """

    def __init__(self, path: Path, settings: dict):
        self.path, self.settings = Path(path), settings
        self._entries: dict[str, dict] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._entries[entry["target"]] = entry
                except (ValueError, KeyError, TypeError):
                    continue

    def claimed(self, target: Path) -> bool:
        """Whether an earlier run was about to write this file and did not say that it had."""
        entry = self._entries.get(str(target))
        return entry is not None and "bytes" not in entry

    def done(self, job) -> bool:
        """Whether the target is there, made of the source as it is now with these settings."""
        entry = self._entries.get(str(job.target), {})
        try:
            return (
                entry.get("settings") == self.settings
                and entry.get("source") == _identity(job.source)
                and entry.get("bytes") == os.stat(job.target).st_size
            )
        except OSError:
            return False

    def claim(self, jobs: Iterable) -> None:
        """Note the targets that are about to be written."""
        self._append([{"target": str(job.target)} for job in jobs])

    def add(self, facts: dict) -> None:
        """Note one file that was written; `facts` names its file, target and bytes."""
        source = _identity(Path(facts["file"]))
        self._append([{**facts, "source": source, "settings": self.settings}])

    def _append(self, entries):
        if not entries:
            return
        cut_short = self.path.exists() and not self.path.read_bytes()[-1:] in (b"", b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * cut_short)
            file.writelines(json.dumps(entry) + "\n" for entry in entries)
        self._entries |= {entry["target"]: entry for entry in entries}


def _identity(source: Path) -> list:
    stat = os.stat(source)
    return [str(source), stat.st_size, stat.st_mtime_ns]


def compress(address: str, args, jobs: list, manifest: Manifest) -> Iterator[dict]:
    """Compress pictures on the cluster; yields the facts of each, or its error, as they come.

    Args:
        address: of the scheduler, such as ``tcp://host:8786``.
        args: options as `sdae.cli.compress.compress` takes them.
        jobs: `sdae.cli.files.Job` objects, paths as the workers see them.
        manifest: what is done is noted there.

    Raises:
        ClusterError: no cluster answers, or it has no workers.
    """
    from sdae.cli import files

    reasons = files.refused(jobs, args)
    own = [manifest.claimed(job.target) for job in jobs]
    reasons = [None if mine else reason for mine, reason in zip(own, reasons)]
    yield from ({"error": f"{job.source}: {why}"} for job, why in zip(jobs, reasons) if why)
    jobs = [job for job, why in zip(jobs, reasons) if not why]
    manifest.claim(job for job in jobs if not manifest.claimed(job.target))
    try:
        for job, facts in results(address, partial(_compress_one, args), jobs):
            if isinstance(facts, Exception):
                facts = {"error": f"{job.source}: {_reason(facts)}"}
            elif "error" not in facts:
                manifest.add({k: v for k, v in facts.items() if k != "notices"})
            yield facts
    finally:
        for job in jobs:
            _remove_parts(job.target)


def _compress_one(args, job) -> dict:
    from sdae.cli import compress, files

    return files.attempt(partial(compress.compress, codec(args.weights), args), job)


def _reason(error: Exception) -> str:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "each worker that began it died, perhaps for want of memory; start the run again."
    return f"failed on its worker ({error}); start the run again."


def _remove_parts(target: Path) -> None:
    # What a worker was writing when it died.
    from glob import escape

    for part in target.parent.glob(f"{escape(target.name)}.*.part"):
        part.unlink(missing_ok=True)


_codecs: dict = {}
_lock = threading.Lock()


def codec(name_or_path=None) -> sdae.Codec:
    """The codec of this process, with its network, loaded once for each name of weights.

    Raises:
        WeightsError: as for `sdae.load`.
    """
    with _lock:
        if name_or_path not in _codecs:
            loaded = sdae.load(name_or_path)
            loaded.model
            _codecs[name_or_path] = loaded
        return _codecs[name_or_path]


def results(address: str, task: Callable, items: Iterable) -> Iterator[tuple]:
    """Do `task(item)` for every item on the cluster; yields (item, result) as they come.

    A result may be the exception that its task raised. Only so many items are taken ahead as
    keep the workers busy, so there may be any number of them.

    Raises:
        ClusterError: no cluster answers, or it has no workers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ClusterError("--dask needs Dask; install it with pip install 'sdae[dask]'.") from error

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
        open_items, waiting = {}, as_completed()

        def submit(count):
            for item, _ in zip(items, range(count)):
                future = client.submit(task, item, pure=False)
                open_items[future] = item
                waiting.add(future)

        submit(2 * sum(client.nthreads().values()) + 2)
        for future in waiting:
            error = future.exception()
            yield open_items.pop(future), error or future.result()
            submit(1)
