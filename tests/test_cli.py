"""The commands, on real files with a tiny network."""

import io
import json
import os
import re
import subprocess
import sys
import time
from contextlib import redirect_stdout

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from skimage import data

from sdae.__main__ import COMMANDS, main
from sdae.measuring import metrics
from sdae.pictures import reading
from sdae.progress import progress

pytestmark = pytest.mark.usefixtures("one_network")

PHOTO = data.chelsea()[80:152, 160:220]  # more pixels than a search tries all qualities of


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(PHOTO).save(path)
    return path


@pytest.fixture(scope="module")
def packed(one_network, tmp_path_factory):
    """A .sdae file of the photograph at quality 60."""
    folder = tmp_path_factory.mktemp("packed")
    Image.fromarray(PHOTO).save(folder / "photo.png")
    assert main(["compress", str(folder / "photo.png"), "--quality", "60"]) == 0
    return folder / "photo.sdae"


def run(*argv):
    return main([str(word) for word in argv])


def test_compress_prints_one_line_that_is_true(photo, capsys):
    assert run("compress", photo, "--quality", 60) == 0
    out, err = capsys.readouterr()
    file = photo.with_suffix(".sdae").read_bytes()
    assert out.startswith(
        f"{photo}: {photo.stat().st_size:,} -> {len(file):,} bytes, "
        f"{8 * len(file) / PHOTO[..., 0].size:.3f} bpp, "
    )
    assert out.count("\n") == 1 and err == ""

    assert run("decompress", photo.with_suffix(".sdae"), "-o", photo.with_name("back.png")) == 0
    back = np.asarray(Image.open(photo.with_name("back.png")))
    assert f"PSNR {metrics.psnr(PHOTO, back):.2f} dB" in out


def test_standard_input_to_standard_output(photo, packed, monkeypatch):
    def pipe(*argv, given):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
            patch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
            assert run(*argv) == 0
            return sys.stdout.buffer.getvalue()

    file = pipe("compress", "-", "--quality", 60, given=photo.read_bytes())
    assert file == packed.read_bytes()
    picture = pipe("decompress", "-", given=file)
    assert Image.open(io.BytesIO(picture)).size == (60, 72)
    (fact,) = json.loads(pipe("info", "-", "--json", given=file))
    assert fact["bytes"] == len(file)
    assert pipe("compress", photo, "--quality", 60, "-o", "-", given=b"") == file


@pytest.mark.skipif(os.name != "posix", reason="pipes close in another way there")
def test_a_reader_that_has_seen_enough_is_no_error(packed):
    command = [sys.executable, "-m", "sdae", "info", *[packed] * 3]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    program.stdout.close()
    assert (program.stderr.read(), program.wait()) == ("", 141)
    program.stderr.close()


def test_a_pattern_jobs_times_and_files_that_exist(tmp_path, capsys):
    (tmp_path / "deep").mkdir()
    names = ["a.png", "b.png", "deep/c.png", "deep/d.gif"]
    for number, name in enumerate(names):
        Image.fromarray(PHOTO[: 16 + number, :16]).save(tmp_path / name)
        os.utime(tmp_path / name, ns=(1, 10**18 + 123_456_789 + number))
    given = tmp_path / "**" / "*.png", tmp_path / "deep", tmp_path / "missing.jpg"
    assert run("compress", *given, "--jobs", 3, "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    # The pattern and the folder both lead to c.png.
    assert [line.split(":")[0] for line in out.splitlines()] == [str(tmp_path / n) for n in names]
    assert "c.png: another source is written to" in err and "missing.jpg" in err
    for number, name in enumerate(names):
        target = (tmp_path / "out" / os.path.basename(name)).with_suffix(".sdae")
        assert Image.open(target).size == (16, 16 + number)
        assert target.stat().st_mtime_ns == 10**18 + 123_456_789 + number
    target.write_bytes(b"precious")
    again = "compress", tmp_path / "deep" / "d.gif", "-o", target
    assert run(*again) == 1 and target.read_bytes() == b"precious"
    assert "--force" in capsys.readouterr().err
    assert run(*again, "--force") == 0 and target.read_bytes() != b"precious"


def camera_picture(path):
    """A JPEG file with Exif data and a profile of swapped colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    Image.fromarray(PHOTO).save(path, quality=95, exif=exif, icc_profile=profile)
    return profile


def test_metadata_is_kept_on_request_from_picture_to_picture(tmp_path, capsys):
    profile = camera_picture(tmp_path / "x.jpg")
    assert run("compress", tmp_path / "x.jpg", "--keep-metadata") == 0
    assert run("info", tmp_path / "x.sdae") == 0
    out, err = capsys.readouterr()
    assert out.endswith(", with Exif and ICC\n") and err == ""
    assert run("decompress", tmp_path / "x.sdae", "-o", tmp_path / "back.png") == 0
    back = Image.open(tmp_path / "back.png")
    assert back.getexif()[ExifTags.Base.Make] == "Camera"
    assert back.info["icc_profile"] == profile
    assert metrics.psnr(PHOTO, np.asarray(back)) > 24


def test_colours_become_srgb_and_metadata_goes_otherwise(tmp_path, capsys):
    camera_picture(tmp_path / "x.jpg")
    assert run("compress", tmp_path / "x.jpg") == 0
    assert "converted from the file's own profile to sRGB" in capsys.readouterr().err
    image = Image.open(tmp_path / "x.sdae")
    assert not image.getexif() and "icc_profile" not in image.info
    srgb = reading.read(tmp_path / "x.jpg").rgb
    assert metrics.psnr(srgb, np.asarray(image)) > 24 > metrics.psnr(PHOTO, np.asarray(image))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_says_the_time_left_and_only_in_a_terminal(monkeypatch):
    def work(items):
        for item in items:
            time.sleep(0.3)
            yield item

    for screen, shown in (Terminal(), True), (io.StringIO(), False):
        monkeypatch.setattr(sys, "stderr", screen)
        assert sum(work(progress(range(5), "compress", unit="file"))) == 10
        found = re.search(r"compress: +80%.* 4/5 \[\S+<00:00, .*file", screen.getvalue())
        assert bool(found) == bool(screen.getvalue()) == shown


def test_help_and_info_load_no_network(packed):
    script = f"""
import sys
from sdae.__main__ import COMMANDS, main, parser
for name in COMMANDS:
    parser([name])
code = main(["info", {str(packed)!r}])
sys.exit(code or bool({{"tensorflow", "keras"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{packed.stat().st_size:,} bytes, 60 x 72 pixels" in done.stdout
    assert "quality 60" in done.stdout


def test_info_as_json_lists_good_files_and_fails_for_bad_ones(packed, tmp_path, capsys):
    bad = tmp_path / "bad.sdae"
    bad.write_bytes(packed.read_bytes()[:-1])
    assert run("info", "--json", packed, bad) == 1
    out, err = capsys.readouterr()
    (fact,) = json.loads(out)
    assert (fact["width"], fact["height"], fact["quality"]) == (60, 72, 60)
    assert fact["bytes"] == packed.stat().st_size
    assert str(bad) in err and "damaged" in err


def test_a_folder_is_compressed_into_another_and_bad_files_are_left_out(photo, capsys):
    source, target = photo.parent / "in", photo.parent / "out"
    (source / "deep").mkdir(parents=True)
    Image.fromarray(PHOTO[:16, :16]).save(source / "one.jpg")
    Image.fromarray(PHOTO[:16, :17]).save(source / "deep" / "two.PNG")
    (source / "broken.jpg").write_bytes(b"no picture")
    (source / "notes.txt").write_text("no picture either")
    assert run("compress", source, "-o", target) == 1
    out, err = capsys.readouterr()
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*.*")) == [
        "deep/two.sdae",
        "one.sdae",
    ]
    assert out.count("\n") == 2
    assert err.count("\n") == 1 and "broken.jpg: This is no picture" in err

    assert run("decompress", target) == 0
    assert Image.open(target / "deep" / "two.png").size == (17, 16)


def test_target_bytes_and_target_psnr_are_met(photo, capsys):
    target = photo.with_suffix(".sdae")
    assert run("compress", photo, "--target-bytes", 1000) == 0
    assert 900 < target.stat().st_size <= 1000
    assert run("compress", photo, "--target-psnr", 26, "--force") == 0
    psnr = float(capsys.readouterr().out.split("PSNR ")[-1].split()[0])
    assert 26 <= psnr < 26.2
    assert run("compress", photo, "--target-bytes", 10, "-o", photo.with_name("x.sdae")) == 1
    assert "The smallest file takes" in capsys.readouterr().err
    assert not photo.with_name("x.sdae").exists()


def test_denoise_writes_a_cleaner_picture(tmp_path, capsys):
    noise = np.random.default_rng(0).normal(0, 25, PHOTO.shape)
    noisy = np.clip(PHOTO + noise, 0, 255).astype("uint8")
    Image.fromarray(noisy).save(tmp_path / "grainy.png")
    assert run("denoise", tmp_path / "grainy.png") == 0
    clean = np.asarray(Image.open(tmp_path / "grainy-denoised.png"))
    assert metrics.psnr(PHOTO, clean) > metrics.psnr(PHOTO, noisy) + 3
    assert "(estimated)" in capsys.readouterr().out


WRONG = """
compress
juggle photo.png
compress photo.png --quality 0
compress photo.png --quality nan
compress photo.png --effort 2
compress photo.png --jobs 0
compress photo.png --target-bytes 2000 --target-psnr 30
denoise photo.png --sigma 2
"""


@pytest.mark.parametrize("line", WRONG.splitlines()[1:])
def test_wrong_usage_exits_with_two(line):
    with pytest.raises(SystemExit) as exit:
        main(line.split())
    assert exit.value.code == 2


def test_sources_and_outputs_that_do_not_fit_exit_with_two(photo, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run("compress", tmp_path / "empty") == 1
    assert "empty: it holds no file" in capsys.readouterr().err
    assert run("compress", photo, photo, "-o", tmp_path / "one.sdae") == 2
    assert run("compress", photo, "--weights", tmp_path / "nothing") == 2
    assert run("compress", tmp_path / "*.jpg") == 2
    errors = capsys.readouterr().err.splitlines()
    assert [line.startswith("sdae: ") for line in errors] == [True] * 3
    assert run("compress", tmp_path / "empty", photo) == 1
    assert photo.with_suffix(".sdae").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as exit:
        main([command, "--help"])
    assert not exit.value.code
    assert capsys.readouterr().out.startswith(f"usage: sdae {command}")


def test_a_library_that_an_extra_brings_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setitem(COMMANDS, "train", ("keras", "train"))
    assert run("train") == 2
    assert "pip install 'sdae[train]'" in capsys.readouterr().err


def test_a_program_may_take_what_is_printed(packed, capsys):
    with redirect_stdout(io.StringIO()) as out:
        assert run("info", packed) == 0
        assert run("decompress", packed, "-o", "-") == 2
    assert "60 x 72 pixels" in out.getvalue()
    assert "name a file with --output" in capsys.readouterr().err
