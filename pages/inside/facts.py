"""What the lesson says of a latent and of its bytes: each fact a few lines on the codec's own parts."""

from dataclasses import dataclass, replace

import numpy as np

from pages.inside import layers, lz77
from sdae.codec import Codec, Latent
from sdae.coding import huffman
from sdae.network.config import quality_position
from sdae.network.layers import Convolution, bordered, inner


def reach(codec: Codec, rgb: np.ndarray, quality: float) -> np.ndarray:
    """How many integers of each square change when the pixel in the middle is inverted.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1 to 100; rounding is plain.

    Returns:
        (h, w) counts.
    """
    other = rgb.copy()
    other[rgb.shape[0] // 2, rgb.shape[1] // 2] ^= 255
    before, after = (np.rint(layers.analysed(codec.network, x, quality)) for x in (rgb, other))
    return (before != after).sum(2)


@dataclass(frozen=True)
class FirstConvolution:
    """The convolution that sees the picture.

    Attributes:
        planes: (H, W, n) what goes in: red, green and blue around zero, and the settings.
        kernel, bias: (3, 3, n, filters) and (filters,) weights.
        maps: (H, W, filters) what comes out.
    """

    planes: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    maps: np.ndarray

    def window(self, row: int, column: int) -> np.ndarray:
        """(3, 3, n) what goes in around one place. Times the weights of a filter, summed up, with
        its bias, it is the value of the map there."""
        return np.pad(self.planes, ((1, 1), (1, 1), (0, 0)))[row : row + 3, column : column + 3]


def first_convolution(codec: Codec, rgb: np.ndarray, quality: float) -> FirstConvolution:
    """What the first convolution of the encoder does to a picture, (H, W, 3) uint8."""
    planes = layers.entering(rgb, quality)
    names = (f"analysis/down_0/mix/{name}" for name in ("kernel", "bias"))
    kernel, bias = (np.float32(codec.trained.arrays[name]) for name in names)
    return FirstConvolution(
        planes, kernel, bias, inner(Convolution(kernel, bias)(bordered(planes)))
    )


# --- the latent -------------------------------------------------------------------------------


def energy(codec: Codec, latent: Latent) -> np.ndarray:
    """(C,) mean square of each channel at the scale of the decoder, on [0, 1] of full range.

    The linear path is nearly orthonormal, so this is about what the picture loses without it.
    """
    _, inverse = codec.network.gains(quality_position(latent.quality))
    return np.square(latent.values * inverse).mean((0, 1))


def order(codec: Codec, latent: Latent) -> np.ndarray:
    """(C,) the channels, that of the largest energy first."""
    return np.argsort(-energy(codec, latent), kind="stable")


def only(latent: Latent, channels) -> Latent:
    """The latent with every channel at zero that is not among ``channels``."""
    kept = np.zeros(latent.values.shape[2], bool)
    kept[list(channels)] = True
    return replace(latent, values=latent.values * kept)


# --- from integers to bytes -------------------------------------------------------------------


def entropy(values: np.ndarray) -> np.ndarray:
    """(C,) bytes that an ideal coder needs for each channel of (h, w, C) integers.

    It has one table a channel, which costs nothing; Shannon 1948.
    """
    tallies = [np.unique(c, return_counts=True)[1] for c in values.reshape(-1, values.shape[-1]).T]
    return np.array([huffman.entropy(tally) for tally in tallies]) / 8


LINE = 64
"""Longest worked example, in integers."""


@dataclass(frozen=True)
class Line:
    """The start of one row of one channel, packed by zlib and by a Huffman code of its own.

    Attributes:
        values: (n,) integers, clipped to int8; n is at most `LINE`.
        stream: the raw Deflate stream of zlib, one byte an integer.
        symbols: of the stream, see `pages.inside.lz77.symbols`.
        code: the Huffman code of these integers alone, integer → bits.
        entropy: bits that an ideal coder with the statistics of this line needs.
    """

    values: np.ndarray
    stream: bytes
    symbols: list[tuple[int, int]]
    code: dict[int, str]
    entropy: float

    @property
    def coded_bits(self) -> int:
        """Bits of the integers in the code of their own, its description not counted."""
        return sum(len(self.code[v]) for v in self.values.tolist())

    @property
    def repeats(self) -> int:
        """How many symbols of the stream repeat earlier integers."""
        return sum(distance > 0 for _, distance in self.symbols)


def line(latent: Latent, channel: int, row: int) -> Line:
    """The worked example of LZ77 and Huffman on one row of one channel."""
    values = np.clip(latent.values[row, :LINE, channel], -128, 127).astype("int8")
    stream = lz77.packed(values.tobytes())
    different, counts = np.unique(values, return_counts=True)
    code = lz77.code(huffman.lengths(counts, 15))
    return Line(
        values.astype(int),
        stream,
        lz77.symbols(stream),
        {int(different[symbol]): bits for bits, symbol in code.items()},
        float(huffman.entropy(counts)),
    )


def telling_channel(latent: Latent, row: int) -> int:
    """The channel whose line in a row has something to repeat and something to code.

    Among the lines whose share of zeros is nearest to two thirds it is one in which zlib finds
    repetitions, and of these the one with the most different integers.
    """
    apart = np.abs((latent.values[row] == 0).mean(0) - 2 / 3)

    def worth(channel):
        example = line(latent, channel, row)
        return min(example.repeats, 2), len(example.code)

    return max(np.argsort(apart, kind="stable")[:12].tolist(), key=worth)
