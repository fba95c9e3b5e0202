"""Measurements on disk."""

import json

import pytest

from sdae import weights
from sdae.measuring import peers, results
from sdae.measuring.results import Results
from tests.test_curves import JPEG, OURS, row

OPTIONS = {"effort": "slow", "stride": 1, "jobs": 1}


def keep(stored, codec, rows, options=OPTIONS):
    for name, picture in rows.items():
        stored.add("set", codec, name, picture, options)
    stored.finish("set", codec, options)


def test_published_curves_rise_and_name_their_source():
    found = results.published()
    assert "CompressAI" in found["source"]
    assert set(found["curves"]) >= {"bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018"}
    for curve in found["curves"].values():
        assert curve["bpp"] == sorted(curve["bpp"]) and curve["psnr"] == sorted(curve["psnr"])
        assert len(curve["bpp"]) == len(curve["psnr"]) == len(curve["ms_ssim"])


def test_another_effort_is_measured_anew(tmp_path):
    keep(Results(tmp_path, "aa"), "avif", {"picture": [row(5, 10, 30.0)]})
    assert Results(tmp_path, "aa").rows("set", "avif", OPTIONS)
    assert Results(tmp_path, "aa").rows("set", "avif", OPTIONS | {"effort": "fast"}) == {}
    assert Results(tmp_path, "aa").rows("set", "avif", OPTIONS | {"stride": 8})


def test_an_interrupted_run_keeps_what_it_measured(tmp_path):
    first = Results(tmp_path, "aa")
    for k in range(9):
        first.add("set", "sdae", f"picture{k}", OURS["a"], OPTIONS)
    assert len(Results(tmp_path, "aa").rows("set", "sdae")) == 8


def test_a_file_says_what_it_was_made_with_and_is_laid_out_as_compressai_does(tmp_path):
    keep(Results(tmp_path, "aa"), "sdae", OURS)
    note = Results(tmp_path, "aa").note("set", "sdae")
    assert note["weights_sha256"] == "aa" and note["versions"] == peers.versions()
    assert note["results"]["psnr-rgb"] == [27, 31, 35]
    assert len(note["results"]["bpp"]) == len(note["results"]["encoding_time"]) == 3
    assert "pictures" not in note and note["options"] == OPTIONS and "PSNR" in note["protocol"]


def test_peers_serve_all_weights_and_ours_only_those_that_were_measured(tmp_path):
    stored = Results(tmp_path / "first", "aa", tmp_path / "peers")
    keep(stored, "webp", JPEG)
    keep(stored, "sdae", OURS)
    stored.store_bench("codec", {"128×128": 1})
    assert stored.codecs("set") == ["sdae", "webp"]
    assert (tmp_path / "peers" / "set" / "webp.json").exists()

    again = Results(tmp_path / "first", "aa", tmp_path / "peers")
    assert again.bench("codec") == {"128×128": 1}
    changed = Results(tmp_path / "first", "bb", tmp_path / "peers")
    assert changed.codecs("set") == ["webp"]
    assert changed.note("set", "sdae") == changed.bench("codec") == {}
    other = Results(tmp_path / "second", "bb", tmp_path / "peers")
    assert other.rows("set", "webp") == JPEG


def test_only_pictures_that_all_codecs_hold_are_compared(tmp_path):
    stored = Results(tmp_path, "aa")
    keep(stored, "sdae", {"a": OURS["a"]})
    keep(stored, "jpeg", JPEG)
    rows = results.common(Results(tmp_path, "aa"), "set")
    assert {codec: list(found) for codec, found in rows.items()} == {"sdae": ["a"], "jpeg": ["a"]}


@pytest.mark.parametrize("name", weights.SHIPPED)
def test_everything_that_ships_belongs_to_its_weights_and_peers_to_none(name):
    place = weights.folder(name)
    sha256 = weights.read_card(place)["sha256"]
    ours = sorted((place / "results").rglob("*.json"))
    assert {path.parent.name for path in ours} >= {"kodak", "kodak-thumb", "kodak-128"}
    for path in ours:
        assert json.loads(path.read_text())["weights_sha256"] == sha256, path
    peers_too = Results.of(place)
    for path in sorted(peers_too.others.rglob("*.json")):
        assert json.loads(path.read_text())["weights_sha256"] is None, path
    for name in ("kodak", "kodak-thumb", "kodak-128"):
        assert peers_too.codecs(name) == ["sdae", *peers.PEERS]
