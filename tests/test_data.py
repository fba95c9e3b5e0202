import numpy as np
import pytest
from PIL import Image

from sdae import data


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in {"b.png": (120, 90), "a.jpg": (70, 200), "deep/c.webp": (64, 64)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype="uint8")
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_photographs_are_found_in_order(photos):
    assert [p.name for p in data.photographs([photos])] == ["a.jpg", "b.png", "c.webp"]


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        data.photographs([tmp_path / "nothing"])
    with pytest.raises(FileNotFoundError, match="No photographs"):
        data.photographs([tmp_path])


def test_pyramid_leaves_out_copies_that_are_too_small(photos):
    pictures = data.pyramid(data.photographs([photos]), scales=(1.0, 0.75), smallest=64)
    assert sorted(p.shape for p in pictures) == [
        (64, 64, 3),
        (68, 90, 3),
        (90, 120, 3),
        (200, 70, 3),
    ]


def test_crops_are_pieces_of_the_pictures():
    ramp = np.add.outer(np.arange(70) * 3, np.arange(80)).astype("uint8")
    picture = np.stack([ramp] * 3, -1)
    crops = data.crops([picture], 20, 16, np.random.default_rng(0))
    assert crops.shape == (20, 16, 16, 3)
    for crop in crops[..., 0].astype(int):
        steps = {abs(int(np.diff(crop, axis=axis).mean())) for axis in (0, 1)}
        assert steps <= {1, 3} and len(steps) == 2 or (np.diff(crop) < -100).any()


def test_the_same_seed_draws_the_same_crops(photos):
    pictures = data.pyramid(data.photographs([photos]))
    first, second = (data.crops(pictures, 5, 32, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_centres_skip_pictures_that_are_too_small():
    pictures = [np.zeros((40, 50, 3), "uint8"), np.full((64, 33, 3), 9, "uint8")]
    result = data.centres(pictures, 34)
    assert result.shape == (1, 34, 34, 3) and result.max() == 0
