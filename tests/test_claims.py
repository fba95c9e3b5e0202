"""The original's numbers beside ours."""

import pytest

from pages.kodak import claims
from sdae.measuring.results import Results

CARD = {"parameters": 4_830_000}


def rows(scale):
    """A picture on which so many bytes, doubled five times, give 30, 33 … dB."""
    return [
        {"pixels": 16384, "png_bytes": 32_710, "latent_bytes": 40_960, "setting": k}
        | {"bytes": scale * 2**k, "psnr": 30 + 3 * k, "ssim": 0.9 + 0.01 * k}
        | {"accuracy": 0.8 + 0.01 * k}
        for k in range(6)
    ]


@pytest.fixture
def measured(tmp_path):
    """Results of two pictures by every codec that the original names, and of the noise study."""
    stored = Results(tmp_path, "aa")
    for name in "kodim01", "kodim02":
        for codec, scale in (("sdae", 400), ("jpeg", 800), ("jpeg2000", 600), ("webp", 500)):
            stored.add(claims.SET, codec, name, rows(scale), {})
        levels = [
            {"sigma": 0.1, "denoiser": denoiser, "level": level, "psnr": psnr}
            for denoiser, level, psnr in (("noisy", None, 20), ("sdae", "known", 30))
        ]
        stored.add(f"noise-{claims.SET}", "sdae", name, {"rows": levels, "chains": []}, {})
    return Results(tmp_path, "aa")


def test_every_number_of_the_original_has_ours_beside_it(measured):
    compared = claims.comparison(measured, CARD)
    assert all(why for *_, why in compared)
    text = " ".join(original for _, original, *_ in compared)
    ours = {words: measured for words, _, measured, _ in compared}
    for number in "89.92 %|76 %|28.5 dB|0.82|26.2 dB / 0.75|2.1 M|11,424|26.8|19.4".split("|"):
        assert number in text
    assert ours["PSNR"] == "39.09 dB"  # a little more than 400 · 2³ bytes
    assert ours["Reduction of the file, average"] == "90.00 %"
    assert ours["JPEG: PSNR / SSIM"] == "36.1 dB / 0.92"
    assert ours["Noise σ 0.1"] == "20.0 → 30.0 dB"
    missing = [words for words, measured in ours.items() if measured is None]
    assert missing == ["Noise σ 0.2", "Noise σ 0.3"]


def test_nothing_measured(tmp_path):
    compared = claims.comparison(Results(tmp_path, "other"), CARD)
    assert [words for words, _, measured, _ in compared if measured] == ["Parameters"]
