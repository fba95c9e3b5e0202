"""From trained weights to weights that ship: ``python -m docs.release NAME CODEC DENOISER [DENOISER]``.

    python -m docs.release sdae-10 build/next build/denoiser weights/sdae-9/denoiser --share 0.8

CODEC is a finished training's output. Of two denoisers the weights are averaged, ``--share`` of the
first (Wortsman et al. 2022). Written are ``weights/NAME``, its golden file, and the thumbnails of Kodak,
which need its pictures. What is left to do by hand: the name into `sdae.weights.SHIPPED`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import sdae
from sdae import weights
from sdae.measuring import kodak
from tests.golden import make as golden

ROOT = Path(__file__).parents[1]

_DROPPED = 4
# Bits of the ten after the point, in half precision, that large arrays of the codec do without. A file
# of weights gets a sixth smaller.


def shortened(values):
    """An array in half precision, rounded to six binary digits after the point; any other as it is."""
    if values.dtype != np.float16:
        return values
    half = 1 << (_DROPPED - 1)
    return ((values.view("uint16") + half) >> _DROPPED << _DROPPED).view("float16")


def codec(source: Path, place: Path) -> None:
    """Write the codec's weights and copy the record of their training."""
    arrays, card = weights.read(source)
    if not card.get("finished"):
        raise SystemExit(f"The training of {source} is not finished: its tables are not fitted.")
    weights.write(place, {name: shortened(values) for name, values in arrays.items()}, card)
    for name in ("loss.csv", "history.csv"):
        weights.replace(place / name, (source / name).read_bytes())


def denoiser(sources: list[Path], share: float, place: Path) -> None:
    """Write the denoiser, of two with their weights averaged: ``share`` of the first."""
    arrays, card = weights.read(sources[0])
    for other in sources[1:]:
        others, other_card = weights.read(other)
        arrays = {name: share * v + (1 - share) * others[name] for name, v in arrays.items()}
        card |= {"averaged": f"{share:g} of these weights, the rest of {other_card['sha256'][:8]}"}
    arrays = {name: values.astype("float32") for name, values in arrays.items()}
    weights.write(place, weights.in_bytes(arrays), card)


def thumbnails(name: str) -> int:
    """Make the .sdae files that `sdae.measuring.kodak.thumbnail` reads again; their bytes together."""
    coder, total = sdae.load(name), 0
    for picture, pixels in kodak.pictures("kodak-thumb"):
        data = coder.compress(pixels, 45)
        weights.replace(Path(kodak.__file__).parent / "thumbnails" / f"{picture}.sdae", data)
        total += len(data)
    return total


def main() -> int:
    """Make all of it. Returns an exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("codec", type=Path)
    parser.add_argument("denoisers", type=Path, nargs="+", metavar="denoiser")
    parser.add_argument("--share", type=float, default=0.5, help="of the first of two denoisers")
    args = parser.parse_args()
    place = ROOT / "weights" / args.name
    if place.exists():
        raise SystemExit(f"{place} is there already; weights that ship never change.")
    codec(args.codec, place)
    denoiser(args.denoisers, args.share, place / weights.DENOISER)
    golden.make(args.name, golden.FOLDER)
    print(f"{args.name}: the thumbnails take {thumbnails(args.name):,} bytes together")
    return 0


if __name__ == "__main__":
    sys.exit(main())
