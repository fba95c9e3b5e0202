"""What stands beside the pixels: kept on request, left out otherwise."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_files import swapped_profile
from PIL import ExifTags, Image

from sdae.coding import container
from sdae.coding.container import BitstreamError, Header
from sdae.pictures import metadata, reading
from sdae.pictures.metadata import Metadata
from sdae.pictures.opening import ImageError

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype="uint8")
EXAMPLE = container.write(Header(b"abcd", container.CONTEXTS, 40, 24, 7500), b"payload")


def photograph(kind="JPEG", orientation=6, icc=None):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = 0.02
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, exif=exif, icc_profile=icc)
    return file.getvalue()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_metadata_comes_back_beside_an_untouched_payload(exif, icc):
    file = metadata.attach(EXAMPLE, Metadata(exif, icc))
    header, payload = container.read_header(file)
    assert metadata.read(header) == Metadata(exif, icc) and payload == b"payload"
    assert metadata.attach(file, Metadata()) == EXAMPLE


@given(st.binary(min_size=1, max_size=200))
def test_any_section_is_metadata_or_one_error(section):
    header = Header(b"abcd", container.CONTEXTS, 40, 24, 7500, section)
    try:
        kept = metadata.read(container.read_header(container.write(header, b"payload"))[0])
    except BitstreamError:
        return
    assert len(kept.exif) + len(kept.icc) <= container.MAX_METADATA


def test_too_much_metadata_and_a_bomb_of_it_are_refused():
    with pytest.raises(ImageError, match="leave it out"):
        metadata.attach(EXAMPLE, Metadata(exif=bytes(container.MAX_METADATA)))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(50 << 20)) + packer.flush()
    with pytest.raises(BitstreamError, match="damaged"):
        metadata.read(Header(b"abcd", container.CONTEXTS, 40, 24, 7500, bomb))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF", "AVIF"])
def test_exif_is_kept_without_what_was_true_of_the_old_file(kind):
    picture = reading.read(photograph(kind), keep_metadata=True)
    assert picture.rgb.shape == (40, 24, 3)  # upright
    tags = Image.Exif()
    tags.load(picture.metadata.exif)
    assert tags[ExifTags.Base.Make] == "Camera"
    assert not {
        ExifTags.Base.Orientation,
        ExifTags.Base.ImageWidth,
        ExifTags.Base.StripOffsets,
    } & set(tags)
    if kind == "TIFF":
        return  # Pillow writes no further tags into one
    assert float(tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime]) == 0.02
    assert tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_size_before_the_turn_and_colours_before_conversion_are_left_out():
    exif = Image.Exif()
    proper = exif.get_ifd(ExifTags.IFD.Exif)
    proper |= {
        ExifTags.Base.ExifImageWidth: 40,
        ExifTags.Base.ExifImageHeight: 24,
        ExifTags.Base.ColorSpace: 1,
        ExifTags.Base.ExposureTime: 0.02,
    }
    exif[ExifTags.IFD.Exif] = proper
    exif[ExifTags.Base.Orientation] = 6
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG", exif=exif)
    tags = Image.Exif()
    tags.load(reading.read(file.getvalue(), keep_metadata=True).metadata.exif)
    assert set(tags) == {ExifTags.IFD.Exif}
    assert set(tags.get_ifd(ExifTags.IFD.Exif)) == {ExifTags.Base.ExposureTime}


def test_samples_stay_in_a_profile_that_is_kept_and_are_srgb_otherwise():
    profile = swapped_profile()
    data = photograph("PNG", 1, profile)
    kept, converted = reading.read(data, keep_metadata=True), reading.read(data)
    assert kept.metadata.icc == profile
    np.testing.assert_array_equal(kept.rgb, PIXELS)
    assert np.abs(converted.rgb.astype(int) - PIXELS).max() > 50
    assert "sRGB" in " ".join(converted.notices) and not kept.notices
    assert not converted.metadata
    picture = reading.read(photograph("JPEG", 1, b"no profile"), keep_metadata=True)
    assert not picture.metadata.icc and "cannot be used" in " ".join(picture.notices)
