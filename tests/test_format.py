"""docs/format.md is enough to read a file: a reader that follows it finds the same integers."""

import numpy as np
import pytest
from skimage import data as samples

from sdae.pictures import metadata
from tests import format_reader


@pytest.fixture(scope="module")
def tables(codec):
    return {name.split("/")[1]: array for name, array in codec.tables.to_arrays().items()}


@pytest.mark.parametrize("quality", [8, 93.5])
def test_a_reader_that_follows_the_document_finds_integers_and_picture(codec, tables, quality):
    picture = samples.astronaut()[100:171, 200:285]
    data = codec.compress(picture, quality)
    about = format_reader.header(data)
    assert (about["width"], about["height"]) == (85, 71)
    assert (about["quality_code"], about["model"]) == (round(100 * quality), codec.model_id)
    values = format_reader.integers(data, tables)
    np.testing.assert_array_equal(values, codec.unpack(data).values)
    assert values.any()
    restored = format_reader.picture(data, values, codec.trained.arrays).astype(int)
    assert np.abs(restored - np.asarray(codec.decompress(data))).max() <= 1
    assert np.abs(restored - picture).mean() < 20


def test_it_reads_any_integers_in_both_modes(codec, tables):
    latent = codec.encode(np.zeros((16, 24, 3), "uint8"), 50)
    far = np.random.default_rng(0).standard_cauchy(latent.values.shape) * 40
    far = far.clip(-32768, 32767).astype("int16")
    for values in (latent.values.copy(), np.zeros_like(far), far):
        latent.values[:] = values
        for plain in (False, True):
            data = codec.pack(latent, plain=plain)
            np.testing.assert_array_equal(format_reader.integers(data, tables), values)


def test_it_reads_metadata(codec):
    kept = metadata.Metadata(b"Exif\0\0II*\0", b"profile" * 50)
    about = format_reader.header(metadata.attach(codec.compress(samples.astronaut()[:8, :8]), kept))
    assert (about["exif"], about["icc"]) == (kept.exif, kept.icc)
