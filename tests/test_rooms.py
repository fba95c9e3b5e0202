"""The rooms of the package: imports run downwards only, in no circle, and stay light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

FLOORS = [
    {"pages.compress", "pages.denoise", "pages.kodak", "pages.inside", "streamlit_app"},
    {"pages.shared", "pages"},
    {"sdae.__main__"},
    {"sdae.cli"},
    {"sdae.measuring"},
    {"sdae", "sdae.training"},
    {"sdae.pillow_plugin"},
    {"sdae.codec"},
    {"sdae.trained"},
    {"sdae.network"},
    {"sdae.pictures"},
    {"sdae.coding"},
    {"sdae.weights"},
    {"sdae.errors", "sdae.progress", "sdae.threads"},
]
"""Rooms and the modules beside them, from the top. A module may import its own room and lower
floors; rooms of one floor know nothing of each other."""

FILES = [
    ROOT / "streamlit_app.py",
    *sorted(ROOT.glob("pages/**/*.py")),
    *sorted(ROOT.glob("sdae/**/*.py")),
]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def room(module: str) -> str:
    """The longest name on a floor that the module's begins with."""
    rooms = {name for floor in FLOORS for name in floor}
    parts = module.split(".")
    names = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]
    found = next(name for name in names if name in rooms)
    assert found != "sdae" or module == "sdae", f"{module} stands on no floor"
    return found


def floor(module: str) -> int:
    return next(k for k, rooms in enumerate(FLOORS) if room(module) in rooms)


def imports(module: str, nested: bool = True) -> set[str]:
    """The modules that one imports: anywhere, or only where it is loaded (not `nested`)."""
    found, waiting = set(), [ast.parse(MODULES[module].read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports by a relative name"
            whole = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in MODULES else node.module for name in whole}
        if nested or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def test_imports_run_downwards():
    for module in MODULES:
        for other in imports(module) & MODULES.keys():
            assert room(other) == room(module) or floor(other) > floor(module), (module, other)


def test_no_modules_import_each_other_in_a_circle():
    waiting = {module: imports(module) & MODULES.keys() for module in MODULES}
    while free := {module for module, others in waiting.items() if not others & waiting.keys()}:
        waiting = {module: others for module, others in waiting.items() if module not in free}
    assert not waiting


def test_only_pages_know_streamlit_and_only_training_knows_keras():
    for module in MODULES:
        known = {name.split(".")[0] for name in imports(module)}
        if not module.startswith(("pages", "streamlit_app")):
            assert "streamlit" not in known, module
        if not module.startswith(("sdae.training", "pages.inside")):
            assert not {"keras", "tensorflow"} & known, module


def test_only_the_ways_in_import_by_a_name_in_a_string():
    """Others could reach any floor that way."""
    found = {
        name
        for name, path in MODULES.items()
        if {"import_module", "__import__"} & set(re.findall(r"\w+", path.read_text("utf-8")))
    }
    assert found == {"sdae.__main__"}


def test_plotly_finds_pandas_whole():
    """All take Plotly from the one module that imports pandas before it, see there."""
    users = {name for name in MODULES if any(i.split(".")[0] == "plotly" for i in imports(name))}
    assert users == {"pages.shared.plotly"}
    assert "pandas" in imports("pages.shared.plotly", nested=False)


def test_pages_hold_no_codec():
    parts = ("zlib", "zopfli", "sdae.codec", "sdae.coding.latent_coder", "sdae.coding.deflate")
    for module in MODULES:
        if module.startswith("pages") and module.endswith(".page"):
            assert not [name for name in imports(module) if name.startswith(parts)], module


def test_importing_sdae_and_its_command_line_loads_no_heavy_library():
    script = """
import sys, sdae, sdae.__main__
heavy = {"tensorflow", "keras", "streamlit", "scipy", "skimage"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
