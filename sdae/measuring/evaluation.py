"""Sets × qualities × codecs → one results file each: ``sdae evaluate``.

Measurements are kept as they come, so an interrupted run continues where it stood. Pictures are
shared out to processes. Times are processor time, which a busy machine does not stretch.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np

from sdae import cluster
from sdae.measuring import kodak, metrics, peers
from sdae.measuring.results import OURS, Results, at_bits, bd_rate, common, effort, label
from sdae.pictures import reading
from sdae.progress import progress

QUALITIES = (1, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 90, 100)
"""Settings of our own curve."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Sizes at which codecs are compared at equal bytes."""


def pictures(name, kodak_folder=None) -> Iterator[tuple[str, np.ndarray]]:
    """(name, RGB array) of each picture of a Kodak set or of a folder, read one by one.

    Raises:
        ImageError: a picture of the folder cannot be read; it is named.
    """
    if name in kodak.SETS:
        return kodak.pictures(name, kodak_folder)
    from sdae.training import photographs

    return ((path.stem, reading.named(path)) for path in photographs.photographs([name]))


def chosen(name, kodak_folder=None, stride: int = 1) -> tuple[Iterator, int]:
    """Every so many of the `pictures` of a set, and how many those are."""
    total = kodak.SETS.get(name)
    if total is None:
        from sdae.training import photographs

        total = len(photographs.photographs([name]))
    return islice(pictures(name, kodak_folder), 0, None, stride), -(-total // stride)


def quality(rgb, restored) -> dict:
    """The figures of one restored picture, rounded to what is worth keeping."""
    psnr = metrics.psnr(rgb, restored)
    row = {
        "psnr": round(min(psnr, 100.0), 4),  # identical pictures have no finite one
        "ssim": round(metrics.ssim(rgb, restored), 5),
        "accuracy": round(metrics.accuracy(rgb, restored), 4),
        "within_8": round(metrics.within(rgb, restored), 4),
    }
    if min(rgb.shape[:2]) >= metrics.MS_SSIM_SIDE:
        row["ms_ssim"] = round(metrics.ms_ssim(rgb, restored), 5)
    return row


def measure_ours(codec, rgb, qualities=QUALITIES, effort=0) -> list[dict]:
    """Our codec on one picture at every quality."""
    size = {"pixels": rgb.shape[0] * rgb.shape[1], "png_bytes": len(reading.png(rgb))}
    rows = []
    for setting in qualities:
        begun = time.process_time()
        latent = codec.encode(rgb, setting, effort=effort)
        data = codec.pack(latent, effort)
        encoded = time.process_time()
        restored = np.asarray(codec.decompress(data))
        times = {
            "encode_seconds": round(encoded - begun, 4),
            "decode_seconds": round(time.process_time() - encoded, 4),
        }
        sizes = {
            "bytes": len(data),
            "latent_bytes": latent.values.size,
            "plain_bytes": len(codec.pack(latent, plain=True)),
        }
        rows.append({"setting": setting, **size, **sizes, **quality(rgb, restored), **times})
    return rows


def measure_peer(name, rgb, effort="slow") -> list[dict]:
    """A peer on one picture along its curve; effort as in `sdae.measuring.peers`."""
    return [
        {
            "setting": point.settings,
            "pixels": rgb.shape[0] * rgb.shape[1],
            "bytes": len(point.data),
            **quality(rgb, point.rgb),
            "encode_seconds": round(point.encode_seconds, 4),
            "decode_seconds": round(point.decode_seconds, 4),
        }
        for point in peers.curve(name, rgb, effort=effort)
    ]


def measure(results, place, set_name, codec_name, args) -> None:
    """Measure the pictures of a set that the results do not hold yet."""
    if effort(codec_name) is None:
        chosen_effort = args.peer_effort
        work = partial(_peer, codec_name, args.peer_effort)
    else:
        chosen_effort = effort(codec_name)
        work = partial(_ours, place, tuple(args.qualities), effort(codec_name))
    options = {"effort": chosen_effort, "stride": args.stride, "jobs": args.jobs}
    known = results.rows(set_name, codec_name, options)
    name = None
    for name, rows in each_missing(work, known, set_name, codec_name, args):
        results.add(set_name, codec_name, name, rows, options)
    if name is not None:
        results.finish(set_name, codec_name, options)


def each_missing(work: Callable, known, set_name: str, label: str, args) -> Iterator[tuple]:
    """(name, work((name, RGB array))) of the pictures of a set that are not `known`, under a bar.

    `args` are the options of ``sdae evaluate``.
    """
    wanted, total = chosen(set_name, args.kodak, args.stride)
    missing = ((item[0], item) for item in wanted if item[0] not in known)
    with progress(label=f"{set_name} {label}", total=total, unit="picture") as bar:
        bar.update(min(len(known), total))
        for found in spread(work, missing, args.jobs, args.dask):
            yield found
            bar.update()


def spread(
    work: Callable, items: Iterable[tuple[str, object]], jobs: int, dask: str | None = None
) -> Iterator[tuple]:
    """(name, work(value)) of (name, value) pairs, in their order, computed by processes.

    ``work`` must be picklable. A few items are taken ahead, never all of them. With one job, the
    work is done here. Address ``dask`` takes the workers of that cluster instead, and the pairs
    come as they are ready.

    Raises:
        ClusterError: there is no such cluster, or it could not do an item.
    """
    if dask:
        for (name, _), result in cluster.results(dask, partial(_value, work), items):
            if isinstance(result, Exception):
                raise cluster.ClusterError(f"{name}: {cluster.reason(result)}")
            yield name, result
        return
    if jobs == 1:
        yield from ((name, work(value)) for name, value in items)
        return
    waiting = deque()

    def settled():
        name, future = waiting.popleft()
        return name, future.result()

    # Forking a process that has used TensorFlow would hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_as_a_worker) as pool:
        try:
            for name, value in items:
                waiting.append((name, pool.submit(work, value)))
                if len(waiting) >= 2 * jobs:
                    yield settled()
            while waiting:
                yield settled()
        except BaseException:
            # Nobody wants the rest, which the pool would wait for.
            for process in multiprocessing.active_children():
                process.kill()
            raise


def _value(work, item):
    return work(item[1])


def _as_a_worker():
    """One thread; and Ctrl-C is for the process that began this one, and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ):
        os.environ[name] = "1"


@cache
def warm_codec(place):
    """The codec of a process, its network built."""
    import sdae

    codec = sdae.load(place)
    codec.decompress(codec.compress(np.zeros((16, 16, 3), "uint8")))
    return codec


def _ours(place, qualities, effort, item):
    return measure_ours(warm_codec(place), item[1], qualities, effort)


def _peer(name, effort, item):
    return measure_peer(name, item[1], effort)


def table(results: Results, set_name: str, sizes: Sequence[float] = BITS_PER_PIXEL) -> str:
    """The table at equal bytes and the BD-rates of a set, as Markdown; the best PSNR in bold.

    Only pictures count that every codec with results has measured. ``sizes`` are bits per pixel.
    """
    rows = common(results, set_name)
    count = len(next(iter(rows.values()), ()))
    lines = [f"**{Path(set_name).name}**, {count} pictures, PSNR in dB / SSIM at equal bytes", ""]
    if not count:
        return lines[0]
    lines.append("| bits per pixel | " + " | ".join(map(label, rows)) + " |")
    lines.append("|---" * (len(rows) + 1) + "|")
    means = [at_bits(found, sizes) for found in rows.values()]
    for bits, cells in zip(sizes, zip(*means)):
        if any(cells):
            texts = [f"{c['psnr']:.2f} / {c['ssim']:.3f}" if c else "–" for c in cells]
            if sum(map(bool, cells)) > 1:
                best = max(range(len(cells)), key=lambda k: cells[k]["psnr"] if cells[k] else 0)
                texts[best] = f"**{texts[best]}**"
            lines.append(f"| {bits} | " + " | ".join(texts) + " |")
    if OURS in rows:
        for key in ("psnr", "ssim", "ms_ssim"):
            rates = [bd_rate(rows[OURS], rows[name], key) for name in rows if name != OURS]
            if any(rate is not None for rate in rates):
                texts = [
                    "–" if rate is None else f"{rate:+.1f} %".replace("-", "−") for rate in rates
                ]
                name = key.upper().replace("_", "-")
                lines.append(f"| BD-rate of SDAE, {name} | – | " + " | ".join(texts) + " |")
    return "\n".join(lines)
