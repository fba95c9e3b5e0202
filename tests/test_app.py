"""The Compress page, without a browser."""

import io
import json
import re
import struct
import time
import zipfile
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import sdae
from pages.compress import batch
from pages.shared import engine, other_codecs
from pages.shared.sources import SAMPLES
from sdae import Codec
from sdae.measuring import comparison, metrics
from sdae.pictures import reading

APP = Path(__file__).parents[1] / "streamlit_app.py"


def page(**params) -> AppTest:
    """The page as the browser finds it under these URL parameters, small unless told otherwise."""
    at = AppTest.from_file(str(APP), default_timeout=120)
    at.query_params.update({"size": "128×128"} | params)
    return at.run()


def settle(at: AppTest) -> AppTest:
    """Run again, as the browser does by itself, until every peer has been searched and there are
    estimates."""
    end = time.monotonic() + 120
    while (
        any("searching" in html.body for html in at.get("html"))
        or not split(at)["bar"]["estimates"]
    ):
        assert time.monotonic() < end
        time.sleep(0.1)
        at.run()
    return at


def move(at: AppTest, quality: int) -> AppTest:
    """Move the quality slider, which lives in the browser."""
    at.session_state["quality kept"] = quality
    return at.run()


def file_bytes(at: AppTest) -> int:
    return int(table(at, "sdae-ledger")["SDAE file"][0][:-2].replace(",", ""))


def upload(at: AppTest, name: str, data: bytes, size="Original") -> AppTest:
    """Drop a file, to be taken at its own size."""
    at.file_uploader[0].set_value((name, data, "application/octet-stream"))
    at.segmented_control(key="size").set_value(size)
    return at.run()


def picture(width=70, height=50, seed=0) -> np.ndarray:
    """A smooth picture with some texture, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    return np.uint8(np.clip(128 + 90 * waves + rng.normal(0, 4, waves.shape), 0, 255))


def encoded(kind: str, rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind)
    return file.getvalue()


def split(at: AppTest) -> dict:
    """What the browser is sent for the split: labels, and the PNG files as arrays."""
    (element,) = at.get("bidi_component")
    data = element.proto.bytes
    (length,) = struct.unpack_from("<I", data)
    message, rest = json.loads(data[4 : 4 + length]), data[4 + length :]
    for side in filter(None, (message["left"], message["right"])):
        side["rgb"] = reading.read(rest[: side["bytes"]]).rgb
        rest = rest[side["bytes"] :]
    assert not rest
    return message


def table(at: AppTest, kind: str) -> dict[str, list[str]]:
    """An HTML table of the page as {first word or words of the row: its cells}."""
    (html,) = [h.body for h in at.get("html") if f"<table class='{kind}'" in h.body]
    rows = re.findall(r"<tr[^>]*><th scope='row'>([^<]*)<.*?</tr>", html)
    cells = [re.findall(r"<td[^>]*>([^<]+)</td>", row) for row in re.findall("<tr.*?</tr>", html)]
    return dict(zip(rows, cells[-len(rows) :], strict=True))


def fine(at: AppTest) -> bool:
    return not at.exception and not at.error


def test_a_first_visit_shows_jpeg_and_sdae_at_the_same_bytes_and_says_who_is_closer(codec):
    at = settle(page())
    assert fine(at)
    original = reading.thumb(reading.read(sample("coffee.png")).rgb)
    data = codec.compress(original, quality=30)
    shown = split(at)
    assert shown["left"]["label"] == "JPEG" and shown["right"]["label"] == "SDAE"
    restored = np.asarray(codec.decompress(data))
    assert np.array_equal(shown["right"]["rgb"], restored)
    psnr = metrics.psnr(original, restored)
    assert shown["right"]["figures"] == f"{len(data):,} bytes · {psnr:.2f} dB"

    bar, jpeg = shown["bar"], metrics.psnr(original, shown["left"]["rgb"])
    assert bar["file_bytes"] == len(data) and bar["psnr"] == pytest.approx(psnr)
    assert (bar["original_bytes"], bar["original"]) == (len(reading.png(original)), "its PNG")
    assert bar["point"].startswith(
        f"At {len(data):,} bytes JPEG reaches {jpeg:.1f} dB, SDAE {psnr:.1f}."
    )
    sizes, decibels = bar["estimates"]
    assert sizes[29] == len(data) and sizes == sorted(sizes) and len(sizes) == 100
    assert decibels[29] == pytest.approx(psnr, abs=0.01)

    rungs = table(at, "sdae-ledger")
    assert list(rungs) == ["Uncompressed", "PNG", "SDAE file"]
    assert rungs["Uncompressed"][0] == "49,152 B" and file_bytes(at) == len(data)
    figures = {metric.label: metric.value for metric in at.metric}
    assert list(figures) == ["Bits per pixel", "SSIM", "Compressed in", "Restored in"]
    assert float(figures["Bits per pixel"]) == pytest.approx(8 * len(data) / 128**2, abs=5e-4)


def test_the_quality_slider_moves_the_bytes_and_estimates_come_near_them():
    at = page(quality="20")
    few = file_bytes(at)
    move(at, 60)
    assert fine(at) and few < file_bytes(at)
    estimates = split(settle(at))["bar"]["estimates"]
    for quality in (35, 45, 75):
        move(at, quality)
        assert estimates[0][quality - 1] == pytest.approx(file_bytes(at), rel=0.15)
        assert estimates[1][quality - 1] == pytest.approx(split(at)["bar"]["psnr"], abs=1)


def test_bytes_are_shown_before_the_picture_is_restored(monkeypatch, codec):
    """The page shows what it knows while it works on: here it never gets to restore."""
    seen = []

    def restore(codec, rgb, counted, progress=None):
        seen.append(counted)
        raise sdae.WeightsError("Stopped here.")

    monkeypatch.setattr(comparison, "restore", restore)
    at = upload(page(quality="44"), "fresh.png", encoded("PNG", picture(seed=44)))
    data = codec.compress(picture(seed=44), 44)
    assert seen[-1].data == data and split(at)["bar"]["file_bytes"] == len(data)
    assert split(at)["bar"]["psnr"] is None
    assert split(at)["right"]["figures"].startswith("at work")


def test_effort_makes_the_file_of_that_effort(codec, monkeypatch):
    at = page(quality="40", effort="1")
    original = reading.thumb(reading.read(sample("coffee.png")).rgb)
    data = codec.compress(original, 40, effort=1)
    assert fine(at) and file_bytes(at) == len(data)
    assert np.array_equal(split(at)["right"]["rgb"], np.asarray(codec.decompress(data)))
    assert not at.get("progress")  # gone when it is done

    monkeypatch.setattr(Codec, "encode", None)  # no second time
    assert fine(at.run())


def test_pictures_too_large_for_effort_here_are_compressed_without(codec, monkeypatch):
    monkeypatch.setattr(engine, "REFINED_PIXELS", 128 * 128 - 1)
    at = page(quality="40", effort="3")
    data = codec.compress(reading.thumb(reading.read(sample("coffee.png")).rgb), 40)
    assert fine(at) and file_bytes(at) == len(data)
    assert any("--effort 3" in info.value for info in at.info)


def test_nonsense_in_the_url_falls_back_to_the_defaults():
    at = page(quality="much", right="GIF", left="", source="Moon", sample="None")
    assert fine(at)
    shown = split(at)
    assert shown["bar"]["quality"] == 30
    assert (shown["left"]["label"], shown["right"]["label"]) == ("JPEG", "SDAE")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_ships_with_scikit_image(name):
    at = page(sample=name, left="Original")
    assert fine(at)
    assert np.array_equal(
        split(at)["left"]["rgb"], reading.thumb(reading.read(sample(SAMPLES[name])).rgb)
    )


def test_original_size_keeps_every_pixel():
    at = upload(page(left="Original"), "odd.png", encoded("PNG", picture(61, 43)))
    assert fine(at)
    shown = split(at)
    assert (shown["width"], shown["height"]) == (61, 43)
    assert np.array_equal(shown["left"]["rgb"], picture(61, 43))
    assert shown["right"]["rgb"].shape == (43, 61, 3)


@pytest.mark.parametrize(
    "kind, ending",
    [
        ("JPEG", "jfif"),
        ("PNG", "png"),
        ("WebP", "webp"),
        ("AVIF", "avif"),
        ("GIF", "gif"),
        ("TIFF", "tif"),
        ("BMP", "bmp"),
        ("JPEG2000", "jp2"),
    ],
)
def test_every_format_can_be_dropped(kind, ending):
    data = encoded(kind, picture())
    at = page(left="Original")
    assert f".{ending}" in at.file_uploader[0].proto.type
    upload(at, f"photo.{ending}", data)
    assert fine(at)
    assert np.array_equal(split(at)["left"]["rgb"], reading.read(data).rgb)
    assert table(at, "sdae-ledger")["Original"][0] == f"{len(data):,} B"


def test_kodak_is_offered_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path))
    assert "Kodak" not in page().segmented_control(key="source").options
    (tmp_path / "kodim07.png").write_bytes(encoded("PNG", picture(seed=7)))
    at = page(source="Kodak", size="Original", left="Original")
    assert fine(at)
    assert at.selectbox(key="kodak").options == ["kodim07.png"]
    assert np.array_equal(split(at)["left"]["rgb"], picture(seed=7))


def test_the_camera_waits_for_a_picture_and_takes_it():
    at = page(source="Camera", size="Original", left="Original")
    assert fine(at)
    assert "camera" in at.info[0].value
    at.camera_input[0].upload("shot.jpg", encoded("JPEG", picture(seed=3)))
    at.run()
    assert fine(at)
    assert np.array_equal(
        split(at)["left"]["rgb"], reading.read(encoded("JPEG", picture(seed=3))).rgb
    )


@pytest.mark.parametrize(
    "name, data",
    [
        ("empty.jpg", b""),
        ("words.png", b"These are only words. " * 20),
        ("half.png", encoded("PNG", picture())[:900]),
        ("half.jpg", encoded("JPEG", picture())[:400]),
        ("page.jpg", b"<!doctype html><html></html>"),
        ("empty.sdae", b""),
        ("words.sdae", b"These are only words. " * 20),
    ],
)
def test_a_bad_file_gets_one_sentence_and_nothing_is_lost(name, data):
    at = page(quality="33", right="WebP")
    upload(at, name, data, size="128×128")
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith(f"`{name}`: ")
    assert error.value.endswith(".")
    assert "\n" not in error.value and "Traceback" not in error.value
    at.file_uploader[0].clear()
    settle(at.run())
    assert fine(at)
    assert split(at)["bar"]["quality"] == 33
    assert split(at)["right"]["label"] == "WebP"


@pytest.mark.parametrize("name", ["**bold**.png", "photo :smile:.png", "a`b.png", "$x$ [y](z).png"])
def test_the_name_of_a_bad_file_is_not_read_as_formatting(name):
    at = upload(page(), name, b"words", size="128×128")
    text = at.error[0].value
    fence = "``" if "`" in name else "`"
    assert text.startswith(fence) and text[len(fence) :].lstrip().startswith(name)
    assert text.split(name)[1].lstrip().startswith(fence + ":")


def test_a_sdae_file_opens_with_its_facts_and_no_original(codec):
    data = codec.compress(picture(90, 37), quality=42)
    at = upload(page(), "holiday.sdae", data)
    assert fine(at)
    shown = split(at)
    assert shown["left"] is None
    assert np.array_equal(shown["right"]["rgb"], np.asarray(codec.decompress(data)))
    assert list(table(at, "sdae-ledger")) == [
        "Uncompressed",
        "PNG",
        "SDAE file",
    ]
    facts = " ".join(map(str, at.table[0].value.to_numpy().ravel()))
    assert "90 × 37" in facts and "42" in facts and codec.model_id.hex() in facts
    assert shown["bar"] is None
    assert [button.label for button in at.get("download_button")] == ["Restored PNG"]
    assert [slider.key for slider in at.slider] == ["batch_quality"]


@pytest.mark.parametrize("damage", ["cut", "altered", "other weights"])
def test_a_damaged_sdae_file_gets_one_sentence(codec, damage):
    data = bytearray(codec.compress(picture(), quality=50))
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[5 if damage == "other weights" else -3] ^= 0xFF
    at = upload(page(), "holiday.sdae", bytes(data))
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith("`holiday.sdae`: ") and error.value.endswith(".")


def test_a_sdae_file_of_too_many_pixels_is_refused_before_it_is_decoded(codec, monkeypatch):
    monkeypatch.setattr(engine, "MAX_RESTORED", 1_000)
    at = upload(page(), "huge.sdae", codec.compress(picture(), quality=50))
    assert not at.exception
    assert "70 × 50 pixels" in at.error[0].value


def test_the_four_peers_meet_our_bytes_and_stand_right_of_the_split():
    at = settle(page(right="JPEG"))
    assert fine(at)
    rows = table(at, "sdae-rivals")
    assert list(rows) == ["SDAE", "JPEG", "JPEG 2000", "WebP", "AVIF"]
    budget = int(rows["SDAE"][0].replace(",", ""))
    for cells in rows.values():
        size, psnr, ssim = (float(cell.replace(",", "")) for cell in cells)
        assert 0.8 * budget < size <= budget
        assert psnr > 20 and 0.5 < ssim <= 1
    assert split(at)["right"]["figures"].startswith(f"{rows['JPEG'][0]} bytes")


def test_a_peer_without_a_file_so_small_says_so_and_leaves_the_original_in_the_split():
    grey = encoded("PNG", np.full((24, 24, 3), 90, "uint8"))
    at = settle(upload(page(quality="1", right="JPEG", left="SDAE"), "grey.png", grey))
    assert fine(at)
    assert table(at, "sdae-rivals")["JPEG"] == ["no file is this small"]
    shown = split(at)
    assert shown["right"]["figures"] == "no file is this small, here the original"
    assert shown["bar"]["point"].endswith("no JPEG file is this small.")


def test_where_png_is_smaller_the_page_says_so_and_offers_it():
    squares = np.uint8(np.indices((96, 96)).sum(0) // 16 % 2 * 255)[..., None].repeat(3, -1)
    at = settle(upload(page(quality="80"), "drawing.png", encoded("PNG", squares)))
    assert fine(at)
    assert any("PNG suits this picture better" in info.value for info in at.info)
    assert "Download PNG" in [button.label for button in at.get("download_button")]


def test_where_another_codec_is_closer_the_page_says_so_and_offers_its_smaller_file(monkeypatch):
    def closer(ours, name="avif", by=1.0):
        return comparison.Rival("AVIF", "as told", b"a" * 20, ours.png, ours.psnr + by, 1.0)

    at = page(quality="50")
    ours = engine.known(engine.prepare(sample("coffee.png"), True), 50)
    rivals = dict.fromkeys(("jpeg", "jpeg2000", "webp"), closer(ours, by=-1)) | {
        "avif": closer(ours)
    }
    monkeypatch.setattr(other_codecs, "search", lambda *question: rivals)
    monkeypatch.setattr(other_codecs, "equal", lambda *question: closer(ours, by=0))
    at.run()
    assert fine(at)
    assert any(info.value.startswith("AVIF is ") for info in at.info)
    assert "AVIF is closer still" in split(at)["bar"]["point"]
    assert "Download AVIF" in [button.label for button in at.get("download_button")]


def test_a_large_picture_is_scaled_down_with_a_notice(monkeypatch):
    monkeypatch.setattr(engine, "LIVE_PIXELS", 5_000)
    at = upload(page(), "large.png", encoded("PNG", picture(200, 100)))
    assert fine(at)
    shown = split(at)
    assert (shown["width"], shown["height"]) == (100, 50)
    notice = at.info[0].value
    assert "100 × 50" in notice and "python -m sdae compress" in notice


def test_many_pictures_become_a_table_and_files(codec):
    at = page(batch_quality="60")
    assert fine(at) and not at.dataframe
    pictures = {"sea.png": picture(61, 43), "Sea.bmp": picture(40, 30, seed=1)}
    uploads = [(name, encoded(name[-3:], rgb), "image/png") for name, rgb in pictures.items()]
    at.file_uploader(key="files").set_value([*uploads, ("words.png", b"words", "image/png")])
    at.run()
    assert not at.exception
    (error,) = at.error
    assert error.value.startswith("`words.png`: This is no picture")
    assert [button.label for button in at.get("download_button")][-2:] == [
        "Download ZIP",
        "Table as CSV",
    ]
    shown = at.dataframe[0].value
    files = [codec.compress(rgb, 60) for rgb in pictures.values()]
    assert list(shown["Picture"]) == list(pictures)
    assert all(preview.startswith("data:image/jpeg;base64,") for preview in shown["Preview"])
    assert list(shown["Original"]) == [len(data) for _, data, _ in uploads]
    assert list(shown["SDAE file"]) == [len(data) for data in files]
    restored = [np.asarray(codec.decompress(data)) for data in files]
    psnr = list(map(metrics.psnr, pictures.values(), restored))
    assert list(shown["PSNR"]) == pytest.approx(psnr)

    kept = {p.name: p for p in at.session_state["batch"].values() if isinstance(p, batch.Packed)}
    assert [kept[name].data for name in pictures] == files
    at.slider(key="batch_quality").set_value(30).run()
    assert (at.dataframe[0].value["SDAE file"] < shown["SDAE file"]).all()


def test_rows_of_many_pictures_fill_one_by_one(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "progress", lambda *_: MagicMock())
    drawn = []
    files = [NamedBytes("one.png", encoded("PNG", picture())), NamedBytes("two.png", b"words")]
    batch.compress_all(files, 40, drawn.append)
    kinds = [[type(row) for row in rows] for rows in drawn]
    assert kinds == [
        [batch.Opened, batch.Opened],  # at once, with names alone
        [batch.Opened, batch.Opened],  # the first with its small picture
        [batch.Packed, batch.Opened],
        [batch.Packed, str],
    ]
    assert not drawn[0][0].preview and drawn[1][0].preview


def test_the_zip_of_many_pictures_holds_each_under_a_name_of_its_own():
    names = batch.file_names(["a.png", "A.jpg", "a-2.png", "b.c.webp"])
    assert names == ["a.sdae", "A-2.sdae", "a-2-2.sdae", "b.c.sdae"]
    whole = batch.zipped(dict.fromkeys(names, b"data"), b"table")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*names, "table.csv"]
        assert archive.read("a.sdae") == b"data" and archive.read("table.csv") == b"table"


class NamedBytes(io.BytesIO):
    """A file as the uploader has it."""

    def __init__(self, name, data):
        super().__init__(data)
        self.name, self.file_id, self.size = name, name, len(data)


def test_missing_weights_are_explained(monkeypatch, tmp_path):
    def load():
        raise sdae.WeightsError("There are no weights called sdae-1; restore the folder.")

    monkeypatch.setattr(sdae, "load", load)
    engine.load.clear()
    at = upload(page(), "new.png", encoded("PNG", picture(seed=99)))
    engine.load.clear()
    assert not at.exception
    assert at.error[0].value == "There are no weights called sdae-1; restore the folder."


def sample(name: str) -> bytes:
    from skimage import data

    return (Path(data.__file__).parent / name).read_bytes()
