"""Archives larger than one machine: pictures compressed by the workers of a Dask cluster.

Every file appears whole or not at all, whichever worker dies. A manifest beside the results says
what is done, so that a run that is started again goes on where it stood.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import sdae
from sdae import cluster, weights
from sdae.cli import files, sources, writing
from sdae.cli.job import STREAM, Job, Refused
from sdae.progress import say

SETTINGS = ("quality", "target_bytes", "target_psnr", "effort", "keep_metadata")
"""Options that decide what a file holds."""


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

    def done(self, job: Job) -> bool:
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

    def claim(self, jobs: Iterable[Job]) -> None:
        """Note the targets that are about to be written."""
        self._append([{"target": str(job.target)} for job in jobs])

    def add(self, facts: dict) -> None:
        """Note one file that was written; `facts` names its file, target and bytes."""
        source = _identity(Path(facts["file"]))
        self._append([{**facts, "source": source, "settings": self.settings}])

    def _append(self, entries):
        if not entries:
            return
        with self.path.open("ab+") as file:
            cut_short = file.tell() and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
            lines = "".join(json.dumps(entry) + "\n" for entry in entries)
            file.write(("\n" * bool(cut_short) + lines).encode())
        self._entries |= {entry["target"]: entry for entry in entries}


def _identity(source: Path) -> list:
    stat = os.stat(source)
    return [str(source), stat.st_size, stat.st_mtime_ns]


def run(args, compress: Callable, line: Callable) -> int:
    """``sdae compress --dask ADDRESS SOURCE … FOLDER``. Returns the exit code.

    Args:
        args: the options of ``sdae compress``.
        compress: makes one file of a codec, the options and a job; returns the facts.
        line: makes a line of the facts.

    Raises:
        Refused: the paths do not fit.
        ClusterError: there is no cluster.
        WeightsError: the weights are missing.
    """
    if args.output is None:
        *args.paths, args.output = args.paths
        if not args.paths:
            raise Refused("--dask needs an output folder as the last PATH.")
    if STREAM in (*args.paths, args.output) or args.output.is_file():
        raise Refused("--dask reads files and writes into a folder; name both.")
    # Workers have working folders of their own.
    args.paths = [path.resolve() for path in args.paths]
    args.output = args.output.resolve()
    place = weights.folder(args.weights)
    args.weights = args.weights and place.resolve()
    sha256 = weights.read_card(place)["sha256"]
    # The folder may have a dot in its name, and one job has a folder too.
    args.output.mkdir(parents=True, exist_ok=True)
    settings = {name: getattr(args, name) for name in SETTINGS} | {"weights": sha256}
    manifest = Manifest(args.output / "manifest.jsonl", settings)
    found = files.jobs(args, sources.PICTURES, ".sdae", (".sdae",))
    missing = [job for job in found if args.force or not manifest.done(job)]
    if len(missing) < len(found):
        say(f"{len(found) - len(missing)} of {len(found)} files are done already.", sys.stderr)
    facts = _facts(args, missing, manifest, partial(_compress, args, sha256, compress))
    return files.report(facts, len(missing), args, "compress", line)


def _facts(args, jobs: list[Job], manifest: Manifest, task: Callable) -> Iterator[dict]:
    """The facts of each file, or its error, as they come from the cluster."""
    reasons = files.refused(jobs, args, mine=manifest.claimed)
    yield from ({"error": f"{job.source}: {why}"} for job, why in zip(jobs, reasons) if why)
    jobs = [job for job, why in zip(jobs, reasons) if not why]
    manifest.claim(job for job in jobs if not manifest.claimed(job.target))
    try:
        for job, facts in cluster.results(args.dask, task, jobs):
            if isinstance(facts, Exception):
                facts = {"error": f"{job.source}: {cluster.reason(facts)}"}
            elif "error" not in facts:
                manifest.add({k: v for k, v in facts.items() if k != "notices"})
            yield facts
    finally:
        _remove_parts(jobs)


def _compress(args, sha256: str, compress: Callable, job: Job) -> dict:
    """One picture, on a worker."""
    codec = _codec(args.weights)
    if codec.card["sha256"] != sha256:
        raise RuntimeError("it has other weights of that name")
    return files.attempt(partial(compress, codec, args), job)


_codecs: dict = {}
_lock = threading.Lock()


def _codec(name_or_path=None) -> sdae.Codec:
    """The codec of this process, loaded once for each name of weights.

    Raises:
        WeightsError: as for `sdae.load`.
    """
    with _lock:
        if name_or_path not in _codecs:
            _codecs[name_or_path] = sdae.load(name_or_path)
        return _codecs[name_or_path]


def _remove_parts(jobs: list[Job]) -> None:
    """Remove what workers were writing when they died."""
    for part in writing.parts(job.target for job in jobs):
        part.unlink(missing_ok=True)
