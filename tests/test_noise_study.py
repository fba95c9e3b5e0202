import numpy as np
import pytest
from PIL import Image

from sdae.__main__ import main
from sdae.measuring import classical_denoisers, metrics, noise_study
from sdae.measuring.results import Results
from sdae.pictures import camera_noise, noise


def waves():
    y, x = np.mgrid[:40, :48]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    return np.uint8(128 + 90 * waves)


@pytest.fixture(scope="module")
def study(codec, tmp_path_factory):
    """The study of a set of one smooth picture."""
    place = tmp_path_factory.mktemp("study")
    (place / "waves").mkdir()
    Image.fromarray(waves()).save(place / "waves" / "one.png")
    denoisers = classical_denoisers.DENOISERS
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(denoisers, "bm3d", denoisers["tv"])  # it takes seconds each time
        for protocol in ([], ["standard"], ["camera"]):
            argv = "--noise", *protocol, "--sets", str(place / "waves"), "--results", str(place)
            assert main(["evaluate", *argv]) == 0
        yield Results(place, codec.card["sha256"])


def test_every_level_and_denoiser_is_measured_and_can_be_measured_by_hand(codec, study):
    found = study.noise("waves")["rows"]
    rows = {(r["sigma"], r["denoiser"], r["level"]): r for r in found}
    names = ("noisy", None), *(("sdae", level) for level in ("known", "estimated"))
    names += tuple((name, "known") for name in noise_study.DENOISERS)
    assert rows.keys() == {(sigma, *name) for sigma in noise_study.SIGMAS for name in names}
    assert len(rows) == len(found)
    assert rows[0, "noisy", None]["psnr"] is None
    noisy = noise.add(waves(), 0.1, seed=noise_study.seed("one"))
    estimated = rows[0.1, "sdae", "estimated"]["strength"]
    assert estimated == pytest.approx(noise.estimate_sigma(noisy), abs=1e-5)
    for name in ("tv", "bm3d"):
        expected = metrics.psnr(waves(), classical_denoisers.denoise(name, noisy, 0.1))
        assert rows[0.1, name, "known"]["psnr"] == pytest.approx(expected, abs=1e-3)
        assert expected > rows[0.1, "noisy", None]["psnr"] + 4
    expected = metrics.psnr(waves(), np.asarray(codec.denoise(noisy, sigma=0.1, quality=100)))
    assert rows[0.1, "sdae", "known"]["psnr"] == pytest.approx(expected, abs=1e-3)


def test_chains_take_bytes_and_ours_ends_at_the_row_of_the_highest_quality(study):
    found = study.noise("waves")
    chains = found["chains"]
    pairs = {(c["sigma"], c["denoiser"], c["codec"]) for c in chains}
    assert len(pairs) == len(chains) == 3 * (1 + 5 * 2)
    for chain in chains:
        assert chain["points"][0][0] < chain["points"][-1][0]
    (ours,) = [c for c in chains if c["denoiser"] == "sdae" and c["sigma"] == 0.2]
    row = noise_study.mean(found["rows"], "psnr", sigma=0.2, denoiser="sdae", level="known")
    assert ours["points"][-1][1] == pytest.approx(row, abs=1e-3)


def test_the_largest_file_that_is_not_too_large_counts():
    points = [[100, 20.0, 0.5], [200, 30.0, 0.8], [400, 25.0, 0.6]]
    chain = {"sigma": 0.1, "denoiser": "tv", "codec": "avif", "pixels": 800, "points": points}
    wanted = {"sigma": 0.1, "denoiser": "tv"}
    small, first, between, last = noise_study.chain_at_bits([chain], [0.9, 1, 1.5, 8], **wanted)
    assert small is None and first["psnr"] == 20
    assert 20 < between["psnr"] < 30
    assert last == {"psnr": 30, "ssim": 0.8}
    assert noise_study.chain_at_bits([chain], [2], sigma=0.2) == [None]


def test_the_protocol_of_the_literature_can_be_measured_by_hand(codec, study):
    found = study.rows("standard-noise-waves", "sdae")["one"]
    assert found.keys() == {"25", "50"}
    noisy = noise.add(waves(), 50 / 255, seed=noise_study.seed("one"), clipped=False)
    expected = metrics.psnr(waves(), codec.clean(noisy, 50 / 255))
    assert found["50"] == pytest.approx(expected, abs=1e-3) and expected > 24


def test_noise_of_cameras_and_files_can_be_measured_by_hand(codec, study):
    found = study.rows("camera-noise-waves", "sdae")["one"]
    noisy, clean = camera_noise.examples(waves(), noise_study.seed("one"))["camera, ISO 16,000"]
    sigma = noise.estimate_sigma(noisy)
    figures = found["rows"]["camera, ISO 16,000"]
    assert figures["sdae"] == pytest.approx(
        metrics.psnr(clean, codec.clean(noisy, sigma)), abs=1e-3
    )
    assert figures["noisy"] < figures["bm3d"] < found["rows"]["camera, ISO 1,000"]["bm3d"]
    weak, strong = (found["sensors"][str(level)]["points"] for level in camera_noise.SENSORS)
    assert len(weak) == len(strong) and weak[-1][1] > strong[-1][1]


def test_new_weights_leave_the_classical_part(study):
    results = Results(study.folder.parent, "00" * 32)
    assert results.rows("noise-waves", "sdae") == {}
    rows = results.rows("noise-waves", "classical")["one"]["rows"]
    assert {row["denoiser"] for row in rows} == set(noise_study.DENOISERS)
    assert results.noise("waves") == results.noise("others") == {}
