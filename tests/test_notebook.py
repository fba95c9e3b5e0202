"""What a notebook shows."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sdae import Latent
from sdae.measuring import comparison, metrics
from sdae.pictures import reading

PHOTO = data.chelsea()[60:100, 140:204]


@pytest.fixture(scope="module")
def result(codec):
    return comparison.compress(codec, PHOTO, 60)


def rows(html):
    return dict(re.findall(r"<th scope='row'[^>]*>([^<]+)</th><td>([^<]+)</td>", html))


def test_a_codec_names_its_weights(codec):
    shown = rows(codec._repr_html_())
    assert shown["Weights"] == codec.model_id.hex()
    assert int(shown["Parameters"].replace(",", "")) == codec.card["parameters"]
    assert shown["Latent channels"] == str(codec.card["config"]["latent_channels"])


def test_a_result_shows_its_picture_and_figures(codec, result):
    restored = np.asarray(codec.decompress(result.data))
    html = result._repr_html_()
    (embedded,) = re.findall(r"src='data:image/png;base64,([^']+)' alt='[^']+'", html)
    for png in base64.b64decode(embedded), result._repr_png_():
        np.testing.assert_array_equal(reading.read(png).rgb, restored)
    shown = rows(html)
    assert shown["File"] == f"{len(result.data):,} bytes"
    assert shown["Size"] == "64 × 40 pixels" and shown["Quality"] == "60"
    assert shown["PSNR"] == f"{metrics.psnr(PHOTO, restored):.2f} dB"
    opened = rows(comparison.open_file(codec, result.data)._repr_html_())
    assert "PSNR" not in opened and "Encode" not in opened and opened["File"] == shown["File"]


@pytest.mark.parametrize("shape", [(5, 8, 96), (40, 1, 3), (1, 1, 1)])
def test_a_latent_is_a_sheet_of_its_channels(shape):
    h, w, channels = shape
    values = np.random.default_rng(0).integers(-30, 31, shape).astype("int16")
    values[..., 0] = 0
    sheet = reading.read(Latent(values, 8 * w, 8 * h, 50)._repr_png_()).rgb[..., 0]
    tiles = [
        sheet[top : top + h, left : left + w].astype(int)
        for top in range(0, sheet.shape[0], h + 1)
        for left in range(0, sheet.shape[1], w + 1)
    ]
    assert (tiles[0] == 128).all() and channels <= len(tiles)
    for channel in range(1, channels):
        tile, wanted = tiles[channel] - 128, values[..., channel]
        assert (np.sign(tile) == np.sign(wanted)).all()
        assert np.abs(tile).max() == 127 * bool(wanted.any())


def test_an_opened_file_is_shown_as_pillow_shows_pictures(codec, result):
    png = Image.open(io.BytesIO(result.data))._repr_png_()
    np.testing.assert_array_equal(reading.read(png).rgb, np.asarray(codec.decompress(result.data)))
