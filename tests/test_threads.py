"""Work on several threads, in forked children, and while the interpreter ends."""

import os
import subprocess
import sys
import threading

import pytest

from sdae import threads

BEGIN = """
import atexit, io, multiprocessing, os, sys, threading, numpy, sdae
from PIL import Image
from sdae import threads

threads._cores = lambda: 3
codec = sdae.load()
rgb = numpy.random.default_rng(0).integers(0, 256, (96, 160, 3), "uint8")
data = codec.compress(rgb, 50)

def limits():
    return [found["num_threads"] for found in threads._blas().info()]

def start_with(limit):
    threads._blas().limit(limits=limit)
    threads.OpenBLASController.clear_controlling_thread()

def all_ways(_=0):
    assert codec.compress(rgb, 50) == sdae.load().compress(rgb, 50) == data
    assert codec.decompress(data).size == (160, 96)
    Image.open(io.BytesIO(data)).load()
    return os.getpid()
"""


def run(script):
    """What a script of its own process prints, after what all of them begin with."""
    ran = subprocess.run(
        [sys.executable, "-c", BEGIN + script], capture_output=True, text=True, timeout=180
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_children_work_as_their_parents():
    assert run("""
all_ways()
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert os.getpid() not in pool.map(all_ways, range(4))
all_ways()
print("done")
""") == ["done"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_children_work_that_are_forked_from_the_middle_of_work():
    assert run("""
start_with(2)
entered, leave = threading.Event(), threading.Event()

def other():
    with threads.one_blas_thread(), sdae.pillow_plugin._turn:
        entered.set()
        leave.wait()

worker = threading.Thread(target=other, daemon=True)
worker.start()
entered.wait()
child = os.fork()
if not child:
    assert limits() == [2] * len(limits())
    all_ways()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert limits() == [1] * len(limits())
leave.set()
worker.join()
assert limits() == [2] * len(limits())
print("done")
""") == ["done"]


def test_work_is_done_while_the_interpreter_ends():
    assert run("""
def late():
    threading.main_thread().join()
    all_ways()
    print("thread", flush=True)

atexit.register(lambda: all_ways() and print("atexit", flush=True))
threading.Thread(target=late).start()
all_ways()
""") == ["thread", "atexit"]


def test_blas_gets_its_threads_back():
    assert run("""
start_with(2)
entered, leave = threading.Event(), threading.Event()

def other():
    with threads.one_blas_thread():
        entered.set()
        leave.wait()

worker = threading.Thread(target=other, daemon=True)
worker.start()
entered.wait()
with threads.one_blas_thread():
    pass
print(*limits())  # the other still needs it
leave.set()
worker.join()
print(*limits())
""") == ["1", "2"]


def test_every_part_is_worked_on_once(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 3)
    threads._helpers.cache_clear()
    met, done, lock = threading.Barrier(3), [], threading.Lock()

    def work(part):
        if part < 3:
            met.wait(60)  # only three threads together get beyond it
        with lock:
            done.append(part)

    threads.share_out(work, range(50))
    assert sorted(done) == list(range(50))
    threads._helpers.cache_clear()


def test_an_error_is_raised_when_nobody_works_any_more(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 3)
    done = []

    def work(part):
        if part == 2:
            raise KeyError(part)
        done.append(part)

    with pytest.raises(KeyError):
        threads.share_out(work, range(9))
    assert sorted(done) == [0, 1, 3, 4, 5, 6, 7, 8]


TOGETHER = """
def together(*works):
    start, found, errors = threading.Barrier(len(works)), {}, []

    def one(number, work):
        start.wait()
        try:
            found[number] = work()
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=one, args=given) for given in enumerate(works)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors, errors
    return [found[number] for number in range(len(works))]
"""


def test_the_first_to_need_anything_may_be_many():
    """Tables, gradients, trees, executors and the plugin's codec are made at the first use."""
    assert run(
        TOGETHER
        + """
def saved():
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "SDAE", quality=50, effort=1)
    return file.getvalue()

def opened():
    return numpy.asarray(Image.open(io.BytesIO(data))).tobytes()

def cleaned():
    return numpy.asarray(codec.denoise(rgb, 0.1, 60)).tobytes()

from sdae.network import encoder_effort
from sdae.coding import band_bytes, coding_order, predictor
for made in (encoder_effort._synthesis, encoder_effort._contexts, coding_order.ordered,
             predictor._weights, band_bytes.codes, threads._helpers, threads._blas):
    made.cache_clear()
ways = [lambda: codec.compress(rgb, 50, 1), saved, lambda: sdae.load().compress(rgb, 50, 1),
        opened, opened, cleaned, cleaned]
first = together(*ways)
assert first == [way() for way in ways]
assert len(set(first[:3])) == len(set(first[3:5])) == len(set(first[5:])) == 1
print("done")
"""
    ) == ["done"]


def test_the_first_to_need_a_keras_model_may_be_many():
    assert run(
        TOGETHER
        + """
def model_of(codec):
    return lambda: (keras_model(codec), numpy.asarray(keras_model(codec).analysis(image[None], *level)))

image, level = numpy.float32(rgb / 255), (numpy.zeros(1, "float32"), numpy.ones(1, "float32"))
other = sdae.load()
found = together(*map(model_of, (codec, other, codec, other)))
for (model, latent), owner in zip(found, (codec, other, codec, other)):
    assert model is owner.model
    numpy.testing.assert_allclose(latent[0], codec.network.analysis(image, 0.0, 1.0), atol=1e-4)
print("done")
"""
    ) == ["done"]
