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
from sdae.cli.compress_on_cluster import Manifest
from sdae.cli.job import Job

COUNT = 8


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
        part = data.astronaut()[40 * number :][:64, 100:180]
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
    address = cluster.scheduler_address
    assert run("compress", "--dask", address, photos, target, "--quality", 40) == 0
    out, err = capsys.readouterr()
    assert flag.exists() and out.count("\n") == COUNT and err == ""

    expected = {
        path.relative_to(photos).with_suffix(".sdae"): path for path in photos.rglob("*.png")
    }
    written = {path.relative_to(target): path for path in target.rglob("*") if path.is_file()}
    assert written.keys() == expected.keys() | {Path("manifest.jsonl")}  # and no .part
    for name, source in expected.items():
        assert written[name].read_bytes() == codec.compress(source, 40)
        assert written[name].stat().st_mtime_ns == source.stat().st_mtime_ns

    # Started again, only what is missing or was claimed and not finished is made.
    names = sorted(expected)
    before = {name: written[name].stat().st_ino for name in names}
    written[names[0]].unlink()
    with (target / "manifest.jsonl").open("a") as manifest:
        manifest.write(json.dumps({"target": str(written[names[1]])}) + '\n{"target": "cut sh')
    assert run("compress", "--dask", address, photos, target, "--quality", 40) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 2 and f"{COUNT - 2} of {COUNT} files are done already" in err
    assert written[names[0]].read_bytes() == codec.compress(expected[names[0]], 40)
    assert [written[name].stat().st_ino == before[name] for name in names[1:]] == [
        False,
        *[True] * (COUNT - 2),
    ]

    # Other settings never replace what is there.
    assert run("compress", "--dask", address, photos, target, "--quality", 50) == 1
    assert capsys.readouterr().err.count("--force") == COUNT


def test_bad_files_are_named_and_the_others_go_on(cluster, photos, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    assert (
        run(
            "compress",
            "--dask",
            cluster.scheduler_address,
            "--json",
            photos / "0.png",
            tmp_path / "bad.png",
            "-o",
            tmp_path / "v1.0",
        )
        == 1
    )
    out, err = capsys.readouterr()
    (fact,) = json.loads(out)
    assert Path(fact["target"]) == tmp_path / "v1.0" / "0.sdae"
    assert Path(fact["target"]).stat().st_size == fact["bytes"]
    assert err.count("\n") == 1 and "bad.png: This is no picture" in err


def test_a_set_is_measured_on_the_cluster_as_it_is_here(cluster, photos, tmp_path, capsys):
    figures = []
    for extra in ["--dask", cluster.scheduler_address], ["--jobs", 1]:
        place = tmp_path / extra[0].strip("-")
        assert (
            run(
                "evaluate",
                *extra,
                "--sets",
                photos / "deep",
                "--codecs",
                "sdae",
                "jpeg",
                "--qualities",
                20,
                60,
                "--results",
                place,
            )
            == 0
        )
        files = {
            path.name: json.loads(path.read_text())["pictures"] for path in place.rglob("*.json")
        }
        figures.append(
            {
                (file, picture, number): (row["bytes"], row["psnr"])
                for file, pictures in files.items()
                for picture, rows in pictures.items()
                for number, row in enumerate(rows)
            }
        )
    assert figures[0] == figures[1] and len({file for file, _, _ in figures[0]}) == 2


def test_without_a_cluster_or_a_folder_there_is_a_sentence(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sdae.cluster._PATIENCE", 1)
    address = "tcp://127.0.0.1:9"
    assert (
        run(
            "evaluate",
            "--dask",
            address,
            "--sets",
            photos,
            "--codecs",
            "jpeg",
            "--results",
            tmp_path,
        )
        == 2
    )
    assert "no Dask scheduler answers" in capsys.readouterr().err
    assert run("compress", "--dask", address, photos, tmp_path / "small") == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
    assert run("compress", "--dask", address, photos) == 2
    assert run("compress", "--dask", address, "-", tmp_path / "small") == 2
    assert all(line.startswith("sdae: --dask") for line in capsys.readouterr().err.splitlines())


def test_without_dask_it_says_how_to_get_it(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run("compress", "--dask", "tcp://127.0.0.1:9", photos, tmp_path / "small") == 2
    assert "pip install 'sdae[dask]'" in capsys.readouterr().err


def test_the_manifest_believes_only_what_is_there_as_it_was(tmp_path):
    source, target = tmp_path / "a.png", tmp_path / "a.sdae"
    source.write_bytes(b"picture")
    target.write_bytes(b"small")
    job, facts = Job(source, target), {"file": str(source), "target": str(target), "bytes": 5}

    def manifest(quality=75):
        return Manifest(tmp_path / "manifest.jsonl", {"quality": quality})

    assert not manifest().done(job) and not manifest().claimed(target)
    manifest().claim([job])
    assert not manifest().done(job) and manifest().claimed(target)
    manifest().add(facts)
    assert manifest().done(job) and not manifest().claimed(target)
    assert not manifest(quality=60).done(job)
    target.write_bytes(b"smaller")
    assert not manifest().done(job)
    target.write_bytes(b"small")
    os.utime(source, ns=(0, 0))
    assert not manifest().done(job)
    source.unlink()
    assert not manifest().done(job)
