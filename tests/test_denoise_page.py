"""The Denoise page, without a browser."""

import numpy as np
import on_pages
import pytest
from on_pages import app, buttons, encoded, fine, picture, sample, settle, split, table, upload

from pages.denoise import versions
from pages.shared import engine
from sdae.measuring import metrics
from sdae.pictures import camera_noise, noise

codec = on_pages.codec
pytestmark = pytest.mark.usefixtures("codec")

FILTERS = ["Non-local means", "Total variation", "Gaussian blur"]


def page(**params):
    return app("denoise", **params)


def denoised(codec, noisy, strength):
    return codec.clean(noisy, sigma=strength)


def test_a_first_visit_adds_noise_takes_it_away_and_makes_a_file(codec):
    at = settle(page())
    assert fine(at)
    clean = sample("coffee.png")
    noisy = noise.add(clean, 0.1)
    estimate = noise.estimate_sigma(noisy)
    ours = denoised(codec, noisy, estimate)
    shown = split(at)
    assert np.array_equal(shown["left"]["rgb"], noisy)
    assert np.array_equal(shown["right"]["rgb"], ours)
    assert np.array_equal(shown["original"]["rgb"], clean)
    assert shown["right"]["label"] == "SDAE"
    assert shown["right"]["figures"] == f"{metrics.psnr(clean, ours):.2f} dB"

    latent = codec.encode(ours, quality=75)
    in_file = metrics.psnr(clean, np.asarray(codec.decode(latent)))
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures["Noise level, measured"] == f"{estimate:.3f}"
    assert figures["PSNR"] == f"{metrics.psnr(clean, ours):.2f} dB"
    assert figures["SSIM"] == f"{metrics.ssim(clean, ours):.4f}"
    assert figures["SDAE file"] == f"{len(codec.pack(latent)):,} bytes"
    assert any(f"has {in_file:.2f} dB" in caption.value for caption in at.caption)
    expected = ["Table as CSV", "Download .sdae", "Denoised PNG", "Noisy PNG"]
    assert sorted(buttons(at)) == sorted(expected)

    rows = table(at, "Denoiser")
    assert list(rows) == ["Noisy", "SDAE", "SDAE, from its file", *FILTERS]
    assert float(rows["Noisy"][0]) == pytest.approx(metrics.psnr(clean, noisy), abs=0.01)
    assert float(rows["SDAE, from its file"][0]) == pytest.approx(in_file, abs=0.01)
    for label in FILTERS:
        assert float(rows[label][0]) > float(rows["Noisy"][0]) + 3


def test_the_denoised_picture_shows_before_its_file_is_made(monkeypatch):
    def stop(*given, make=False):
        if make:
            raise engine.BitstreamError("Stopped here.")

    monkeypatch.setattr(versions, "in_a_file", stop)
    at = page(level="0.23")
    assert split(at)["right"]["figures"].endswith(" dB") and not split(at)["right"]["dimmed"]
    assert any("Making the .sdae file" in info.value for info in at.info)
    assert "Download .sdae" not in buttons(at)


def test_every_setting_comes_from_the_url(codec):
    given = {"noise": "Camera", "iso": "3200", "auto": "false", "strength": "0.15"}
    at = page(sample="Cat", detail="50", left="Clean", right="SDAE, from its file", **given)
    assert fine(at)
    noisy, clean = camera_noise.photographed(sample("chelsea.png"), 3200)
    ours = denoised(codec, noisy, 0.15)
    shown = split(at)
    assert np.array_equal(shown["left"]["rgb"], clean)
    expected = codec.decode(codec.encode(ours, quality=50))
    assert np.array_equal(shown["right"]["rgb"], np.asarray(expected))


def test_a_camera_makes_more_noise_at_a_higher_iso_and_is_measured_against_its_clean_picture():
    closeness = []
    for iso in (400, 12800):
        at = page(noise="Camera", iso=str(iso))
        assert fine(at)
        noisy, clean = camera_noise.photographed(sample("coffee.png"), iso)
        shown = split(at)
        assert np.array_equal(shown["left"]["rgb"], noisy)
        assert np.array_equal(shown["original"]["rgb"], clean)
        closeness.append(float(table(at, "Denoiser")["Noisy"][0]))
        assert closeness[-1] == pytest.approx(metrics.psnr(clean, noisy), abs=0.01)
    assert closeness[0] > closeness[1] + 5


def test_a_sample_is_a_jpeg_with_grain_of_its_own():
    at = page(sample="Grainy JPEG", size="Original")
    assert fine(at) and split(at)["original"] is None
    (level,) = [m.value for m in at.metric if m.label == "Noise level, measured"]
    assert float(level) > 0.05
    at.selectbox(key="sample").set_value("Cat").run()
    assert split(at)["original"] is not None


def test_where_no_noise_is_measured_the_page_says_what_to_do():
    at = page(level="0")
    assert fine(at)
    (said,) = [info.value for info in at.info]
    (level,) = [m.value for m in at.metric if m.label == "Noise level, measured"]
    assert level == "no noise found"
    assert said.startswith("No noise found") and at.toggle(key="auto").label in said
    assert table(at, "Denoiser")["Noisy"][0] == table(at, "Denoiser")["SDAE"][0] == "∞"
    at.toggle(key="auto").set_value(False).run()
    at.slider(key="strength").set_value(0.06).run()
    assert fine(at) and not at.info


def test_without_noise_to_add_the_upload_is_denoised_as_it_is(codec):
    given = noise.add(picture(), 0.1)
    at = page(size="Original", noise="As it is")
    at = settle(upload(at, "high iso.png", encoded("PNG", given)))
    assert fine(at)
    shown = split(at)
    assert shown["left"]["label"] == "Noisy" and shown["original"] is None
    assert np.array_equal(shown["left"]["rgb"], given)
    ours = denoised(codec, given, noise.estimate_sigma(given))
    assert np.array_equal(shown["right"]["rgb"], ours)
    assert "PSNR" not in [metric.label for metric in at.metric]
    assert set(map(len, table(at, "Denoiser").values())) == {1}
    assert "Noisy PNG" not in buttons(at)


def test_a_classical_denoiser_can_stand_right_of_the_split():
    at = settle(page(right="Gaussian blur"))
    assert fine(at)
    psnr = table(at, "Denoiser")["Gaussian blur"][0]
    shown = split(at)["right"]
    assert (shown["label"], shown["figures"]) == ("Gaussian blur", f"{psnr} dB")
    clean = sample("coffee.png")
    assert metrics.psnr(clean, shown["rgb"]) == pytest.approx(float(psnr), abs=0.01)
    assert "Gaussian blur PNG" in buttons(at)


def test_a_sdae_file_is_denoised_as_the_picture_it_holds(codec):
    data = codec.compress(picture(90, 37), quality=60)
    at = upload(page(size="Original", left="Clean"), "holiday.sdae", data)
    assert fine(at)
    assert np.array_equal(split(at)["left"]["rgb"], np.asarray(codec.decompress(data)))


@pytest.mark.parametrize("name, data", [("empty.jpg", b""), ("words.sdae", b"words")])
def test_a_bad_file_gets_one_sentence(name, data):
    at = upload(page(), name, data)
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith(f"`{name}`: ") and error.value.endswith(".")
