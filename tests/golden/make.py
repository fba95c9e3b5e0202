"""Make the golden files: ``python -m tests.golden.make``.

latents.npz   small tables, integers and the payloads that hold them, independent of any weights
shipped.sdae  a synthetic picture, packed with the shipped weights; shipped.npz: its integers

`latents.npz` stays as it is for as long as the format does; the others follow the weights.
"""

from pathlib import Path

import numpy as np

import sdae
from sdae.coding import latent_coder
from tests import test_latents

FOLDER = Path(__file__).parent


def cases():
    """Name → (h, w, C) integers."""
    rng = np.random.default_rng(11)
    smooth, wide = test_latents.examples(2, 13, 9, seed=11)
    return {
        "smooth": smooth,
        "odd": wide[:7, :5],
        "one": smooth[:1, :1],
        "zero": np.zeros((4, 6, 8), "int16"),
        "range": rng.integers(-32768, 32768, (3, 5, 8)).astype("int16"),
    }


def picture():
    """Waves and edges, (72, 104, 3) uint8."""
    y, x = np.mgrid[:72, :104] / 16
    waves = np.stack([np.sin(x * y / 3), np.cos(x + y), np.sin(3 * x)], -1)
    waves[20:50, 30:70] *= -0.6
    return np.rint(127.5 + 90 * waves).astype("uint8")


def main():
    if not (FOLDER / "latents.npz").exists():
        _latents()
    codec = sdae.load()
    latent = codec.encode(picture(), 60)
    (FOLDER / "shipped.sdae").write_bytes(codec.pack(latent))
    np.savez_compressed(FOLDER / "shipped.npz", values=latent.values)


def _latents():
    tables = test_latents.make_tables()
    arrays = tables.to_arrays()
    for name, values in cases().items():
        payload = latent_coder.encode(values, 4000, tables)
        arrays |= {f"values/{name}": values, f"payload/{name}": np.frombuffer(payload, "uint8")}
    np.savez_compressed(FOLDER / "latents.npz", **arrays)


if __name__ == "__main__":
    main()
