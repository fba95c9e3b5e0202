"""Measurements on disk."""

import json

from sdae import weights
from sdae.measuring import peers, results
from sdae.measuring.results import Results
from tests.test_curves import JPEG, OURS


def keep(stored, codec, rows):
    for name, picture in rows.items():
        stored.add("set", codec, name, picture, {"stride": 1})


def test_published_curves_rise_and_name_their_source():
    found = results.published()
    assert "CompressAI" in found["source"]
    assert set(found["curves"]) >= {"bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018"}
    for curve in found["curves"].values():
        assert curve["bpp"] == sorted(curve["bpp"]) and curve["psnr"] == sorted(curve["psnr"])
        assert len(curve["bpp"]) == len(curve["psnr"]) == len(curve["ms_ssim"])


def test_each_picture_is_kept_at_once_with_what_it_was_measured_with(tmp_path):
    first = Results(tmp_path, "aa")
    for name in OURS:
        first.add("set", "sdae", name, OURS[name], {"stride": 8})
        assert Results(tmp_path, "aa").rows("set", "sdae")[name] == OURS[name]
    note = first.note("set", "sdae")
    assert note["weights_sha256"] == "aa" and note["versions"] == peers.versions()
    assert "pictures" not in note and note["options"] == {"stride": 8}
    assert "PSNR" in note["protocol"]


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
    assert changed.codecs("set") == ["webp"] and changed.rows("set", "webp") == JPEG
    assert changed.note("set", "sdae") == changed.bench("codec") == {}


def test_only_pictures_that_all_codecs_hold_are_compared(tmp_path):
    stored = Results(tmp_path, "aa")
    keep(stored, "sdae", {"a": OURS["a"]})
    keep(stored, "jpeg", JPEG)
    rows = results.common(Results(tmp_path, "aa"), "set")
    assert {codec: list(found) for codec, found in rows.items()} == {"sdae": ["a"], "jpeg": ["a"]}


def test_the_peers_that_come_along_are_complete():
    shipped = Results.of(weights.folder(weights.SHIPPED[-1]))
    for path in sorted(shipped.others.rglob("*.json")):
        assert json.loads(path.read_text())["weights_sha256"] is None, path
    for name, count in (("kodak", 24), ("kodak-thumb", 24), ("kodak-128", 72)):
        assert [len(shipped.rows(name, peer)) for peer in peers.PEERS] == [count] * 4
