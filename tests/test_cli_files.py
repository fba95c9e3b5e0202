"""Files that commands read and write, whatever they are, are called or stand for."""

import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from odd_files import ftyp, saved
from PIL import Image, ImageCms

from sdae.__main__ import main
from sdae.cli import compress, files, writing
from sdae.cli.job import Job
from sdae.coding import container

pytestmark = pytest.mark.usefixtures("one_network")

posix = pytest.mark.skipif(os.name != "posix", reason="links, devices and signals of POSIX")

SMALL = np.full((8, 8, 3), 90, "uint8")
EXIF = Image.Exif()
EXIF[0x010F] = "Camera"


def run(*argv):
    return main([str(word) for word in argv])


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(SMALL).save(path)
    return path


@pytest.fixture
def packed(photo):
    assert run("compress", photo) == 0
    return photo.with_suffix(".sdae")


def is_packed(path):
    return path.read_bytes().startswith(container.MAGIC)


# --- one file's failure ---------------------------------------------------------------------


def test_a_perfect_picture_has_no_finite_psnr(tmp_path, capsys):
    Image.new("L", (1, 1), 128).save(tmp_path / "one.png")
    Image.fromarray(SMALL).save(tmp_path / "two.png")
    assert run("compress", tmp_path / "one.png", tmp_path / "two.png", "--target-psnr", 30) == 0
    assert is_packed(tmp_path / "one.sdae") and is_packed(tmp_path / "two.sdae")
    fact = {"file": "x", "file_bytes": 9, "bytes": 3, "width": 1, "height": 1, "psnr": None}
    assert compress.line(fact).endswith("PSNR ∞ dB")


def test_json_of_a_perfect_picture_is_json(photo, monkeypatch, capsys):
    monkeypatch.setattr("sdae.measuring.metrics.psnr_by_parts", lambda *_: float("inf"))
    assert run("compress", photo, "--json") == 0
    (fact,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert fact["psnr"] is None


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("error", [ValueError("odd"), ZeroDivisionError(), RecursionError()])
def test_no_exception_of_one_file_ends_the_others(error, workers, capsys):
    def work(job):
        if job.source.name == "bad":
            raise error
        return {"file": str(job.source)}

    jobs = [Job(Path(name)) for name in ("a", "bad", "c")]
    args = Namespace(jobs=workers, force=False, json=False, left_out=False)
    assert files.each(jobs, args, "work", work, lambda fact: fact["file"]) == 1
    out, err = capsys.readouterr()
    assert out == "a\nc\n" and err.startswith(f"bad: failed with {type(error).__name__}")


def test_too_much_metadata_is_a_sentence(tmp_path, capsys):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = (1_500_000).to_bytes(4, "big") + profile[4:].ljust(1_499_996, b"\0")
    Image.fromarray(SMALL).save(tmp_path / "big.jpg", icc_profile=profile)
    for command in "compress", "denoise":
        assert run(command, tmp_path / "big.jpg", "-o", tmp_path / "x.sdae", "--keep-metadata") == 1
        assert "leave it out" in capsys.readouterr().err
    assert not (tmp_path / "x.sdae").exists()


# --- names ----------------------------------------------------------------------------------


@posix
def test_a_name_as_long_as_names_can_be(tmp_path, capsys):
    source = tmp_path / ("n" * 246 + ".png")
    Image.fromarray(SMALL).save(source)
    assert run("compress", source) == 0 and is_packed(source.with_suffix(".sdae"))
    assert run("denoise", source) == 1
    assert os.strerror(errno.ENAMETOOLONG) in capsys.readouterr().err
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".png", ".sdae"]


def test_a_slash_at_the_end_says_folder(photo, capsys):
    place = photo.parent
    assert run("compress", photo, "-o", f"{place}/res.v2/") == 0
    assert is_packed(place / "res.v2" / "photo.sdae")
    (place / "in").mkdir()
    Image.fromarray(SMALL).save(place / "in" / "a.png")
    assert run("compress", place / "in", "-o", f"{place}/out.v2/") == 0
    assert is_packed(place / "out.v2" / "a.sdae")
    assert run("compress", place / "in", "-o", place / "out.v3") == 2
    assert "with / at its end" in capsys.readouterr().err
    assert run("compress", photo, "-o", f"{photo}/") == 2
    assert "is a file; name a folder" in capsys.readouterr().err


def test_only_names_in_sdae_get_sdae_files(photo, capsys):
    before = photo.read_bytes()
    for name in "photo.jpg", "photo.png", "photo.txt":
        assert run("compress", photo, "-o", photo.with_name(name), "--force") == 2
        assert "does not end in .sdae" in capsys.readouterr().err
    assert photo.read_bytes() == before and list(photo.parent.iterdir()) == [photo]
    assert run("compress", photo, "-o", photo.with_name("X.SDAE")) == 0


@pytest.mark.parametrize("ending", ["ico", "gif", "xbm", "icns", "eps", "pdf"])
def test_formats_that_do_not_hold_a_picture_as_it_is_are_refused(packed, ending, capsys):
    assert run("decompress", packed, "-o", packed.with_suffix("." + ending)) == 1
    assert "use .png" in capsys.readouterr().err
    assert not packed.with_suffix("." + ending).exists()


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "tga", "jp2", "avif"])
def test_formats_that_hold_it_do(packed, ending):
    target = packed.with_name("back." + ending)
    assert run("decompress", packed, "-o", target) == 0
    with Image.open(target) as image:
        assert image.size == (8, 8) and image.convert("RGB").getpixel((4, 4))[0] in range(80, 100)


def test_metadata_that_a_format_does_not_hold_is_not_lost(tmp_path, capsys):
    Image.fromarray(SMALL).save(tmp_path / "x.png", exif=EXIF)
    assert run("compress", tmp_path / "x.png", "--keep-metadata") == 0
    assert run("decompress", tmp_path / "x.sdae", "-o", tmp_path / "back.bmp") == 1
    assert "hold no Exif data" in capsys.readouterr().err
    for ending in "jpg", "webp", "tif", "avif":
        target = tmp_path / f"back.{ending}"
        assert run("decompress", tmp_path / "x.sdae", "-o", target) == 0
        assert Image.open(target).getexif()[0x010F] == "Camera"


# --- folders --------------------------------------------------------------------------------


def test_folders_are_taken_by_content_and_what_is_left_out_is_counted(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    folder = tmp_path / "in"
    folder.mkdir()
    jpeg = saved(SMALL, "JPEG")
    for name in "a.jfif", "b.jpe", "nameless", "odd.backup":
        (folder / name).write_bytes(jpeg)
    (folder / "._a.jfif").write_bytes(b"what a Mac keeps beside a file")
    (folder / "notes.txt").write_text("no picture")
    (folder / "c.png").mkdir()
    for number in range(5):
        (folder / f"IMG_{number}.HEIC").write_bytes(ftyp(b"heic", b"mif1"))
    (folder / "drawn.jxl").write_bytes(b"\xff\x0a1234")
    assert run("compress", folder, "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "a.sdae",
        "b.sdae",
        "nameless.sdae",
        "odd.sdae",
    ]
    lines = sorted(err.splitlines())
    assert len(lines) == 2
    assert "1 file is left out (drawn.jxl). JPEG XL" in lines[0]
    assert "5 files are left out (IMG_0.HEIC, IMG_1.HEIC, IMG_2.HEIC, …). HEIC" in lines[1]
    (folder / "drawn.jxl").unlink()
    for path in folder.glob("*.HEIC"):
        path.unlink()
    assert run("compress", folder, "-o", tmp_path / "again") == 0
    assert capsys.readouterr().err == ""


def test_a_folder_that_is_closed_to_us_is_named(photo, monkeypatch, capsys):
    closed, scandir = photo.parent / "closed", os.scandir
    closed.mkdir()

    def refuse(place):
        if str(place) == str(closed):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    assert run("compress", photo.parent) == 1
    assert is_packed(photo.with_suffix(".sdae"))
    assert f"1 file is left out ({closed}). Permission denied." in capsys.readouterr().err


def test_sdae_files_are_known_by_content_too(packed, capsys):
    folder = packed.parent / "packed"
    folder.mkdir()
    packed.rename(folder / "no ending")
    assert run("info", folder) == 0
    assert "8 x 8 pixels" in capsys.readouterr().out


def test_denoise_takes_no_result_of_its_own(tmp_path, capsys):
    folder = tmp_path / "dn"
    folder.mkdir()
    Image.fromarray(SMALL).save(folder / "a.png")
    assert run("denoise", folder) == 0
    assert run("denoise", folder, "--force") == 0
    assert sorted(p.name for p in folder.iterdir()) == ["a-denoised.png", "a.png"]


# --- writing --------------------------------------------------------------------------------


@posix
def test_a_link_stays_one_and_permissions_stay(photo):
    real, link = photo.with_name("real.sdae"), photo.with_name("link.sdae")
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real.name)
    assert run("compress", photo, "-o", link, "--force") == 0
    assert link.is_symlink() and is_packed(real)
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@posix
def test_a_new_file_is_no_more_open_than_its_source(photo):
    photo.chmod(0o600)
    assert run("compress", photo) == 0
    assert stat.S_IMODE(photo.with_suffix(".sdae").stat().st_mode) == 0o600


@posix
def test_devices_and_pipes_are_written_to(photo, packed):
    assert run("compress", photo, "-o", "/dev/null") == 0
    assert run("decompress", packed, "-o", "/dev/null") == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    pipe = photo.with_name("pipe.sdae")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert run("compress", photo, "-o", pipe) == 0
    assert os.read(reader, 3) == container.MAGIC
    os.close(reader)


def test_what_a_killed_run_left_is_removed_after_an_hour(photo, monkeypatch):
    left = photo.with_name(".sdae-0123456789ab-01234567.part")
    left.write_bytes(b"half")
    writing.write(Job(photo, photo.with_name("a.sdae")), b"new")
    assert left.exists()  # somebody may be writing it
    monkeypatch.setattr(writing, "_swept", set())
    monkeypatch.setattr(writing, "_STALE", -1)
    writing.write(Job(photo, photo.with_name("b.sdae")), b"new")
    assert not left.exists()


# --- streams and signals, in processes of their own -----------------------------------------


def shell(line, **options):
    program = f"{sys.executable} -m sdae"
    return subprocess.run(
        ["sh", "-c", line.replace("sdae", program, 1)], text=True, capture_output=True, **options
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
@pytest.mark.parametrize(
    "line, code, says",
    [
        ("sdae info {packed} >&-", 0, ""),
        ("sdae info {packed} <&- >&- 2>&-", 0, ""),
        ("sdae info - <&-", 1, "-: This is not a .sdae file"),
        ("sdae info {packed} >/dev/full", 1, "sdae: standard output: No space left on device."),
        ("sdae info --json {packed} >/dev/full", 1, "standard output: No space left on device."),
        ("sdae --help >/dev/full", 0, ""),  # argparse passes over it
        ("sdae info {packed} >/dev/full 2>/dev/full", 1, ""),
        ("sdae decompress {packed} -o - >&-", 2, "standard output is closed"),
    ],
)
def test_closed_and_full_streams(packed, line, code, says):
    done = shell(line.format(packed=packed))
    assert done.returncode == code and says in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


STUCK = """
import os, sys, time
from argparse import Namespace
from pathlib import Path
from sdae import __main__
from sdae.cli import files, writing
from sdae.cli.job import Job
folder, workers = Path(sys.argv[1]), int(sys.argv[2])
def work(job):
    os.write(1, b"begun\\n")  # whole, whatever the other thread writes
    end = time.monotonic() + 60
    while time.monotonic() < end: sum(range(1000))
    writing.write(job, b"late")
jobs = [Job(folder / f"{n}.png", folder / f"{n}.sdae") for n in range(4)]
args = Namespace(jobs=workers, force=False, json=False, left_out=False)
class Args: run = staticmethod(lambda _: files.each(jobs, args, "work", work, str))
__main__.parser = lambda argv: Namespace(parse_args=lambda argv: Args)
sys.exit(__main__.main([]))
"""


@posix
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_at_once_and_writes_nothing(tmp_path, number, workers):
    # What runs in the background of a script is born deaf to interrupts.
    program = subprocess.Popen(
        [sys.executable, "-c", STUCK, tmp_path, str(workers)],
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(workers):
        assert program.stdout.readline() == "begun\n"
    begun = time.monotonic()
    program.send_signal(number)
    _, err = program.communicate(timeout=30)
    assert time.monotonic() - begun < 15
    assert (program.returncode, err) == (130, "") and not list(tmp_path.iterdir())


HALF = """
import sys, time
from pathlib import Path
from sdae import __main__
from sdae.cli import writing
from sdae.cli.job import STREAM, Job
from argparse import Namespace
def write_bytes(path, content):
    path.touch()
    print("half", flush=True)
    time.sleep(60)
Path.write_bytes = write_bytes
class Args: run = staticmethod(lambda _: writing.write(Job(STREAM, Path(sys.argv[1])), b"x"))
__main__.parser = lambda argv: Namespace(parse_args=lambda argv: Args)
sys.exit(__main__.main([]))
"""


@posix
def test_a_termination_in_the_midst_of_a_file_leaves_nothing(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", HALF, tmp_path / "x.sdae"], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout.readline() == "half\n" and list(tmp_path.iterdir())
    program.terminate()
    program.communicate(timeout=30)
    assert program.returncode == 130 and not list(tmp_path.iterdir())


def test_standard_output_takes_whole_files(photo, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    writing.write(Job(photo, Path("-")), b"bytes")
    assert sys.stdout.buffer.getvalue() == b"bytes"
