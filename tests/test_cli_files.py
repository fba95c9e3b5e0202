"""Files that commands read and write, whatever they are, are called or stand for."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from odd_files import ftyp, saved
from PIL import Image, ImageCms

from sdae import progress, threads, weights
from sdae.__main__ import main
from sdae.cli import batch, compress, targets, writing
from sdae.cli.job import Job
from sdae.cli.sources import PICTURES, sources
from sdae.coding import container

pytestmark = pytest.mark.usefixtures("one_network")

posix = pytest.mark.skipif(os.name != "posix", reason="links, devices and signals of POSIX")

SMALL = np.full((8, 8, 3), 90, "uint8")
EXIF = Image.Exif()
EXIF[0x010F] = "Camera"


def run(*argv):
    return main([str(word) for word in argv])


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(SMALL).save(path)
    return path


@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png")


@pytest.fixture
def packed(photo):
    assert run("compress", photo) == 0
    return photo.with_suffix(".sdae")


def is_packed(path):
    return path.read_bytes().startswith(container.MAGIC)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_exception_of_one_file_ends_the_others(workers, capsys):
    errors = {"odd": ValueError("odd"), "zero": ZeroDivisionError(), "deep": RecursionError()}

    def work(job):
        if job.source.name in errors:
            raise errors[job.source.name]
        return {}

    names = ["a", *errors, "c"]
    facts = batch.each([Job(Path(name)) for name in names], work, workers)
    assert batch.report(facts, len(names), lambda fact: fact["file"], False) == 1
    out, err = capsys.readouterr()
    assert out == "a\nc\n" and err.startswith("odd: failed with ValueError")


def test_a_perfect_picture_has_no_finite_psnr(photo, monkeypatch, capsys):
    monkeypatch.setattr("sdae.measuring.metrics.psnr_by_parts", lambda *_: float("inf"))
    assert run("compress", photo, "--json") == 0
    (fact,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert fact["psnr"] is None and compress.line(fact).endswith("PSNR ∞ dB")


def test_too_much_metadata_is_a_sentence(tmp_path, capsys):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = (1_500_000).to_bytes(4, "big") + profile[4:].ljust(1_499_996, b"\0")
    Image.fromarray(SMALL).save(tmp_path / "big.jpg", icc_profile=profile)
    for command in "compress", "denoise":
        assert run(command, tmp_path / "big.jpg", "-o", tmp_path / "x.sdae", "--keep-metadata") == 1
        assert "leave it out" in capsys.readouterr().err
    assert not (tmp_path / "x.sdae").exists()


def test_a_slash_at_the_end_says_folder(photo, capsys):
    place = photo.parent
    assert run("compress", photo, "-o", f"{place}/res.v2/") == 0
    assert is_packed(place / "res.v2" / "photo.sdae")
    picture(place / "in" / "a.png")
    assert run("compress", place / "in", "-o", f"{place}/out.v2/") == 0
    assert is_packed(place / "out.v2" / "a.sdae")
    assert run("compress", place / "in", "-o", place / "out.v3") == 2
    assert "with / at its end" in capsys.readouterr().err
    assert run("compress", photo, "-o", f"{photo}/") == 1
    assert os.strerror(errno.ENOTDIR) in capsys.readouterr().err


def test_only_names_in_sdae_get_sdae_files(photo, capsys):
    before = photo.read_bytes()
    for name in "photo.jpg", "photo.png", "photo.txt":
        assert run("compress", photo, "-o", photo.with_name(name), "--force") == 1
        assert "end its name in .sdae" in capsys.readouterr().err
    assert photo.read_bytes() == before and list(photo.parent.iterdir()) == [photo]
    assert run("compress", photo, "-o", photo.with_name("X.SDAE")) == 0


def test_formats_that_hold_no_picture_as_it_is_are_refused(packed, capsys):
    endings = "ico", "gif", "pdf", "sdae", "xyz"
    for ending in endings:
        assert run("decompress", packed, "-o", packed.with_name("back." + ending)) == 1
    assert capsys.readouterr().err.count("use .png") == len(endings)
    assert len(list(packed.parent.iterdir())) == 2


@pytest.mark.parametrize("ending", "png jpg webp tif avif".split())
def test_formats_that_hold_it_do_with_its_metadata(ending, tmp_path):
    Image.fromarray(SMALL).save(tmp_path / "x.png", exif=EXIF)
    assert run("compress", tmp_path / "x.png", "--keep-metadata") == 0
    target = tmp_path / f"back.{ending}"
    assert run("decompress", tmp_path / "x.sdae", "-o", target) == 0
    with Image.open(target) as image:
        assert image.format == Image.registered_extensions()["." + ending]
        assert image.size == (8, 8) and image.getexif()[0x010F] == "Camera"


def test_two_spellings_of_a_target_are_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture(Path("a.png")), picture(Path("A.jpg")), picture(Path("sub", "b.png"))
    composed, apart = (unicodedata.normalize(form, "ü") for form in ("NFC", "NFD"))
    pairs = [("a.png", tmp_path / "a.jpg"), ("a.png", "sub/../a.jpg"), ("a.png", "A.jpg")]
    pairs.append((f"{composed}.png", f"{apart}.jpg"))
    if os.name == "posix":
        Path("link").symlink_to("sub")
        pairs.append(("sub/b.png", "link/b.jpg"))
    for pair in pairs:
        jobs = targets.jobs(list(map(Path, pair)), PICTURES, ".sdae", force=True)
        assert jobs[0].refusal is None and "another source" in jobs[1].refusal, pair


@pytest.mark.parametrize("workers", [1, 2])
def test_of_two_sources_with_one_target_only_the_first_is_written(tmp_path, workers, capsys):
    picture(tmp_path / "a.png"), picture(tmp_path / "sub" / "b.png")
    Image.fromarray(SMALL[:4]).save(tmp_path / "a.jpg")
    options = "--jobs", workers, "--force"
    assert run("compress", tmp_path / "a.png", tmp_path / "sub" / ".." / "a.jpg", *options) == 1
    assert Image.open(tmp_path / "a.sdae").size == (8, 8)
    (tmp_path / "a.jpg").rename(tmp_path / "a.SDAE")
    assert run("decompress", tmp_path / "a.sdae", f"{tmp_path}/./a.SDAE", *options) == 1
    assert capsys.readouterr().err.count("another source is written to") == 2
    picture(tmp_path / "a-denoised.png")
    assert run("denoise", tmp_path / "a.png", tmp_path / "a-denoised.png", *options) == 1
    assert "itself one of the sources" in capsys.readouterr().err


def test_a_file_that_appears_meanwhile_is_kept(photo, monkeypatch):
    target = photo.with_suffix(".sdae")
    target.write_bytes(b"precious")
    for broken in False, True:
        if broken:  # as on a memory card
            monkeypatch.setattr(os, "link", lambda *_: os.stat("/nowhere"))
        with pytest.raises(FileExistsError):
            writing.write(Job(photo, target), b"new")
        assert target.read_bytes() == b"precious" and len(list(photo.parent.iterdir())) == 2
        writing.write(Job(photo, photo.with_name(f"{broken}.sdae")), b"new")
        assert photo.with_name(f"{broken}.sdae").read_bytes() == b"new"
        photo.with_name(f"{broken}.sdae").unlink()
    writing.write(Job(photo, target, replace=True), b"new")
    assert target.read_bytes() == b"new"


def names(*paths):
    return [name.as_posix() for _, name in sources([Path(path) for path in paths], PICTURES)]


def test_of_folders_pictures_are_taken_and_what_cannot_be_read_is_named(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "a.jfif", "b.JPEG", "odd.png":
        (folder / name).write_bytes(saved(SMALL, "JPEG"))
    (folder / "._a.jfif").write_bytes(b"what a Mac keeps beside a file")
    (folder / "notes.txt").write_text("no picture")
    (folder / "c.png").mkdir()
    assert names(folder) == ["a.jfif", "b.JPEG", "odd.png"]
    (folder / "IMG_1.HEIC").write_bytes(ftyp(b"heic", b"mif1"))
    (folder / "drawn.jpg").write_bytes(b"\xff\x0a1234")
    assert run("compress", folder, "-o", tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert "IMG_1.HEIC: HEIC pictures" in err and "drawn.jpg: JPEG XL" in err
    assert err.count("\n") == 2 and len(list((tmp_path / "out").iterdir())) == 3


def test_what_is_closed_to_us_is_named_and_the_others_go_on(photo, monkeypatch, capsys):
    closed, secret = photo.parent / "closed", picture(photo.parent / "open" / "secret.png")
    closed.mkdir()

    def refusing(function):
        def call(path, *rest, **options):
            if str(path) in (str(closed), str(secret)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return function(path, *rest, **options)

        return call

    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(Path, "open", refusing(Path.open))
    assert run("compress", photo.parent, "-o", photo.parent / "out") == 1
    assert is_packed(photo.parent / "out" / "photo.sdae")
    err = capsys.readouterr().err
    assert f"{closed}: Permission denied." in err and f"{secret}: " in err and err.count("\n") == 2


@posix
def test_linked_folders_are_searched_and_a_circle_of_links_ends(tmp_path):
    picture(tmp_path / "in" / "a.png"), picture(tmp_path / "elsewhere" / "b.png")
    (tmp_path / "in" / "0").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "in")
    assert names(tmp_path / "in") == ["0/b.png", "a.png"]


def test_denoise_takes_no_result_of_its_own(tmp_path):
    picture(tmp_path / "a.png"), picture(tmp_path / "a-denoised.png")
    (job,) = targets.jobs([tmp_path], PICTURES, "-denoised.png")
    assert job.source.name == "a.png"


@posix
def test_a_link_stays_one_and_permissions_stay(photo):
    real, link = photo.with_name("real.sdae"), photo.with_name("link.sdae")
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real.name)
    assert run("compress", photo, "-o", link, "--force") == 0
    assert link.is_symlink() and is_packed(real)
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    photo.chmod(0o600)
    assert run("compress", photo) == 0  # and a new one is no more open than its source
    assert stat.S_IMODE(photo.with_suffix(".sdae").stat().st_mode) == 0o600


@posix
def test_devices_are_not_replaced(photo, capsys):
    assert run("compress", photo, "-o", "/dev/null", "--force") == 1
    assert "is a folder or a device" in capsys.readouterr().err
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_two_may_write_a_file_of_weights_at_once(tmp_path, monkeypatch):
    """Each beside its place, under a name of its own; what fails leaves nothing behind."""
    moved = []
    monkeypatch.setattr(os, "replace", lambda source, _: moved.append(source))
    for data in b"one", b"two":
        weights.replace(tmp_path / "x", data)
    assert len(set(moved)) == 2 and not list(tmp_path.iterdir())
    monkeypatch.undo()
    weights.replace(tmp_path / "x", b"one")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
def test_closed_and_full_streams(packed):
    for line, code, says in [
        ("info {packed} <&- >&- 2>&-", 0, ""),
        ("info - <&-", 1, "-: "),
        ("info {packed} >/dev/full", 1, "sdae: standard output: No space left on device."),
        ("info {packed} >/dev/full 2>/dev/full", 1, ""),
    ]:
        script = f"{sys.executable} -m sdae {line.format(packed=packed)}"
        done = subprocess.run(["sh", "-c", script], text=True, capture_output=True)
        assert done.returncode == code and says in done.stderr, line
        assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@posix
def test_an_interrupt_waits_while_other_threads_are_waited_for(monkeypatch):
    done = []

    def interrupted(_):
        def work(item):
            signal.raise_signal(signal.SIGTERM)
            done.append(item)

        threads.share_out(work, ["whole"])
        assert progress.ending.is_set()
        list(progress.progress([1]))
        done.append("never")

    monkeypatch.setattr("sdae.cli.info.run", interrupted)
    assert run("info", "x.sdae") == 130 and done == ["whole"]


WORKING = """
import os, sys, time
from argparse import Namespace
from pathlib import Path
from sdae import __main__
from sdae.cli import batch, writing
from sdae.cli.job import Job
from sdae.progress import progress
folder, workers, swallow = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
def work(job):
    os.write(1, b"begun\\n")  # whole, whatever the other thread writes
    with progress(total=600, shown=False) as bar:
        while True:
            bar.update()
            try:
                time.sleep(0.1)
            except KeyboardInterrupt:  # as in a function that a library calls
                if not swallow:
                    raise
jobs = [Job(folder / f"{n}.png", folder / f"{n}.sdae") for n in range(4)]
def run(_): return batch.report(batch.each(jobs, work, workers), 4, str, False)
__main__.parser = lambda argv: Namespace(parse_args=lambda argv: Namespace(run=run))
sys.exit(__main__.main([]))
"""


@posix
@pytest.mark.parametrize(
    "number, workers, swallow",
    [(signal.SIGINT, 2, False), (signal.SIGTERM, 1, True), (signal.SIGTERM, 2, False)],
)
def test_an_interrupt_ends_the_work_and_writes_nothing(tmp_path, number, workers, swallow):
    # What runs in the background of a script is born deaf to interrupts.
    program = subprocess.Popen(
        [sys.executable, "-c", WORKING, tmp_path, str(workers), str(swallow)],
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(workers):
        assert program.stdout.readline() == "begun\n"
    program.send_signal(number)
    _, err = program.communicate()
    assert (program.returncode, err) == (130, "") and not list(tmp_path.iterdir())


def test_nothing_is_begun_to_be_written_after_an_interrupt(photo, monkeypatch):
    def interrupted(path, content):
        path.touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "write_bytes", interrupted)
        writing.write(Job(photo, photo.with_name("x.sdae")), b"half")
    progress.ending.set()
    try:
        with pytest.raises(KeyboardInterrupt):
            writing.write(Job(photo, photo.with_name("x.sdae")), b"late")
    finally:
        progress.ending.clear()
    assert list(photo.parent.iterdir()) == [photo]
