import numpy as np
import pytest
from PIL import Image

from sdae.__main__ import main
from sdae.training import photographs


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
    assert [p.name for p in photographs.photographs([photos])] == ["a.jpg", "b.png", "c.webp"]


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        photographs.photographs([tmp_path / "nothing"])
    with pytest.raises(FileNotFoundError, match="No photographs"):
        photographs.photographs([tmp_path])


def test_a_broken_photograph_is_named_and_the_others_are_loaded(photos, capsys):
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xffno more")
    pictures = photographs.load(photographs.photographs([photos]))
    assert [p.size for p in pictures] == [(70, 200), (120, 90), (64, 64)]
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "broken.jpg: The JPEG file is damaged" in err
    with pytest.raises(FileNotFoundError, match="name a folder"):
        photographs.load([photos / "broken.jpg"])


def test_commands_that_read_folders_say_which_picture_is_broken(tmp_path, capsys):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xffno more")
    place = str(tmp_path)
    for argv in (
        ["train", place, "--validation", place, "--output", str(tmp_path / "w")],
        ["evaluate", "--sets", place, "--codecs", "jpeg", "--results", place],
    ):
        assert main(argv) == 2
        err = capsys.readouterr().err
        assert "broken.jpg: The JPEG file is damaged" in err and "Traceback" not in err


def test_crops_are_pieces_of_the_pictures_at_scales_within_the_limits():
    """In a ramp of known slope a crop has that slope over its scale."""
    ramp = np.add.outer(np.arange(400) / 2, np.arange(420) / 8)
    picture = Image.fromarray(np.rint(np.stack([ramp] * 3, -1)).astype("uint8"))
    crops = photographs.crops([picture], 60, 64, np.random.default_rng(0))
    assert crops.shape == (60, 64, 64, 3)
    scales = []
    for crop in crops[:, 8:-8, 8:-8, 0].astype(float):
        slopes = sorted(
            abs(
                (crop[-1] - crop[0]).mean() / 47 if axis else (crop[:, -1] - crop[:, 0]).mean() / 47
            )
            for axis in (0, 1)
        )
        assert slopes[1] == pytest.approx(4 * slopes[0], rel=0.15)
        scales.append(0.5 / slopes[1])
    least, most = photographs.SCALES
    assert min(scales) == pytest.approx(least, rel=0.2) and max(scales) == pytest.approx(
        most, rel=0.2
    )
    assert np.median(scales) == pytest.approx((least * most) ** 0.5, rel=0.25)


def test_of_a_picture_smaller_than_a_crop_the_largest_square_is_enlarged():
    colours = np.zeros((6, 20, 3), "uint8")
    colours[:, 10:] = 200
    crops = photographs.crops([Image.fromarray(colours)], 9, 32, np.random.default_rng(0))
    assert crops.shape == (9, 32, 32, 3) and crops.max() > 150


def test_the_same_seed_draws_the_same_crops(photos):
    pictures = photographs.load(photographs.photographs([photos]))
    assert [p.size for p in pictures] == [(70, 200), (120, 90), (64, 64)]
    first, second, other = (
        photographs.crops(pictures, 5, 32, np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_centres_skip_pictures_that_are_too_small():
    rng = np.random.default_rng(0)
    small, large = (
        Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype="uint8"))
        for h, w in [(30, 50), (64, 35)]
    )
    result = photographs.centres([small, large], 34)
    assert result.shape == (1, 34, 34, 3)
    np.testing.assert_array_equal(result[0], np.asarray(large)[15:49, :34])
    assert photographs.centres([small, large], 34, scale=2).shape == (2, 34, 34, 3)
    with pytest.raises(FileNotFoundError, match="100 pixels a side"):
        photographs.centres([small, large], 100)
