import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sdae.cli import evaluate
from sdae.measuring import classical_denoisers, metrics, noise_study
from sdae.measuring.results import Results
from sdae.pictures import noise


@pytest.fixture(scope="module", autouse=True)
def _quick(one_network):
    """BM3D takes a minute; another denoiser stands in its place."""
    stand_in = replace(classical_denoisers.DENOISERS["bm3d"], clean=median)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classical_denoisers.DENOISERS, "bm3d", stand_in)
        yield


def median(x, sigma):
    return classical_denoisers.DENOISERS["median"].clean(x, sigma)


@pytest.fixture(scope="module")
def codec(tiny):
    return tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A set of one smooth picture."""
    folder = tmp_path_factory.mktemp("sets") / "waves"
    folder.mkdir()
    Image.fromarray(waves()).save(folder / "one.png")
    return folder


def waves():
    y, x = np.mgrid[:40, :48]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    return np.uint8(128 + 90 * waves)


def study(*argv):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    argv = "--jobs", 1, "--peer-effort", "fast", "--qualities", 30, 80, *argv
    return evaluate.run(parser.parse_args(list(map(str, argv))))


@pytest.fixture(scope="module")
def measured(codec, folder, tmp_path_factory):
    """Where the whole study of the set is kept."""
    place = tmp_path_factory.mktemp("study")
    assert study("--noise", "--sets", folder, "--results", place) == 0
    return place


@pytest.fixture
def rows(codec, measured):
    """(sigma, clipped, denoiser, level) → row."""
    found = Results(measured, codec.card["sha256"]).noise("waves")["rows"]
    at = {(r["sigma"], r["clipped"], r["denoiser"], r["level"]): r for r in found}
    assert len(at) == len(found)
    return at


def test_every_level_and_denoiser_is_measured(rows):
    quick = [name for name in noise_study.DENOISERS if name != "bm3d"]
    for clipped, sigmas in ((True, noise_study.SIGMAS), (False, noise_study.UNCLIPPED)):
        for sigma in sigmas:
            assert (sigma, clipped, "bm3d", "known") in rows
            for level in ("known", "estimated"):
                for name in ("sdae", *quick):
                    assert ("bytes" in rows[sigma, clipped, name, level]) == (name == "sdae")
    assert rows[0, True, "noisy", None]["psnr"] is None
    assert rows[0.2, True, "sdae", "known"]["strength"] == 0.2
    measured = noise.estimate_sigma(noise.add(waves(), 0.2, seed=noise_study.seed("one")))
    assert rows[0.2, True, "sdae", "estimated"]["strength"] == pytest.approx(measured, abs=1e-3)


def test_a_row_can_be_measured_again_by_hand(codec, rows):
    noisy = noise.add(waves(), 0.1, seed=noise_study.seed("one"))
    for name in ("tv", "bm3d"):
        expected = metrics.psnr(waves(), classical_denoisers.denoise(name, noisy, 0.1))
        assert rows[0.1, True, name, "known"]["psnr"] == pytest.approx(expected, abs=1e-3)
        assert expected > rows[0.1, True, "noisy", None]["psnr"] + 2
    ours = np.asarray(codec.denoise(noisy, sigma=0.1, quality=80))
    expected = metrics.psnr(waves(), ours)
    assert rows[0.1, True, "sdae", "known"]["psnr"] == pytest.approx(expected, abs=1e-3)


def test_chains_take_bytes_and_ours_ends_at_the_row_of_the_highest_quality(codec, measured, rows):
    chains = Results(measured, codec.card["sha256"]).noise("waves")["chains"]
    pairs = {(c["sigma"], c["denoiser"], c["codec"]) for c in chains}
    assert len(pairs) == len(chains) == 3 * (1 + 6 * 2)
    for chain in chains:
        sizes = [size for size, *_ in chain["points"]]
        assert sizes[0] < sizes[-1]
    (ours,) = [c for c in chains if c["denoiser"] == "sdae" and c["sigma"] == 0.2]
    row = rows[0.2, True, "sdae", "known"]
    assert ours["points"][-1][0] == row["bytes"]
    assert ours["points"][-1][1] == pytest.approx(row["psnr"], abs=1e-3)


def test_the_largest_file_that_is_not_too_large_counts():
    points = [[100, 20.0, 0.5], [200, 30.0, 0.8], [400, 25.0, 0.6]]
    chain = {"sigma": 0.1, "denoiser": "tv", "codec": "avif", "pixels": 800, "points": points}
    wanted = {"sigma": 0.1, "denoiser": "tv"}
    small, first, between, last = noise_study.chain_at_bits([chain], [0.9, 1, 1.5, 8], **wanted)
    assert small is None and first["psnr"] == 20
    assert 20 < between["psnr"] < 30
    assert last == {"psnr": 30, "ssim": 0.8}
    assert noise_study.chain_at_bits([chain], [2], sigma=0.2) == [None]


def test_new_weights_leave_the_classical_part(codec, measured):
    results = Results(measured, "00" * 32)
    assert results.noise_part("waves", "sdae")["pictures"] == {}
    assert list(results.noise_part("waves", "classical")["pictures"]) == ["one"]
    found = results.noise("waves")
    assert {row["denoiser"] for row in found["rows"]} == set(noise_study.DENOISERS)
    assert results.noise("others") == {}
    ours, others = (
        json.loads(results.noise_path("waves", part).read_text()) for part in noise_study.PARTS
    )
    assert ours["weights_sha256"] == codec.card["sha256"] and others["weights_sha256"] is None
    assert ours["options"]["qualities"] == [30, 80] and others["options"]["effort"] == "fast"
    assert others["versions"].keys() >= {"bm3d", "PyWavelets", "scikit-image", "libavif"}


def test_the_standard_protocol_stands_beside_published_figures(measured, folder, rows, capsys):
    assert study("--noise", "standard", "--sets", folder, "--results", measured) == 0
    *published, ours = capsys.readouterr().out.strip().splitlines()[2:]
    assert published[-1] == "| DRUNet | 32.89 | 29.86 |"
    expected = [rows[level / 255, False, "sdae", "known"]["psnr"] for level in (25, 50)]
    assert ours == "| SDAE | {:.2f} | {:.2f} |".format(*expected)


def test_what_is_measured_is_not_measured_again(measured, folder, monkeypatch, capsys):
    monkeypatch.delattr(noise_study, "_row")  # nothing can be measured without
    assert study("--noise", "--sets", folder, "--results", measured) == 0
    printed = capsys.readouterr().out
    assert printed.count("**waves**, 1 pictures") == 3
    assert "| 0.1 | BM3D | AVIF | " in printed and "| 25/255 | " in printed
    assert study("--noise", "--sets", folder, "--results", measured, "--show") == 0
    assert capsys.readouterr().out == printed


def test_a_missing_package_is_named(folder, tmp_path, monkeypatch, capsys):
    lacking = classical_denoisers.Denoiser("Magic", None, package="magic-denoiser")
    monkeypatch.setitem(classical_denoisers.DENOISERS, "bm3d", lacking)
    assert study("--noise", "classical", "--sets", folder, "--results", tmp_path) == 2
    assert "magic-denoiser" in capsys.readouterr().err
