"""Small context tables and integers that they are for, made without any network."""

from dataclasses import replace

import numpy as np

from sdae.coding import predictor
from sdae.coding.coding_order import FINE, LAST, ordered
from sdae.coding.refinement import Refinement, most_inputs
from sdae.coding.tables import Tables
from sdae.coding.units import FEATURE_UNIT, MEAN_UNIT, WEIGHT_UNIT, WIDTH_UNIT, WIDTHS
from sdae.network.rounding import laplacian_bits
from sdae.training import buckets, presets

GROUPS = 2, 2, 4, 4
CHANNELS = sum(GROUPS)
LEVELS = 3


def latents(count, h=16, w=16, seed=0):
    """Integers that depend on their neighbours and on earlier channels, as a network's do."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        scale = rng.uniform(0.1, 4) / np.arange(1, CHANNELS + 1)
        plane = rng.normal(size=(h + 2, w + 2, 1))
        smooth = sum(plane[i : i + h, j : j + w] for i in range(3) for j in range(3)) / 3
        made.append(np.rint((smooth + rng.laplace(size=(h, w, CHANNELS))) * scale).astype("int16"))
    return made


def expectations(values, quality_code, tables):
    """Mean and scale of a Laplacian that the coder expects of each of the integers, (h, w, C)."""
    order = ordered(*values.shape[:2]).order
    rows = values.reshape(-1, values.shape[2])[order]
    means, scales = np.empty((2, *rows.shape), "float32")

    def known(places, channels, mean, width):
        means[order[places], channels] = mean / np.float32(FEATURE_UNIT)
        scales[order[places], channels] = np.logaddexp(width / WIDTH_UNIT, 0) + 0.01
        return rows[places, channels]

    predictor.walk(values.shape[:2], quality_code, tables, values.shape[2], known)
    return means.reshape(values.shape), scales.reshape(values.shape)


def bits(values, quality_code, tables) -> float:
    """What integers take by these expectations."""
    return laplacian_bits(values, *expectations(values, quality_code, tables)).sum()


def refinement(seed=0, units=8, strength=1.0) -> Refinement:
    """One of all groups but the last, that moves means and widths a lot."""
    rng, count = np.random.default_rng(seed), len(GROUPS) - 1
    size, most = max(GROUPS[:count]), most_inputs(GROUPS, range(count))

    def whole(kind, spread, *shape):
        return np.rint(rng.normal(0, spread, shape)).astype(kind)

    return Refinement(
        first=whole("int16", 300, count, 2, most, units),
        first_bias=whole("int32", 20000, LEVELS, count, units),
        first_level=whole("int32", 20000, LAST, count, units),
        second=whole("int16", 500, count, 2, units, units),
        second_bias=whole("int32", 20000, count, 2, units),
        mean=whole("int16", 300 * strength, count, 2, units, size),
        width=whole("int16", 300 * strength, count, 2, units, size),
        spread=np.arange(WIDTHS).astype("uint16") * 20,
    )


def make(seed=0, units=3, count=6) -> Tables:
    """Tables of so many buckets, which fit `latents`."""
    rng = np.random.default_rng(seed)
    c, fine, groups = CHANNELS, sum(GROUPS[:FINE]), len(GROUPS)
    group = np.repeat(np.arange(groups), GROUPS)
    earlier = group[:, None] < group[None]
    later = group[:, None] < np.arange(groups)[None]

    def noise(unit, *shape):
        return np.rint(rng.normal(0, 0.02, shape) * unit).astype("int16")

    bias = np.linspace(0, 1, LEVELS)[:, None] - np.log(np.arange(1, c + 1))
    predictions = {
        "groups": np.array(GROUPS, "uint8"),
        "mean": noise(MEAN_UNIT, 9, c, c) * earlier,
        "mean_share": np.full((LAST + 1, c), WEIGHT_UNIT, "int16"),
        "mean_own": np.tile(np.rint(0.1 * np.eye(c) * MEAN_UNIT).astype("int16"), (4, 1, 1)),
        "mean_coarse": noise(MEAN_UNIT, LAST - 1, 4, fine, fine),
        "width": noise(WEIGHT_UNIT, 9, c, c) * earlier,
        "width_share": np.full((LAST + 1, c), WEIGHT_UNIT, "int16"),
        "width_own": noise(WEIGHT_UNIT, c, c),
        "width_coarse": noise(WEIGHT_UNIT, LAST - 1, fine, fine),
        "bias": np.rint(bias * WIDTH_UNIT).astype("int32"),
        "hidden": noise(WEIGHT_UNIT, 9, 2, c, groups, units) * later[:, :, None],
        "hidden_own": noise(WEIGHT_UNIT, 3, c, units),
        "hidden_coarse": noise(WEIGHT_UNIT, LAST - 1, 3, fine, units),
        "hidden_bias": noise(WIDTH_UNIT, LEVELS, groups, units).astype("int32"),
        "hidden_level": noise(WIDTH_UNIT, LAST, groups, units).astype("int32"),
        "hidden_out": noise(WEIGHT_UNIT, c, units),
        "refinement": refinement(seed, strength=0.003),
    }
    examples = latents(40)
    first_buckets = buckets.empty()
    first = Tables(**predictions, **first_buckets)
    total = buckets.histogram(examples, [5000] * len(examples), first)
    fitted = Tables(**predictions, **first_buckets | buckets.fit(total, count))
    fitting = examples[:20], [5000] * 20, fitted, rng
    return replace(fitted, presets=presets.fit(*fitting, count=3))
