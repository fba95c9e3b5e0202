"""The original's numbers beside ours."""

import argparse
import json

import pytest
from skimage import data

from sdae import weights
from sdae.cli import claims as command
from sdae.measuring import claims
from sdae.measuring.evaluation import Selection
from sdae.measuring.results import Results
from sdae.pictures import reading


def options(*extra):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(list(extra))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A folder where ``claims`` has measured one small picture, and what it printed."""
    folder = tmp_path_factory.mktemp("claims")
    picture = reading.thumb(data.coffee(), 48)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Selection, "pictures", lambda _: (iter([("coffee", picture)]), 1))
        assert command.run(options("--jobs", "1", "--results", str(folder))) == 0
    return folder


def found(folder):
    card = weights.read_card(weights.folder())
    return Results(folder, card["sha256"]), card


def test_what_is_measured_is_consistent(measured):
    results, _ = found(measured)
    (row,) = results.claims()[claims.SET]["pictures"].values()
    budget = claims.BUDGET * 48 * 48 // 128**2
    assert row["bytes"] <= budget
    assert row["png_bytes"] == len(reading.png(reading.thumb(data.coffee(), 48)))
    assert row["equal_bytes"].keys() == row["claimed_rate"].keys() == claims.METHODS.keys()
    for peer in filter(None, row["equal_bytes"].values()):
        assert peer["bytes"] <= row["bytes"]
    for name, peer in row["claimed_rate"].items():
        if peer:
            assert peer["bytes"] <= row["png_bytes"] * (1 - claims.METHODS[name][0] / 100)
    assert row["jpeg_top"]["psnr"] > row["psnr"]
    assert row["text_bytes"] > 4 * row["latent_integers"] > row["text_deflated_bytes"]


def test_every_number_of_the_original_has_ours_beside_it(measured):
    compared = claims.comparison(*found(measured))
    text = claims.markdown(compared)
    for number in (
        "89.92 %",
        "43.07 %",
        "76 %",
        "28.5 dB",
        "0.82",
        "1.47 ms",
        "42.62 µs",
        "2.1 M",
        "11,424",
        "26.8",
        "23.1",
        "19.4",
        "26.2 dB / 0.75",
        "27.1 dB / 0.78",
        "27.8 dB / 0.80",
    ):
        assert number in text
    assert all(claim.why for claim in compared)
    missing = [claim.words for claim in compared if claim.measured is None]
    assert len(missing) == 3 and all("Noise" in words for words in missing)
    row = json.loads((measured / "results" / "claims.json").read_text())["sets"][claims.SET][
        "pictures"
    ]["coffee"]
    (psnr,) = [claim for claim in compared if claim.words == "PSNR"]
    assert psnr.measured == f"{row['psnr']:.2f} dB"


def test_the_table_of_four_has_our_rows_too(measured):
    ((name, png, latent, packed, pack, unpack, jpeg, ours),) = claims.four_rows(found(measured)[0])
    assert name == "coffee" and png > packed and latent > packed
    assert 0 < unpack and 0 < pack and jpeg < ours < 100
    assert len(claims.FOUR_ROWS[0]) == 7


def test_other_weights_and_nothing_measured(measured, tmp_path):
    _, card = found(measured)
    for results in (Results(measured, "other"), Results(tmp_path, card["sha256"])):
        compared = claims.comparison(results, card)
        assert [claim.words for claim in compared if claim.measured] == ["Parameters"]
        assert "not measured" in claims.markdown(compared)
        assert claims.four_rows(results) == []


def test_the_noise_study_is_read(measured, monkeypatch):
    results, card = found(measured)
    rows = [
        {"sigma": sigma, "denoiser": name, "level": level, "psnr": psnr, "clipped": clipped}
        for sigma in claims.NOISE
        for clipped, off in ((True, 0), (False, 9))
        for name, level, psnr in (("noisy", None, 20 + off), ("sdae", "known", 30 + off))
    ]
    monkeypatch.setattr(Results, "noise", lambda self, name: {"rows": rows})
    shown = [c.measured for c in claims.comparison(results, card) if "Noise" in c.words]
    assert shown == ["20.0 → 30.0 dB"] * 3
