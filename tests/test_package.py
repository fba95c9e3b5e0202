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
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def requirements(name):
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def brought(*extras):
    """The requirements of the package with these extras, and with those that they name."""
    named = [Requirement(line) for line in PROJECT["dependencies"]]
    for extra in extras:
        named += map(Requirement, PROJECT["optional-dependencies"][extra])
    own = {extra for r in named if r.name == "sdae" for extra in r.extras} - set(extras)
    return brought(*extras, *own) if own else {r.name: r for r in named if r.name != "sdae"}


def test_requirements_are_pinned():
    for name in ("requirements.txt", "requirements-test.txt"):
        for requirement in requirements(name):
            (pin,) = requirement.specifier
            assert pin.operator == "==" and "*" not in pin.version, requirement


def test_pins_lie_in_the_ranges_of_the_package():
    pins = {r.name: r for r in requirements("requirements.txt")}
    assert pins.keys() == brought("app").keys()
    pins |= {r.name: r for r in requirements("requirements-test.txt")}
    for name, wanted in brought(*PROJECT["optional-dependencies"]).items():
        (version,) = (s.version for s in pins[name].specifier)
        assert wanted.specifier.contains(version), name
        assert str(wanted.marker) == str(pins[name].marker), name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `pip install .` makes, built with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def test_the_wheel_is_small_and_holds_what_git_does(wheel):
    assert wheel.stat().st_size <= 12 << 20
    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    code = {path.relative_to(ROOT).as_posix(): path for path in ROOT.glob("sdae/**/*.py")}
    assert "sdae/cli/compress.py" in code and not [name for name in packed if "pages" in name]
    shipped = [f"weights/{name}/card.json" for name in weights.SHIPPED]
    shipped += [f"weights/{name}/weights.npz" for name in weights.SHIPPED]
    for name, path in code.items():
        assert packed[name] == path.read_bytes(), name
    for name in shipped:
        assert packed[f"sdae/{name}"] == (ROOT / name).read_bytes()
    left_out = ("__pycache__", ".csv", "training.npz", "results/")
    assert not [name for name in packed if any(part in name for part in left_out)]


def test_an_installed_wheel_codes_with_what_it_brings(wheel, tmp_path):
    """Neither Keras nor anything else that only extras bring is there."""
    site, photo = tmp_path / "site", tmp_path / "photo.png"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (commands,) = site.glob("*.dist-info/entry_points.txt")
    assert "sdae = sdae.__main__:main" in commands.read_text()
    Image.fromarray(data.chelsea()[:40, :60]).save(photo)
    extra = brought(*PROJECT["optional-dependencies"]).keys() - brought().keys()
    script = f"""
import sys
modules = {{"scikit-image": "skimage", "tensorflow-cpu": "tensorflow", "pillow-heif": "pillow_heif"}}
sys.modules |= dict.fromkeys(modules.get(name, name) for name in {extra})
import sdae
from PIL import Image
from sdae.__main__ import main
assert sdae.__file__.startswith({str(site)!r}), sdae.__file__
assert main(["compress", "photo.png"]) == 0
assert main(["decompress", "photo.sdae", "-o", "back.png"]) == 0
assert main(["denoise", "photo.png"]) == 0
print(Image.open("photo.sdae").format, Image.open("back.png").size)
sys.exit(main(["train", ".", "--output", "weights"]))
"""
    path = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=path, capture_output=True, text=True
    )
    assert done.stdout.endswith("SDAE (60, 40)\n"), done.stderr
    assert (done.returncode, done.stderr) == (
        2,
        "sdae: keras is missing; run pip install 'sdae[train]'.\n",
    )


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
