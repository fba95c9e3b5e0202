import argparse
import json

import numpy as np
import pytest
from PIL import Image

from sdae import noise_study


@pytest.fixture
def folder(tmp_path):
    """A set of one smooth picture."""
    y, x = np.mgrid[:64, :72]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    (tmp_path / "waves").mkdir()
    Image.fromarray(np.uint8(128 + 90 * waves)).save(tmp_path / "waves" / "one.png")
    return tmp_path / "waves"


def study(*argv):
    parser = argparse.ArgumentParser()
    noise_study.add_arguments(parser)
    return noise_study.run(parser.parse_args(list(map(str, argv))))


def test_every_level_is_measured_written_and_shown(codec, folder, tmp_path, capsys):
    assert study("--sets", folder, "--results", tmp_path) == 0
    stored = json.loads((tmp_path / "results" / "noise-waves.json").read_text())
    assert stored["weights_sha256"] == codec.card["sha256"]
    assert stored["quality"] == 100
    rows = stored["rows"]
    assert {row["sigma"] for row in rows} == set(noise_study.SIGMAS)

    at = {(row["sigma"], row["denoiser"], row["level"]): row for row in rows}
    assert len(at) == len(rows) == len(noise_study.SIGMAS) * 9
    assert at[0, "noisy", None]["psnr"] is None
    for level in ("known", "estimated"):
        for name in ("sdae", *noise_study.DENOISERS):
            row = at[0.2, name, level]
            assert row["psnr"] > at[0.2, "noisy", None]["psnr"] + 4
            assert ("bytes" in row) == (name == "sdae")
    assert at[0.2, "sdae", "known"]["strength"] == 0.2
    assert at[0.2, "sdae", "estimated"]["strength"] == pytest.approx(0.2, rel=0.15)

    printed = capsys.readouterr().out
    assert "**waves, number of pictures 1**" in printed
    assert f"{at[0.2, 'sdae', 'known']['psnr']:.2f} / " in printed


def test_a_missing_folder_is_named(tmp_path, capsys):
    assert study("--sets", tmp_path / "nowhere", "--results", tmp_path) == 2
    assert "nowhere" in capsys.readouterr().err
