"""The Kodak page on made-up results, without a browser, a network or a codec."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sdae import weights
from sdae.measuring import curves, kodak, noise_study, results
from sdae.measuring.results import OURS, Results
from sdae.training import training_record

ROOT = Path(__file__).parents[1]
NAMES = ("kodim01", "kodim02", "kodim03")
CODECS = {OURS: 1.0, "jpeg": 1.7, "webp": 1.1, "avif": 0.9}
"""Codec → bytes beside ours."""


def rows(codec, scale, large):
    """A made-up curve of six points."""
    points = []
    for step, quality in enumerate((1, 20, 40, 60, 80, 100)):
        size = round(scale * 500 * 1.6**step)
        row = {
            "setting": quality if codec == OURS else f"quality {quality}",
            "pixels": 16384,
            "bytes": size,
            "psnr": 22.0 + 3 * step,
            "ssim": 0.6 + 0.07 * step,
            "accuracy": 0.7 + 0.04 * step,
            "encode_seconds": 1.25 if codec == OURS else 4.5,
            "decode_seconds": 0.5,
        }
        if codec == OURS:
            row |= {"png_bytes": 30_000, "latent_bytes": 24_576, "plain_bytes": round(1.2 * size)}
        points.append(row | ({"ms_ssim": 0.8 + 0.03 * step} if large else {}))
    return points


def noise_rows():
    """A made-up noise study of one picture."""
    levels = (noise_study.NOISY, None, 20.0), (OURS, "known", 28.0), (OURS, "estimated", 27.5)
    return {
        "rows": [
            {"sigma": sigma, "denoiser": name, "level": level}
            | {"strength": sigma, "psnr": psnr, "ssim": 0.8}
            for sigma in (0.1, 0.2, 0.3)
            for name, level, psnr in levels
        ],
        "chains": [
            {"sigma": 0.1, "denoiser": OURS, "codec": OURS, "pixels": 16384}
            | {"points": [[900, 25.0, 0.7], [4000, 28.0, 0.8]]}
        ],
    }


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Made-up results of every kind, beside a copy of the weights that ship."""
    folder = tmp_path_factory.mktemp("weights") / "made-up"
    folder.mkdir()
    for name in ("card.json", "loss.csv", "weights.npz"):
        shutil.copy(weights.folder(weights.SHIPPED[-1]) / name, folder)
    stored, options = Results.of(folder), {"stride": 1}
    for set_name in kodak.SETS:
        for codec, scale in CODECS.items():
            for number, name in enumerate(NAMES):
                name += "-00" if set_name == "kodak-128" else ""
                made = rows(codec, scale + number / 5, set_name == "kodak")
                stored.add(set_name, codec, name, made, options)
    for name in NAMES:
        stored.add("noise-kodak-thumb", OURS, name, noise_rows(), options)
    stored.store_bench("codec", {"768×512": {"AVIF": {"processor": 0.25}}})
    return stored


@pytest.fixture
def visit(stored, tmp_path, monkeypatch):
    """A function: view and parameters of the address → the app on that view of the page."""
    monkeypatch.setenv("SDAE_WEIGHTS", str(stored.folder.parent))
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path))

    def visit(view, **parameters):
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=600).run()
        at.switch_page("pages/kodak/page.py")
        at.query_params.update({"section": view, **parameters})
        at.run()
        assert not at.exception and not at.error and len(at.title) == 1
        assert all(chart.proto.alt for chart in at.get("plotly_chart"))
        return at

    return visit


def figures(at):
    """The Plotly figures, as the browser gets them: name of a trace → trace."""
    specs = (json.loads(chart.proto.spec) for chart in at.get("plotly_chart"))
    return [{trace["name"]: trace for trace in spec["data"]} for spec in specs]


def table(at, head):
    """The table whose first column has this head, as lists of cells."""
    (found,) = [each.value for each in at.table if each.value.columns[0] == head]
    return found.values.tolist()


def plain(text):
    return text.replace("\u00a0", " ")


def test_rates_are_those_of_the_results(visit, stored):
    at = visit("Rate and distortion")
    assert re.match(
        r"On whole pictures SDAE needs \d+ % fewer bytes than JPEG, .* and \d+ % more bytes than "
        r"AVIF, at equal PSNR\.",
        plain(at.header[0].value),
    )
    (figure,) = figures(at)
    for codec in CODECS:
        trace = figure[results.label(codec)]
        curve = curves.curve(stored.rows("kodak", codec))
        assert (trace["x"], trace["y"]) == (curve["bpp"], curve["psnr"])
    published = [figure[name] for name in results.published()["curves"]]
    assert len(published) == 4 and all(trace["line"]["dash"] != "solid" for trace in published)
    assert [row[0] for row in table(at, "against")] == ["JPEG", "WebP", "AVIF"]
    # No number leaves its pair.
    assert re.fullmatch(r"[\d.]+\u00a0/\u00a0[\d.]+", table(at, "bits per pixel")[3][1])

    psnr = figure["SDAE"]["y"]
    at.segmented_control(key="set").set_value("kodak-thumb").run()
    at.segmented_control(key="measure").set_value("SSIM in dB").run()
    (figure,) = figures(at)
    assert set(figure) == {results.label(codec) for codec in CODECS}
    assert figure["SDAE"]["y"] != psnr and figure["SDAE"]["y"][0] == pytest.approx(3.98, abs=0.01)


def test_speed_names_the_setting(visit):
    at = visit("Rate and distortion")
    (said,) = [each.value for each in at.markdown if each.value.startswith("Processor")]
    assert plain(said) == (
        "Processor time to compress and restore a picture: 1.8 s with SDAE, 5 s with AVIF at its "
        "slowest, as in the curves and 0.25 s with AVIF by Pillow's defaults."
    )
    assert table(at, "codec")[-1] == ["AVIF", "by Pillow's defaults", "250.0"]


def test_a_picture_is_chosen_in_the_link_and_shows_its_own_curves(visit, stored):
    at = visit("Pictures", shown="kodim02")
    assert re.match(
        r"SDAE needs fewer bytes than JPEG on 3 of 3 pictures, from \d+ % \(kodim0\d\)",
        plain(at.header[0].value),
    )
    curve = curves.curve({"kodim02": stored.rows("kodak", OURS)["kodim02"]})
    assert figures(at)[0]["SDAE"]["y"] == curve["psnr"]
    assert any("kodim02.png itself is not on" in each.value for each in at.caption)
    (shown,) = at.dataframe
    assert list(shown.value["picture"]) == list(NAMES)
    assert shown.value["bytes"].tolist() == [
        curves.at_setting(stored.rows("kodak", OURS)[name], 40)["bytes"] for name in NAMES
    ]
    (kodak.folder() / "kodim02.png").write_bytes(b"here")
    at.run()
    link = at.get("page_link")[-1]
    assert "kodim02.png" in link.proto.query_string


def test_noise_is_that_of_the_study(visit):
    at = visit("Noise")
    assert plain(at.header[0].value) == "At noise σ 0.1 SDAE restores 28.0 dB from 20.0."
    assert at.segmented_control(key="noise").options == ["Scaled to 128×128"]
    (sweep,) = figures(at)
    assert sweep["SDAE"]["y"] == [28.0] * 3 and sweep["Noisy"]["y"] == [20.0] * 3
    assert plain(table(at, "sigma")[0][1]) == "20.00 / 0.800"
    assert [row[0] for row in table(at, "denoiser, codec")] == ["SDAE, SDAE"]


def test_training_shows_one_chart_of_loss_and_the_settings(visit):
    at = visit("Training")
    assert "million crops" in plain(at.header[0].value)
    (figure,) = figures(at)
    assert {"Training", "Validation"} <= set(figure)
    rows = [row[0] for row in table(at, "setting")]
    assert "crops" in rows and "epochs that were run" in rows


def test_the_claims_are_all_there(visit):
    at = visit("Claims")
    assert plain(at.header[0].value).startswith("The original work states 12 figures")
    cells = plain(" ".join(cell for row in table(at, "Quantity") for cell in row))
    assert "89.92 %" in cells and "11,424 elements" in cells and "20.0 → 28.0 dB" in cells


def test_nothing_measured_is_a_sentence_each(visit, stored, tmp_path, monkeypatch):
    shutil.copy(stored.folder.parent / "card.json", tmp_path)
    monkeypatch.setenv("SDAE_WEIGHTS", str(tmp_path))
    for view in ("Rate and distortion", "Pictures", "Noise"):
        assert len(visit(view).info) == 1, view
    assert "without a record" in visit("Training").header[0].value
    assert table(visit("Claims"), "Quantity")[0][2] == "not measured yet"


def test_runs_follow_one_another_on_one_axis(tmp_path):
    head = "epoch,minutes,images,loss,validation_loss\n"
    (tmp_path / "history.csv").write_text(f"{head}1,10,100,9,4\n2,20,200,8,3\n1,5,50,7,2.5\n")
    (tmp_path / "loss.csv").write_text(f"{head}1,1,10,6,2\n2,2,20,5,1\n")
    log = training_record.read(tmp_path)
    assert [row["run"] for row in log] == [1, 1, 2, 3, 3]
    assert [row["all_images"] for row in log] == [100, 200, 250, 260, 270]
    assert [row["all_minutes"] for row in log] == [10, 20, 25, 26, 27]


def test_every_thumbnail_opens_and_is_small(codec):
    files = [kodak.thumbnail(name.removesuffix(".png")) for name in kodak.KODAK]
    for data in files:
        picture = codec.decompress(data)
        assert picture.size == (128, 128) and np.asarray(picture).std() > 15
    assert max(map(len, files)) < 4500 and sum(map(len, files)) < 60_000
