"""Work on several threads, in forked children, and while the interpreter ends."""

import os
import subprocess
import sys
import threading

import pytest

from sdae import threads

pytestmark = pytest.mark.usefixtures("one_network")

BEGIN = """
import atexit, io, multiprocessing, os, signal, sys, threading, time, numpy, sdae
from PIL import Image
from sdae import threads

threads._cores = lambda: 3
codec = sdae.load()
rgb = numpy.random.default_rng(0).integers(0, 256, (48, 64, 3), "uint8")
data = codec.compress(rgb, quality=50)

def limits():
    return {blas["num_threads"] for blas in threads._blas().info()}

def start_with(limit):
    threads._blas().limit(limits=limit)
    threads.OpenBLASController.clear_controlling_thread()

def all_ways(_=0):
    assert codec.compress(rgb, quality=50) == data
    assert codec.decompress(data).size == (64, 48)
    Image.open(io.BytesIO(data)).load()
    threads.share_out(len, ["a", "b", "c"])
    return os.getpid()
"""


def run(script):
    """What a script of its own process prints, after what all of them begin with."""
    ran = subprocess.run([sys.executable, "-c", BEGIN + script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_children_work_whatever_others_were_doing():
    assert run("""
start_with(2)
all_ways()
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert os.getpid() not in pool.map(all_ways, range(4))
entered, leave = threading.Event(), threading.Event()

def other():
    with threads.one_blas_thread():
        entered.set()
        while not leave.is_set():
            all_ways()

worker = threading.Thread(target=other, daemon=True)
worker.start()
entered.wait()
held = threading.Event()

def hold():
    with threads._lock:
        held.set()
        time.sleep(0.1)

threading.Thread(target=hold).start()
held.wait()
for _ in range(3):
    child = os.fork()
    if not child:
        signal.alarm(600)  # what waits for a lock that nobody holds waits for ever
        all_ways()
        assert threading.active_count() > 1  # it has helpers of its own
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
assert limits() == {1}
leave.set()
worker.join()
assert limits() == {2}
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


def test_many_threads_at_once_give_the_same_and_blas_gets_its_threads_back():
    """Tables, helpers and the plugin's codec are made at the first use, here by several at once."""
    assert run("""
start_with(2)
begin, results = threading.Barrier(6), []
other = sdae.load()

def saved():
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "SDAE", quality=50)
    return file.getvalue()

def one(way):
    begin.wait()
    results.append(way() == data)

ways = [saved, saved, lambda: other.compress(rgb, quality=50), lambda: codec.compress(rgb, quality=50)]
ways += 2 * [lambda: Image.open(io.BytesIO(data)).tobytes() and data]
for made in vars(threads).values():
    getattr(made, "cache_clear", int)()
workers = [threading.Thread(target=one, args=[way]) for way in ways]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
assert results == 6 * [True] and limits() == {2}, results
print("done")
""") == ["done"]


def test_every_item_is_worked_on_once(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 3)
    threads._helpers.cache_clear()
    met, done, lock = threading.Barrier(3), [], threading.Lock()

    def work(item):
        if item < 3:
            met.wait()  # only three threads together get beyond it
        with lock:
            done.append(item)

    threads.share_out(work, range(50))
    assert sorted(done) == list(range(50))
    threads._helpers.cache_clear()


def test_an_error_is_raised_when_nobody_works_any_more(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 3)
    done = []

    def work(item):
        if item == 2:
            raise KeyError(item)
        done.append(item)

    with pytest.raises(KeyError):
        threads.share_out(work, range(9))
    seen = len(done)
    assert {0, 1} <= set(done) and 2 not in done
    threads.share_out(done.append, [2])
    assert len(done) == seen + 1
