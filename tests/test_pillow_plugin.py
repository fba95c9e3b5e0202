import io
import pickle
import subprocess
import sys
from pathlib import Path

import imageio.v3
import numpy as np
import pytest
import skimage.io
from PIL import ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError
from skimage import data as samples

import sdae
from sdae import pillow_plugin
from sdae.coding import container
from sdae.pictures import reading

PICTURE = samples.astronaut()[:40, 100:156]
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


pytestmark = pytest.mark.usefixtures("one_network")


@pytest.fixture(scope="module")
def codec(tiny):
    return tiny


@pytest.fixture(scope="module")
def file(codec):
    return codec.compress(PICTURE, quality=80)


@pytest.fixture
def path(file, tmp_path):
    place = tmp_path / "x.sdae"
    place.write_bytes(file)
    return place


def resealed(file, header=None, payload=None):
    old_header, old_payload = container.read_header(file)
    return container.write(header or old_header, old_payload if payload is None else payload)


def test_a_file_is_described_without_the_network(path):
    script = f"""
import sys, sdae
from PIL import Image
with Image.open({str(path)!r}) as image:
    print(image.format, image.mode, image.size, image.get_format_mimetype())
    image.verify()
sys.exit(any(name in sys.modules for name in ("tensorflow", "keras", "skimage", "scipy")))
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(sdae.__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "SDAE RGB (56, 40) image/x-sdae"


def test_info_says_how_the_file_was_made(codec, path):
    image = Image.open(path)
    assert image.info == {"quality": 80, "weights": codec.model_id.hex(), "coding": "contexts"}
    plain = io.BytesIO(codec.pack(codec.encode(PICTURE, quality=12.5), plain=True))
    assert Image.open(plain).info["coding"] == "plain"


class Pipe(io.RawIOBase):
    """A stream that can only be read on, as standard input is."""

    def __init__(self, data):
        self.read = io.BytesIO(data).read


def test_paths_files_streams_and_libraries_give_the_same_pixels(codec, file, path):
    expected = np.asarray(codec.decompress(file))
    for source in (path, io.BytesIO(file), Pipe(file)):
        with Image.open(source) as image:
            np.testing.assert_array_equal(np.asarray(image), expected)
    with open(path, "rb") as opened:
        opened.seek(5)
        np.testing.assert_array_equal(np.asarray(Image.open(opened)), expected)
        assert not opened.closed
    np.testing.assert_array_equal(skimage.io.imread(path), expected)
    np.testing.assert_array_equal(imageio.v3.imread(file, plugin="pillow"), expected)


def test_an_opened_image_is_like_any_other(file):
    image = Image.open(io.BytesIO(file))
    pixels = np.asarray(image.copy())
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(image))), pixels)
    image.putpixel((3, 2), (9, 8, 7))
    assert image.getpixel((3, 2)) == (9, 8, 7)
    image.thumbnail((20, 20))
    assert image.size == (20, 14)
    parser = ImageFile.Parser()
    for start in range(0, len(file), 100):
        parser.feed(file[start : start + 100])
    np.testing.assert_array_equal(np.asarray(parser.close()), pixels)


def test_saving_is_compressing(codec, tmp_path):
    image, target = Image.fromarray(PICTURE), tmp_path / "x.sdae"
    image.save(target)
    assert target.read_bytes() == codec.compress(PICTURE)
    image.save(target, quality=30)
    assert target.read_bytes() == codec.compress(PICTURE, quality=30)
    memory = io.BytesIO()
    image.save(memory, "SDAE", quality=42.5)
    assert Image.open(memory).info["quality"] == 42.5
    with Image.open(target) as opened:  # onto itself
        opened.save(target, quality=20)
    assert Image.open(target).info["quality"] == 20
    with pytest.raises(ValueError, match="Exif data is damaged"):
        image.save(io.BytesIO(), "SDAE", exif=b"Exif\0\0junk, not TIFF")


def test_exif_and_profile_are_kept_when_they_are_given(codec):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    memory = io.BytesIO()
    Image.fromarray(PICTURE).save(memory, "SDAE", quality=80, exif=exif, icc_profile=PROFILE)
    image = Image.open(memory)
    assert image.getexif()[ExifTags.Base.Make] == "Camera"
    assert image.info["icc_profile"] == PROFILE
    plain = codec.decompress(codec.compress(PICTURE, quality=80))
    np.testing.assert_array_equal(np.asarray(image), np.asarray(plain))


def turned(orientation=6):
    """An opened file that is to be turned, and its Exif data."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = orientation, "Camera"
    Image.fromarray(PICTURE).save(file, "PNG", exif=exif)
    image = Image.open(file)
    return image, image.getexif()


@pytest.mark.parametrize("icc", [b"", PROFILE], ids=["sRGB", "profile"])
def test_an_opened_file_is_turned_once_and_its_tag_is_gone(icc):
    image, exif = turned()
    for given in (exif, exif.tobytes()):
        memory = io.BytesIO()
        image.save(memory, "SDAE", exif=given, icc_profile=icc)
        saved = Image.open(memory)
        assert saved.size == (40, 56)
        assert saved.getexif()[ExifTags.Base.Make] == "Camera"
        assert ExifTags.Base.Orientation not in saved.getexif()


def test_an_image_in_memory_is_saved_as_it_is(codec):
    image, exif = turned()
    upright = image.transpose(Image.Transpose.ROTATE_270)
    memory = io.BytesIO()
    upright.save(memory, "SDAE")
    assert memory.getvalue() == codec.compress(np.asarray(upright))
    image.copy().save(memory := io.BytesIO(), "SDAE", exif=exif)
    assert Image.open(memory).size == (56, 40)
    assert Image.open(memory).getexif()[ExifTags.Base.Orientation] == 6


@pytest.mark.parametrize("quality", [0, 101, float("nan"), "75", None])
def test_a_wrong_quality_is_a_sentence_before_any_work(tmp_path, quality, monkeypatch):
    monkeypatch.setattr(pillow_plugin, "_codec", None)
    with pytest.raises(ValueError, match="must be a number between 1 and 100"):
        Image.fromarray(PICTURE).save(tmp_path / "x.sdae", quality=quality)
    assert not list(tmp_path.iterdir())


def test_what_is_no_sdae_file_is_not_identified():
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"SDA is no picture"))


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda file: file[:12], "cut short"),
        (lambda file: file[:-1], "checksum"),
        (lambda file: file[:60] + bytes([file[60] ^ 1]) + file[61:], "checksum"),
        (lambda file: file[:3] + b"\x07" + file[4:], "format version 7"),
    ],
)
def test_damaged_files_are_refused_when_opened(file, damage, sentence):
    with pytest.raises(OSError, match=sentence):
        Image.open(io.BytesIO(damage(file)))


def test_what_only_decoding_can_find_is_found_when_pixels_are_needed(file):
    damaged = Image.open(io.BytesIO(resealed(file, payload=b"\x05\x00 no Deflate stream")))
    damaged.verify()
    with pytest.raises(OSError, match="The file is damaged"):
        damaged.load()
    foreign = Image.open(io.BytesIO(resealed(file, container.Header(b"\1\2\3\4", 1, 56, 40, 8000))))
    assert foreign.info["weights"] == "01020304" and foreign.size == (56, 40)
    with pytest.raises(OSError, match="name the weights that made it"):
        foreign.load()


def test_the_reader_of_photographs_still_takes_no_sdae_file(file):
    with pytest.raises(sdae.ImageError, match="no picture that can be read"):
        reading.read(file)
    picture = reading.read(Image.open(io.BytesIO(file)))
    assert picture.rgb.shape == (40, 56, 3) and picture.format == "SDAE"
