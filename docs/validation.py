"""BD-rates on photographs that are not Kodak's, to choose by: weights, and the encoder's constants.

    python -m docs.validation photos/val --keep before.json      # measures and keeps
    python -m docs.validation photos/val --against before.json   # measures and compares

One photograph in four counts, at most 20: of each the middle, 320×320 pixels where it is as large, at
eight qualities. ``--part`` names another quarter, to confirm what was chosen on the first.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import sdae
from sdae.measuring import curves, metrics
from sdae.network.config import STRIDE
from sdae.pictures import reading
from sdae.progress import progress, say
from sdae.training import photographs

QUALITIES = 5, 12, 20, 30, 42, 56, 72, 86
PARTS, MOST, SIDE = 4, 20, 320


def measured(codec, pixels) -> list[dict]:
    """Rows of one picture (H, W, 3) uint8, as `sdae.measuring.results` has them."""
    rows = []
    for quality in QUALITIES:
        file = codec.compress(pixels, quality)
        restored = np.asarray(codec.decompress(file))
        figures = {name: getattr(metrics, name)(pixels, restored) for name in curves.MEASURES}
        rows.append({"setting": quality, "bytes": len(file)} | figures)
    return rows


def compared(ours: dict, other: dict) -> list[str]:
    """A line a measure: BD-rate in percent with its standard error, and by thirds of the quality."""
    lines = []
    for key, name in curves.MEASURES.items():
        alone = [
            curves.bd_rate({p: ours[p]}, other, key) for p in sorted(ours.keys() & other.keys())
        ]
        alone = np.array([rate for rate in alone if rate is not None])
        error = alone.std() / np.sqrt(max(1, len(alone) - 1))
        thirds = [curves.bd_rate(ours, other, key, third) for third in curves.THIRDS]
        parts = " / ".join("none" if part is None else f"{part:+.2f}" for part in thirds)
        lines.append(f"{name}: {alone.mean():+.2f} ± {error:.2f} %, by thirds {parts}")
    return lines


def _middle(path):
    pixels = reading.named(path)
    sides = [min(SIDE, n // STRIDE * STRIDE) for n in pixels.shape[:2]]
    top, left = ((n - side) // 2 for n, side in zip(pixels.shape[:2], sides))
    return pixels[top : top + sides[0], left : left + sides[1]]


def main() -> int:
    """Measure, keep, compare. Returns an exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", help="name or folder of weights (default: what ships)")
    parser.add_argument("--part", type=int, choices=range(PARTS), default=0)
    parser.add_argument("--keep", type=Path, help="file to write the rows to")
    parser.add_argument("--against", type=Path, help="file that --keep wrote")
    args = parser.parse_args()
    codec, rows = sdae.load(args.weights), {}
    chosen = photographs.photographs([args.folder])[args.part :: PARTS][:MOST]
    for path in progress(chosen, "photographs", unit="picture"):
        pixels = _middle(path)
        if min(pixels.shape[:2]) >= metrics.MS_SSIM_SIDE:
            rows[path.name] = measured(codec, pixels)
    if args.keep:
        args.keep.write_text(json.dumps(rows))
    if args.against:
        for line in compared(rows, json.loads(args.against.read_text())):
            say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
