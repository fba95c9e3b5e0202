"""The refinement of the first channel groups: exact everywhere, and read as it is written."""

from dataclasses import replace

import numpy as np
import pytest

from sdae.coding import container, latent_coder, predictor
from sdae.coding.coding_order import FINE, LAST, lattice
from sdae.coding.container import Header
from sdae.coding.refinement import offsets
from tests import format_reader, small_tables
from tests.small_tables import CHANNELS, GROUPS, expectations, latents


@pytest.fixture(scope="module")
def tables():
    return replace(small_tables.make(), refinement=small_tables.refinement())


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (17, 33)])
def test_integers_come_back(tables, shape):
    values = 9 * latents(1, *shape)[0]
    data = latent_coder.encode(values, 3300, tables)
    np.testing.assert_array_equal(latent_coder.decode(data, *shape, 3300, tables), values)


def test_it_changes_what_is_expected_of_all_groups_but_the_last(tables):
    values = latents(1)[0]
    nothing = replace(tables, refinement=small_tables.refinement(strength=0))
    plain, refined = (expectations(values, 3300, t) for t in (nothing, tables))
    last = sum(GROUPS[:-1])
    for before, after in zip(plain, refined):
        assert (before[..., :last] != after[..., :last]).mean() > 0.9
        np.testing.assert_array_equal(before[..., last:], after[..., last:])


def test_predictions_do_not_depend_on_how_many_are_made_at_a_time(tables, monkeypatch):
    values = latents(1, 19, 23)[0]
    expected = expectations(values, 3300, tables)
    monkeypatch.setattr(predictor, "_CHUNK", 7)
    for again, wanted in zip(expectations(values, 3300, tables), expected):
        np.testing.assert_array_equal(again, wanted)


@pytest.mark.parametrize(
    "group, level", [*((0, level) for level in range(1, LAST + 1)), (FINE, LAST)]
)
def test_only_what_is_known_is_looked_at(group, level):
    plane, (own, _) = lattice(64, 64), offsets(group, level)
    assert own
    for y, x in np.argwhere(plane == level):
        for down, across in own:
            if 0 <= y + down < 64 and 0 <= x + across < 64:
                assert plane[y + down, x + across] < level


@pytest.mark.parametrize("factor", [1, 40])
def test_a_reader_that_follows_the_document_finds_the_integers(tables, factor):
    values = latents(1, 9, 11)[0] * np.int16(factor)
    values[3, 4, :3] = 32767, -32768, 900
    header = Header(b"abcd", container.CONTEXTS, 85, 71, 4000)
    data = container.write(header, latent_coder.encode(values, 4000, tables))
    arrays = {name.split("/")[1]: array for name, array in tables.to_arrays().items()}
    assert sum(arrays["groups"]) == CHANNELS
    np.testing.assert_array_equal(format_reader.integers(data, arrays), values)
