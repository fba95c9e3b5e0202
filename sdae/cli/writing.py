"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

from sdae.cli.job import STREAM, Job
from sdae.progress import heed

PARTS = ".sdae-*.part"
"""Names of files that are being written, or were when their writer was killed."""


def write(job: Job, content: bytes) -> None:
    """Write the target, whole or not at all, with the modification time of the source.

    A file that is replaced keeps its permissions, a new one gets no more than its source has. A
    link stays one, and its target is replaced.

    Raises:
        FileExistsError: there is a file by now which `job` does not allow to be replaced.
        OSError: the file cannot be written; nothing of it is there then.
    """
    heed()
    if job.target == STREAM:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    target = Path(os.path.realpath(job.target))
    target.parent.mkdir(parents=True, exist_ok=True)
    like = target if target.exists() else job.source
    mode = 0o666 if like == STREAM else os.stat(like).st_mode & 0o666 | 0o600
    # A name of its own, as two processes may be at work on one target; the target's may be as
    # long as names can be.
    part = target.with_name(PARTS.replace("*", uuid.uuid4().hex[:12]))
    try:
        part.touch(mode=mode)  # the umask takes from them
        part.write_bytes(content)
        if like == target:
            part.chmod(mode)
        if job.source != STREAM:
            times = os.stat(job.source)
            os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
        if job.replace:
            os.replace(part, target)
            return
        try:
            os.link(part, target)  # fails where somebody has taken the name since
        except FileExistsError:
            raise
        except OSError:  # some memory cards and network drives know no second names
            target.touch(exist_ok=False)
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
