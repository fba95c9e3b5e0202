"""The synthesis in NumPy, which the codec runs, beside the same network in LiteRT (XNNPACK).

    pip install ai-edge-litert==2.3.0
    python tests/engine.py --repeats 10 --store

Exports the Keras synthesis for each size, restores the same integers with both in turns, each in a
process of its own, and prints the medians of the seconds, the ratios and the most memory. One picture
goes through LiteRT in one piece: the graph has one size, and strips would need one more a height.
"""

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from sdae.measuring.memory import peak
from sdae.measuring.results import Results
from sdae.model import weights
from sdae.model.trained import TrainedModel

SIZES = (600, 400), (768, 512), (3000, 2000)
POSITION = 0.6  # of the quality; the time does not depend on it

_engines = {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--store", action="store_true", help="keep the figures for the documents")
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            graph = Path(folder) / f"{width}x{height}.tflite"
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                pool.submit(export, graph, height // 8, width // 8).result()
            found[f"{width}×{height}"] = row = compare(graph, height // 8, width // 8, args.repeats)
            print(f"{width}×{height}", row, flush=True)
    if args.store:
        Results.of(weights.folder()).store_bench("engine", found)
    return 0


def compare(graph: Path, h: int, w: int, repeats: int) -> dict:
    """Medians of both engines on one (h, w, C) latent, and how far their pictures are apart."""
    latent = np.random.default_rng(1).normal(0, 1, (h, w, 160)).astype("float32")
    pools = {name: ProcessPoolExecutor(1, get_context("spawn")) for name in (numpy, litert)}
    times, row, pictures = {name: [] for name in pools}, {}, []
    for repeat in range(repeats + 1):
        for engine, pool in pools.items():
            seconds, memory, picture = pool.submit(engine, graph, latent).result()
            if repeat:
                times[engine].append(seconds)
            else:
                pictures.append(picture)
            row[f"{engine.__name__}_mb"] = round(memory)
    for pool in pools.values():
        pool.shutdown()
    for engine, values in times.items():
        row[f"{engine.__name__}_seconds"] = round(statistics.median(values), 4)
    row["ratio"] = round(statistics.median(map(float.__truediv__, *times.values())), 3)
    row["difference"] = float(np.abs(np.subtract(*pictures)).max())
    return row


def numpy(graph, latent):
    """(seconds, peak MB, picture) of the codec's own network."""
    if not _engines:
        _engines["network"] = TrainedModel().network
    begun = time.perf_counter()
    picture = _engines["network"].synthesis(latent, POSITION)
    return time.perf_counter() - begun, peak(), picture


def litert(graph, latent):
    """(seconds, peak MB, picture) of the exported graph."""
    if not _engines:
        from ai_edge_litert.interpreter import Interpreter

        TrainedModel()  # the codec needs it for all else
        _engines["graph"] = Interpreter(str(graph), num_threads=os.cpu_count())
        _engines["graph"].allocate_tensors()
    graph = _engines["graph"]
    begun = time.perf_counter()
    graph.set_tensor(graph.get_input_details()[0]["index"], latent[None])
    graph.invoke()
    picture = graph.get_tensor(graph.get_output_details()[0]["index"])[0]
    return time.perf_counter() - begun, peak(), picture


def export(graph: Path, h: int, w: int) -> None:
    """Write the Keras synthesis for (h, w, C) latents as a graph of LiteRT."""
    import tensorflow as tf

    model = TrainedModel().keras

    @tf.function(input_signature=[tf.TensorSpec((1, h, w, 160), tf.float32)])
    def restore(latent):
        return model.synthesis(latent, tf.constant([POSITION], tf.float32))

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [restore.get_concrete_function()], model
    )
    graph.write_bytes(converter.convert())


if __name__ == "__main__":
    raise SystemExit(main())
