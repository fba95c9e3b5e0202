"""Figures read off rate–distortion curves."""

import pytest

from pages.kodak import beside_jpeg
from sdae.measuring import curves, metrics


def row(setting, size, psnr, ssim=0.9, variant=None, **more):
    found = {"setting": setting, "pixels": 16384, "bytes": size, "psnr": psnr, "ssim": ssim}
    found |= {"png_bytes": 20_000, "encode_seconds": 0.02, "decode_seconds": 0.01}
    return found | ({"variant": variant} if variant else {}) | more


OURS = {
    "a": [row(10, 1000, 28.0, 0.80), row(50, 2000, 32.0, 0.90), row(90, 4000, 36.0, 0.95)],
    "b": [row(10, 2000, 26.0, 0.70), row(50, 4000, 30.0, 0.85), row(90, 8000, 34.0, 0.92)],
}
JPEG = {
    name: [r | {"bytes": 2 * r["bytes"], "setting": f"quality {r['setting']}, 4:2:0"} for r in rows]
    for name, rows in OURS.items()
}


def logarithmic(scale, psnr=20, ssim=0.5, variant=None):
    """A picture whose PSNR grows by 6 dB when its bytes double."""
    return [
        row(
            k, scale * 2**k, psnr + 6 * k, ssim + 0.05 * k, variant=variant, ms_ssim=1 - 2.0**-k / 4
        )
        for k in range(6)
    ]


OFTEN = [row(k, 500 * 1.5**k, 20.0 + 3 * k) for k in range(12)]


def test_a_curve_is_the_mean_of_each_setting():
    curve = curves.curve(OURS)
    assert curve["setting"] == [10, 50, 90]
    assert curve["psnr"] == [27, 31, 35]
    assert curve["bpp"] == pytest.approx([8 * n / 16384 for n in (1500, 3000, 6000)], abs=1e-5)
    assert "ms_ssim" not in curve
    assert curves.curve({}) == {}


def test_the_number_in_the_words_of_a_peer_is_its_setting():
    assert curves.setting({"setting": "quality 35, 4:2:0"}) == 35
    assert curves.setting({"setting": "rate 181.02:1, 4 resolutions"}) == 181.02
    assert curves.setting({"setting": 48.0}) == 48
    two = [row("quality 35, 4:2:0", 900, 30.0), row("quality 35, 4:4:4", 1000, 31.0)]
    assert curves.at_setting(two, 35)["psnr"] == 31


def test_bytes_for_a_quality_are_read_off_a_picture():
    assert beside_jpeg.at_quality(OURS["a"], 32.0, "psnr") == pytest.approx(2000)
    assert 1000 < beside_jpeg.at_quality(OURS["a"], 30.0, "psnr") < 2000
    assert beside_jpeg.at_quality(OURS["a"], 20.0, "psnr") == 1000
    assert beside_jpeg.at_quality(OURS["a"], 36.1, "psnr") is None


def test_figures_at_equal_bytes_are_read_off_each_curve():
    rows = {"a": logarithmic(512), "b": logarithmic(1024)}
    tiny, found, large = curves.at_bits(rows, [0.2, 1.0, 100])
    assert found["psnr"] == pytest.approx((20 + 6 * 2 + 20 + 6 * 1) / 2)
    assert tiny is None
    assert large["psnr"] == pytest.approx(50)


def test_points_that_a_smaller_file_matches_do_not_count():
    rows = logarithmic(512)
    worse = row(9, 3000, 21.0, 0.51)
    assert curves.at_bits({"a": [*rows[:3], worse, *rows[3:]]}, [1.0]) == curves.at_bits(
        {"a": rows}, [1.0]
    )


def test_the_best_variant_counts_for_the_measure_that_is_asked_for():
    """One variant has more dB, the other more SSIM at the same bytes."""
    close, alike = logarithmic(512, 21, 0.5, "4:4:4"), logarithmic(600, 20, 0.6, "4:2:0")
    both = close + alike
    assert curves.best(both, "psnr") == close
    assert [r["variant"] for r in curves.best(both, "ssim")] == ["4:4:4", *["4:2:0"] * 6]
    for key, own in (("psnr", close), ("ssim", alike)):
        assert curves.at_bytes(both, 3000, key) == curves.at_bytes(own, 3000, key)
    assert curves.at_bytes(both, 500, "ssim") is None
    ours = {"a": logarithmic(512)}
    alone = {key: curves.bd_rate(ours, {"a": close}, key) for key in curves.MEASURES}
    assert curves.bd_rate(ours, {"a": both}, "psnr") == pytest.approx(alone["psnr"])
    assert curves.bd_rate(ours, {"a": both}, "ssim") > alone["ssim"] + 5


@pytest.mark.parametrize("factor", [0.5, 1, 1.37])
@pytest.mark.parametrize("key", curves.MEASURES)
def test_a_constant_factor_is_a_bd_rate_of_exactly_its_percentage(factor, key):
    other = {name: logarithmic(512) for name in "ab"}
    ours = {
        name: [r | {"bytes": factor * r["bytes"]} for r in reversed(rows)]
        for name, rows in other.items()
    }
    assert curves.bd_rate(ours, other, key) == pytest.approx(100 * (factor - 1), abs=1e-6)


def test_only_the_shared_range_of_quality_counts_in_a_bd_rate():
    # Straight lines in log bytes, at different samples of quality; the slope is the same.
    ours = {"a": logarithmic(640, psnr=23)}
    other = {"a": [r | {"bytes": r["bytes"] / 2**0.5} for r in logarithmic(1024, psnr=26)]}
    assert curves.bd_rate(ours, other, "psnr") == pytest.approx(100 * (1.25 - 1), abs=1)
    assert curves.bd_rate(ours, {"a": logarithmic(512, psnr=60)}, "psnr") is None


def test_thirds_show_what_the_whole_range_hides():
    ours = [r | {"bytes": r["bytes"] * factor} for r, factor in zip(OFTEN, [1.4] * 5 + [1] * 7)]
    rates = [curves.bd_rate({"a": ours}, {"a": OFTEN}, "psnr", share) for share in curves.THIRDS]
    assert rates[0] == pytest.approx(40, abs=3) and rates[2] == pytest.approx(0, abs=0.1)
    assert rates[0] > curves.bd_rate({"a": ours}, {"a": OFTEN}, "psnr") > rates[2]


def test_curves_that_cannot_be_compared_are_left_out():
    ours, other = {"a": logarithmic(1024)}, {"a": logarithmic(512)}
    assert curves.bd_rate(ours, {"c": other["a"]}, "psnr") is None
    assert curves.bd_rate({"a": ours["a"][:3]}, other, "psnr") is None
    assert curves.bd_rate(OURS, OURS, "ms_ssim") is None


def test_similarities_count_in_decibels():
    assert metrics.similarity_decibels(0.9) == pytest.approx(10)
    assert metrics.similarity_decibels(1.0) == pytest.approx(60)


def test_each_picture_has_jpeg_beside_it():
    first, second = beside_jpeg.per_picture(OURS, JPEG, 50)
    assert (first["picture"], first["bytes"], first["saved"]) == ("a", 2000, 90)
    assert first["jpeg_bytes"] == 4000
    assert second["saved"] == 80 and second["jpeg_bytes"] == 8000
    assert beside_jpeg.per_picture(OURS, {}, 50)[0]["jpeg_bytes"] is None
