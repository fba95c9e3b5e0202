"""Which integers an encoder chooses."""

import numpy as np
import pytest
from skimage import data

from sdae.network import rounding, transform_coding
from sdae.network.config import quality_position
from tests import small_tables

CODE = 4000


@pytest.fixture(scope="module")
def picture():
    return data.astronaut()[60:156, 120:216]


def bits(codec, values):
    return small_tables.bits(values, CODE, codec.tables)


def squared_error(codec, values, picture):
    restored = np.concatenate(list(codec.network.picture_rows([values], quality_position(40))))
    return np.square(255 * restored - picture).sum()


def test_each_choice_is_worth_its_error(codec, picture):
    """A guess saves bits, and a choice by cost is better than both."""
    t, image = quality_position(40), picture.astype("float32") / 255
    y = np.concatenate(list(codec.network.latent_rows([image], t)))
    nearest = np.rint(y)
    guess = rounding.guessed(y)
    assert (np.abs(guess - nearest) <= 1).all()
    masking = rounding.masking(picture)
    (chosen,) = rounding.fitted_bands(codec.network, codec.tables, [image], [y], CODE, masking)
    price = codec.network.config.lagrangian(t) / 3

    def cost(values):
        return bits(codec, values) + price * squared_error(codec, values, picture)

    assert bits(codec, guess) < 0.97 * bits(codec, nearest)
    assert cost(chosen) < min(cost(guess), cost(nearest))


def test_errors_weigh_less_where_a_picture_varies():
    rng = np.random.default_rng(0)
    samples = np.full((45, 96, 3), 128, "uint8")
    samples[:, 48:] = rng.integers(0, 256, (45, 48, 3))
    weight = rounding.masking(samples)
    assert weight.shape == (6, 12) and weight.mean() == pytest.approx(1, rel=1e-5)
    assert weight[:, :5].min() > 2 * weight[:, 7:].max()
    np.testing.assert_allclose(weight, rounding.masking(samples.astype("float32") / 255), rtol=1e-4)
    assert (rounding.masking(np.zeros((8, 8, 3), "uint8")) == 1).all()


def test_strips_and_bands_change_no_integer(codec, picture, monkeypatch):
    whole = next(iter(transform_coding.quantised(codec.network, codec.tables, picture, CODE)))
    monkeypatch.setattr("sdae.network.rows._STRIP", 24)
    again = next(iter(transform_coding.quantised(codec.network, codec.tables, picture, CODE)))
    assert (whole != again).mean() < 0.001  # ties fall otherwise by roundings of floats
