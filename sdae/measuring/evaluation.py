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
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np

from sdae.measuring import curves, kodak, metrics, peer_files
from sdae.measuring.results import OURS, Results, common, label
from sdae.pictures import reading
from sdae.progress import progress

QUALITIES = (1, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 90, 100)
"""Settings of our own curve."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Sizes at which codecs are compared at equal bytes."""


@dataclass(frozen=True)
class Selection:
    """Which pictures of a set are measured, and who works on them.

    set_name: of a Kodak set, or a folder of pictures.
    kodak: the folder of the Kodak pictures, as for `sdae.measuring.kodak.folder`.
    stride: one picture in so many is taken.
    jobs: processes.
    """

    set_name: str
    kodak: str | None = None
    stride: int = 1
    jobs: int = 1

    def pictures(self) -> tuple[Iterator[tuple[str, np.ndarray]], int]:
        """(name, RGB array) of each picture, read one by one, and how many they are.

        Raises:
            ImageError: a picture of the folder cannot be read; it is named.
        """
        if self.set_name in kodak.SETS:
            every, total = kodak.pictures(self.set_name, self.kodak), kodak.SETS[self.set_name]
        else:
            from sdae.training import photographs

            paths = photographs.photographs([self.set_name])
            every, total = ((path.stem, reading.named(path)) for path in paths), len(paths)
        return islice(every, 0, None, self.stride), -(-total // self.stride)

    def measured(self, work: Callable, known, label: str) -> Iterator[tuple]:
        """(name, work((name, RGB array))) of the pictures that are not `known`, under a bar."""
        wanted, total = self.pictures()
        missing = (item for item in wanted if item[0] not in known)
        with progress(label=f"{self.set_name} {label}", total=total, unit="picture") as bar:
            bar.update(min(len(known), total))
            for result in spread(work, missing, self.jobs):
                yield result
                bar.update()


def quality(rgb, restored) -> dict:
    """The figures of one restored picture, rounded to what is worth keeping."""
    psnr = metrics.psnr(rgb, restored)
    row = {
        "psnr": round(min(psnr, 100.0), 4),  # identical pictures have no finite one
        "ssim": round(metrics.ssim(rgb, restored), 5),
        "accuracy": round(metrics.accuracy(rgb, restored), 4),
    }
    if min(rgb.shape[:2]) >= metrics.MS_SSIM_SIDE:
        row["ms_ssim"] = round(metrics.ms_ssim(rgb, restored), 5)
    return row


def measure_ours(codec, rgb, qualities=QUALITIES) -> list[dict]:
    """Our codec on one picture at every quality."""
    size = {"pixels": rgb.shape[0] * rgb.shape[1], "png_bytes": len(reading.png(rgb))}
    rows = []
    for setting in qualities:
        begun = time.process_time()
        latent = codec.encode(rgb, quality=setting)
        data = codec.pack(latent)
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


def measure_peer(name, rgb) -> list[dict]:
    """A peer on one picture, every variant along its curve."""
    return [
        {
            "setting": file.settings,
            "variant": file.variant,
            "pixels": rgb.shape[0] * rgb.shape[1],
            "bytes": len(file.data),
            **quality(rgb, file.rgb),
            "encode_seconds": round(file.encode_seconds, 4),
            "decode_seconds": round(file.decode_seconds, 4),
        }
        for file in peer_files.files(name, rgb)
    ]


def measure(results: Results, codec_name: str, selection: Selection, place) -> None:
    """Measure the pictures of a set that the results do not hold yet.

    Args:
        results: where they are kept.
        codec_name: ours, or a peer's.
        place: folder of our weights.
    """
    set_name, name = selection.set_name, None
    work = partial(_ours, place) if codec_name == OURS else partial(_peer, codec_name)
    options = {"stride": selection.stride}
    known = results.rows(set_name, codec_name, unfinished=True)
    for name, rows in selection.measured(work, known, codec_name):
        results.add(set_name, codec_name, name, rows, options)
    if name is not None:
        results.finish(set_name, codec_name, options)


def _ours(place, item):
    return measure_ours(warm_codec(place), item[1])


def _peer(name, item):
    return measure_peer(name, item[1])


@cache
def warm_codec(place):
    """The codec of a process, its network built."""
    import sdae

    codec = sdae.load(place)
    codec.decompress(codec.compress(np.zeros((16, 16, 3), "uint8")))
    return codec


def spread(work: Callable, items: Iterable[tuple], jobs: int) -> Iterator[tuple]:
    """(name, work((name, value))) of (name, value) pairs, in their order, computed by processes.

    ``work`` must be picklable. A few items are taken ahead, never all of them. With one job, the
    work is done here.
    """
    if jobs == 1:
        yield from ((item[0], work(item)) for item in items)
        return
    waiting = deque()
    # Forking a process that has used TensorFlow would hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_as_a_worker) as pool:
        try:
            for item in items:
                waiting.append((item[0], pool.submit(work, item)))
                if len(waiting) >= 2 * jobs:
                    name, future = waiting.popleft()
                    yield name, future.result()
            yield from ((name, future.result()) for name, future in waiting)
        except BaseException:
            # Nobody wants the rest, which the pool would wait for.
            for process in multiprocessing.active_children():
                process.kill()
            raise


def _as_a_worker():
    """One thread; and Ctrl-C is for the process that began this one, and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


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
    means = [curves.at_bits(pictures, sizes) for pictures in rows.values()]
    for bits, cells in zip(sizes, zip(*means)):
        if any(cells):
            texts = [f"{c['psnr']:.2f} / {c['ssim']:.3f}" if c else "–" for c in cells]
            if sum(map(bool, cells)) > 1:
                best = max(range(len(cells)), key=lambda k: cells[k]["psnr"] if cells[k] else 0)
                texts[best] = f"**{texts[best]}**"
            lines.append(f"| {bits} | " + " | ".join(texts) + " |")
    others = [name for name in rows if name != OURS] if OURS in rows else []
    for key, name in curves.MEASURES.items():
        rates = [curves.bd_rate(rows[OURS], rows[other], key) for other in others]
        if any(rate is not None for rate in rates):
            cells = " | ".join("–" if rate is None else percent(rate) for rate in rates)
            lines.append(f"| BD-rate of SDAE, {name}, % | – | {cells} |")
    return "\n".join(lines)


def percent(change: float) -> str:
    """A change in percent as people read it, such as −4.1."""
    return f"{change:+.1f}".replace("-", "−")
