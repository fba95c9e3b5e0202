"""The Compress page, without a browser."""

import io
import zipfile

import numpy as np
import on_pages
import pytest
from on_pages import app, buttons, encoded, fine, picture, sample, settle, split, table, upload

import sdae
from pages.compress import batch, card, challenge
from pages.shared import comparison, engine, split_view
from pages.shared.sources import SAMPLES
from sdae.measuring import metrics
from sdae.pictures import reading

codec = on_pages.codec
pytestmark = pytest.mark.usefixtures("codec")


def file_bytes(at) -> int:
    return int(table(at, "Form")["SDAE file"][0].replace(",", ""))


def test_a_first_visit_shows_jpeg_and_sdae_at_the_same_bytes_and_says_who_is_closer(codec):
    at = settle(app(left="JPEG"))
    assert fine(at)
    original = sample("coffee.png")
    data = codec.compress(original, quality=30)
    shown = split(at)
    assert shown["left"]["label"] == "JPEG" and shown["right"]["label"] == "SDAE"
    assert not shown["left"]["dimmed"] and not shown["right"]["dimmed"]
    restored = np.asarray(codec.decompress(data))
    assert np.array_equal(shown["right"]["rgb"], restored)
    assert np.array_equal(shown["original"]["rgb"], original)  # of which errors are
    psnr = metrics.psnr(original, restored)
    assert shown["right"]["figures"] == f"{len(data):,} bytes · {psnr:.2f} dB"

    bar, jpeg = shown["bar"], metrics.psnr(original, shown["left"]["rgb"])
    assert bar["file_bytes"] == len(data) and bar["psnr"] == pytest.approx(psnr)
    assert (bar["original_bytes"], bar["original"]) == (len(reading.png(original)), "its PNG")
    size = table(at, "Codec")["JPEG"][0]
    assert bar["point"].startswith(
        f"JPEG in {size} bytes: {jpeg:.1f} dB; SDAE in {len(data):,} bytes: {psnr:.1f} dB."
    )
    sizes, levels = bar["estimates"]
    assert sizes[29] == len(data) and sizes == sorted(sizes) and len(sizes) == 100
    assert levels[29] == pytest.approx(psnr, abs=0.01)

    rungs = table(at, "Form")
    assert list(rungs) == ["Uncompressed", "PNG", "SDAE file"]
    assert rungs["Uncompressed"] == ["49,152"] and file_bytes(at) == len(data)
    figures = {metric.label: metric.value for metric in at.metric}
    assert list(figures) == ["Bits per pixel", "SSIM", "Compressed in", "Restored in"]
    assert float(figures["Bits per pixel"]) == pytest.approx(8 * len(data) / 128**2, abs=5e-4)

    rows = table(at, "Codec")
    assert list(rows) == ["SDAE", "JPEG", "JPEG 2000", "WebP", "AVIF"]
    for cells in rows.values():
        if len(cells) == 3:  # else no file is this small
            assert int(cells[0].replace(",", "")) <= len(data)


@pytest.fixture
def clicks(monkeypatch):
    """A list of guesses; each is made at the end of a run, as a click on the split makes it."""
    waiting, drawn = [], split_view.compare

    def compare(*sides, on_change=None, **given):
        drawn(*sides, on_change=on_change, **given)
        if waiting:
            on_change("guess", waiting.pop())

    monkeypatch.setattr(split_view, "compare", compare)
    return waiting


@pytest.mark.parametrize("ours, guess, said", [("left", "left", "Right"), ("right", "left", "No")])
def test_a_first_visit_guesses_which_half_is_the_small_file(
    codec, monkeypatch, clicks, ours, guess, said
):
    monkeypatch.setattr(challenge.random, "random", lambda: float(ours == "right"))
    at = settle(app())
    shown, original = split(at), sample("coffee.png")
    data = codec.compress(original, quality=30)
    pictures = {"SDAE": np.asarray(codec.decompress(data)), "Original": original}
    names = {side: "SDAE" if side == ours else "Original" for side in ("left", "right")}
    for side, name in names.items():  # no name, no figure and no error map gives it away
        half = shown[side]
        assert (half["label"], half["alt"]) == ("This half", "One half")
        assert not half["choices"] and not half["figures"]
        assert np.array_equal(half["rgb"], pictures[name])
    assert shown["guess"] and shown["original"] is None
    assert shown["bar"]["point"].startswith("Which half is the file of ")

    clicks.append(guess)
    shown = split(at.run().run())
    assert {side: shown[side]["label"] for side in names} == names
    assert shown["bar"]["point"].startswith(f"{said}: the {ours} half is the file of {len(data):,}")
    assert shown["guess"] is False and shown["original"]
    clicks.append("again")
    assert split(at.run().run())["guess"]
    clicks.append("names")
    shown = split(at.run().run())
    assert (shown["left"]["label"], shown["right"]["label"]) == ("JPEG", "SDAE")


def test_a_picture_of_ones_own_can_be_guessed_and_moving_the_slider_tells_nothing(codec):
    at = upload(app(quality="20"), "own.png", encoded("PNG", picture(seed=5)))
    shown = split(at)
    assert shown["guess"] and not shown["left"]["dimmed"] and shown["bar"]["file_bytes"]
    files = {side: shown[side]["rgb"] for side in ("left", "right")}
    assert sum(np.array_equal(rgb, picture(seed=5)) for rgb in files.values()) == 1


def test_the_card_holds_both_halves_in_the_size_that_is_posted(codec):
    original = encoded("PNG", np.full((40, 90, 3), (200, 40, 40), "uint8"))
    ours = encoded("PNG", np.full((40, 90, 3), (20, 160, 90), "uint8"))
    halves = card.Half(original, "Original", 9999), card.Half(ours, "SDAE", 123, 31.4)
    drawn = reading.read(card.draw(*halves, "sdae.example.org")).rgb
    assert drawn.shape == (630, 1200, 3)
    assert (drawn[200, 100] == (200, 40, 40)).all() and (drawn[200, 1100] == (20, 160, 90)).all()
    nobody = reading.read(card.draw(*halves, None)).rgb
    assert (drawn[:580] == nobody[:580]).all() and (drawn[580:, 800:] != nobody[580:, 800:]).any()
    assert "Card to post" in buttons(app(left="JPEG"))


@pytest.mark.parametrize(
    "address, shown",
    [
        ("https://sdae.streamlit.app/?quality=30", "sdae.streamlit.app"),
        ("https://example.org/demo/", "example.org/demo"),
        ("http://localhost:8501/", None),
        ("http://192.168.0.7:8501", None),
        ("http://[::1]:8501", None),
        (None, None),
    ],
)
def test_the_card_names_only_an_address_that_others_can_open(address, shown):
    assert card.public(address) == shown


def test_bytes_are_shown_before_the_picture_is_restored(monkeypatch, codec):
    """The page shows what it knows while it works on: here it never gets to restore."""

    def restore(codec, rgb, counted, progress=None):
        raise sdae.WeightsError("Stopped here.")

    monkeypatch.setattr(comparison, "restore", restore)
    at = upload(app(quality="44", right="SDAE"), "fresh.png", encoded("PNG", picture(seed=44)))
    data = codec.compress(picture(seed=44), quality=44)
    assert split(at)["bar"]["file_bytes"] == len(data)
    assert split(at)["bar"]["psnr"] is None
    assert split(at)["right"]["figures"] == "at work …" and split(at)["right"]["dimmed"]


def test_nonsense_in_the_url_falls_back_to_the_defaults():
    at = app(quality="much", right="GIF", left="", source="Moon", sample="None")
    assert fine(at)
    shown = split(at)
    assert shown["bar"]["quality"] == 30
    assert (shown["left"]["label"], shown["right"]["label"]) == ("JPEG", "SDAE")


def test_nothing_is_worked_out_for_a_tab_that_is_not_seen():
    at = app(tab="Many pictures", quality="97")
    assert fine(at) and split(at)["bar"]["file_bytes"] is None


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_ships_with_scikit_image(name):
    at = app(sample=name, left="Original", tab="Many pictures")
    assert fine(at)
    assert np.array_equal(split(at)["left"]["rgb"], sample(SAMPLES[name]))


@pytest.mark.parametrize("kind, ending", [("JPEG", "jfif"), ("PNG", "png"), ("TIFF", "tif")])
def test_dropped_files_keep_every_pixel(kind, ending):
    data = encoded(kind, picture(61, 43))
    at = app(left="Original")
    assert f".{ending}" in at.file_uploader[0].proto.type
    upload(at, f"photo.{ending}", data)
    assert fine(at)
    shown = split(at)
    assert np.array_equal(shown["left"]["rgb"], reading.read(data).rgb)
    assert (shown["width"], shown["height"]) == (61, 43)
    assert table(at, "Form")["Original"] == [f"{len(data):,}"]


def test_kodak_is_offered_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path))
    assert "Kodak" not in app().segmented_control(key="source").options
    (tmp_path / "kodim07.png").write_bytes(encoded("PNG", picture(seed=7)))
    at = app(source="Kodak", size="Original", left="Original")
    assert fine(at)
    assert at.selectbox(key="kodak").options == ["kodim07.png"]
    assert np.array_equal(split(at)["left"]["rgb"], picture(seed=7))


def test_the_camera_waits_for_a_picture_and_takes_it():
    at = app(source="Camera", size="Original", left="Original")
    assert fine(at)
    assert "camera" in at.info[0].value
    shot = encoded("JPEG", picture(seed=3))
    at.camera_input[0].upload("shot.jpg", shot)
    at.run()
    assert fine(at)
    assert np.array_equal(split(at)["left"]["rgb"], reading.read(shot).rgb)


@pytest.mark.parametrize(
    "name, data",
    [
        ("empty.jpg", b""),
        ("half.png", encoded("PNG", picture())[:900]),
        ("page.jpg", b"<!doctype html><html></html>"),
        ("words.sdae", b"These are only words. " * 20),
        ("**bold** :smile:.png", b"words"),
    ],
)
def test_a_bad_file_gets_one_sentence_and_nothing_is_lost(name, data):
    at = upload(app(quality="33", right="WebP"), name, data, size="128×128")
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith(f"`{name}`: ")  # its name is not read as formatting
    assert error.value.endswith(".")
    assert "\n" not in error.value and "Traceback" not in error.value
    at.file_uploader[0].clear()
    at.run()
    assert fine(at)
    assert split(at)["bar"]["quality"] == 33 and split(at)["right"]["label"] == "WebP"


def test_a_sdae_file_opens_with_its_facts_and_no_original(codec):
    data = codec.compress(picture(90, 37), quality=42)
    at = upload(app(), "holiday.sdae", data)
    assert fine(at)
    shown = split(at)
    assert shown["left"] is None and shown["original"] is None and shown["bar"] is None
    assert np.array_equal(shown["right"]["rgb"], np.asarray(codec.decompress(data)))
    assert list(table(at, "Form")) == ["Uncompressed", "PNG", "SDAE file"]
    facts = " ".join(map(str, at.table[0].value.to_numpy().ravel()))
    assert "90 × 37" in facts and "42" in facts and codec.model_id.hex() in facts
    assert buttons(at) == ["Restored PNG"]


@pytest.mark.parametrize("damage", ["cut", "altered", "other weights", "too large"])
def test_a_damaged_sdae_file_gets_one_sentence(codec, damage, monkeypatch):
    data = bytearray(codec.compress(picture(), quality=50))
    if damage == "too large":
        monkeypatch.setattr(engine, "MAX_RESTORED", 1_000)
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[5 if damage == "other weights" else -3] ^= 0xFF
    at = upload(app(), "holiday.sdae", bytes(data))
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith("`holiday.sdae`: ") and error.value.endswith(".")


def test_a_peer_without_a_file_so_small_says_so_and_the_original_stands_in():
    grey = encoded("PNG", np.full((24, 24, 3), 90, "uint8"))
    at = settle(upload(app(quality="1", right="JPEG", left="SDAE"), "grey.png", grey))
    assert fine(at)
    assert table(at, "Codec")["JPEG"] == ["no file is this small"]
    shown = split(at)
    assert shown["right"]["figures"] == "no file is this small" and shown["right"]["dimmed"]
    assert shown["bar"]["point"].endswith("no JPEG file is this small.")


def test_where_png_is_smaller_the_page_says_so_and_offers_it():
    squares = np.uint8(np.indices((96, 96)).sum(0) // 16 % 2 * 255)[..., None].repeat(3, -1)
    at = upload(app(quality="80"), "drawing.png", encoded("PNG", squares))
    assert fine(at)
    assert any("PNG suits this picture better" in info.value for info in at.info)
    assert "Download PNG" in buttons(at)


def test_where_another_codec_is_closer_the_page_says_so(monkeypatch):
    def rival(name, rgb, budget, pause):
        return comparison.Rival(b"a" * 20, name, "", reading.png(rgb), 90.0 + len(name), 1.0)

    monkeypatch.setattr(comparison, "rival", rival)
    at = settle(
        upload(app(quality="50", right="SDAE"), "fine.png", encoded("PNG", picture(seed=8)))
    )
    assert fine(at)
    assert "jpeg2000 is closer still" in split(at)["bar"]["point"]
    assert table(at, "Codec")["JPEG 2000"][0] == "20"


def test_a_large_picture_is_scaled_down_with_a_notice(monkeypatch):
    monkeypatch.setattr(engine, "LIVE_PIXELS", 5_000)
    at = upload(app(), "large.png", encoded("PNG", picture(200, 100)))
    assert fine(at)
    shown = split(at)
    assert (shown["width"], shown["height"]) == (100, 50)
    notice = at.info[0].value
    assert "100 × 50" in notice and "python -m sdae compress" in notice


def test_many_pictures_become_a_table_and_files(codec):
    at = app(batch_quality="60", tab="Many pictures")
    assert fine(at) and not at.dataframe
    pictures = {"sea.png": picture(61, 43), "Sea.bmp": picture(40, 30, seed=1)}
    uploads = [(name, encoded(name[-3:], rgb), "image/png") for name, rgb in pictures.items()]
    at.file_uploader(key="files").set_value([*uploads, ("words.png", b"words", "image/png")])
    at.run()
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith("`words.png`: This is no picture")
    assert buttons(at)[-2:] == ["Download ZIP", "Table as CSV"]
    shown = at.dataframe[0].value
    files = [codec.compress(rgb, quality=60) for rgb in pictures.values()]
    assert list(shown["Picture"]) == list(pictures)
    assert all(preview.startswith("data:image/jpeg;base64,") for preview in shown["Preview"])
    assert list(shown["Original"]) == [len(data) for _, data, _ in uploads]
    assert list(shown["SDAE file"]) == [len(data) for data in files]
    restored = [np.asarray(codec.decompress(data)) for data in files]
    psnr = list(map(metrics.psnr, pictures.values(), restored))
    assert list(shown["PSNR"]) == pytest.approx(psnr)


def test_the_zip_of_many_pictures_holds_each_under_a_name_of_its_own():
    names = batch.file_names(["a.png", "A.jpg", "a-2.png", "b.c.webp"])
    assert names == ["a.sdae", "A-2.sdae", "a-2-2.sdae", "b.c.sdae"]
    whole = batch.zipped(dict.fromkeys(names, b"data"), b"table")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*names, "table.csv"]
        assert archive.read("a.sdae") == b"data" and archive.read("table.csv") == b"table"


def test_missing_weights_are_explained(monkeypatch):
    def load():
        raise sdae.WeightsError("There are no weights called sdae-1; restore the folder.")

    monkeypatch.setattr(sdae, "load", load)
    engine.load.clear()
    at = upload(app(), "new.png", encoded("PNG", picture(seed=99)))
    engine.load.clear()
    assert not at.exception
    assert at.error[0].value == "There are no weights called sdae-1; restore the folder."
