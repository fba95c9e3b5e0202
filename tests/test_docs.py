"""The documents: figures are those of the results, commands are understood, links lead somewhere."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from docs import figures, release, validation
from sdae import weights
from sdae.__main__ import parser
from sdae.measuring.results import Results

ROOT = Path(__file__).parents[1]

DOCUMENTS = {path.name: path.read_text(encoding="utf-8") for path in figures.DOCUMENTS}
TEXTS = DOCUMENTS | {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "CHANGELOG.md")
}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def results():
    return Results.of(weights.folder())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_figures_are_those_of_the_results(name, results):
    assert figures.filled(DOCUMENTS[name], results) == DOCUMENTS[name], "run make docs"


def test_every_figure_stands_somewhere_and_every_place_has_one():
    named = [found[2] for text in DOCUMENTS.values() for found in figures.PLACE.finditer(text)]
    assert sorted(named) == sorted(figures.FIGURES)
    marks = sum(text.count("<!-- figures:") for text in DOCUMENTS.values())
    assert marks == len(named) == sum(text.count("<!-- end -->") for text in DOCUMENTS.values())


def test_a_typed_figure_is_found_out(results, tmp_path, monkeypatch, capsys):
    path = tmp_path / "README.md"
    altered = DOCUMENTS["README.md"].replace("<!-- end -->", "typed\n<!-- end -->", 1)
    path.write_text(altered, encoding="utf-8")
    monkeypatch.setattr(figures, "DOCUMENTS", [path])
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    assert figures.main(check=True) == 1
    assert "README.md is out of date" in capsys.readouterr().out
    assert figures.main(check=False) == 0 and figures.main(check=True) == 0
    assert path.read_text(encoding="utf-8") == DOCUMENTS["README.md"]


def test_what_is_not_measured_yet_names_its_command(tmp_path):
    """New weights have documents too."""
    nothing = Results(tmp_path, "no weights")
    for name in figures.FIGURES.keys() - {"original", "training"}:
        assert "Not measured with these weights yet; `" in figures.FIGURES[name](nothing)


def test_waiting_has_a_row_for_each_number_of_visitors(monkeypatch, tmp_path):
    row = {"bytes_seconds": 9.5, "picture_seconds": 20, "slowest": 1.6, "peak_mb": 640}
    load = {"1": row | {"faults": []}, "10": row | {"faults": ["an error"]}}
    monkeypatch.setattr(Results, "bench", lambda self, name: {"load": load}[name])
    text = figures.visitors(Results(tmp_path, "any"))
    assert "| 10 | 9.5 | 20 | 1.6 | 640 MB | 1 |" in text


@pytest.mark.parametrize("name", TEXTS)
def test_commands_are_understood(name):
    for block in blocks(TEXTS[name], "sh"):
        for line in block.replace("\\\n", "").splitlines():
            if line.startswith("sdae "):
                _, *argv = shlex.split(line, comments=True)
                assert callable(parser(argv).parse_args(argv).run), line


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_to_files_and_headings(name):
    folder = ROOT / "docs" if (ROOT / "docs" / name).exists() else ROOT
    for target in re.findall(r"\]\(([^):]+)\)", TEXTS[name]):
        place, _, heading = target.partition("#")
        path = folder / place if place else folder / name
        assert path.is_file(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles]


@pytest.mark.parametrize("name", TEXTS)
def test_files_and_modules_named_in_the_text_exist(name):
    for path in re.findall(r"`((?:sdae|tests|docs|pages|weights)/[\w./-]+)`", TEXTS[name]):
        assert (ROOT / path).exists(), path


def test_the_readme_fits_on_a_few_screens():
    assert len(DOCUMENTS["README.md"].splitlines()) <= 150


def test_validation_tells_fewer_bytes_at_equal_quality(codec):
    pixels = np.random.default_rng(1).integers(0, 256, (24, 40, 3), "uint8")
    with pytest.raises(ValueError, match="MS-SSIM"):
        validation.measured(codec, pixels)
    row = {"ssim": 0.9, "ms_ssim": 0.95}
    rows = [row | {"setting": q, "bytes": 100 * q, "psnr": 20 + q / 4} for q in range(5, 50, 9)]
    rows = [r | {k: 1 - (1 - r[k]) / r["setting"] for k in row} for r in rows]
    fewer = [r | {"bytes": 0.9 * r["bytes"]} for r in rows]
    lines = validation.compared({"a": fewer, "b": fewer}, {"a": rows, "b": rows})
    expected = "-10.00 ± 0.00 %, by thirds -10.00 / -10.00 / -10.00"
    assert lines == [f"{name}: {expected}" for name in ("PSNR", "SSIM in dB", "MS-SSIM in dB")]


def test_weights_that_ship_are_shortened_and_denoisers_averaged(tmp_path):
    values = np.random.default_rng(1).normal(size=(70, 70)).astype("float16")
    short = release.shortened(values)
    assert np.all(np.abs(short - values) <= np.abs(values) * 2.0**-7)
    assert not np.any(short.view("uint16") & 15)
    for name, value in ("a", 1.0), ("b", 3.0):
        weights.write(tmp_path / name, {"x": np.full((70, 70), value, "float32")}, {"start": name})
    release.denoiser([tmp_path / "a", tmp_path / "b"], 0.75, tmp_path / "mean")
    arrays, card = weights.read(tmp_path / "mean")
    np.testing.assert_allclose(arrays["x"], 1.5, rtol=1e-6)
    assert card["averaged"].startswith("0.75 of these weights")
    with pytest.raises(SystemExit, match="not finished"):
        release.codec(tmp_path / "a", tmp_path / "codec")
