"""The Kodak page, without a browser."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from skimage import data
from streamlit.testing.v1 import AppTest

from sdae.measuring import claims, comparison, kodak, noise_study, results
from sdae.measuring.results import OURS, Results
from sdae.model import weights
from sdae.pictures import reading
from sdae.ui.kodak import charts

ROOT = Path(__file__).parents[1]
OPTIONS = {"effort": 0, "stride": 1, "jobs": 1}
NAMES = ("kodim01", "kodim02", "kodim03")


def rows(codec, scale, large):
    """A made-up curve of six points."""
    words = {OURS: "{}"}.get(codec, "quality {}, 4:2:0")
    found = []
    for step, quality in enumerate((1, 20, 40, 60, 80, 100)):
        row = {"setting": quality if codec == OURS else words.format(quality), "pixels": 16384,
               "bytes": round(scale * 500 * 1.6**step), "psnr": 22.0 + 3 * step,
               "ssim": 0.6 + 0.07 * step, "accuracy": 0.7 + 0.04 * step, "within_8": 0.9,
               "encode_seconds": 0.01 * scale, "decode_seconds": 0.005}
        if codec == OURS:
            row |= {"png_bytes": 30_000, "latent_bytes": 24_576,
                    "plain_bytes": round(1.2 * row["bytes"])}
        if large:
            row["ms_ssim"] = 0.8 + 0.03 * step
        found.append(row)
    return found


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
    measured = {name: {"rows": [
        {"sigma": sigma, "clipped": True, "denoiser": denoiser, "level": level, "strength": sigma,
         "psnr": psnr, "ssim": 0.8}
        for sigma in (0.1, 0.2, 0.3)
        for denoiser, level, psnr in (("noisy", None, 20.0), (OURS, "known", 28.0),
                                      (OURS, "estimated", 27.5))
    ], "chains": [
        {"sigma": 0.1, "denoiser": OURS, "codec": OURS, "pixels": 16384,
         "points": [[900, 25.0, 0.7], [4000, 28.0, 0.8]]},
    ]} for name in NAMES}
    noise_study.write(found, claims.SET, OURS, {"qualities": [100]}, measured)
    return folder


@pytest.fixture
def page(complete, monkeypatch):
    """A function: dashboard → the page that shows it, of the made-up results."""
    monkeypatch.setattr(weights, "folder", lambda name=None: complete)
    return opened


def unchecked(section):
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    at.switch_page("pages/kodak.py")
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


def downloads(at):
    return [button.proto.label for button in at.get("download_button")]


@pytest.mark.parametrize(
    "section, figures, files, tables",
    [("Rate and distortion", 1, 1, 3), ("Pictures", 2, 2, 2), ("Methods", 10, 2, 1),
     ("Noise", 3, 3, 3), ("Training", 3, 3, 2), ("Claims", 0, 0, 3)],
)
def test_every_dashboard_has_its_figures_with_downloads(page, section, figures, files,
                                                         tables):
    at = page(section)
    assert len(at.get("plotly_chart")) == figures
    assert downloads(at).count("Figures as CSV") == files
    assert downloads(at).count("Table as CSV") == tables
    assert len(at.caption) >= files


def test_ablations_stand_with_the_training_the_best_first(page, complete):
    (complete.parent / "experiments.csv").write_text(
        "variant,changes,images,minutes,validation_loss,denoised_psnr\n"
        "shipped configuration,,9600,1.7,2.05,24.1\n"
        "half the widths,\"widths=(24,48,64)\",9600,0.9,2.01,24.6\n", encoding="utf-8",
    )
    at = page("Training")
    assert downloads(at).count("Table as CSV") == 3
    assert any("9,600 crops" in caption.value for caption in at.caption)
    (table,) = [m.value for m in at.markdown if "half the widths" in m.value]
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
    psnr, size = 0, 5  # the first figure of each panel
    assert after[psnr]["data"][0]["y"][0] > before[psnr]["data"][0]["y"][0]
    assert after[size]["data"][0]["y"][0] < before[size]["data"][0]["y"][0]


def test_the_claims_are_all_there(page):
    at = page("Claims")
    text = " ".join(markdown.value for markdown in at.markdown)
    assert "89.92 %" in text and "11,424 elements" in text and "33,799" in text
    assert "20.0 → 28.0 dB" in text


def test_nothing_measured_is_a_sentence_each(page, complete, tmp_path, monkeypatch):
    shutil.copy(complete / "card.json", tmp_path)
    monkeypatch.setattr(weights, "folder", lambda name=None: tmp_path)
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
        "at.switch_page('pages/kodak.py')\n"
        "begun = time.process_time()\n"
        "at.run()\n"
        "assert not at.exception and len(at.get('plotly_chart')) == 1\n"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)\n"
        "print(time.process_time() - begun)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 4


def test_figures_without_a_measure_leave_a_codec_out():
    curves = {OURS: {"bpp": [1, 2], "psnr": [30, 33]}, "jpeg": {"bpp": [1], "ssim": [0.9]}}
    drawn = charts.rates(curves, "PSNR", {})
    assert [trace.name for trace in drawn.figure.data] == ["SDAE"]
    assert drawn.rows == [("SDAE", 1, 30), ("SDAE", 2, 33)]
