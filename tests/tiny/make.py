"""Make the tiny weights anew: ``python -m tests.tiny.make``, a few minutes.

A Karhunen–Loève transform with hardly anything beside it, trained on scikit-image's photographs.
"""

import shutil
import tempfile
from pathlib import Path

import skimage.data
from PIL import Image

from sdae import weights
from sdae.network.config import Config
from sdae.training import context_tables, denoiser
from sdae.training.loop import Options, Trainer

FOLDER = Path(__file__).parent

CONFIG = Config(
    latent_channels=24,
    widths=(8, 8, 16),
    analysis_blocks=1,
    synthesis_blocks=1,
    analysis_depthwise=1,
    synthesis_depthwise=1,
    fine_blocks=1,
    groups=(3, 3, 6, 12),
    overlapped=8,
    levels=4,
)

NAMES = "astronaut", "chelsea", "coffee", "rocket", "cat"


def main() -> None:
    pictures = [Image.fromarray(getattr(skimage.data, name)()) for name in NAMES]
    with tempfile.TemporaryDirectory() as folder:
        place, photos = Path(folder) / "weights", Path(folder) / "photos"
        photos.mkdir()
        for name, picture in zip(NAMES, pictures):
            picture.save(photos / f"{name}.png")
        options = Options(crops=2400, batch=8, crop=64, steps=150, rate=1e-3)
        Trainer(options, pictures, pictures, place, place / "checkpoint.npz", config=CONFIG).run()
        arrays, card = context_tables.fit(
            *weights.read(place), pictures, crops=48, steps=150, decoder_steps=0
        )
        weights.write(place, arrays, card | {"finished": True})
        paths = sorted(photos.iterdir())
        denoiser.fit(place, paths, paths, place / weights.DENOISER, 2400, side=64, rate=1e-3)
        for name in "weights.npz", "card.json", "loss.csv":
            shutil.copy(place / name, FOLDER / name)
        shutil.copytree(place / weights.DENOISER, FOLDER / weights.DENOISER, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
