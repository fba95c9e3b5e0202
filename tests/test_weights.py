import hashlib
import json

import numpy as np
import pytest

from sdae import weights
from sdae.weights import WeightsError

PARAMETERS = 5_053_338

ARRAYS = {"a/kernel": np.arange(6, dtype="float16").reshape(2, 3), "b": np.ones(3, "int16")}


def test_arrays_and_card_come_back(tmp_path):
    weights.write(tmp_path / "new", ARRAYS, {"parameters": 9})
    arrays, card = weights.read(tmp_path / "new")
    assert card["parameters"] == 9
    assert {k: v.dtype for k, v in arrays.items()} == {k: v.dtype for k, v in ARRAYS.items()}
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], value)


def test_the_same_arrays_give_the_same_bytes():
    assert weights.pack(ARRAYS) == weights.pack(dict(reversed(ARRAYS.items())))


def test_altered_weights_are_refused(tmp_path):
    weights.write(tmp_path, ARRAYS, {})
    path = tmp_path / "weights.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="not the ones that their card describes"):
        weights.read(tmp_path)


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"sha256": 3}'])
def test_a_broken_card_is_refused(tmp_path, card):
    (tmp_path / "card.json").write_text(card)
    with pytest.raises(WeightsError, match="card"):
        weights.read(tmp_path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(WeightsError, match="no weights called nothing-here"):
        weights.folder("nothing-here")
    (tmp_path / "card.json").write_text(json.dumps({"sha256": "00"}))
    with pytest.raises(WeightsError, match="no weights.npz"):
        weights.read(weights.folder(tmp_path))


def test_pickled_arrays_are_never_loaded(tmp_path):
    np.savez(tmp_path / "weights.npz", evil=np.array([{"code": 1}], dtype=object))
    digest = hashlib.sha256((tmp_path / "weights.npz").read_bytes()).hexdigest()
    (tmp_path / "card.json").write_text(json.dumps({"sha256": digest}))
    with pytest.raises(WeightsError, match="holds no arrays") as refused:
        weights.read(tmp_path)
    assert "allow_pickle=False" in str(refused.value.__cause__)


def test_shipped_weights_match_their_card():
    place = weights.folder()
    arrays, card = weights.read(place)
    denoiser, about = weights.read(place / weights.DENOISER)
    assert all(np.isfinite(v).all() for v in (*arrays.values(), *denoiser.values()))
    assert sum(v.size for v in denoiser.values()) == about["parameters"] == 4_288_272
    assert card["parameters"] == PARAMETERS


def test_weights_of_a_byte_come_back_near(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 3, 40, 32)).astype("float32")
    values[..., 5] *= 100
    weights.write(tmp_path, weights.in_bytes({"a": values, "b": values[0, 0, 0]}), {})
    arrays, _ = weights.read(tmp_path)
    assert arrays.keys() == {"a", "b"} and (arrays["b"] == values[0, 0, 0]).all()
    limit = np.abs(values).max((0, 1, 2)) / 254 * 1.001
    assert (np.abs(arrays["a"] - values) <= limit).all()
    with np.load(tmp_path / "weights.npz") as stored:
        assert stored["a"].dtype == np.int8


def test_the_environment_names_the_default(monkeypatch, tmp_path):
    weights.write(tmp_path, ARRAYS, {})
    monkeypatch.setenv("SDAE_WEIGHTS", str(tmp_path))
    assert weights.folder() == tmp_path
    monkeypatch.delenv("SDAE_WEIGHTS")
    assert weights.folder().name == weights.SHIPPED[-1]


def test_a_folder_where_the_program_runs_is_not_what_ships(monkeypatch, tmp_path):
    weights.write(tmp_path / weights.SHIPPED[-1], ARRAYS, {})
    shipped = weights.folder()
    monkeypatch.chdir(tmp_path)
    assert weights.folder() == shipped


@pytest.mark.parametrize("content", [b"", b"no ZIP file", b"PK\3\4 but no more", b"\x93NUMPY\1\0"])
def test_what_matches_its_card_and_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "weights.npz").write_bytes(content)
    card = {"sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="holds no arrays"):
        weights.read(tmp_path)
