"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

from sdae.cli.job import STREAM, Job, is_special
from sdae.progress import heed

PARTS = ".sdae-*.part"
"""Names of files that are being written, or were when their writer was killed."""


def write(job: Job, content: bytes) -> None:
    """Write the target, whole or not at all, with the modification time of the source.

    A file that is replaced keeps its permissions, a new one gets no more than its source has. A
    link stays one, and its target is replaced. Devices and pipes are written to.

    Raises:
        FileExistsError: there is a file by now which `job` does not allow to be replaced.
        OSError: the file cannot be written; nothing of it is there then.
    """
    heed()
    if job.target == STREAM:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    if is_special(job.target):
        job.target.write_bytes(content)
        return
    target = Path(os.path.realpath(job.target))
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, as two processes may be at work on one target; the target's may be as
    # long as names can be.
    part = target.with_name(PARTS.replace("*", uuid.uuid4().hex[:12]))
    try:
        part.touch(mode=_mode(job.source, target))
        part.write_bytes(content)
        if target.exists():
            os.chmod(part, target.stat().st_mode & 0o7777)
        if job.source != STREAM:
            times = os.stat(job.source)
            os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
        if job.replace:
            os.replace(part, target)
        else:
            _name(part, target)
    finally:
        part.unlink(missing_ok=True)


def _mode(source: Path, target: Path) -> int:
    """Permissions that a new file is made with, before the umask takes from them."""
    if target.exists():
        return 0o600  # until the whole content is there
    return 0o666 if source == STREAM else os.stat(source).st_mode & 0o666 | 0o600


def _name(part: Path, target: Path) -> None:
    """Give a file a name that nobody has taken, not even since it was looked for."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # some memory cards and network drives know no second names
        target.touch(exist_ok=False)
        os.replace(part, target)
