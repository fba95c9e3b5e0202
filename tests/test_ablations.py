import argparse
import csv

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sdae.training import ablations, loop
from sdae.training.loop import Trainer

SMALL = {"widths": (8, 8, 16), "analysis_depthwise": 1, "synthesis_depthwise": 0, "fine_blocks": 0}


@pytest.fixture
def options(tmp_path, monkeypatch):
    small = {name: SMALL | changes for name, changes in ablations.VARIANTS.items()}
    monkeypatch.setattr(ablations, "VARIANTS", small)
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(data.astronaut()[:160, :160]).save(folder / "astronaut.png")

    def parsed(*extra):
        parser = argparse.ArgumentParser()
        ablations.add_arguments(parser)
        words = [str(folder), "--validation", str(folder), "--table", str(tmp_path / "table.csv")]
        return parser.parse_args([*words, "--epochs", "1", "--steps", "1", *extra])

    return parsed


def test_variants_are_measured_once_and_added_to_the_table(options):
    half, blind = "half the widths", "blind to the noise level"
    args = options("--variants", half)
    assert ablations.run(args) == 0
    first = args.table.read_text()
    args.variants = [half, blind]
    assert ablations.run(args) == 0
    assert args.table.read_text().startswith(first)
    rows = {row["variant"]: row for row in csv.DictReader(args.table.open())}
    assert list(rows) == [half, blind]
    assert rows[half]["changes"].startswith("widths=(24,48,64) analysis_depthwise=1")
    assert rows[half]["images"] == "32"
    assert 0 < float(rows[half]["validation_loss"]) < 10


def test_linear_paths_that_are_left_out_stay_out(options, monkeypatch):
    made = []
    monkeypatch.setattr(loop, "Trainer", lambda *args: made.append(Trainer(*args)) or made[0])
    args = options("--variants", "no linear paths")
    assert ablations.run(args) == 0
    found = [v for v in made[0].model.weights if "/linear/" in v.path]
    assert len(found) == 4 and not any(np.asarray(v).any() for v in found)


def test_every_variant_is_a_configuration(options):
    from dataclasses import fields

    from sdae.network.config import Config

    parser = argparse.ArgumentParser()
    loop.add_arguments(parser)
    known = {field.name for field in fields(Config)} | {"start", "slope", "low", "told"}
    known |= set(vars(parser.parse_args(["photos", "--output", "x"])))
    for changes in ablations.VARIANTS.values():
        assert set(changes) <= known
        Config(**{k: v for k, v in changes.items() if k in {f.name for f in fields(Config)}})
