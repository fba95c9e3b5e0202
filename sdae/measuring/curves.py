"""Figures read off rate–distortion curves: at equal bytes, at equal quality, BD-rates.

A *row* is one picture at one setting of one codec, see `sdae.measuring.results`. The rows of a
picture are a curve for each variant of the codec, such as a chroma subsampling. What is read off is
the best of them at each size, for the measure that is asked for.

Between its rows a curve is a monotone cubic (PCHIP) over the logarithm of the bytes. Each picture
has its own, and the mean over pictures is taken last, so no codec gains by moving bytes between
pictures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from sdae.measuring import metrics

MEASURES = {"psnr": "PSNR", "ssim": "SSIM in dB", "ms_ssim": "MS-SSIM in dB"}
"""Measures that BD-rates are taken of → their names. Similarities x count as −10·log10(1 − x)."""

THIRDS = (0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1)
"""The lowest, the middle and the highest third of a range of quality."""


def setting(row: dict) -> float:
    """The number in a row's setting: a quality, or a rate."""
    return float(re.findall(r"[\d.]+", str(row["setting"]))[0])


def at_setting(rows: list[dict], wanted: float) -> dict:
    """The row of one picture whose setting is nearest to `wanted`; of several the closest one."""
    return min(rows, key=lambda row: (abs(setting(row) - wanted), -row["psnr"]))


def best(rows: list[dict], key: str) -> list[dict]:
    """The rows of one picture that are best in a measure, from the smallest file upwards.

    No smaller file reaches the measure of a row that stays, nor does another variant at the same
    bytes, read off between its rows. Bytes and measure rise strictly along the list.
    """
    variants = {}
    for row in rows:
        variants.setdefault(row.get("variant"), []).append(row)
    fronts = [_front(own, key) for own in variants.values()]

    def beaten(row, own):
        return any(row[key] < _read_off(f, row["bytes"], key) for f in fronts if f != own)

    return _front([row for own in fronts for row in own if not beaten(row, own)], key)


def _front(rows, key) -> list[dict]:
    """The rows whose measure no smaller file reaches, by size."""
    front = []
    for row in sorted(rows, key=lambda row: (row["bytes"], -row[key])):
        if not front or row[key] > front[-1][key]:
            front.append(row)
    return front


def _read_off(front, sizes, key):
    """A measure in files of these sizes: NaN below the smallest file, no more above the largest."""
    known, values = [row["bytes"] for row in front], [row[key] for row in front]
    if len(front) == 1:
        figures = np.full(np.shape(sizes), values[0], float)
    else:
        figures = PchipInterpolator(np.log(known), values)(np.log(np.minimum(sizes, known[-1])))
    return np.where(np.less(sizes, known[0]), math.nan, figures)


def at_bytes(rows: list[dict], size: float, key: str) -> float | None:
    """A measure of one picture in a file of `size` bytes.

    A picture whose largest file is smaller counts with that file; None where the smallest is
    larger.
    """
    value = float(_read_off(best(rows, key), size, key))
    return None if math.isnan(value) else value


def at_bits(rows: dict, bits: Sequence[float]) -> list[dict | None]:
    """Mean PSNR and SSIM when every picture may take so many bits a pixel, for each of `bits`.

    As `at_bytes`; None where the smallest file of some picture is larger.
    """

    def mean(key):
        fronts = ((best(picture, key), picture[0]["pixels"] / 8) for picture in rows.values())
        return np.mean([_read_off(f, np.array(bits) * unit, key) for f, unit in fronts], 0)

    means = {key: mean(key).tolist() for key in ("psnr", "ssim")}
    pairs = [dict(zip(means, values)) for values in zip(*means.values())]
    return [None if any(map(math.isnan, pair.values())) else pair for pair in pairs]


def curve(rows: dict, key: str = "psnr") -> dict[str, list[float]]:
    """Means over pictures, a point a setting, from the smallest files to the largest.

    A picture counts with the row of its `best` in that measure whose setting is nearest.

    Returns lists of equal length: setting, bpp, and of the figures that all rows have psnr, ssim,
    ms_ssim, accuracy, encode_seconds, decode_seconds. Empty without rows.
    """
    settings = sorted({setting(row) for picture in rows.values() for row in picture})
    fronts = [best(picture, key) for picture in rows.values()]
    points = []
    for wanted in settings:
        chosen = [at_setting(front, wanted) for front in fronts]
        point = {"setting": wanted, "bpp": np.mean([8 * r["bytes"] / r["pixels"] for r in chosen])}
        for name in ("psnr", "ssim", "ms_ssim", "accuracy", "encode_seconds", "decode_seconds"):
            if all(row.get(name) is not None for row in chosen):
                point[name] = np.mean([row[name] for row in chosen])
        points.append(point)
    points.sort(key=lambda point: point["bpp"])
    names = [name for name in points[0] if all(name in p for p in points)] if points else []
    return {name: [round(float(point[name]), 5) for point in points] for name in names}


def bd_rate(ours: dict, other: dict, key: str, share=(0.0, 1.0)) -> float | None:
    """Mean over the pictures that both hold of our BD-rate against another codec, in percent.

    How many more bytes ours take at equal quality, negative where they are fewer: Bjøntegaard
    (VCEG-M33, 2001), with the piecewise cubic interpolation of JCTVC-B055 in place of one
    polynomial. Log bytes as a monotone cubic (PCHIP) of quality are averaged over the range of
    quality that both curves cover. Pictures with fewer than four points, or without a common range,
    are left out; None where none is left.

    Args:
        ours, other: picture → rows.
        key: one of `MEASURES`.
        share: the part of the common range of quality that counts, such as one of `THIRDS`.
    """
    rates = []
    for name in sorted(ours.keys() & other.keys()):
        if all(key in rows[name][0] for rows in (ours, other)):
            a, b = _log_bytes(ours[name], key), _log_bytes(other[name], key)
            low, high = max(a.x[0], b.x[0]), min(a.x[-1], b.x[-1])
            low, high = (low + part * (high - low) for part in share)
            if low < high and min(len(a.x), len(b.x)) >= 4:
                area = a.integrate(low, high) - b.integrate(low, high)
                rates.append(100 * math.expm1(area / (high - low)))
    return float(np.mean(rates)) if rates else None


def _log_bytes(rows, key) -> PchipInterpolator:
    """Logarithm of the bytes of one picture as a function of its quality, in dB."""
    front = best(rows, key)
    turn = float if key == "psnr" else metrics.similarity_decibels
    return PchipInterpolator([turn(r[key]) for r in front], [math.log(r["bytes"]) for r in front])


def saved(size: float, reference: float) -> float:
    """Reduction in percent."""
    return 100 * (1 - size / reference)
