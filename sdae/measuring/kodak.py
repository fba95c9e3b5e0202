"""The Kodak Lossless True Color Image Suite: 24 pictures, for measuring only, never for training.

The pictures were released for unrestricted use. Of this project only small thumbnails are part,
which `sdae kodak --thumbnails` makes. The pictures are read from a folder of the person's own or
downloaded from their public home, checksums verified.
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

KODAK = {
    "kodim01.png": "a56e27cbf5f843c048b6af1d6e090760e9c92fadba88b7dee0205918a37523bd",
    "kodim02.png": "4f4b74a79237e311d72cad958237b5f7088d8bce1c82305ebefe1a70e3022dfd",
    "kodim03.png": "e25ca1ff2f0c0cb5fdfd5f9b0a0bb21ac4c3de3c84a67f35b09a85d3306249db",
    "kodim04.png": "e3b946107c5d3441c022f678d0c3caf1e224d81b1604ba840a4f88e562de61aa",
    "kodim05.png": "10349e963c5c813d327852f82c1795fa4148d69fedffc4c589bee458e3ac3d53",
    "kodim06.png": "363510303b715d4cbc384e1ce227e466b613a09e1b71ae985882bf8e7fbd9b18",
    "kodim07.png": "b77d3f006f42414bb242222e0482e750c0fb9e5ee8d4bed2f6f11c5605fe54a4",
    "kodim08.png": "ba23983c76b4832ee0e8af0592664756841a16779acd69f792e268fb6d13d6e7",
    "kodim09.png": "6a4361c2fc194feb4edaa9f9a4a0620fb9943e460ac7fdf037fb0f6dd6607a7d",
    "kodim10.png": "9dfb70f5867c29ff9ed6313683f19b3d867849e40fbc0c4c54a4a89df341cf23",
    "kodim11.png": "7936814b58b5387fce2e4e2488b4ec830dadd95fa9520f358ddb30990b50f2b6",
    "kodim12.png": "d78c37c2f04f23761ed2367dd77e2db584ddd4c3950833fecf89f199a8126980",
    "kodim13.png": "bc34a3ce58dea09dce1704c997171602de90cb34d0c8503a988b77f473d39b08",
    "kodim14.png": "55a94550ff18f3246c4074fd32b77b0c74447c26b6ad274d564d999c0450ba6e",
    "kodim15.png": "7538cbb80cb9103606c48b806eae57d56c885c7f90b9b3be70a41160f9cbb683",
    "kodim16.png": "a89c7268ccd4718ba424a99fc4643c572cf692ca6eae887185ceb4e9f11d2e54",
    "kodim17.png": "37afcc89fbdcb76d9518e04b2fc011027e2f4cd14b3b2f83cefd721641a47c5b",
    "kodim18.png": "1a9258c365988961d87a0598725b609139c303ad48a5aad6c503c3b1a87849aa",
    "kodim19.png": "b7450b264b1b0a411390d8931b112c27905a992520fc90569dc4b920aa32bbdc",
    "kodim20.png": "3b46c71e3b92a563820ba32936be8330c586c41f938efd94be938386aae4328a",
    "kodim21.png": "ac958597c82073f6bb65129c68f72b651db5b9efd82e11547d07350214bc268b",
    "kodim22.png": "1cee58eb1f2d9c7ebb254d208a03c783ce6cf2c4d8c2cf45e235dd23b4ce1b29",
    "kodim23.png": "e3111a2fd4da24af15d6459ef9eacfe54106b38e27b4a21821b75c3f5d2d5baf",
    "kodim24.png": "1071c68372cc5a01435c2c225a5cf7d4bb803846ec08bb6b3d6721b156d7cb96",
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
    if path is not None:
        return Path(path)
    if chosen := os.environ.get("SDAE_KODAK"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "sdae" / "kodak"


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
    Raises KodakError if it cannot be downloaded, is not the published file or cannot be written.
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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        weights.replace(target, data)
    except OSError as error:
        raise KodakError(f"{target} cannot be written ({error}); choose another folder.") from error
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


_THUMBNAILS = Path(__file__).parent / "thumbnails"
_THUMBNAIL_QUALITY = 45


def thumbnail(name: str) -> bytes:
    """The centre square of a picture at 128×128 as a .sdae file, which comes with the package.

    name: "kodim01" to "kodim24".
    """
    return (_THUMBNAILS / f"{name}.sdae").read_bytes()


def write_thumbnails(codec, path: str | os.PathLike | None = None) -> int:
    """Make the files of `thumbnail` from the pictures in `folder(path)`; their bytes together.

    Raises KodakError for a missing or altered file.
    """
    _THUMBNAILS.mkdir(exist_ok=True)
    return sum(
        (_THUMBNAILS / f"{name}.sdae").write_bytes(codec.compress(rgb, quality=_THUMBNAIL_QUALITY))
        for name, rgb in pictures("kodak-thumb", path)
    )


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
