"""Searching for a target, with JPEG in the codec's place: fast, and as little monotone."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sdae.measuring import metrics, target_search

PHOTO = data.chelsea()[:128, :128]


class Jpeg:
    def compress(self, rgb, quality):
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
    return [Jpeg().compress(PHOTO, quality) for quality in range(1, 101)]


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
    with pytest.raises(target_search.TargetError, match=f"smallest file takes {smallest:,} bytes"):
        target_search.within_bytes(Jpeg(), PHOTO, smallest - 1)
    with pytest.raises(target_search.TargetError, match="less than 80 dB"):
        target_search.reaching_psnr(Jpeg(), PHOTO, 80)


def test_a_search_takes_at_most_the_announced_number_of_steps():
    steps = []
    target_search.within_bytes(Jpeg(), PHOTO, 4000, step=lambda: steps.append(1))
    assert 2 < len(steps) <= target_search.STEPS


class Uneven:
    """A codec of one grey level, whose sizes and errors by quality are given."""

    def __init__(self, outcome):
        self.outcome = outcome

    def compress(self, rgb, quality):
        size, error = self.outcome(quality)
        return bytes([error]) * size

    def decompress(self, file):
        return Image.new("RGB", (8, 8), (100 + file[0],) * 3)


GREY = np.full((8, 8, 3), 100, "uint8")


def test_where_size_does_not_rise_with_quality_the_whole_range_is_tried():
    codec = Uneven(lambda quality: (60 if quality > 90 else 40 - round(quality) // 4, 9))
    assert len(target_search.within_bytes(codec, GREY, 32)) <= 32
    codec = Uneven(lambda quality: (30, 2 if 40 <= quality < 60 else 9 - round(quality / 50)))
    assert target_search.reaching_psnr(codec, GREY, 40)[0] == 2


@pytest.mark.parametrize("target", [30, 50, 100])
def test_an_identical_picture_reaches_every_target(target):
    codec = Uneven(lambda quality: (50, 0 if quality > 80 else 200))
    assert target_search.reaching_psnr(codec, GREY, target) == bytes(50)
    always = Uneven(lambda quality: (round(quality), 0))
    assert target_search.reaching_psnr(always, GREY, target) == bytes(1)
