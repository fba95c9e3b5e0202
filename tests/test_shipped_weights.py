"""Files open for ever: those of all weights and format versions that ever shipped."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import sdae
from sdae import trained, weights
from sdae.__main__ import main
from sdae.coding import container
from tests.golden import make

ROOT = Path(__file__).parents[1]
GOLDEN = sorted(make.FOLDER.glob("*-format-*.sdae"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_files_open(codec, path):
    data, (name, version) = path.read_bytes(), path.stem.split("-format-")
    assert data[3] == int(version)
    assert weights.shipped(container.read_header(data)[0].model_id) == name
    with np.load(path.with_suffix(".npz")) as stored:
        values, rgb = stored["values"], stored["rgb"]
    latent = codec.unpack(data)
    assert latent.values.tobytes() == values.tobytes()
    # Sums of floats differ by a rounding from machine to machine, and pixels by one level.
    for restored in codec.decompress(data), codec.decode(latent):
        np.testing.assert_allclose(np.asarray(restored).astype(int), rgb.astype(int), atol=1)


@pytest.mark.parametrize("name", weights.SHIPPED)
def test_all_shipped_weights_have_a_golden_file(name):
    assert any(path.stem.startswith(f"{name}-format-") for path in GOLDEN)


def test_the_newest_weights_have_a_golden_file_of_the_present_format():
    assert make.name_of(weights.SHIPPED[-1]) in {path.stem for path in GOLDEN}


@pytest.fixture
def tomorrow(tmp_path, monkeypatch):
    """A name of new weights, which shipped after all others."""
    arrays, card = weights.read(weights.folder())
    changed = {
        name: value * np.float32(1.01)
        if name.endswith("bias") and value.dtype == "float32"
        else value
        for name, value in arrays.items()
    }
    place = tmp_path / "sdae-9"
    weights.write(place, changed, card)
    monkeypatch.setattr(weights, "SHIPPED", (*weights.SHIPPED, str(place)))
    trained._shipped.cache_clear()
    yield str(place)
    trained._shipped.cache_clear()


@pytest.fixture(scope="module")
def today(codec):
    """(H, W, 3) uint8, a file of it with the weights of today, and what it was restored to."""
    rgb = make.picture()
    data = codec.compress(rgb, 70)
    return rgb, data, np.asarray(codec.decompress(data))


def test_the_library_opens_files_of_all_shipped_weights(codec, tomorrow, today):
    rgb, data, restored = today
    newest = sdae.load()
    assert weights.shipped(newest.model_id) == tomorrow and newest.model_id != codec.model_id
    new = newest.compress(rgb, 70)
    assert container.read_header(new)[0].model_id == newest.model_id != data[4:8]
    assert not trained._shipped.cache_info().currsize  # loaded at the first file that needs them
    np.testing.assert_array_equal(np.asarray(newest.decompress(data)), restored)
    np.testing.assert_array_equal(np.concatenate(list(newest.decompress_parts(data))), restored)
    latent = newest.unpack(data)
    np.testing.assert_array_equal(np.asarray(newest.decode(latent)), restored)
    assert newest.pack(latent) == codec.pack(codec.unpack(data))
    # Weights that somebody names open these files as well, and the older ones those of the newer.
    np.testing.assert_array_equal(
        np.asarray(codec.decompress(new)), np.asarray(newest.decompress(new))
    )
    assert trained._shipped.cache_info().misses == 2


def test_few_weights_are_kept(tiny_folder, tmp_path, monkeypatch):
    arrays, card = weights.read(tiny_folder)
    names = []
    for number in range(4):
        arrays["synthesis/scale"] = arrays["synthesis/scale"] * np.float32(1.001)
        names.append(str(tmp_path / f"sdae-{number + 2}"))
        weights.write(Path(names[-1]), arrays, card)
    monkeypatch.setattr(weights, "SHIPPED", (*weights.SHIPPED, *names))
    trained._shipped.cache_clear()
    for name in names:
        model_id = weights.model_id(weights.read_card(Path(name)))
        assert trained.shipped(model_id).model_id == model_id
    assert trained._shipped.cache_info().currsize == 2
    trained._shipped.cache_clear()


def test_the_command_line_opens_files_of_all_shipped_weights(tomorrow, today, tmp_path, capsys):
    rgb, data, restored = today
    (tmp_path / "old.sdae").write_bytes(data)
    assert main(["info", str(tmp_path / "old.sdae")]) == 0
    assert f"weights {weights.SHIPPED[-2]}" in capsys.readouterr().out
    assert main(["decompress", str(tmp_path / "old.sdae"), "-o", str(tmp_path / "old.png")]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "old.png")), restored)
    Image.fromarray(rgb).save(tmp_path / "new.png")
    assert main(["compress", str(tmp_path / "new.png")]) == 0
    capsys.readouterr()
    assert main(["info", str(tmp_path / "new.sdae")]) == 0
    assert f"weights {tomorrow}" in capsys.readouterr().out


def test_pillow_opens_files_of_all_shipped_weights(tomorrow, today, monkeypatch):
    rgb, data, restored = today
    sdae.pillow_plugin._codec.cache_clear()
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "SDAE")
    assert weights.shipped(file.getvalue()[4:8]) == tomorrow
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), restored)
    sdae.pillow_plugin._codec.cache_clear()


def test_the_app_opens_files_of_all_shipped_weights(tomorrow, today):
    from pages.shared import engine

    _, data, _ = today
    engine.load.clear()
    try:
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=600).run()
        at.file_uploader[0].upload("old.sdae", data)
        at.run()
        assert not at.exception and not at.error
        assert any(weights.SHIPPED[-2] in str(table.value) for table in at.table)
    finally:
        engine.load.clear()
