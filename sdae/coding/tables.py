"""The context tables of a set of weights: what encoder and decoder must share, as integers.

All tables are integers, and so is everything that is summed with them. The sums are carried in
floats, where whole numbers below 2^24 (float32) or 2^53 (float64) are exact in any order, so every
machine decodes the same. `Tables` checks these bounds.
"""

from dataclasses import dataclass, fields

import numpy as np

from sdae.coding.coding_order import FINE, LAST
from sdae.coding.deflate import BEGINNING, MARK
from sdae.coding.refinement import Refinement
from sdae.coding.tunstall import ALPHABET
from sdae.coding.units import (
    DEVIATION_CLIP,
    FEATURE_UNIT,
    FRACTIONS,
    HIDDEN_CLIP,
    LOGARITHM_CLIP,
    VALUE_CLIPS,
    WIDTHS,
    TablesError,
)

PREFIX = "tables/"
"""What the names of the context tables in a weights file begin with."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Everything that encoder and decoder must share, integers only.

    A mean is linear in the values known so far. An expected width is linear in the deviations of
    the known values from their means, plus what H hidden units a channel group add; those see the
    logarithms of deviations and values and are cut off below zero.

    Attributes:
        groups: (G,) sizes of the channel groups; their sum is C.
        mean, width: (9, C, C) weights of the nine positions around, of earlier groups.
        mean_share, width_share: (LAST + 1, C) factors of these sums by level.
        mean_own: (4, C, C) weights of the four neighbours in the own group, last level.
        mean_coarse: (LAST − 1, 4, c, c) the same for levels 1 to LAST − 1; c channels in
            the first FINE groups.
        width_own, width_coarse: (C, C), (LAST − 1, c, c) weights of the mean of these neighbours.
        bias: (levels, C) expected width by quality, before anything is known.
        hidden: (9, 2, C, G, H) weights of the nine positions around, of earlier groups; second
            axis: logarithm of the deviation, logarithm of the magnitude.
        hidden_own: (3, C, H) weights of the four neighbours in the own group, last level: of the
            means of their two logarithms, and of the logarithm of how far they are apart.
        hidden_coarse: (LAST − 1, 3, c, H) the same for levels 1 to LAST − 1.
        hidden_bias: (levels, G, H) by quality.
        hidden_level: (LAST, G, H) added at levels 1 to LAST.
        hidden_out: (C, H) what the hidden units of its group add to the width of a channel.
        buckets: (WIDTHS, FRACTIONS) uint8 bucket of each pair of width and fraction.
        costs: (buckets + 1, ALPHABET) of the symbols of the Tunstall code of each bucket, see
            `sdae.coding.tunstall`; the last row is for escapes, zeros fill up.
        words: (buckets + 1,) how many words each code may have.
        presets: (K, BEGINNING) uint8, how streams may begin, see `sdae.coding.deflate`.
        refinement: what a network adds to the predictions of the first groups.

    Raises:
        TablesError: shapes do not fit together, or a sum could leave the exact range.
    """

    groups: np.ndarray
    mean: np.ndarray
    mean_share: np.ndarray
    mean_own: np.ndarray
    mean_coarse: np.ndarray
    width: np.ndarray
    width_share: np.ndarray
    width_own: np.ndarray
    width_coarse: np.ndarray
    bias: np.ndarray
    hidden: np.ndarray
    hidden_own: np.ndarray
    hidden_coarse: np.ndarray
    hidden_bias: np.ndarray
    hidden_level: np.ndarray
    hidden_out: np.ndarray
    buckets: np.ndarray
    costs: np.ndarray
    words: np.ndarray
    presets: np.ndarray
    refinement: Refinement

    @classmethod
    def from_arrays(cls, arrays: dict) -> "Tables":
        """The tables among the arrays of a weights file.

        Raises:
            TablesError: they are missing or misshapen.
        """
        names = [field.name for field in fields(cls) if field.name != "refinement"]
        missing = [name for name in names if PREFIX + name not in arrays]
        if missing:
            raise TablesError("The weights hold no context tables; train them with this version.")
        own = {name: np.asarray(arrays[PREFIX + name]) for name in names}
        return cls(**own, refinement=Refinement.from_arrays(arrays))

    def to_arrays(self) -> dict:
        """The inverse of `from_arrays`."""
        own = {PREFIX + name: value for name, value in vars(self).items() if name != "refinement"}
        return own | self.refinement.to_arrays()

    def __post_init__(self):
        c, fine, count = int(self.groups.sum()), int(self.groups[:FINE].sum()), len(self.groups)
        levels, units = len(self.bias), self.hidden_out.shape[-1]
        shapes = {
            "mean": (9, c, c),
            "mean_share": (LAST + 1, c),
            "mean_own": (4, c, c),
            "mean_coarse": (LAST - 1, 4, fine, fine),
            "width": (9, c, c),
            "width_share": (LAST + 1, c),
            "width_own": (c, c),
            "width_coarse": (LAST - 1, fine, fine),
            "bias": (levels, c),
            "hidden": (9, 2, c, count, units),
            "hidden_own": (3, c, units),
            "hidden_coarse": (LAST - 1, 3, fine, units),
            "hidden_bias": (levels, count, units),
            "hidden_level": (LAST, count, units),
            "hidden_out": (c, units),
            "buckets": (WIDTHS, FRACTIONS),
            "costs": (int(self.buckets.max(initial=0)) + 2, ALPHABET),
            "words": (int(self.buckets.max(initial=0)) + 2,),
            "presets": (len(self.presets), BEGINNING),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype.kind not in "iu":
                raise TablesError(f"The context table {name} is misshapen.")
        for alphabet, words in zip(np.count_nonzero(self.costs, 1), self.words):
            if not 2 <= alphabet <= words <= MARK:
                raise TablesError("The context tables hold a code that has no words.")
        self.refinement.check(self.groups.tolist(), levels)
        if max(self._largest_sums()) >= 1 << 24:
            raise TablesError("The context tables hold weights too large for exact sums.")

    def _largest_sums(self):
        """Bounds of everything that is summed in float32."""

        def sums(weights, *axes):
            return np.abs(weights.astype("int64")).sum(axes)

        near = max(sums(self.width_own, 0).max(), sums(self.width_coarse, 1).max())
        yield max(sums(self.width, 0, 1).max(), near) * DEVIATION_CLIP * FEATURE_UNIT
        yield sums(self.hidden_out, 1).max() * HIDDEN_CLIP
        yield sums(self.bias).max()
        for kernel in (self.mean, self.mean_own, *self.mean_coarse):
            yield sums(kernel[:, self.groups[0] :], 0, 1).max() * VALUE_CLIPS[1]
        for group, own in enumerate(self.slices):
            coarse = sums(self.hidden_coarse[:, :, own], 1, 2).max(0)
            near = np.maximum(sums(self.hidden_own[:, own], 0, 1), coarse)
            near = (near + sums(self.hidden[..., group, :], 0, 1, 2)) * LOGARITHM_CLIP
            begin = (sums(x[:, group]).max(0) for x in (self.hidden_bias, self.hidden_level))
            yield (near + sum(begin)).max()

    @property
    def slices(self) -> list[slice]:
        """The channels of each group."""
        ends = np.cumsum(self.groups, dtype="int64").tolist()
        return [slice(end - size, end) for end, size in zip(ends, self.groups.tolist())]

    @property
    def channels(self) -> int:
        return int(self.groups.sum())
