"""Work on many files: one that fails is named with its reason, and the others go on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import sdae
from sdae.cli import targets
from sdae.cli.job import STREAM, Job, Refused
from sdae.progress import progress, say
from sdae.threads import together


def run(args, kinds: Set[str], ending: str, work: Callable, line: Callable) -> int:
    """Do ``work(codec, args, job)`` for every file that the arguments name; returns the exit code.

    ``kinds`` and ``ending`` are those of `targets.jobs`, ``line`` that of `report`.
    """
    jobs = targets.jobs(args.paths, kinds, ending, args.output, args.force)
    facts = each(jobs, partial(work, sdae.load(args.weights), args), args.jobs)
    return report(facts, len(jobs), line, args.json)


def each(jobs: list[Job], work: Callable[[Job], dict], workers: int = 1) -> Iterator[dict]:
    """What `attempt` gives of every job, in their order; so many are worked on at a time.

    Workers are threads, which share one network. After an interrupt they end at their next step.
    """
    if workers == 1:
        yield from map(partial(attempt, work), jobs)
        return
    with together(), ThreadPoolExecutor(workers) as pool:
        yield from pool.map(partial(attempt, work), jobs)


def attempt(work: Callable[[Job], dict], job: Job) -> dict:
    """The facts that `work(job)` returns, with ``file`` and ``target``, or the sentence on why there
    are none, as ``error``."""
    if job.refusal:
        return {"error": f"{job.source}: {job.refusal}"}
    places = {"file": job.source, "target": job.target}
    try:
        return {key: str(path) for key, path in places.items() if path} | work(job)
    except (Refused, sdae.BitstreamError, sdae.ImageError) as error:
        return {"error": f"{job.source}: {error}"}
    except BrokenPipeError:
        raise
    except OSError as error:
        place = error.filename2 or error.filename or job.source
        return {"error": f"{place}: {error.strerror or error}."}
    except MemoryError:
        return {"error": f"{job.source}: more than this machine's memory; scale it down."}
    except Exception as error:  # whatever is wrong with one file, the others go on
        what = f"{type(error).__name__} ({error})"
        return {"error": f"{job.source}: failed with {what}; please report this file."}


def report(facts: Iterator[dict], total: int, line: Callable[[dict], str], as_json: bool) -> int:
    """Print facts as they come, `line(facts)` or JSON, and errors. Returns the exit code.

    Where the results themselves go to standard output, all that is said goes to standard error.
    """
    code, good, out = 0, [], sys.stdout
    with closing(facts):
        for fact in progress(facts, total=total, unit="file", shown=total > 1):
            for notice in fact.pop("notices", ()):
                say(f"{fact['file']}: {notice}", sys.stderr)
            if "error" in fact:
                code = 1
                say(fact["error"], sys.stderr)
                continue
            good.append(fact)
            if fact.get("target") == str(STREAM):
                out = sys.stderr
            if not as_json:
                say(line(fact), out)
    if as_json:
        print(json.dumps(good, indent=2, allow_nan=False), file=out)
    return code
