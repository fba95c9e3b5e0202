"""The refinement of the first channel groups: exact everywhere, and read as it is written."""

from dataclasses import replace

import numpy as np
import pytest
from skimage import data as samples

from sdae.coding import container, latent_coder, predictor
from sdae.coding.coding_order import FINE, LAST, lattice
from sdae.coding.container import Header
from sdae.coding.refinement import PREFIX, REFINED, Refinement, most_inputs, offsets
from sdae.coding.tables import Tables
from sdae.coding.units import WIDTHS, TablesError
from tests import format_reader

UNITS = 8


@pytest.fixture(scope="module", params=[FINE, REFINED])
def tables(codec, request):
    """Tables with a refinement that moves means and widths a lot, of so many groups."""
    rng, groups, count = np.random.default_rng(0), codec.tables.groups.tolist(), request.param
    levels, size, most = (
        len(codec.tables.bias),
        max(groups[:count]),
        most_inputs(groups, range(count)),
    )

    def whole(kind, spread, *shape):
        return np.rint(rng.normal(0, spread, shape)).astype(kind)

    made = Refinement(
        first=whole("int16", 300, count, 2, most, UNITS),
        first_bias=whole("int32", 20000, levels, count, UNITS),
        first_level=whole("int32", 20000, LAST, count, UNITS),
        second=whole("int16", 500, count, 2, UNITS, UNITS),
        second_bias=whole("int32", 20000, count, 2, UNITS),
        mean=whole("int16", 300, count, 2, UNITS, size),
        width=whole("int16", 300, count, 2, UNITS, size),
        spread=np.arange(WIDTHS).astype("uint16") * 20,
    )
    return replace(codec.tables, refinement=made)


def latent(h, w, channels):
    rng = np.random.default_rng(h * w)
    scale = 20 * 0.97 ** np.arange(channels)
    return np.rint(rng.laplace(0, scale, (h, w, channels))).astype("int16")


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (17, 33), (40, 500)])
def test_integers_come_back(tables, shape):
    values = latent(*shape, tables.channels)
    data = latent_coder.encode(values, 3300, tables)
    np.testing.assert_array_equal(latent_coder.decode(data, *shape, 3300, tables), values)


def test_it_changes_what_is_expected_of_the_first_groups_alone(tables):
    values = latent(16, 16, tables.channels)
    none = replace(tables, refinement=None)
    plain, refined = (predictor.expectations(values, 3300, t) for t in (none, tables))
    first = int(tables.groups[: tables.refinement.count].sum())
    for before, after in zip(plain, refined):
        assert (before[..., :first] != after[..., :first]).mean() > 0.9
        np.testing.assert_array_equal(before[..., first:], after[..., first:])


def test_predictions_do_not_depend_on_how_many_are_made_at_a_time(tables, monkeypatch):
    values = latent(19, 23, tables.channels)
    expected = predictor.expectations(values, 3300, tables)
    monkeypatch.setattr(predictor, "_CHUNK", 7)
    for found, wanted in zip(predictor.expectations(values, 3300, tables), expected):
        np.testing.assert_array_equal(found, wanted)


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


def test_a_reader_that_follows_the_document_finds_the_integers(codec, tables):
    values = codec.encode(samples.astronaut()[100:171, 200:285], 40).values
    header = Header(codec.model_id, container.CONTEXTS, 85, 71, 4000)
    data = container.write(header, latent_coder.encode(values, 4000, tables))
    arrays = {name.split("/")[1]: array for name, array in tables.to_arrays().items()}
    np.testing.assert_array_equal(format_reader.integers(data, arrays), values)


def test_weights_files_bring_it_back(tables):
    again = Tables.from_arrays(tables.to_arrays())
    for name, array in tables.to_arrays().items():
        np.testing.assert_array_equal(again.to_arrays()[name], array)


def test_a_part_of_it_is_refused(tables):
    arrays = tables.to_arrays()
    del arrays[PREFIX + "second"]
    with pytest.raises(TablesError, match="missing"):
        Tables.from_arrays(arrays)


def test_one_of_too_few_groups_is_refused(tables):
    arrays = tables.to_arrays()
    arrays[PREFIX + "first"] = arrays[PREFIX + "first"][:1]
    with pytest.raises(TablesError, match="other groups"):
        Tables.from_arrays(arrays)


@pytest.mark.parametrize("name", ["first", "second_bias", "spread"])
def test_a_misshapen_one_is_refused(tables, name):
    arrays = tables.to_arrays()
    arrays[PREFIX + name] = arrays[PREFIX + name][..., :-1]
    with pytest.raises(TablesError, match=f"refinement {name}"):
        Tables.from_arrays(arrays)
    arrays = tables.to_arrays()
    arrays[PREFIX + name] = arrays[PREFIX + name].astype("float32")
    with pytest.raises(TablesError, match=f"refinement {name}"):
        Tables.from_arrays(arrays)
