"""What holds the package together: light imports, one-way imports, pins, and a README that runs."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from sdae.__main__ import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def imported(path):
    """The modules that a source file imports anywhere in it, functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def requirements(name):
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def test_importing_sdae_and_its_command_line_loads_no_heavy_library():
    script = """
import sys, sdae, sdae.__main__
heavy = {"tensorflow", "keras", "streamlit", "scipy", "skimage"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "sdae").glob("*.py")), ids=lambda p: p.name)
def test_the_package_knows_nothing_of_the_app(path):
    assert not [m for m in imported(path) if m.startswith(("streamlit", "sdae.ui", "pages"))]


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda p: p.name)
def test_pages_hold_no_codec(path):
    parts = ("tensorflow", "keras", "zlib", "zopfli", "sdae.network", "sdae.latents",
             "sdae.deflate", "sdae.weights", "sdae.train")
    assert not [m for m in imported(path) if m.startswith(parts)]


def test_requirements_are_pinned():
    for name in ("requirements.txt", "requirements-test.txt"):
        for requirement in requirements(name):
            (pin,) = requirement.specifier
            assert pin.operator == "==" and "*" not in pin.version, requirement


def test_pins_lie_in_the_ranges_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges = project["dependencies"] + project["optional-dependencies"]["app"]
    ranges = {r.name: r for r in map(Requirement, ranges)}
    pins = {r.name: r for r in requirements("requirements.txt")}
    assert pins.keys() == ranges.keys()
    for name, pin in pins.items():
        (version,) = (s.version for s in pin.specifier)
        assert ranges[name].specifier.contains(version), name
        assert str(ranges[name].marker) == str(pin.marker), name


def test_commands_in_the_readme_are_understood():
    lines = [shlex.split(line, comments=True) for block in blocks("sh")
             for line in block.splitlines() if line.startswith("sdae ")]
    assert {line[1] for line in lines} >= {"compress", "decompress", "info", "denoise"}
    for _, *argv in lines:
        assert callable(parser(argv).parse_args(argv).run)


def test_the_python_example_in_the_readme_runs(capsys):
    (example,) = blocks("python")
    names = {}
    exec(example, names)
    assert names["image"].size == names["photo"].shape[1::-1]
    assert len(names["file"]) < names["photo"].nbytes / 4
    assert "bytes of RGB became" in capsys.readouterr().out


def test_files_named_in_the_readme_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).is_file(), target
