"""The Kodak page, without a browser."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data
from streamlit.testing.v1 import AppTest

from pages.kodak import charts, findings, live
from sdae import weights
from sdae.measuring import claims, comparison, kodak, noise_study, results
from sdae.measuring.results import OURS, Results
from sdae.pictures import reading
from sdae.training import training_record

ROOT = Path(__file__).parents[1]
OPTIONS = {"effort": 0, "stride": 1, "jobs": 1}
NAMES = ("kodim01", "kodim02", "kodim03")


def rows(codec, scale, large):
    """A made-up curve of six points."""
    words = {OURS: "{}"}.get(codec, "quality {}, 4:2:0")
    found = []
    for step, quality in enumerate((1, 20, 40, 60, 80, 100)):
        row = {
            "setting": quality if codec == OURS else words.format(quality),
            "pixels": 16384,
            "bytes": round(scale * 500 * 1.6**step),
            "psnr": 22.0 + 3 * step,
            "ssim": 0.6 + 0.07 * step,
            "accuracy": 0.7 + 0.04 * step,
            "within_8": 0.9,
            "encode_seconds": 0.01 * scale,
            "decode_seconds": 0.005,
        }
        if codec == OURS:
            row |= {
                "png_bytes": 30_000,
                "latent_bytes": 24_576,
                "plain_bytes": round(1.2 * row["bytes"]),
            }
        if large:
            row["ms_ssim"] = 0.8 + 0.03 * step
        found.append(row)
    return found


def stands_for_the_newest(place, monkeypatch):
    """Whoever asks for the newest weights gets this folder; older ones stay where they are."""
    folder = weights.folder
    newest = None, weights.SHIPPED[-1]
    monkeypatch.setattr(
        weights, "folder", lambda name=None: place if name in newest else folder(name)
    )


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A folder of weights with results of every kind."""
    folder = tmp_path_factory.mktemp("complete")
    shipped = weights.folder()
    for name in ("card.json", "loss.csv", "weights.npz"):
        shutil.copy(shipped / name, folder)
    found = Results(folder, weights.read_card(folder)["sha256"])
    for set_name in kodak.SETS:
        for codec, scale in ((OURS, 1.0), ("jpeg", 1.7), ("webp", 1.1), ("avif", 0.9)):
            for number, name in enumerate(NAMES):
                name += "-00" if set_name == "kodak-128" else ""
                made = rows(codec, scale + number / 5, set_name == "kodak")
                found.add(set_name, codec, name, made, OPTIONS)
            found.finish(set_name, codec, OPTIONS)
    measured = {
        name: {
            "rows": [
                {
                    "sigma": sigma,
                    "clipped": True,
                    "denoiser": denoiser,
                    "level": level,
                    "strength": sigma,
                    "psnr": psnr,
                    "ssim": 0.8,
                }
                for sigma in (0.1, 0.2, 0.3)
                for denoiser, level, psnr in (
                    ("noisy", None, 20.0),
                    (OURS, "known", 28.0),
                    (OURS, "estimated", 27.5),
                )
            ],
            "chains": [
                {
                    "sigma": 0.1,
                    "denoiser": OURS,
                    "codec": OURS,
                    "pixels": 16384,
                    "points": [[900, 25.0, 0.7], [4000, 28.0, 0.8]],
                },
            ],
        }
        for name in NAMES
    }
    noise_study.write(found, claims.SET, OURS, {"qualities": [100]}, measured)
    return folder


@pytest.fixture
def page(complete, monkeypatch):
    """A function: dashboard → the page that shows it, of the made-up results."""
    stands_for_the_newest(complete, monkeypatch)
    return opened


def unchecked(section):
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.switch_page("pages/kodak/page.py")
    at.run()
    return at.segmented_control(key="section").set_value(section).run()


def opened(section, **state):
    at = unchecked(section)
    for key, value in state.items():
        at.segmented_control(key=key).set_value(value).run()
    assert not at.exception and not at.error
    return at


def plots(at):
    """The Plotly figures, as the browser gets them."""
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def tables(at):
    """All that stands in tables."""
    return " ".join(html.body for html in at.get("html")).replace("\u00a0", " ")


def downloads(at):
    return [button.proto.label for button in at.get("download_button")]


@pytest.mark.parametrize(
    "section, figures, files, tables",
    [
        ("Rate and distortion", 1, 1, 3),
        ("Pictures", 2, 2, 2),
        ("Methods", 8, 2, 1),
        ("Noise", 3, 3, 3),
        ("Training", 3, 3, 2),
        ("Claims", 0, 0, 3),
    ],
)
def test_every_dashboard_has_its_figures_with_downloads(page, section, figures, files, tables):
    at = page(section)
    assert len(at.get("plotly_chart")) == figures
    assert downloads(at).count("Figures as CSV") == files
    assert downloads(at).count("Table as CSV") == tables
    assert len(at.caption) >= files


def test_ablations_stand_with_the_training_the_best_first(page, complete):
    (complete.parent / "experiments.csv").write_text(
        "variant,changes,images,minutes,validation_loss,denoised_psnr\n"
        "shipped configuration,,9600,1.7,2.05,24.1\n"
        'half the widths,"widths=(24,48,64)",9600,0.9,2.01,24.6\n'
        "three thirds,,4800,0.5,1.2,20.1\n",
        encoding="utf-8",
    )
    at = page("Training")
    assert downloads(at).count("Table as CSV") == 3
    assert any("9,600 crops" in caption.value for caption in at.caption)
    table = tables(at)
    assert "three thirds" not in table
    assert table.index("half the widths") < table.index("shipped configuration")


def test_the_curve_is_that_of_the_results(page, complete):
    at = page("Rate and distortion", set="kodak-thumb")
    (figure,) = plots(at)
    found = Results(complete, weights.read_card(complete)["sha256"])
    for codec in (OURS, "jpeg", "webp", "avif"):
        (trace,) = [t for t in figure["data"] if t["name"] == results.label(codec)]
        curve = results.curve(found.rows("kodak-thumb", codec))
        assert (trace["x"], trace["y"]) == (curve["bpp"], curve["psnr"])
    assert not any("published" in trace["name"] for trace in figure["data"])


def test_whole_pictures_have_published_curves_and_ms_ssim(page):
    at = page("Rate and distortion", set="kodak", measure="MS-SSIM in dB")
    (figure,) = plots(at)
    published = [t for t in figure["data"] if "published" in t["name"]]
    assert len(published) == 4 and all(t["line"]["dash"] != "solid" for t in published)
    assert any("CompressAI" in caption.value for caption in at.caption)


def test_the_settings_of_methods_move_the_figures(page):
    at = page("Methods")
    before = plots(at)
    at.select_slider(key="bits").set_value(2.0).run()
    at.select_slider(key="target").set_value(0.8).run()
    after = plots(at)
    psnr, size = 0, 4  # the first figure of each panel; ours is the uppermost line
    assert after[psnr]["data"][0]["x"][-1] > before[psnr]["data"][0]["x"][-1]
    assert after[size]["data"][0]["x"][-1] < before[size]["data"][0]["x"][-1]


def test_bars_begin_at_zero_and_all_else_is_a_dot(page):
    for figure in plots(page("Methods")):
        (trace,), axis = figure["data"], figure["layout"]["xaxis"]
        assert (trace["type"] == "bar") == (axis["title"]["text"] == "Bytes")
        if trace["type"] == "bar":
            assert axis["range"][0] == 0
        else:
            assert trace["mode"] == "markers+text"


@pytest.mark.parametrize(
    "section, said",
    [
        (
            "Rate and distortion",
            r"On whole pictures SDAE needs \d+ % fewer bytes than JPEG, .* and "
            r"\d+ % more bytes than AVIF, at equal PSNR\.",
        ),
        (
            "Pictures",
            r"SDAE needs fewer bytes than JPEG on 3 of 3 pictures, from \d+ % \(kodim0\d\)",
        ),
        ("Methods", r"At 1 bit per pixel SDAE reaches [\d.]+ dB, [\d.]+ dB less than AVIF"),
        ("Noise", r"At noise σ 0\.1 SDAE restores 28\.0 dB from 20\.0\."),
        ("Training", r"0\.14 million crops in 6\.1 hours brought the validation loss from"),
        ("Claims", r"The original work states \d+ figures about itself; \d+ were measured"),
    ],
)
def test_each_dashboard_begins_with_its_finding(page, section, said):
    found = page(section).header[0].value
    assert re.match(said, found.replace("\u00a0", " "))
    assert not re.search(r"\d (%|dB|bytes)", found)


def test_the_changes_of_a_finding_are_those_of_the_results():
    changes = {"jpeg": {"psnr": -46.4}, "avif": {"psnr": 18.8}, "webp": {"psnr": None}}
    assert findings.rates("kodak", changes) == (
        "On whole pictures SDAE needs 46 % fewer bytes than JPEG and 19 % more bytes than AVIF, "
        "at equal PSNR."
    )
    assert "no other codec" in findings.rates("kodak", {})
    assert findings.rates("kodak-thumb", {"avif": {"psnr": -0.1}}) == (
        "On pictures scaled to 128×128 SDAE needs as many bytes as AVIF, at equal PSNR."
    )


def test_the_curve_of_avif_is_whole(page):
    (figure,) = plots(page("Rate and distortion"))
    (low, high), (left, right) = (figure["layout"][axis]["range"] for axis in ("yaxis", "xaxis"))
    (trace,) = [t for t in figure["data"] if t["name"] == "AVIF"]
    assert all(left <= x <= right for x in trace["x"])
    assert all(low <= y <= high for y in trace["y"])


def test_numbers_of_a_pair_never_break(page):
    html = tables(page("Rate and distortion"))
    pairs = re.findall(r"<td([^>]*)>[\d.]+ / [\d.]+</td>", html)
    assert pairs and set(pairs) == {" class='number'"}
    assert re.search(r"\.number {[^}]*white-space: nowrap", html)


def test_runs_follow_one_another_on_one_axis(tmp_path):
    head = "epoch,minutes,images,loss,validation_loss\n"
    (tmp_path / "history.csv").write_text(f"{head}1,10,100,9,4\n2,20,200,8,3\n1,5,50,7,2.5\n")
    (tmp_path / "loss.csv").write_text(f"{head}1,1,10,6,2\n2,2,20,5,1\n")
    log = training_record.read(tmp_path)
    assert [row["run"] for row in log] == [1, 1, 2, 3, 3]
    assert [row["all_images"] for row in log] == [100, 200, 250, 260, 270]
    assert [row["all_minutes"] for row in log] == [10, 20, 25, 26, 27]


def test_every_thumbnail_opens_and_is_small(codec):
    sizes = []
    for file in kodak.KODAK:
        data = kodak.thumbnail(file.removesuffix(".png"))
        picture = codec.decompress(data)
        assert picture.size == (128, 128) and np.asarray(picture).std() > 15
        sizes.append(len(data))
    assert max(sizes) < 4500 and sum(sizes) < 60_000


def test_a_picture_is_chosen_in_the_link_and_shows_its_own_curves(
    page, complete, monkeypatch, tmp_path
):
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path))
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.switch_page("pages/kodak/page.py")
    at.query_params.update({"section": "Pictures", "shown": "kodim02"})
    at.run()
    assert not at.exception and not at.error
    (sent,) = [json.loads(e.proto.json) for e in at.get("bidi_component")]
    assert sent["chosen"] == "kodim02" and [p["name"] for p in sent["pictures"]] == list(NAMES)
    found = Results(complete, weights.read_card(complete)["sha256"])
    (trace,) = [t for t in plots(at)[0]["data"] if t["name"] == "SDAE"]
    assert trace["y"] == [row["psnr"] for row in found.rows("kodak", OURS)["kodim02"]]
    assert "kodim02.png is not on this server yet" in at.info[0].value


def test_the_worst_square_is_where_the_error_is():
    original = np.zeros((96, 200, 3), "uint8")
    restored = original.copy()
    restored[70, 150] = 255
    rows, columns = live.worst_square(original, restored)
    assert rows.start <= 70 < rows.stop and columns.start <= 150 < columns.stop
    assert live.worst_square(original[:20, :20], restored[:20, :20])[0].start == 0


def test_the_claims_are_all_there(page):
    at = page("Claims")
    text = tables(at)
    assert "89.92 %" in text and "11,424 elements" in text and "33,799" in text
    assert "20.0 → 28.0 dB" in text


def test_nothing_measured_is_a_sentence_each(page, complete, tmp_path, monkeypatch):
    shutil.copy(complete / "card.json", tmp_path)
    stands_for_the_newest(tmp_path, monkeypatch)
    for section in ("Rate and distortion", "Pictures", "Methods", "Noise", "Training"):
        at = opened(section)
        assert len(at.info) == 1, section
    opened("Claims")


@pytest.fixture
def one_picture(monkeypatch, tmp_path):
    """Kodak is one small picture, which is not here yet; returns (file name, PNG)."""
    png = reading.png(reading.thumb(data.coffee(), 160))
    monkeypatch.setattr(kodak, "KODAK", {"kodim01.png": hashlib.sha256(png).hexdigest()})
    monkeypatch.setattr(kodak, "HOME", "http://127.0.0.1:9/")
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path / "kodak"))
    return "kodim01.png", png


def test_a_picture_that_cannot_be_fetched_is_a_sentence(one_picture):
    at = opened("Live")
    assert "kodim01.png is not on this server yet" in at.info[0].value
    at.button(key="fetch").click().run()
    assert "check the network" in at.error[0].value and not at.exception


def test_a_picture_is_fetched_and_worked_out_anew(one_picture, page, codec, monkeypatch):
    _, png = one_picture

    def fetch(file, path=None, progress=None, home=None, timeout=None):
        progress(len(png) // 2, len(png))
        kodak.folder(path).mkdir(parents=True)
        (kodak.folder(path) / file).write_bytes(png)

    monkeypatch.setattr(kodak, "fetch", fetch)
    at = page("Live", set="kodak-thumb")
    at.button(key="fetch").click().run()
    assert not at.exception and not at.error
    assert len(at.get("bidi_component")) == 1
    metrics = {metric.label: metric.value for metric in at.metric}
    rgb = reading.thumb(data.coffee(), 160)
    rgb = reading.thumb(rgb, 128)
    psnr = comparison.compress(codec, rgb, 48).psnr
    assert metrics["PSNR"] == f"{psnr:.2f} dB"
    assert any("The results hold no quality 48" in caption.value for caption in at.caption)


def test_an_altered_picture_is_a_sentence(one_picture):
    kodak.folder().mkdir(parents=True)
    (kodak.folder() / "kodim01.png").write_bytes(b"altered")
    at = unchecked("Live")
    assert "is not the published file" in at.error[0].value


def test_the_page_opens_without_tensorflow():
    """The two seconds are those of a reader; a busy machine is given more."""
    script = (
        "import sys, time\n"
        "from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('streamlit_app.py', default_timeout=120)\n"
        "at.switch_page('pages/kodak/page.py')\n"
        "begun = time.process_time()\n"
        "at.run()\n"
        "assert not at.exception and len(at.get('plotly_chart')) == 1\n"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)\n"
        "print(time.process_time() - begun)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 4


def test_figures_without_a_measure_leave_a_codec_out():
    curves = {OURS: {"bpp": [1, 2], "psnr": [30, 33]}, "jpeg": {"bpp": [1], "ssim": [0.9]}}
    drawn = charts.rates(curves, "PSNR", {})
    assert [trace.name for trace in drawn.figure.data] == ["SDAE"]
    assert drawn.rows == [("SDAE", 1, 30), ("SDAE", 2, 33)]
