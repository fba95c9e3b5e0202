"""What holds the package together: pins, the wheel, and a README that runs."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image
from skimage import data

from sdae import weights

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def requirements(name):
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def test_requirements_are_pinned():
    for name in ("requirements.txt", "requirements-test.txt"):
        for requirement in requirements(name):
            (pin,) = requirement.specifier
            assert pin.operator == "==" and "*" not in pin.version, requirement


def test_pins_lie_in_the_ranges_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    app = project["dependencies"] + extras.pop("app")
    app = {r.name: r for r in map(Requirement, app)}
    others = {r.name: r for r in map(Requirement, sum(extras.values(), []))}
    pins = {r.name: r for r in requirements("requirements.txt")}
    assert pins.keys() == app.keys()
    pins |= {r.name: r for r in requirements("requirements-test.txt")}
    assert pins.keys() >= others.keys()
    for name, range in (app | others).items():
        (version,) = (s.version for s in pins[name].specifier)
        assert range.specifier.contains(version), name
        assert str(range.marker) == str(pins[name].marker), name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `pip install .` makes, built with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--disable-pip-version-check",
            "--no-index",
            "--wheel-dir",
            folder,
            ROOT,
        ],
        check=True,
    )
    (built,) = folder.iterdir()
    return built


def test_the_wheel_is_small_and_holds_what_git_does(wheel):
    assert wheel.stat().st_size < 10e6 * len(weights.SHIPPED)
    with zipfile.ZipFile(wheel) as archive:
        packed = {
            name: archive.read(name) for name in archive.namelist() if name.startswith("sdae/")
        }
    for name in (
        "sdae/cli/compress.py",
        "pages/shared/split_view.js",
        "sdae/pillow_plugin.py",
        "sdae/measuring/published-kodak.json",
        "sdae/coding/container.py",
    ):
        assert packed[name] == (ROOT / name).read_bytes()
    for name in (
        f"weights/{name}/{file}"
        for name in weights.SHIPPED
        for file in ("weights.npz", "card.json")
    ):
        assert packed[f"sdae/{name}"] == (ROOT / name).read_bytes()
    assert not [name for name in packed if "__pycache__" in name or "training.npz" in name]


def test_an_installed_wheel_gives_package_weights_command_and_plugin(wheel, tmp_path):
    site, photo = tmp_path / "site", tmp_path / "photo.png"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--disable-pip-version-check",
            "--target",
            site,
            wheel,
        ],
        check=True,
    )
    Image.fromarray(data.chelsea()[:40, :60]).save(photo)
    away = {
        "cwd": tmp_path,
        "env": {**os.environ, "PYTHONPATH": str(site)},
        "check": True,
        "capture_output": True,
        "text": True,
    }
    (command,) = [path for path in (site / "bin").iterdir() if path.stem == "sdae"]
    assert subprocess.run([command, "compress", photo], **away).stdout.startswith(f"{photo}: ")
    script = f"""
import sdae
from PIL import Image
assert sdae.__file__.startswith({str(site)!r}), sdae.__file__
print(Image.open("photo.sdae").format, Image.open("photo.sdae").size)
"""
    done = subprocess.run([sys.executable, "-c", script], **away)
    assert done.stdout.strip() == "SDAE (60, 40)"


def test_the_readme_shows_the_commands():
    lines = [
        shlex.split(line, comments=True)
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("sdae ")
    ]
    assert {line[1] for line in lines} >= {"compress", "decompress", "info", "denoise"}


def test_the_python_example_in_the_readme_runs(capsys):
    (example,) = blocks("python")
    names = {}
    exec(example, names)
    assert names["image"].size == names["photo"].shape[1::-1]
    assert len(names["file"]) < names["photo"].nbytes / 4
    assert "bytes of RGB became" in capsys.readouterr().out
