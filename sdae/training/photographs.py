"""Folders of photographs → training crops."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from sdae.pictures import opening, reading
from sdae.progress import say

SCALES = 0.35, 2.0
"""Smallest and largest scale of a training crop, of which 1 is the photograph as it is."""


def photographs(folders) -> list[Path]:
    """All picture files below the folders, sorted by name.

    Raises:
        FileNotFoundError: a folder does not exist or none of them holds a picture.
    """
    found = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder}.")
        found += [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in opening.ENDINGS]
    if not found:
        raise FileNotFoundError("No photographs were found; name a folder that holds some.")
    return found


def parted(folders, validation, seed: int) -> tuple[list[Path], list[Path]]:
    """Picture files to train on and to validate on: those below the folder ``validation``, or else
    one in five of all.

    Raises:
        FileNotFoundError: as `photographs`.
    """
    paths = photographs(folders)
    if validation:
        return paths, photographs([validation])
    order = np.random.default_rng(seed).permutation(len(paths))
    cut = max(1, len(paths) // 5)
    return [paths[i] for i in order[cut:]], [paths[i] for i in order[:cut]]


def load(paths) -> list[Image.Image]:
    """The photographs, decoded, RGB; one that cannot be read is named and left out.

    Raises:
        FileNotFoundError: none can be read.
    """
    pictures = []
    for path in paths:
        try:
            pictures.append(Image.fromarray(reading.named(path)))
        except reading.ImageError as error:
            say(f"Left out: {error}", sys.stderr)
    if not pictures:
        raise FileNotFoundError("No photograph that can be read is left; name a folder of more.")
    return pictures


def crops(pictures, count: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """Random crops at random scales, mirrored and turned at random, larger pictures more often.

    Scales lie between the ends of `SCALES`, small and large ones alike: enlarged photographs are
    as soft as those of large cameras, reduced ones as sharp as thumbnails.

    Args:
        pictures: list of RGB images; of one that is smaller than a crop the largest square is
            enlarged.
        count: crops to draw.
        side: side in pixels.
        rng: source of randomness.

    Returns:
        (count, side, side, 3) uint8.
    """
    area = np.array([p.width * p.height for p in pictures], "float64")
    result = np.empty((count, side, side, 3), "uint8")
    for k, index in enumerate(rng.choice(len(pictures), count, p=area / area.sum())):
        picture = pictures[index]
        scale = np.exp(rng.uniform(*np.log(SCALES)))
        box = min(side / scale, *picture.size)
        left, top = ((length - box) * rng.random() for length in picture.size)
        crop = np.asarray(_scaled(picture, side, (left, top, left + box, top + box)))
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        if rng.random() < 0.25:
            crop = crop.transpose(1, 0, 2)
        result[k] = crop
    return result


def centres(pictures, side: int, scale: float = 1) -> np.ndarray:
    """The centre of each picture that is large enough, scaled: (n, side, side, 3) uint8.

    Raises:
        FileNotFoundError: none is.
    """
    reach, result = side / scale, []
    for picture in pictures:
        left, top = ((length - reach) // 2 for length in picture.size)
        if min(left, top) >= 0:
            box = left, top, left + reach, top + reach
            result.append(np.asarray(_scaled(picture, side, box)))
    if not result:
        raise FileNotFoundError(
            f"No photograph has {reach:g} pixels a side; name a folder of larger ones."
        )
    return np.stack(result)


def _scaled(picture, side, box):
    return picture.resize((side, side), Image.Resampling.BICUBIC, box)
