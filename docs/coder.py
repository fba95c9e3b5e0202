"""What the latent coder takes beside other ways to pack the same integers: ``python -m docs.coder``.

Latents of Kodak, see `sdae.measuring.kodak`. The figures are kept with the results of the weights. The
ideal coders write no tables and need not round to whole bits. They spend the entropy of the symbols,
whose statistics are those of all latents of one quality together.
"""

import statistics
import sys
import zlib

import numpy as np

import sdae
from pages.inside import bits
from sdae import weights
from sdae.coding import huffman, latent_coder
from sdae.coding.latent import live_channels
from sdae.measuring import kodak
from sdae.measuring.results import Results
from sdae.progress import progress, say

SETS = {"thumb": ("kodak-thumb", 1), "tiles": ("kodak-128", 8), "whole": ("kodak", 1)}
"""What is measured → a set of pictures, of which one in so many is taken."""

QUALITIES = 25, 50, 75


def mean_bytes(values, quality_code: int, tables) -> dict[str, float]:
    """Mean bytes of each way to pack latents.

    Args:
        values: list of (h, w, C) int16.
        quality_code: quality in hundredths.
        tables: the context tables.
    """
    plain = [np.clip(v, -128, 127).astype("int8").tobytes() for v in values]
    return {
        "zlib 9": statistics.mean(len(zlib.compress(v, 9)) for v in plain),
        "ideal, static per channel": ideal_static(values),
        "ours": statistics.mean(len(latent_coder.encode(v, quality_code, tables)) for v in values),
        "ideal, our contexts": ideal_contexts(values, quality_code, tables),
    }


def ideal_static(values) -> float:
    """Mean bytes of an ideal coder with one table a channel, fitted to all latents together."""
    rows = np.concatenate([v.reshape(-1, v.shape[2]) for v in values])
    tallies = (np.unique(channel, return_counts=True)[1] for channel in rows.T)
    return sum(float(huffman.entropy(t)) for t in tallies) / 8 / len(values)


def ideal_contexts(values, quality_code: int, tables) -> float:
    """Mean bytes of an ideal coder with one table a bucket, which our coder has, too."""
    found = [bits.symbols(v, quality_code, tables, live_channels(v) or 1) for v in values]
    return float(bits.information(np.concatenate(found)).sum()) / 8 / len(values)


def main() -> int:
    """Measure, print and keep. Returns an exit code."""
    codec, figures = sdae.load(), {}
    try:
        for view, (set_name, stride) in SETS.items():
            pictures = [rgb for _, rgb in kodak.pictures(set_name)][::stride]
            figures[view] = [_measured(codec, view, pictures, quality) for quality in QUALITIES]
    except kodak.KodakError as error:
        say(str(error), sys.stderr)
        return 1
    Results.of(weights.folder()).store_bench("coder", figures)
    return 0


def _measured(codec, view, pictures, quality):
    with progress(pictures, f"{view}, quality {quality}", unit="picture") as bar:
        values = [codec.encode(rgb, quality=quality).values for rgb in bar]
    sizes = mean_bytes(values, 100 * quality, codec.tables)
    say(f"{view}, quality {quality}, {len(values)} latents")
    for way, size in sizes.items():
        say(f"  {way:28}{size:12,.1f} bytes {100 * (size / sizes['zlib 9'] - 1):+8.1f} %")
    return {"quality": quality, "latents": len(values), "bytes": sizes}


if __name__ == "__main__":
    sys.exit(main())
