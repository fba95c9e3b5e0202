"""A folder of trained weights: the arrays, and a card that says what they are.

    weights/<name>/weights.npz   every variable of the network, and the integer context tables
    weights/<name>/card.json     configuration, data, duration, parameter count, SHA-256
    weights/<name>/loss.csv      loss curve of training and validation
    weights/<name>/denoiser/     the same of the network that removes noise

Arrays are read with pickling switched off, so loading weights never executes code.
"""

import hashlib
import io
import json
import os
import uuid
import zipfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np

from sdae.errors import WeightsError

SHIPPED = ("sdae-9",)
"""Names of all weights that ever shipped, the newest last: files of all of them stay readable.

They are never changed. New ones get a name of their own, and a golden file in the tests.
"""

DENOISER = "denoiser"
"""Below a folder of weights, that of the denoiser: arrays and card of its own."""

_UNIT = "/unit"

_LARGEST = 256 * 1024 * 1024


def default() -> str:
    """The name or folder of the weights that are taken where none are named."""
    return os.environ.get("SDAE_WEIGHTS") or SHIPPED[-1]


def folder(name_or_path=None) -> Path:
    """Where the weights lie: a path, or a name looked up in the checkout, then in the package.

    None stands for what the environment variable SDAE_WEIGHTS names, else for the newest that ship.

    Raises:
        WeightsError: nothing is there.
    """
    package = Path(__file__).resolve().parent
    name = default() if name_or_path is None else name_or_path
    # A folder of that name where the program happens to run is not what ships.
    chosen = name_or_path is not None or name != SHIPPED[-1]
    places = [Path(name)] if chosen else []
    places += [package.parent / "weights" / name, package / "weights" / name]
    for place in places:
        if (place / "card.json").is_file():
            return place
    raise WeightsError(f"There are no weights called {name}; name a folder that holds a card.json.")


def pack(arrays: dict) -> bytes:
    """Arrays to the bytes of an npz file; the same arrays always give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), entry.getvalue(), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def write(place: Path, arrays: dict, card: dict) -> None:
    """Write weights and card; each file appears whole or not at all."""
    place = Path(place)
    place.mkdir(parents=True, exist_ok=True)
    data = pack(arrays)
    card = {**card, "sha256": hashlib.sha256(data).hexdigest()}
    replace(place / "weights.npz", data)
    replace(place / "card.json", (json.dumps(card, indent=2) + "\n").encode())


def may_write(place: Path, force: bool) -> None:
    """Raise WeightsError where files may need the weights that stand in a folder: those that ship
    are never written to, others only with ``force``."""
    shipped_here = [folder(name).resolve() for name in SHIPPED]
    if Path(place).resolve() in shipped_here:
        raise WeightsError(
            f"{place} holds weights that ship, which never change; choose another folder."
        )
    if not force and (Path(place) / "card.json").exists():
        raise WeightsError(
            f"{place} holds weights, which files may need; choose another folder, or say --force."
        )


def replace(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader meets half of it."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")  # others may write it, too
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_card(place: Path) -> dict:
    """The card of a weights folder.

    Raises:
        WeightsError: the card is missing or no JSON object with a SHA-256.
    """
    try:
        card = json.loads((Path(place) / "card.json").read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(f"The card in {place} cannot be read; restore card.json.") from error
    if not isinstance(card, dict) or not isinstance(card.get("sha256"), str):
        raise WeightsError(f"The card in {place} names no SHA-256; restore card.json.")
    return card


def shipped(model_id: bytes) -> str | None:
    """The name in `SHIPPED` of the weights that files call by these 4 bytes; None if it has none."""
    return _shipped_ids(SHIPPED).get(model_id)


@lru_cache(maxsize=1)
def _shipped_ids(names):
    found = {}
    for name in names:
        with suppress(WeightsError):  # a missing folder matters to its own files alone
            found[model_id(read_card(folder(name)))] = name
    return found


def model_id(card: dict) -> bytes:
    """The 4 bytes that name weights in a file: the first of their SHA-256."""
    return bytes.fromhex(card["sha256"])[:4]


def read(place: Path) -> tuple[dict, dict]:
    """The arrays and the card of a weights folder, checked against each other.

    Raises:
        WeightsError: a file is missing or holds no arrays, or the SHA-256 of the weights is not the
            card's.
    """
    card = read_card(place)
    path = Path(place) / "weights.npz"
    try:
        if path.stat().st_size > _LARGEST:
            raise WeightsError(f"{path} is too large to be weights of this network.")
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"There is no weights.npz in {place}; restore it.") from error
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        raise WeightsError(
            f"The weights in {place} are not the ones that their card describes; restore both files."
        )
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # ZIP and NumPy's format raise of many kinds
        raise WeightsError(
            f"{path} holds no arrays, whatever its card says; restore it."
        ) from error
    return _as_floats(arrays), card


def halved(values):
    """A large array in half precision, as weights files hold it; any other as it is."""
    return values.astype("float16") if _is_large(values) else values


def in_bytes(arrays: dict) -> dict:
    """Arrays with a byte a number for the large ones, and a unit for each place of their last axis.

    `read` makes floats of them. Noise removal loses 0.01 dB by it and takes half the space.
    """
    stored = {}
    for name, values in arrays.items():
        if _is_large(values):
            values = values.astype("float32")
            unit = np.abs(values).max(tuple(range(values.ndim - 1))) / 127
            unit = np.maximum(unit, np.finfo("float32").tiny)
            stored[name + _UNIT], values = unit, np.rint(values / unit).astype("int8")
        stored[name] = values
    return stored


def _is_large(values):
    return values.size > 4096 and values.dtype.kind == "f"


def _as_floats(arrays):
    """What `in_bytes` was given, rounded."""
    units = {name: v for name, v in arrays.items() if name.endswith(_UNIT)}
    arrays = {name: v for name, v in arrays.items() if name not in units}
    for name, unit in units.items():
        name = name.removesuffix(_UNIT)
        if name not in arrays or arrays[name].shape[-1:] != unit.shape:
            raise WeightsError(f"The weights do not fit the network: {name} has no unit that fits.")
        arrays[name] = arrays[name] * unit
    return arrays
