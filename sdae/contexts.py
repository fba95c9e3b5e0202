"""Fitting of the context tables on latents of training photographs.

    weights ──► latents of crops at many qualities ──► refit of the context model
            ──► integers ──► buckets, packing and byte order for Deflate ──► weights
"""

import itertools
import sys
import time

import numpy as np
from PIL import Image

from sdae import latents
from sdae.latents import FRACTIONS, UNIT, WIDTHS, Tables
from sdae.progress import progress

_RANKS = 128
_PLANS = ((8, 24000, True), (14, 24000, True), (24, 600000, False))
# Buckets, integers of an image, and whether one Huffman code should do for all.


def rounded(model: dict, groups) -> dict:
    """Weights of `sdae.network.ContextModel` → the prediction tables, as integers.

    Args:
        model: its arrays by name, without path.
        groups: sizes of the channel groups.
    """
    group = np.repeat(np.arange(len(groups)), groups)
    earlier, same = group[:, None] < group[None], group[:, None] == group[None]

    def whole(weights, kind="int16"):
        limits = np.iinfo(kind)
        return np.clip(np.rint(np.asarray(weights, "float64") * UNIT), limits.min, limits.max).astype(kind)

    tables = {"groups": np.array(groups, "uint8"), "bias": whole(model["bias"], "int32")}
    for name, kind in (("mean", "mean"), ("width", "scale")):
        kernel = (model[f"{kind}_kernel"] * earlier).reshape(9, len(group), len(group))
        tables[name] = whole(kernel * model[f"{kind}_share"][:, None, None, :])
        tables[name + "_own"] = whole(model[f"{kind}_own"] * same)
        tables[name + "_coarse"] = whole(model[f"{kind}_lattice"])
    return tables


def empty_layouts() -> dict:
    """One layout with one bucket, to predict with before buckets are fitted."""
    order = np.tile(np.arange(256, dtype="uint8"), (1, 2, 1))
    packing = np.array([[[128, 1, 0], [128, 1, 0]]], "uint8")
    return {"buckets": np.zeros((1, WIDTHS, FRACTIONS), "uint8"), "packing": packing, "order": order}


def histogram(examples, codes, tables):
    """How often each rank occurs in each cell: (WIDTHS · FRACTIONS, _RANKS) float64.

    Every example weighs by one over its size, so that low qualities count as much as high ones.
    """
    total = np.zeros((WIDTHS * FRACTIONS, _RANKS))
    for values, code in zip(examples, codes):
        cell, rank = latents.survey(values, int(code), tables, values.shape[2])
        joint = cell * _RANKS + np.minimum(rank, _RANKS - 1)
        tally = np.bincount(joint, minlength=total.size).reshape(total.shape)
        bits = entropy(tally.sum(0)) + 1
        total += tally * (20000 / (bits + 4000))
    return total / len(examples)


def entropy(tally):
    """Bits of an ideal code for counts along the last axis."""
    whole = tally.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(tally > 0, tally * np.log2(whole / tally), 0)
    return bits.sum(-1)


def cluster(total, size):
    """Cells → ``size`` buckets, by joining the two whose joint costs the least more, again and again.

    Returns:
        (cells,) uint8 bucket, from the narrowest to the widest.
    """
    active = total.sum(1) > 0
    groups = [[i] for i in np.flatnonzero(active)]
    tallies = total[active]
    own = entropy(tallies)
    cost = np.full((len(groups), len(groups)), np.inf)
    for i in range(len(groups) - 1):
        cost[i, i + 1 :] = entropy(tallies[i] + tallies[i + 1 :]) - own[i] - own[i + 1 :]
    alive = np.ones(len(groups), bool)
    for _ in range(len(groups) - size):
        i, j = np.unravel_index(np.argmin(cost), cost.shape)
        groups[i] += groups[j]
        tallies[i] += tallies[j]
        own[i] = entropy(tallies[i])
        alive[j] = False
        cost[j], cost[:, j] = np.inf, np.inf
        others = np.flatnonzero(alive)
        others = others[others != i]
        more = entropy(tallies[i] + tallies[others]) - own[i] - own[others]
        cost[np.minimum(i, others), np.maximum(i, others)] = more
    kept = np.flatnonzero(alive)
    spread = [(tallies[k] @ np.arange(_RANKS)) / tallies[k].sum() for k in kept]
    bucket = np.full(len(total), 255, "uint8")
    for b, k in enumerate(kept[np.argsort(spread)]):
        bucket[groups[k]] = b
    return _filled(bucket, total)


def _filled(bucket, total):
    """Give cells that never occurred the bucket of the nearest width that did."""
    plane = bucket.reshape(WIDTHS, FRACTIONS)
    for column in plane.T:
        known = np.flatnonzero(column != 255)
        nearest = np.abs(np.arange(WIDTHS)[:, None] - known[None]).argmin(1)
        column[:] = column[known[nearest]]
    return plane


def leaves(chances, alphabet, several, run):
    """Probability of every byte of a packing, in the order of its number, and integers a byte."""
    single = np.append(chances[: alphabet - 1], chances[alphabet - 1 :].sum())
    if run:
        zeros = single[0] ** np.arange(several + 1)
        joint = np.append(np.outer(zeros[:-1], single[1:]).ravel(), zeros[-1])
        return joint, zeros[:-1].sum()
    joint = np.ones(1)
    for _ in range(several):
        joint = np.outer(joint, single).ravel()
    return joint, several


def _options():
    """All packings worth a try."""
    several = [(a, n, 0) for a in range(2, 17) for n in range(2, 9) if a**n <= 256]
    single = [(a, 1, 0) for a in (*range(2, 33), 40, 48, 64, 80, 96, 128)]
    lengths = (2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 250)
    runs = [(a, n, 1) for a in (2, 3, 4, 5, 6, 8) for n in lengths if n * (a - 1) < 256]
    return several + single + runs


def packings(tallies, symbols, shared):
    """The packing of each bucket, and of the escapes, that costs an image the least.

    Args:
        tallies: (buckets, _RANKS) counts, every image weighing the same.
        symbols: integers of an image of the target size.
        shared: whether all buckets must make do with one Huffman code, as in a small image, where
            further codes cost more than they save; otherwise each has its own.

    Returns:
        list of (alphabet, several, run), the escapes' last.
    """
    scale = symbols / tallies.sum()
    plain = [option for option in _options() if not option[2]]
    candidates = [_candidates(tally * scale, _options()) for tally in tallies]
    code = 0.07 * 0.93 ** np.arange(256)
    for _ in range(12 if shared else 1):
        lengths = -np.log2(code) if shared else None
        chosen = [min(rows, key=lambda row: _price(row, lengths)) for rows in candidates]
        tail = np.zeros(_RANKS)
        for tally, (option, *_) in zip(tallies, chosen):
            tail[: _RANKS - option[0] + 1] += tally[option[0] - 1 :]
        rows = _candidates(tail * scale, plain)
        chosen.append(min(rows, key=lambda row: _price(row, lengths)))
        code = np.full(256, 1e-3)
        for _, joint, size, _ in chosen:
            code[: len(joint)] += joint * size
        code /= code.sum()
    return [option for option, *_ in chosen], tail


def _candidates(tally, options):
    """For every packing: itself, its bytes' probabilities from the largest, bytes, escape bits."""
    count = tally.sum()
    chances = (tally + 1e-9) / (tally + 1e-9).sum()
    rows = []
    for option in options:
        joint, each = leaves(chances, *option)
        tail = chances[option[0] - 1 :]
        escapes = (entropy(tail) * 1.05 + 0.1 * tail.sum()) * count
        rows.append((option, np.sort(joint)[::-1], count / each, escapes))
    return rows


def _price(row, lengths):
    """Bits of a bucket in a given code, or in one of its own with its description."""
    from sdae.deflate import code_lengths

    _, joint, size, escapes = row
    if lengths is not None:
        return size * joint @ lengths[: len(joint)] + escapes
    table = 70 + 1.5 * np.minimum(joint * size, 1).sum()
    return size * joint @ code_lengths(joint, 15) + table + escapes


def layout(total, size, symbols, shared):
    """Buckets, packing and order for images of ``symbols`` integers."""
    bucket = cluster(total.copy(), size)
    tallies = np.zeros((size, _RANKS))
    np.add.at(tallies, bucket.ravel(), total)
    chosen, tail = packings(tallies, symbols, shared)
    orders = []
    for option, tally in zip(chosen, [*tallies, tail]):
        joint, _ = leaves((tally + 1e-9) / (tally + 1e-9).sum(), *option)
        row = np.zeros(256, "uint8")
        row[np.argsort(-joint, kind="stable")] = np.arange(len(joint))
        orders.append(row)
    return bucket, np.array(chosen, "uint8"), np.array(orders)


def layouts(total, plans) -> dict:
    """The layouts of the tables, one for each (buckets, integers of an image) of ``plans``."""
    made = [layout(total, *plan) for plan in plans]
    rows = max(len(m[1]) for m in made)

    def padded(array):
        return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), "uint8")])

    return {
        "buckets": np.stack([m[0] for m in made]),
        "packing": np.stack([padded(m[1]) for m in made]),
        "order": np.stack([padded(m[2]) for m in made]),
    }


def add_arguments(parser) -> None:
    """The options of ``sdae fit-contexts``; imports nothing heavy."""
    parser.add_argument("photos", nargs="+", help="folders of training photographs")
    parser.add_argument("--weights", required=True, help="weights folder to complete")
    parser.add_argument("--crops", type=int, default=960, help="crops of 128×128 to fit on")
    parser.add_argument("--seconds", type=float, default=100, help="time to refit predictions")
    parser.add_argument("--seed", type=int, default=1)


def run(args) -> int:
    """Fit the context tables and store them with the weights. Returns an exit code."""
    from sdae import data, weights

    try:
        place = weights.folder(args.weights)
        arrays, card = weights.read(place)
        paths = data.photographs(args.photos)
    except (FileNotFoundError, weights.WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    tables = fit(arrays, card["config"], paths, args.crops, args.seconds, args.seed)
    kept = {name: a for name, a in arrays.items() if not name.startswith(latents.PREFIX)}
    weights.write(place, kept | tables.to_arrays(), card)
    return 0


def fit(arrays: dict, config: dict, paths, crops=960, seconds=100.0, seed=1) -> Tables:
    """The context tables of a network, from photographs.

    Args:
        arrays, config: weights of the network and the configuration on their card.
        paths: picture files.
        crops: how many crops of 128×128 to fit on.
        seconds: how long to refit the predictions of the network's own context model.
        seed: of all randomness.
    """
    from sdae import weights
    from sdae.network import Autoencoder, Config, initialise

    rng = np.random.default_rng(seed)
    model = initialise(Autoencoder(Config(**config), name="autoencoder"))
    weights.assign(model, arrays)
    codes = rng.integers(100, 10001, crops)
    middle = rng.random(crops) < 0.75
    codes[middle] = rng.integers(1100, 8100, crops)[middle]
    examples = encoded(model, pictures(paths, crops, rng), codes)
    if seconds:
        refit(model.contexts, examples, codes, seconds, rng)
    trained = {v.path.split("/")[-1]: np.asarray(v) for v in model.contexts.weights}
    predictions = rounded(trained, model.config.groups)
    total = histogram(examples, codes, Tables(**predictions, **empty_layouts()))
    return Tables(**predictions, **layouts(total, _PLANS))


def pictures(paths, count: int, rng) -> np.ndarray:
    """Crops of photographs at all scales, up to the whole scaled down: (count, 128, 128, 3) uint8."""
    result = np.empty((count, 128, 128, 3), "uint8")
    for k, path in zip(range(count), itertools.cycle(paths[i] for i in rng.permutation(len(paths)))):
        with Image.open(path) as image:
            image = image.convert("RGB")
        scale = (128 / min(image.size)) ** min(1.0, 1.5 * rng.random())
        size = [max(128, round(side * scale)) for side in image.size]
        image = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        top, left = (rng.integers(side - 127) for side in image.shape[:2])
        result[k] = image[top : top + 128, left : left + 128]
    return result


def encoded(model, crops, codes) -> np.ndarray:
    """Integers that the network makes of crops: (n, 16, 16, C) int16."""
    from keras import ops

    parts = []
    for start in range(0, len(crops), 32):
        part = slice(start, start + 32)
        t = latents.quality_position(codes[part] / 100).astype("float32")
        image = crops[part].astype("float32") / 255
        y = model.analysis(image, np.zeros(len(t), "float32"), t) * model.gains(t)[0]
        parts.append(np.clip(np.rint(ops.convert_to_numpy(y)), -32768, 32767).astype("int16"))
    return np.concatenate(parts)


def refit(contexts, examples, codes, seconds, rng, batch=32, rate=2e-3) -> None:
    """Train a context model alone, on rounded integers.

    The loss is the logarithm of the bits of each crop, so that all qualities count alike.
    """
    import keras
    from keras import ops

    from sdae.network import laplacian_bits

    class Refit(keras.Model):
        def __init__(self):
            super().__init__()
            self.contexts = contexts

        def call(self, x):
            mean, scale = self.contexts(x["integers"], x["t"])
            return ops.sum(laplacian_bits(x["integers"], mean, scale), axis=(1, 2, 3))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.log(y_pred + 500.0))

    model = Refit()
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=False)
    t = latents.quality_position(codes / 100).astype("float32")
    begun = time.monotonic()
    with progress(label="refit", total=round(seconds), unit="s") as bar:
        while (done := (time.monotonic() - begun) / seconds) < 1:
            optimizer.learning_rate.assign(rate * (0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2))
            rows = rng.choice(len(examples), batch)
            x = {"integers": examples[rows].astype("float32"), "t": t[rows]}
            model.train_on_batch(x, np.zeros(batch, "float32"))
            bar.update(round(seconds * done) - bar.n)
