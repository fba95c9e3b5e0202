"""docs/format.md is enough to read a file: a reader that follows it finds the same integers."""

import numpy as np
import pytest
from skimage import data as samples

import sdae
from sdae import weights
from sdae.pictures import metadata
from tests import format_reader


@pytest.fixture(scope="module")
def tables(codec):
    return tables_of(codec)


def tables_of(codec) -> dict:
    return {name.split("/")[1]: array for name, array in codec.tables.to_arrays().items()}


@pytest.mark.parametrize("quality", [8, 93.5])
@pytest.mark.parametrize("name", weights.SHIPPED)
def test_a_reader_that_follows_the_document_finds_integers_and_picture(name, quality):
    codec = sdae.load(name)
    tables = tables_of(codec)
    picture = samples.astronaut()[100:171, 200:285]
    data = codec.compress(picture, quality)
    about = format_reader.header(data)
    assert (about["width"], about["height"]) == (85, 71)
    assert (about["quality_code"], about["model"]) == (round(100 * quality), codec.model_id)
    found = format_reader.integers(data, tables)
    np.testing.assert_array_equal(found, codec.unpack(data).values)
    assert found.any()
    restored = format_reader.picture(data, found, codec.trained.arrays).astype(int)
    assert np.abs(restored - np.asarray(codec.decompress(data))).max() <= 1
    assert np.abs(restored - picture).mean() < 20


def test_it_reads_values_far_from_what_is_expected(codec, tables):
    latent = codec.encode(samples.astronaut()[:16, :24], 50)
    rng = np.random.default_rng(0)
    values = (rng.standard_cauchy(latent.values.shape) * 40).clip(-32768, 32767)
    latent.values[:] = values.astype("int16")
    data = codec.pack(latent)
    np.testing.assert_array_equal(format_reader.integers(data, tables), latent.values)


def test_it_reads_plain_files_and_files_of_nothing(codec, tables):
    latent = codec.encode(np.zeros((16, 24, 3), "uint8"), 50)
    for values in (latent.values, np.zeros_like(latent.values)):
        latent.values[:] = values
        for plain in (False, True):
            data = codec.pack(latent, plain=plain)
            np.testing.assert_array_equal(format_reader.integers(data, tables), latent.values)


def test_it_reads_metadata(codec):
    kept = metadata.Metadata(b"Exif\0\0II*\0", b"profile" * 50)
    about = format_reader.header(metadata.attach(codec.compress(samples.astronaut()[:8, :8]), kept))
    assert (about["exif"], about["icc"]) == (kept.exif, kept.icc)
