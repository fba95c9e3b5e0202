"""The Kodak Lossless True Color Image Suite: 24 pictures, for measuring only, never for training.

The pictures were released for unrestricted use. Of this project only small thumbnails are part. The
pictures are read from a folder of the person's own or downloaded from their public home, checksums
verified.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sdae import weights
from sdae.pictures import reading

_HERE = Path(__file__).parent
KODAK = {
    name: digest
    for digest, name in map(str.split, (_HERE / "kodak.sha256").read_text().splitlines())
}
"""File name → SHA-256 of the published PNG, 768×512 or 512×768 pixels, 8-bit RGB."""

HOME = "http://r0k.us/graphics/kodak/kodak/"
"""Where the pictures are published. The checksums stand in for the encryption it lacks."""

SETS = {"kodak": 24, "kodak-128": 24 * 24, "kodak-thumb": 24}
"""The names that `pictures` knows → how many pictures each has."""

_MAX_BYTES = 2 << 20  # the largest of the published files has 823 kB


class KodakError(RuntimeError):
    """A Kodak picture is missing, altered or cannot be fetched; the message says what to do."""


def folder(path: str | os.PathLike | None = None) -> Path:
    """Where the pictures are: `path`, else $SDAE_KODAK, else the user's cache folder.

    The folder need not exist.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(path or os.environ.get("SDAE_KODAK") or Path(cache, "sdae", "kodak"))


def available(path: str | os.PathLike | None = None) -> list[str]:
    """Names of the Kodak files that lie in `folder(path)`, in order; their content unchecked."""
    place = folder(path)
    return [name for name in KODAK if (place / name).is_file()]


def load(name: str, path: str | os.PathLike | None = None) -> np.ndarray:
    """One picture, uint8 (512, 768, 3) or (768, 512, 3), from `folder(path)`.

    name: a key of KODAK, such as "kodim01.png".
    Raises KodakError if the file is not there or is not the published one.
    """
    place = folder(path)
    try:
        data = (place / name).read_bytes()
    except OSError as error:
        raise KodakError(
            f"{name} is not in {place}; run `python -m sdae kodak` to download the pictures, "
            "or name their folder in SDAE_KODAK."
        ) from error
    if not _is_published(name, data):
        raise KodakError(
            f"{place / name} is not the published file (its SHA-256 differs); delete it and run "
            "`python -m sdae kodak` to download it again."
        )
    return reading.read(data).rgb


def fetch(
    name: str, path: str | os.PathLike | None = None, home: str = HOME, timeout: float = 30
) -> Path:
    """Download one picture into `folder(path)` unless it is there already; return its path.

    name: a key of KODAK.
    home: the address of a folder that holds the files, ending in "/".
    timeout: seconds that the server may stay silent.
    A file appears under its name only when it is whole and its checksum is right.
    Raises KodakError if it cannot be downloaded or is not the published file, OSError if it cannot
    be written.
    """
    target = folder(path) / name
    try:
        if target.is_file() and _is_published(name, target.read_bytes()):
            return target
        with urllib.request.urlopen(home + name, timeout=timeout) as answer:
            data = answer.read(_MAX_BYTES)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise KodakError(
            f"{name} cannot be downloaded from {home} ({error}); check the network, or put the "
            "Kodak pictures into a folder and name it in SDAE_KODAK."
        ) from error
    if not _is_published(name, data):
        raise KodakError(
            f"{home}{name} is not the published file (its SHA-256 differs); try again, or get "
            "the Kodak pictures elsewhere and name their folder in SDAE_KODAK."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    weights.replace(target, data)
    return target


def pictures(
    set_name: str, path: str | os.PathLike | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures of a measuring set, as (name, uint8 (H, W, 3)), from `folder(path)`.

    "kodak": the 24 whole pictures, named "kodim01" to "kodim24".
    "kodak-128": the 24 non-overlapping 128×128 tiles of each, row by row, "kodim01-00" and on.
    "kodak-thumb": the centre square of each scaled by a Lanczos filter to 128×128.

    Raises KodakError for a missing or altered file, ValueError for another set name.
    """
    if set_name not in SETS:
        raise ValueError(f"There is no set {set_name!r}; choose one of {', '.join(SETS)}.")
    return (view for file in KODAK for view in _views(set_name, file, path))


def thumbnail(name: str) -> bytes:
    """A picture of "kodak-thumb" as a .sdae file of quality 45, which comes with the package.

    name: "kodim01" to "kodim24".
    """
    return (_HERE / "thumbnails" / f"{name}.sdae").read_bytes()


def picture(set_name: str, name: str, path: str | os.PathLike | None = None) -> np.ndarray:
    """One picture of a measuring set by its name in `pictures`, uint8 (H, W, 3).

    Raises KodakError for a missing or altered file.
    """
    return dict(_views(set_name, file_name(name), path))[name]


def file_name(name: str) -> str:
    """The key of KODAK from which a picture of any set is taken."""
    return name.partition("-")[0] + ".png"


def _views(set_name, file, path):
    name, rgb = file.removesuffix(".png"), load(file, path)
    if set_name == "kodak":
        yield name, rgb
    elif set_name == "kodak-thumb":
        yield name, reading.thumb(rgb, 128)
    else:
        for number, tile in enumerate(reading.tiles(rgb, 128)):
            yield f"{name}-{number:02}", tile


def _is_published(name: str, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == KODAK[name]
