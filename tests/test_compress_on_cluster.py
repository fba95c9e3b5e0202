"""Archives on a Dask cluster of two workers, one of which dies at the worst moment."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from distributed import Client, LocalCluster, WorkerPlugin
from PIL import Image
from skimage import data

from sdae.__main__ import main
from sdae.cli.compress_on_cluster import SETTINGS

COUNT = 6


@pytest.fixture(scope="module")
def cluster():
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
    cluster, codec, photos, tmp_path, capsys
):
    flag, target = tmp_path / "died", tmp_path / "small"
    with Client(cluster) as client:
        client.register_plugin(DiesOnce(flag))
    compress = "compress", "--dask", cluster.scheduler_address, photos, target, "--quality"
    assert run(*compress, 40) == 0
    out, err = capsys.readouterr()
    assert flag.exists() and out.count("\n") == COUNT and err == ""

    expected = {
        path.relative_to(photos).with_suffix(".sdae"): path for path in photos.rglob("*.png")
    }
    written = {path.relative_to(target): path for path in target.rglob("*") if path.is_file()}
    assert written.keys() == expected.keys() | {Path(SETTINGS)}  # and no .part
    for name, source in expected.items():
        assert written[name].read_bytes() == codec.compress(source, quality=40)
        assert written[name].stat().st_mtime_ns == source.stat().st_mtime_ns

    # Started again, only what is missing is made, and nothing of an older picture is replaced.
    missing, old, *others = sorted(expected)
    before = {name: written[name].stat().st_ino for name in others}
    written[missing].unlink()
    os.utime(written[old], ns=(0, 0))
    assert run(*compress, 40) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and f"{COUNT - 2} of {COUNT} files are done already" in err
    assert f"{old} exists; give --force" in err.replace(f"{target}{os.sep}", "")
    assert written[missing].read_bytes() == codec.compress(expected[missing], quality=40)
    assert {name: written[name].stat().st_ino for name in others} == before

    # Other settings never replace what is there, and what they replace by force counts as new.
    assert run(*compress, 50) == 2
    assert "results of other settings" in capsys.readouterr().err
    assert run(*compress, 50, "--force") == 0
    assert run(*compress, 50) == 0
    assert f"{COUNT} of {COUNT} files are done already" in capsys.readouterr().err
    for name, source in expected.items():
        assert written[name].read_bytes() == codec.compress(source, quality=50)


def test_a_run_by_force_that_was_cut_short_is_not_done(photos, tmp_path, monkeypatch):
    """What it had not come to is of the earlier settings."""
    seen = []
    monkeypatch.setattr("sdae.cluster.results", lambda _, task, jobs: seen.extend(jobs) or [])
    for job_source in photos.glob("*.png"):
        target = tmp_path / f"{job_source.stem}.sdae"
        target.write_bytes(b"old")
        os.utime(target, ns=(0, job_source.stat().st_mtime_ns))
    compress = "compress", "--dask", "nowhere", *photos.glob("*.png"), tmp_path
    assert run(*compress, "--force") == 0 and len(seen) == COUNT // 2
    assert run(*compress) == 1 and len(seen) == COUNT // 2  # each exists, none is done


def test_bad_files_are_named_and_the_others_go_on(cluster, photos, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    given = photos / "0.png", tmp_path / "bad.png", "-o", tmp_path / "v1.0"
    assert run("compress", "--dask", cluster.scheduler_address, "--json", *given) == 1
    out, err = capsys.readouterr()
    (fact,) = json.loads(out)
    assert Path(fact["target"]) == tmp_path / "v1.0" / "0.sdae"
    assert Path(fact["target"]).stat().st_size == fact["bytes"]
    assert err.count("\n") == 1 and "bad.png: This is no picture" in err


def test_a_set_is_measured_on_the_cluster_as_it_is_here(cluster, photos, tmp_path, capsys):
    figures = []
    chosen = "--sets", photos / "deep", "--codecs", "sdae", "jpeg", "--qualities", 20, 60
    for extra in ["--dask", cluster.scheduler_address], ["--jobs", 1]:
        place = tmp_path / extra[0].strip("-")
        assert run("evaluate", *extra, *chosen, "--results", place) == 0
        figures.append(
            {
                (path.name, picture): [(row["bytes"], row["psnr"]) for row in rows]
                for path in place.rglob("*.json")
                for picture, rows in json.loads(path.read_text())["pictures"].items()
            }
        )
    assert figures[0] == figures[1] and len({file for file, _ in figures[0]}) == 2


def test_without_a_cluster_or_a_folder_there_is_a_sentence(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sdae.cluster._PATIENCE", 1)
    address = "tcp://127.0.0.1:9"
    chosen = "--sets", photos, "--codecs", "jpeg", "--results", tmp_path
    assert run("evaluate", "--dask", address, *chosen) == 2
    assert "no Dask scheduler answers" in capsys.readouterr().err
    assert run("compress", "--dask", address, photos, tmp_path / "small") == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
    # Nothing was written with these settings, so others may be.
    assert run("compress", "--dask", address, photos, tmp_path / "small", "--quality", 9) == 2
    assert "no Dask scheduler" in capsys.readouterr().err
    assert run("compress", "--dask", address, photos) == 2
    assert run("compress", "--dask", address, "-", tmp_path / "small") == 2
    assert all(line.startswith("sdae: --dask") for line in capsys.readouterr().err.splitlines())


def test_without_dask_it_says_how_to_get_it(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run("compress", "--dask", "tcp://127.0.0.1:9", photos, tmp_path / "small") == 2
    assert "pip install 'sdae[dask]'" in capsys.readouterr().err
