"""Searching for a target, with JPEG in the codec's place: fast, and as little monotone."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sdae.measuring import metrics, target_search

PHOTO = data.chelsea()[:128, :128]


class Jpeg:
    def compress(self, rgb, quality, effort):
        file = io.BytesIO()
        Image.fromarray(rgb).save(file, "JPEG", quality=round(quality), subsampling=0)
        return file.getvalue()

    def decompress(self, file):
        return Image.open(io.BytesIO(file))


def psnr(file):
    return metrics.psnr(PHOTO, np.asarray(Jpeg().decompress(file)))


@pytest.fixture(scope="module")
def files():
    """All that JPEG can give, by quality."""
    return [Jpeg().compress(PHOTO, quality, 0) for quality in range(1, 101)]


@pytest.mark.parametrize("budget", [1500, 4000, 9000])
def test_the_best_picture_within_a_budget_is_found(files, budget):
    file = target_search.within_bytes(Jpeg(), PHOTO, budget)
    assert len(file) == max(len(other) for other in files if len(other) <= budget)


@pytest.mark.parametrize("target", [25, 32, 40])
def test_the_smallest_file_that_reaches_a_psnr_is_found(files, target):
    file = target_search.reaching_psnr(Jpeg(), PHOTO, target)
    assert len(file) == min(len(other) for other in files if psnr(other) >= target)


def test_generous_targets_end_at_the_ends_of_the_range(files):
    assert target_search.within_bytes(Jpeg(), PHOTO, len(files[-1])) == files[-1]
    assert target_search.reaching_psnr(Jpeg(), PHOTO, 5) == files[0]


def test_targets_out_of_reach_are_refused_with_what_can_be_reached(files):
    smallest = len(files[0])
    with pytest.raises(target_search.TargetError, match=f"{smallest:,} bytes"):
        target_search.within_bytes(Jpeg(), PHOTO, smallest - 1)
    with pytest.raises(target_search.TargetError, match="less than 80 dB"):
        target_search.reaching_psnr(Jpeg(), PHOTO, 80)


def test_a_search_takes_at_most_the_announced_number_of_steps():
    steps = []
    target_search.within_bytes(Jpeg(), PHOTO, 4000, step=lambda: steps.append(1))
    assert 2 < len(steps) <= target_search.STEPS
