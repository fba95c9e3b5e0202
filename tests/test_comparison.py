"""What one compression costs and keeps."""

import numpy as np
import pytest

from pages.shared import comparison
from sdae.coding import container
from sdae.measuring import metrics
from sdae.pictures import reading


@pytest.fixture(scope="module")
def picture():
    y, x = np.mgrid[:45, :70]
    return np.uint8(np.stack([3 * x, 5 * y, 2 * x + 2 * y], -1).clip(0, 255))


def test_compress_measures_the_file_that_decompresses(codec, picture):
    result = comparison.compress(codec, picture, 60)
    restored = np.asarray(codec.decompress(result.data))
    assert result.data == codec.compress(picture, quality=60)
    assert np.array_equal(reading.read(result.png).rgb, restored)
    assert (result.width, result.height, result.quality) == (70, 45, 60)
    assert result.raw_bytes == 70 * 45 * 3
    assert result.bits_per_pixel == 8 * len(result.data) / (70 * 45)
    assert result.latent[:2] == (6, 9)
    assert result.latent_bytes == 6 * 9 * codec.card["config"]["latent_channels"]
    assert result.psnr == metrics.psnr(picture, restored)
    assert result.ssim == metrics.ssim(picture, restored)
    assert result.encode_seconds > 0 and result.decode_seconds > 0


def test_an_opened_file_gives_the_same_pixels_and_no_quality_figures(codec, picture):
    made = comparison.compress(codec, picture, 60)
    opened = comparison.open_file(codec, made.data)
    assert opened.png == made.png
    assert (opened.psnr, opened.ssim, opened.encode_seconds) == (None, None, None)
    with pytest.raises(container.BitstreamError):
        comparison.open_file(codec, made.data[:-5])


def test_a_rival_stays_within_the_budget_or_is_none(picture):
    found = comparison.rival("webp", picture, 900)
    assert 0 < found.file_bytes <= 900
    restored = reading.read(found.png).rgb
    assert found.psnr == metrics.psnr(picture, restored)
    assert found.ssim == metrics.ssim(picture, restored)
    assert comparison.rival("jpeg", picture, 20) is None
