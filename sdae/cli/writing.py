"""Files that appear whole or not at all, and pictures in the formats that they are asked for."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from PIL import Image

from sdae.cli.job import STREAM, Job, Refused
from sdae.pictures.metadata import Metadata

writing = threading.Lock()
"""Held while a file is written: whoever holds it knows that none is half there."""

_STALE = 3600  # seconds after which what was begun and not finished belongs to no one

_FORMATS = {"PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA"}
# Those of Pillow's formats that hold an RGB picture of any size in all its colours.

_BARE = {"BMP", "JPEG2000", "PPM", "TGA"}
# Those of them into which Pillow writes no metadata.


def write(job: Job, content: bytes) -> None:
    """Write the target, whole or not at all, with the modification time of the source.

    A file that is replaced keeps its permissions, a new one gets no more than its source has. A
    link stays one, and its target is replaced. Devices and pipes are written to.

    Raises:
        OSError: the file cannot be written; nothing of it is there then.
    """
    if job.target == STREAM:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    if is_special(job.target):
        job.target.write_bytes(content)
        return
    target = Path(os.path.realpath(job.target))
    target.parent.mkdir(parents=True, exist_ok=True)
    with writing:
        _sweep(target.parent)
        # A name of its own, as two processes may be at work on one target; the target's own may
        # be as long as names can be.
        part = target.with_name(f"{_stem(target)}{uuid.uuid4().hex[:8]}.part")
        try:
            part.touch(mode=_mode(job.source, target))
            part.write_bytes(content)
            if target.exists():
                os.chmod(part, target.stat().st_mode & 0o7777)
            if job.source != STREAM:
                times = os.stat(job.source)
                os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


def parts(targets: Iterable[Path]) -> list[Path]:
    """What is being written, or was when its writer died, for any of these targets."""
    stems = {(target.parent, _stem(target)) for target in targets}
    return [
        part
        for folder in {folder for folder, _ in stems}
        for part in folder.glob(_PARTS)
        if (folder, part.name[: -len("01234567.part")]) in stems
    ]


_PARTS, _swept = ".sdae-*.part", set()


def _sweep(folder: Path) -> None:
    """Remove, once for each folder, what runs that were killed have left in it."""
    if folder in _swept:
        return
    _swept.add(folder)
    for part in folder.glob(_PARTS):
        with suppress(OSError):  # whoever wrote it may be done, or be somebody else
            if time.time() - part.stat().st_ctime > _STALE:
                part.unlink()


def is_special(target: Path) -> bool:
    """Whether a path is a device or a pipe, which is written to and never replaced."""
    return target.exists() and not target.is_file() and not target.is_dir()


def picture_format(target: Path) -> str:
    """The Pillow format that a file name's ending stands for; PNG for streams and devices.

    Raises:
        Refused: there is none, or it does not hold every picture as it is.
    """
    if target == STREAM or is_special(target):
        return "PNG"
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind == "SDAE":
        raise Refused(
            f"{target} would compress the restored picture again; "
            "end the name in .png, .jpg or .webp."
        )
    if kind not in Image.SAVE:
        raise Refused(f"no picture format ends in {target.suffix}; use .png, .jpg or .webp.")
    if kind not in _FORMATS:
        raise Refused(f"{kind} does not hold every picture as it is; use .png, .jpg or .webp.")
    return kind


def encoded(image: Image.Image, kind: str, kept: Metadata = Metadata()) -> bytes:
    """A picture as the bytes of a file of Pillow's format `kind`, with its metadata.

    Raises:
        Refused: the format does not hold the picture or its metadata.
    """
    if kept and kind in _BARE:
        raise Refused(
            f"{kind} files hold no Exif data and no colour profile, "
            "and this picture has some; use .png, .jpg or .webp."
        )
    content = io.BytesIO()
    try:
        image.save(content, kind, quality=95, **kept.info())
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be written as {kind} ({error}); use .png.") from error
    return content.getvalue()


def _stem(target: Path) -> str:
    return f".sdae-{hashlib.sha256(target.name.encode(errors='surrogateescape')).hexdigest()[:12]}-"


def _mode(source: Path, target: Path) -> int:
    """Permissions that a new file is made with, before the umask takes from them."""
    if target.exists():
        return 0o600  # until the whole content is there
    return 0o666 if source == STREAM else os.stat(source).st_mode & 0o666 | 0o600
