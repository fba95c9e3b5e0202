"""The original's numbers beside ours."""

import pytest

from sdae.cli import claims as command
from sdae.measuring import claims
from sdae.measuring.results import Results

CARD = {"parameters": 4_830_000}


def rows(scale, **more):
    """A picture on which so many bytes, doubled five times, give 30, 33 … dB."""
    found = {"pixels": 16384, "encode_seconds": 0.1, "decode_seconds": 0.1} | more
    return [
        found
        | {"setting": k, "bytes": scale * 2**k, "psnr": 30 + 3 * k, "ssim": 0.9 + 0.01 * k}
        | {"accuracy": 0.8 + 0.01 * k, "within_8": 0.7 + 0.01 * k, "plain_bytes": 2 * scale * 2**k}
        for k in range(6)
    ]


@pytest.fixture
def measured(tmp_path):
    """Results of five pictures by every codec that the original names, and times of packing."""
    stored = Results(tmp_path, "aa")
    ours = {"png_bytes": 32_710, "latent_bytes": 40_960}
    for codec, scale in (("sdae", 400), ("jpeg", 800), ("jpeg2000", 600), ("webp", 500)):
        for number in range(5):
            stored.add(claims.SET, codec, f"kodim0{number}", rows(scale, **ours), {})
        stored.finish(claims.SET, codec, {})
    seconds = {"zlib 9, deflate": 0.006, "zlib 9, inflate": 4e-5}
    seconds |= {"ours, pack": 0.014, "ours, unpack": 0.011}
    row = {"quality": 50, "bytes": {"ours": 2464}, "seconds": seconds}
    stored.store_bench("coder", {"thumb": [row | {"bytes": {"ours": 832}, "seconds": {}}, row]})
    return Results(tmp_path, "aa")


def test_every_number_of_the_original_has_ours_beside_it(measured):
    compared = {c.words: c for c in claims.comparison(measured, CARD)}
    assert all(claim.why for claim in compared.values())
    text = claims.markdown(list(compared.values()))
    numbers = "89.92 %|43.07 %|76 %|28.5 dB|0.82|1.47 ms|42.62 µs|2.1 M|11,424|26.8|23.1|19.4"
    for number in numbers.split("|"):
        assert number in text
    for method in "26.2 dB / 0.75", "27.1 dB / 0.78", "27.8 dB / 0.80":
        assert method in text
    assert claims.BUDGET == 3271  # a little more than 400 · 2³: 39 dB
    assert compared["PSNR"].measured == "39.09 dB"
    assert compared["Reduction of the file, average"].measured.startswith(
        "90.00 % as .sdae, 80.01 %"
    )
    assert compared["JPEG: PSNR / SSIM"].measured.endswith("36.1 dB / 0.92 in our bytes")
    assert compared["Compressing, average"].measured == "6.00 ms zlib, 14.00 ms ours"
    missing = [claim.words for claim in compared.values() if claim.measured is None]
    assert missing == [f"Noise σ {sigma}" for sigma in claims.NOISE]


def test_the_table_of_four_has_our_rows_too(measured):
    found = claims.four_rows(measured)
    assert [name for name, *_ in found] == [f"kodim0{number}" for number in range(4)]
    _, png, latent, packed, pack, unpack, jpeg, ours = found[0]
    assert (png, latent, packed, pack, unpack) == (32_710, 40_960, 3200, 0.014, 0.011)
    assert (jpeg, ours) == pytest.approx((100 * (1 - 25600 / 32710), 100 * (1 - 3200 / 32710)))
    assert len(claims.FOUR_ROWS[0]) == 7


def test_nothing_measured(tmp_path):
    compared = claims.comparison(Results(tmp_path, "other"), CARD)
    assert [claim.words for claim in compared if claim.measured] == ["Parameters"]
    assert "not measured" in claims.markdown(compared)
    assert claims.four_rows(Results(tmp_path, "other")) == []


def test_the_noise_study_is_read(measured, monkeypatch):
    rows = [
        {"sigma": sigma, "denoiser": name, "level": level, "psnr": psnr, "clipped": clipped}
        for sigma in claims.NOISE
        for clipped, off in ((True, 0), (False, 9))
        for name, level, psnr in (("noisy", None, 20 + off), ("sdae", "known", 30 + off))
    ]
    monkeypatch.setattr(Results, "noise", lambda self, name: {"rows": rows})
    shown = [c.measured for c in claims.comparison(measured, CARD) if "Noise" in c.words]
    assert shown == ["20.0 → 30.0 dB"] * 3


def test_the_command_prints_the_table(capsys):
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args([])) == 0
    assert "| Reduction of the file, average | 89.92 % |" in capsys.readouterr().out
