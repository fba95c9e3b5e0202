import numpy as np
import pytest

from sdae.measuring import classical_denoisers, metrics
from sdae.pictures import noise
from sdae.pictures.noise import add, estimate_sigma

RANDOM = sorted(set(noise.KINDS) - {"jpeg"})


@pytest.fixture(scope="module")
def photograph():
    """256×256 of a portrait that ships with scikit-image."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[100:356, 100:356])


def grey(level=128, side=200):
    return np.full((side, side, 3), level, "uint8")


def ramp():
    """A smooth picture without black and white, uint8 (128, 128, 3)."""
    row = np.linspace(90, 160, 128)[None, :, None]
    return np.uint8(np.rint(row * np.ones((128, 1, 3))))


@pytest.mark.parametrize("kind", RANDOM)
@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_the_level_is_the_deviation_on_mid_grey(kind, sigma):
    noisy = add(grey(), sigma, kind, clipped=False)
    assert noisy.std() == pytest.approx(sigma, rel=0.03)
    assert noisy.mean() == pytest.approx(128 / 255, abs=0.01)


def test_shot_and_speckle_noise_grow_with_brightness():
    deviation = {
        kind: [add(grey(level), 0.1, kind, clipped=False).std() for level in (32, 128)]
        for kind in ("shot", "speckle", "gaussian")
    }
    for kind, ratio in (("shot", 2), ("speckle", 4), ("gaussian", 1)):
        dark, bright = deviation[kind]
        assert bright / dark == pytest.approx(ratio, rel=0.05)


def test_salt_and_pepper_turn_the_stated_share_of_samples_and_leave_the_rest():
    noisy = add(grey(90), 0.25, "salt and pepper")
    assert set(np.unique(noisy)) == {0, 90, 255}
    assert np.mean(noisy != 90) == pytest.approx(4 * 0.25**2, abs=0.01)
    assert np.mean(noisy == 0) == pytest.approx(np.mean(noisy == 255), abs=0.01)


def test_jpeg_artefacts_grow_with_the_level(photograph):
    closeness = [
        metrics.psnr(photograph, add(photograph, sigma, "jpeg")) for sigma in (0.01, 0.05, 0.2, 0.5)
    ]
    assert closeness == sorted(closeness, reverse=True)
    assert closeness[0] > 36 and closeness[-1] < 27


@pytest.mark.parametrize("kind", noise.KINDS)
def test_noise_is_seeded_and_level_zero_changes_nothing(kind, photograph):
    assert np.array_equal(add(photograph, 0, kind), photograph)
    once, again, other = (add(photograph, 0.1, kind, seed) for seed in (3, 3, 4))
    assert once.dtype == np.uint8 and np.array_equal(once, again)
    assert np.array_equal(once, other) == (kind == "jpeg")


def test_clipping_is_all_that_tells_the_two_variants_apart(photograph):
    free = add(photograph, 0.3, clipped=False)
    assert free.dtype == np.float32
    assert free.min() < -0.3 and free.max() > 1.3
    assert np.array_equal(add(photograph, 0.3), noise.to_8_bits(free))


@pytest.mark.parametrize("clipped", [True, False])
def test_noise_is_made_stronger(photograph, clipped):
    noisy = add(photograph, 0.06, clipped=clipped)
    stronger = noise.strengthen(noisy, 0.08, seed=1)
    assert stronger.dtype == noisy.dtype and stronger.shape == noisy.shape
    assert estimate_sigma(stronger) == pytest.approx(0.1, rel=0.06)
    assert np.array_equal(stronger, noise.strengthen(noisy, 0.08, seed=1))


def test_wrong_kinds_and_levels_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="There is no noise 'fog'; choose one of gaussian, "):
        add(grey(), 0.1, "fog")
    for sigma in (-0.1, 0.6, float("nan")):
        with pytest.raises(ValueError, match="must lie between 0 and 0.5"):
            add(grey(), sigma)


@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.1, 0.2, 0.5])
def test_noise_on_a_smooth_picture_is_measured(sigma):
    assert estimate_sigma(add(ramp(), sigma)) == pytest.approx(sigma, rel=0.04)


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.3])
def test_noise_on_a_photograph_is_measured(photograph, sigma):
    assert estimate_sigma(add(photograph, sigma)) == pytest.approx(sigma, rel=0.06)


def test_noise_is_measured_although_clipping_hides_a_part(photograph):
    noisy = add(photograph, 0.4)
    assert np.std(noisy / 255 - photograph / 255) < 0.75 * 0.4
    assert estimate_sigma(noisy) == pytest.approx(0.4, rel=0.06)


def test_a_clean_photograph_has_next_to_no_noise(photograph):
    assert estimate_sigma(photograph) < 0.008


@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_noise_in_grey_pictures_is_measured(photograph, sigma):
    noisy = add(photograph, sigma)[..., :1].repeat(3, axis=2)
    assert estimate_sigma(noisy) == pytest.approx(sigma, rel=0.15)


def test_the_estimate_is_the_same_every_time(photograph):
    noisy = add(photograph, 0.1)
    assert estimate_sigma(noisy) == estimate_sigma(noisy)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 2), (4, 60), (5, 5), (5, 700), (30, 30)])
def test_tiny_pictures_get_an_answer(shape):
    random = np.random.default_rng(0).integers(0, 256, (*shape, 3), "uint8")
    assert 0 <= estimate_sigma(random) <= 1
    assert estimate_sigma(np.full((*shape, 3), 77, "uint8")) == 0


def test_pure_noise_stays_in_range():
    random = np.random.default_rng(0).integers(0, 2, (64, 64, 3), "uint8") * 255
    assert 0.5 < estimate_sigma(random) <= 1


@pytest.mark.parametrize("name", classical_denoisers.DENOISERS)
@pytest.mark.parametrize("sigma", [0.1, 0.3])
def test_classical_denoisers_take_noise_away(photograph, name, sigma):
    clean = photograph[100:164, 100:180]
    noisy = add(clean, sigma)
    cleaned = classical_denoisers.denoise(name, noisy, sigma)
    assert cleaned.dtype == np.uint8 and cleaned.shape == noisy.shape
    assert metrics.psnr(clean, cleaned) > metrics.psnr(clean, noisy) + 2.5
    free = add(clean, sigma, clipped=False)
    cleaned = classical_denoisers.denoise(name, free, sigma)
    assert metrics.psnr(clean, cleaned) > metrics.psnr(clean, noisy) + 2.5


@pytest.mark.parametrize("name", classical_denoisers.DENOISERS)
def test_classical_denoisers_leave_a_picture_without_noise_alone(photograph, name):
    assert np.array_equal(classical_denoisers.denoise(name, photograph, 0), photograph)


def test_the_median_clears_salt_and_pepper_best(photograph):
    noisy = add(photograph, 0.1, "salt and pepper")
    closeness = {
        name: metrics.psnr(photograph, classical_denoisers.denoise(name, noisy, 0.1))
        for name in classical_denoisers.QUICK
    }
    assert max(closeness, key=closeness.get) == "median"
