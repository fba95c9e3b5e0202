"""Archives on a Dask cluster of two workers, one of which dies at the worst moment."""

import json
import os
import signal
import sys
import types
from pathlib import Path

import pytest
from distributed import Client, LocalCluster, WorkerPlugin
from PIL import Image
from skimage import data

from sdae.__main__ import main

COUNT = 6

pytestmark = pytest.mark.usefixtures("one_network")


@pytest.fixture(scope="module")
def plain_main():
    """Tests of pages leave a script as the main module, which workers would run at their start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
        yield


@pytest.fixture(scope="module")
def cluster(one_network, plain_main):
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    (folder / "deep").mkdir()
    for number in range(COUNT):
        part = data.astronaut()[40 * number :][:48, 100:164]
        Image.fromarray(part).save(folder / ("deep" if number % 2 else "") / f"{number}.png")
    return folder


class DiesOnce(WorkerPlugin):
    """The first worker to write a file is killed when half of it is written."""

    def __init__(self, flag):
        self.flag = flag

    def setup(self, worker):
        whole, flag = Path.write_bytes, self.flag

        def write_bytes(path, content):
            try:
                flag.mkdir()
            except FileExistsError:
                whole(path, content)
            else:
                whole(path, content[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)

        Path.write_bytes = write_bytes


def run(*argv):
    return main([str(word) for word in argv])


def test_a_worker_that_dies_in_the_midst_of_a_file_takes_none_along(
    cluster, tiny, photos, tmp_path, capsys
):
    flag, target = tmp_path / "died", tmp_path / "small"
    with Client(cluster) as client:
        client.register_plugin(DiesOnce(flag))
    compress = "compress", photos, "-o", target, "--dask", cluster.scheduler_address, "--quality"
    assert run(*compress, 40) == 0
    out, err = capsys.readouterr()
    assert flag.exists() and out.count("\n") == COUNT and err == ""

    expected = {p.relative_to(photos).with_suffix(".sdae"): p for p in photos.rglob("*.png")}
    written = {path.relative_to(target): path for path in target.rglob("*") if path.is_file()}
    assert written.keys() == expected.keys()  # and no .part
    for name, source in expected.items():
        assert written[name].read_bytes() == tiny.compress(source, quality=40)
        assert written[name].stat().st_mtime_ns == source.stat().st_mtime_ns

    # Started again, only what is missing is made, and nothing of an older picture is replaced.
    missing, old, *others = sorted(expected)
    before = {name: written[name].stat().st_ino for name in others}
    written[missing].unlink()
    os.utime(written[old], ns=(0, 0))
    assert run(*compress, 50) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and f"{COUNT - 2} of {COUNT} files are done already" in err
    assert f"{old} exists; give --force" in err.replace(f"{target}{os.sep}", "")
    assert {name: written[name].stat().st_ino for name in others} == before
    assert run(*compress, 50, "--force") == 0
    for name, source in expected.items():
        assert written[name].read_bytes() == tiny.compress(source, quality=50)


def test_bad_files_are_named_and_the_others_go_on(cluster, photos, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    given = photos / "0.png", tmp_path / "bad.png", "-o", f"{tmp_path}/v1.0/"
    assert run("compress", "--dask", cluster.scheduler_address, "--json", *given) == 1
    out, err = capsys.readouterr()
    (fact,) = json.loads(out)
    assert Path(fact["target"]) == tmp_path / "v1.0" / "0.sdae"
    assert err.count("\n") == 1 and "bad.png: This is no picture" in err


def test_without_cluster_files_or_dask_there_is_a_sentence(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sdae.cli.cluster._PATIENCE", 1)
    compress = "compress", "--dask", "tcp://127.0.0.1:9"
    for paths, sentence in (
        ((photos, "-o", tmp_path / "out"), "no Dask cluster with workers answers at tcp://127"),
        ((photos, "-o", "-"), "--dask reads and writes files"),
        (("-",), "--dask reads and writes files"),
    ):
        assert run(*compress, *paths) == 2
        assert capsys.readouterr().err.startswith(f"sdae: {sentence}")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(*compress, photos) == 2
    assert "pip install 'sdae[dask]'" in capsys.readouterr().err
