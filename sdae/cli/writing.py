"""Files that appear whole or not at all, and pictures in the formats that they are asked for."""

from __future__ import annotations

import io
import os
import sys
import uuid
from pathlib import Path

from PIL import Image

from sdae.cli.job import STREAM, Job, Refused
from sdae.cli.targets import is_special
from sdae.pictures import metadata
from sdae.pictures.metadata import Metadata
from sdae.progress import heed

PARTS = ".sdae-*.part"
"""Names of files that are being written, or were when their writer was killed."""

_FORMATS = {"PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA"}
# Those of Pillow's formats that hold an RGB picture of any size in all its colours.

_BARE = {"BMP", "JPEG2000", "PPM", "TGA"}
# Those of them into which Pillow writes no metadata.


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


def picture_format(target: Path) -> str:
    """The Pillow format that a file name's ending stands for; PNG for streams and devices.

    Raises:
        Refused: there is none, or it does not hold every picture as it is.
    """
    if target == STREAM or is_special(target):
        return "PNG"
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind not in _FORMATS:
        raise Refused(
            f"files that end in {target.suffix or 'nothing'} do not hold every picture as it is; "
            "use .png, .jpg or .webp."
        )
    return kind


def check_packed(target: Path) -> None:
    """Raises `Refused` for a name that a .sdae file must not have."""
    if target.suffix.lower() != ".sdae" and target != STREAM and not is_special(target):
        raise Refused(f"{target} is to hold a .sdae file; end its name in .sdae.")


def encoded(image: Image.Image, kind: str, kept: Metadata = Metadata()) -> bytes:
    """A picture as the bytes of a file of Pillow's format `kind`, with its metadata.

    Raises:
        Refused: the format does not hold the picture or its metadata.
    """
    if kept and kind in _BARE:
        raise Refused(
            f"{kind} files hold no metadata, and this picture has some; use .png, .jpg or .webp."
        )
    content = io.BytesIO()
    try:
        image.save(content, kind, quality=95, **kept.info())
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be written as {kind} ({error}); use .png.") from error
    return content.getvalue()


def section(kept: Metadata) -> bytes:
    """What a .sdae file holds of metadata; raises `Refused` where that is too much."""
    try:
        return metadata.section(kept)
    except ValueError as error:
        raise Refused(error) from error
