"""Make golden files that are missing: ``python -m tests.golden.make NAME``, of shipped weights.

latents.npz            small tables, integers and the payloads that hold them, without any weights
NAME-format-N.sdae     a synthetic picture, packed with these weights in this version of the format
NAME-format-N.npz      its integers, and the picture that it was restored to

A file that is there is never made again: it stands for all that people have.
"""

import sys
from pathlib import Path

import numpy as np

import sdae
from sdae.coding import container, latent_coder
from tests import small_tables

FOLDER = Path(__file__).parent


def picture():
    """Waves and edges, (72, 104, 3) uint8."""
    y, x = np.mgrid[:72, :104] / 16
    waves = np.stack([np.sin(x * y / 3), np.cos(x + y), np.sin(3 * x)], -1)
    waves[20:50, 30:70] *= -0.6
    return np.rint(127.5 + 90 * waves).astype("uint8")


def name_of(weights: str) -> str:
    """What the golden file of shipped weights in the present format is called."""
    return f"{weights}-format-{container.VERSION}"


def make(weights: str, folder: Path) -> None:
    """Make the golden file of shipped weights in the present format."""
    codec = sdae.load(weights)
    latent = codec.encode(picture(), 60)
    rgb = np.asarray(codec.decode(latent))
    (folder / f"{name_of(weights)}.sdae").write_bytes(codec.pack(latent))
    np.savez_compressed(folder / f"{name_of(weights)}.npz", values=latent.values, rgb=rgb)


def latents() -> dict:
    """The arrays of latents.npz: tables, and integers and payloads by their names."""
    tables, smooth = small_tables.make(), small_tables.latents(1, 13, 9, seed=11)[0]
    wide = np.random.default_rng(11).integers(-32768, 32768, (3, 5, small_tables.CHANNELS))
    arrays = tables.to_arrays()
    cases = {"smooth": smooth, "one": smooth[:1, :1], "zero": 0 * smooth, "range": wide}
    for name, values in cases.items():
        payload = latent_coder.encode(values, 4000, tables)
        arrays[f"values/{name}"] = values.astype("int16")
        arrays[f"payload/{name}"] = np.frombuffer(payload, "uint8")
    return arrays


def main():
    if not (FOLDER / "latents.npz").exists():
        np.savez_compressed(FOLDER / "latents.npz", **latents())
    for weights in sys.argv[1:]:
        if not (FOLDER / f"{name_of(weights)}.sdae").exists():
            make(weights, FOLDER)


if __name__ == "__main__":
    main()
