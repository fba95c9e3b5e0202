"""Measurements on disk, and the figures drawn from them."""

import json

import pytest

from sdae import weights
from sdae.measuring import peers, results
from sdae.measuring.results import Results

OPTIONS = {"effort": "slow", "stride": 1, "jobs": 1}


def row(setting, size, psnr, ssim=0.9, **more):
    return {
        "setting": setting,
        "pixels": 16384,
        "bytes": size,
        "psnr": psnr,
        "ssim": ssim,
        "png_bytes": 20_000,
        "encode_seconds": 0.02,
        "decode_seconds": 0.01,
        **more,
    }


OURS = {
    "a": [row(10, 1000, 28.0, 0.80), row(50, 2000, 32.0, 0.90), row(90, 4000, 36.0, 0.95)],
    "b": [row(10, 2000, 26.0, 0.70), row(50, 4000, 30.0, 0.85), row(90, 8000, 34.0, 0.92)],
}
JPEG = {
    name: [r | {"bytes": 2 * r["bytes"], "setting": f"quality {r['setting']}, 4:2:0"} for r in rows]
    for name, rows in OURS.items()
}


def test_a_curve_is_the_mean_of_each_setting():
    curve = results.curve(OURS)
    assert curve["setting"] == [10, 50, 90]
    assert curve["psnr"] == [27, 31, 35]
    assert curve["bpp"] == pytest.approx([8 * n / 16384 for n in (1500, 3000, 6000)], abs=1e-5)
    assert "ms_ssim" not in curve
    assert results.curve({}) == {}


def test_the_number_in_the_words_of_a_peer_is_its_setting():
    assert results.setting({"setting": "quality 35, 4:2:0"}) == 35
    assert results.setting({"setting": "rate 181.02:1, 4 resolutions"}) == 181.02
    assert results.setting({"setting": 48.0}) == 48
    two = [row("quality 35, 4:2:0", 900, 30.0), row("quality 35, 4:4:4", 1000, 31.0)]
    assert results.at_setting(two, 35)["psnr"] == 31


def test_bytes_for_a_quality_are_read_off_a_picture():
    assert results.at_quality(OURS["a"], 32.0, "psnr") == pytest.approx(2000)
    assert 1000 < results.at_quality(OURS["a"], 30.0, "psnr") < 2000
    assert results.at_quality(OURS["a"], 20.0, "psnr") == 1000
    assert results.at_quality(OURS["a"], 36.1, "psnr") is None


def test_each_picture_has_jpeg_beside_it():
    first, second = results.per_picture(OURS, JPEG, 50)
    assert (first["picture"], first["bytes"], first["saved"]) == ("a", 2000, 90)
    assert first["jpeg_bytes"] == 4000 and first["jpeg_saved"] == pytest.approx(80)
    assert first["jpeg_psnr"] == pytest.approx(28) and first["jpeg_ssim"] == pytest.approx(0.8)
    assert second["saved"] == 80 and second["jpeg_bytes"] == 8000
    assert results.per_picture(OURS, {}, 50)[0]["jpeg_bytes"] is None


def test_methods_are_compared_at_one_size_and_at_one_quality():
    rows = {"sdae": OURS, "jpeg": JPEG}
    table = results.methods(rows, lambda picture: 4000)
    assert table["sdae"]["psnr"] == pytest.approx((36 + 30) / 2)
    assert table["jpeg"]["psnr"] == pytest.approx((32 + 26) / 2)
    assert table["jpeg"]["saved"] == pytest.approx(80)
    assert table["sdae"]["encode_seconds"] == pytest.approx(0.02)
    assert results.methods(rows, lambda picture: 3000)["jpeg"] is None

    table = results.methods(rows, lambda picture: results.at_quality(picture, 0.9, "ssim"))
    assert table["sdae"]["ssim"] == pytest.approx(0.9, abs=5e-3)
    assert table["jpeg"]["bytes"] == pytest.approx(2 * table["sdae"]["bytes"])
    table = results.methods(rows, lambda picture: results.at_quality(picture, 0.94, "ssim"))
    assert table == {"sdae": None, "jpeg": None}


def test_similarity_in_decibels():
    assert results.decibels(0.9) == pytest.approx(10)
    assert results.decibels(0.99) == pytest.approx(20)
    assert results.decibels(1.0) == pytest.approx(60)


def test_published_curves_rise_and_name_their_source():
    found = results.published()
    assert "CompressAI" in found["source"]
    assert set(found["curves"]) >= {"bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018"}
    for curve in found["curves"].values():
        assert curve["bpp"] == sorted(curve["bpp"]) and curve["psnr"] == sorted(curve["psnr"])
        assert len(curve["bpp"]) == len(curve["psnr"]) == len(curve["ms_ssim"])


def test_another_effort_is_measured_anew(tmp_path):
    first = Results(tmp_path, "aa")
    first.add("set", "avif", "picture", [row(5, 10, 30.0)], OPTIONS)
    first.finish("set", "avif", OPTIONS)
    assert Results(tmp_path, "aa").rows("set", "avif", OPTIONS)
    assert Results(tmp_path, "aa").rows("set", "avif", OPTIONS | {"effort": "fast"}) == {}
    assert Results(tmp_path, "aa").rows("set", "avif", OPTIONS | {"stride": 8})


def test_a_file_says_what_it_was_made_with_and_is_laid_out_as_compressai_does(tmp_path):
    first = Results(tmp_path, "aa")
    for name, rows in OURS.items():
        first.add("set", "sdae", name, rows, OPTIONS)
    first.finish("set", "sdae", OPTIONS)
    note = Results(tmp_path, "aa").note("set", "sdae")
    assert note["weights_sha256"] == "aa" and note["versions"] == peers.versions()
    assert note["results"]["psnr-rgb"] == [27, 31, 35]
    assert len(note["results"]["bpp"]) == len(note["results"]["encoding_time"]) == 3
    assert "pictures" not in note and note["options"] == OPTIONS and "PSNR" in note["protocol"]
    assert Results(tmp_path, "bb").note("set", "sdae") == {}


def test_an_effort_of_ours_is_a_codec_of_its_own(tmp_path):
    assert [results.effort(n) for n in ("sdae", "sdae-effort-3", "sdae-effort-11", "jpeg")] == [
        0,
        3,
        None,
        None,
    ]
    first = Results(tmp_path, "aa")
    for codec in ("webp", "sdae-effort-10", "sdae-effort-2", "sdae"):
        first.add("set", codec, "a", OURS["a"], OPTIONS)
        first.finish("set", codec, OPTIONS)
    assert first.codecs("set") == ["sdae", "sdae-effort-2", "sdae-effort-10", "webp"]
    assert Results(tmp_path, "bb").codecs("set") == ["webp"]
    assert results.label("sdae-effort-2") == "SDAE, effort 2"


def test_only_pictures_that_all_codecs_hold_are_compared(tmp_path):
    first = Results(tmp_path, "aa")
    first.add("set", "sdae", "a", OURS["a"], OPTIONS)
    for name in "ab":
        first.add("set", "jpeg", name, JPEG[name], OPTIONS)
    for codec in ("sdae", "jpeg"):
        first.finish("set", codec, OPTIONS)
    rows = results.common(Results(tmp_path, "aa"), "set")
    assert {codec: list(found) for codec, found in rows.items()} == {"sdae": ["a"], "jpeg": ["a"]}


def test_everything_that_ships_belongs_to_the_shipped_weights():
    """Peers belong to no weights, so that new ones do not forget them."""
    place = weights.folder()
    sha256 = weights.read_card(place)["sha256"]
    found = sorted((place / "results").rglob("*.json"))
    assert {path.parent.name for path in found if path.stem == "sdae"} >= {
        "kodak-thumb",
        "kodak-128",
    }
    for path in found:
        ours = path.stem not in peers.PEERS and not path.stem.endswith("-classical")
        assert json.loads(path.read_text())["weights_sha256"] == (sha256 if ours else None), path
