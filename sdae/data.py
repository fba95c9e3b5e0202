"""Folders of photographs → training crops."""

from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff"}
"""File name endings that count as photographs in a training folder."""


def photographs(folders) -> list[Path]:
    """All picture files below the folders, sorted by name.

    Raises:
        FileNotFoundError: a folder does not exist or none of them holds a picture.
    """
    found = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder}.")
        found += [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES]
    if not found:
        raise FileNotFoundError("No photographs were found; name a folder that holds some.")
    return found


def pyramid(paths, scales=(1.0, 0.7, 0.5), smallest=64) -> list[np.ndarray]:
    """Decode each photograph once, at several scales.

    Scaled-down copies are sharper than the photographs and widen the range of detail a network
    sees. Copies with a side below ``smallest`` pixels are left out.

    Returns:
        list of (H, W, 3) uint8 arrays.
    """
    pictures = []
    for path in paths:
        with Image.open(path) as image:
            image = image.convert("RGB")
        for scale in scales:
            size = tuple(round(side * scale) for side in image.size)
            if min(size) >= smallest:
                copy = image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)
                pictures.append(np.asarray(copy))
    return pictures


def crops(pictures, count: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """Random crops, mirrored and turned at random, larger pictures more often.

    Args:
        pictures: list of (H, W, 3) uint8 arrays; those smaller than ``side`` are passed over.
        count: crops to draw.
        side: side in pixels.
        rng: source of randomness.

    Returns:
        (count, side, side, 3) uint8.
    """
    fitting = [p for p in pictures if min(p.shape[:2]) >= side]
    area = np.array([p.shape[0] * p.shape[1] for p in fitting], "float64")
    result = np.empty((count, side, side, 3), "uint8")
    for k, index in enumerate(rng.choice(len(fitting), count, p=area / area.sum())):
        picture = fitting[index]
        top = rng.integers(picture.shape[0] - side + 1)
        left = rng.integers(picture.shape[1] - side + 1)
        crop = picture[top : top + side, left : left + side]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        if rng.random() < 0.25:
            crop = crop.transpose(1, 0, 2)
        result[k] = crop
    return result


def centres(pictures, side: int) -> np.ndarray:
    """The centre crop of each picture that is large enough: (n, side, side, 3) uint8."""
    result = []
    for picture in pictures:
        top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
        if min(top, left) >= 0:
            result.append(picture[top : top + side, left : left + side])
    return np.stack(result)
