"""Noise as cameras make it: on the sensor, where a pixel sees one colour, before a picture is made.

    sRGB ──► light on the sensor, one colour a pixel ──► + noise ──► three colours ──► sRGB ──► file

The way from a picture back to the sensor, and the cameras, are those of Brooks et al. 2019
("Unprocessing images for learned raw denoising"). What comes out is unlike independent noise: it
depends on brightness, colours have more of it than luminance, and neighbours share it.
"""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from sdae.pictures.noise import add, to_8_bits, to_floats

_LIGHT = np.array(  # XYZ of linear sRGB, IEC 61966-2-1
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
)
_CAMERAS = np.array(  # from XYZ to what four cameras record
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.613, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.838, -0.263, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]],
    ]
)
# What a missing colour is made of, in sixteenths: green at red and blue; red and blue at a green beside
# them in its row; each of them at the other. First from neighbours alone, then by Malvar, He and
# Cutler 2004.
_BILINEAR = (
    ((0, 4, 0), (4, 0, 4), (0, 4, 0)),
    ((0, 0, 0), (8, 0, 8), (0, 0, 0)),
    ((4, 0, 4), (0, 0, 0), (4, 0, 4)),
)
_CORRECTED = (
    ((0, 0, -2, 0, 0), (0, 0, 4, 0, 0), (-2, 4, 8, 4, -2), (0, 0, 4, 0, 0), (0, 0, -2, 0, 0)),
    ((0, 0, 1, 0, 0), (0, -2, 0, -2, 0), (-2, 8, 10, 8, -2), (0, -2, 0, -2, 0), (0, 0, 1, 0, 0)),
    ((0, 0, -3, 0, 0), (0, 4, 0, 4, 0), (-3, 0, 12, 0, -3), (0, 4, 0, 4, 0), (0, 0, -3, 0, 0)),
)

FORMS = {
    "JPEG 4:2:0": ("JPEG", {"subsampling": "4:2:0"}),
    "JPEG 4:4:4": ("JPEG", {"subsampling": "4:4:4"}),
    "WebP": ("WEBP", {"method": 0}),
}
"""Files that `stored` knows: Pillow's name of the format, and options."""

SENSORS = {1: (0.0068354, 0.05200081), 4: (0.08316627, 0.18138522)}
"""The weakest and the strongest level of Cheng, Xie and Chen 2022 (arXiv 2207.10869): b and the square
root of a, where the variance of light x is ax + b²."""


def photographed(rgb: np.ndarray, iso: float, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """A picture as a camera would have taken it, with noise and without.

    With x what a pixel gets, 1 for full scale, the noise is normal, of variance ax + b²: photons
    counted, with a = 10⁻⁶ · ISO, and what reading the sensor adds, with b = 2.5 a^1.09 or up to
    1.5 times more or less. ISO 2,700 and 32,700 are levels 1 and 4 of `SENSORS`; the exponent is
    from Brooks et al.

    Args:
        rgb: (H, W, 3) uint8, sRGB.
        iso: sensitivity, from 0 for no noise.
        seed: chooses the camera, its settings and the noise; a number or a NumPy generator.

    Returns:
        two pictures (H, W, 3) uint8: with noise, and the same picture by the same camera without
        it. The second, not ``rgb``, is what noise removal should lead to: what the lens and the
        mosaic took and what sharpening gave is not noise.
    """
    rng = np.random.default_rng(seed)
    camera = np.tensordot(rng.dirichlet(np.ones(4)), _CAMERAS, 1) @ _LIGHT
    white = rng.uniform((1.9, 1, 1.5), (2.4, 1, 1.9)) / rng.normal(0.8, 0.1)
    camera = (camera / camera.sum(1, keepdims=True) / white[:, None]).astype("float32")
    contrast, sharpness = rng.random() < 0.5, max(0.0, rng.uniform(-0.6, 0.6))
    kernels = np.array(_BILINEAR if rng.random() < 0.5 else _CORRECTED, "float32") / 16
    blur, phase = rng.uniform(0.4, 0.8), rng.integers(2, size=2)
    shot = 1e-6 * iso
    read = 2.5 * shot**1.09 * 1.5 ** rng.uniform(-1, 1)
    red_row, red_column = (
        (np.arange(length) + first) % 2 == 0 for length, first in zip(rgb.shape, phase)
    )
    red_row = red_row[:, None]
    x = to_floats(rgb)
    if contrast:
        x = 0.5 - np.sin(np.arcsin(1 - 2 * x) / 3)
    # The lens and the filter before the sensor let little pass that the mosaic would make colours of.
    light = ndimage.gaussian_filter(_to_light(x), (blur, blur, 0))
    red, green, blue = np.moveaxis(light @ camera.T, -1, 0)
    clean = np.where(red_row == red_column, np.where(red_row, red, blue), green)
    deviation = np.sqrt(shot * np.maximum(clean, 0) + read**2, dtype="float32")
    noisy = clean + deviation * rng.standard_normal(clean.shape, "float32")

    def developed(sensor):
        cross, row, diagonal = (ndimage.correlate(sensor, k, mode="mirror") for k in kernels)
        column = ndimage.correlate(sensor, kernels[1].T, mode="mirror")
        red_side, blue_side = np.where(red_row, row, column), np.where(red_row, column, row)
        at_red, at_blue = red_row & red_column, ~red_row & ~red_column
        colours = (
            np.where(at_red, sensor, np.where(at_blue, diagonal, red_side)),
            np.where(red_row == red_column, cross, sensor),
            np.where(at_blue, sensor, np.where(at_red, diagonal, blue_side)),
        )
        x = _to_srgb(np.stack(colours, -1) @ np.linalg.inv(camera).T)
        if contrast:
            x = (3 - 2 * x) * x**2
        if sharpness:
            x = x + sharpness * (x - ndimage.gaussian_filter(x, (1, 1, 0)))
        return to_8_bits(x)

    return developed(noisy), developed(clean)


def on_sensor(rgb: np.ndarray, level: int, seed: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 with noise of one of the `SENSORS` in its light, all three colours in
    each pixel: float32, clipped to [0, 1]."""
    read, shot = SENSORS[level]
    light = _to_light(to_floats(rgb))
    deviation = np.sqrt(shot**2 * light + read**2)
    return _to_srgb(
        light + deviation * np.random.default_rng(seed).standard_normal(light.shape, "f4")
    )


def examples(rgb: np.ndarray, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """A picture (H, W, 3) uint8 with noise of several kinds: kind → the noisy picture and the one that
    noise removal should lead to, as `photographed` gives them."""
    found = {}
    for sigma in (0.1, 0.2, 0.3):
        noisy = add(rgb, sigma, seed)
        found[f"Gaussian {sigma}"] = noisy, rgb
        found[f"Gaussian {sigma}, JPEG 4:2:0"] = stored(noisy, "JPEG 4:2:0", 90), rgb
    for iso in (1_000, 4_000, 16_000):
        found[f"camera, ISO {iso:,}"] = photographed(rgb, iso, seed)
    return found


def stored(rgb: np.ndarray, form: str, quality: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 as it comes back from a file: a key of `FORMS`, quality 0 to 100."""
    kind, options = FORMS[form]
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, quality=quality, **options)
    return np.asarray(Image.open(file).convert("RGB"))


def _to_light(x):
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _to_srgb(light):
    x = light.clip(0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
