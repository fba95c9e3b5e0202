"""What tests of pages share: the app without a browser, pictures to drop, and what is drawn."""

import io
import json
import re
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.app_test import calc_hash

import sdae
from pages.shared import engine
from pages.shared.background import Remembered
from sdae.pictures import reading

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests" / "tiny"


@pytest.fixture(scope="module")
def codec():
    """The codec of the pages of a test module: a tiny network, whose answers take a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDAE_WEIGHTS", str(TINY))
        patch.setattr(engine, "_answers", Remembered())
        engine.load.clear()
        engine.queue.clear()
        yield sdae.load()
    engine.load.clear()
    engine.queue.clear()


def app(name: str | None = None, **params) -> AppTest:
    """The app as a browser finds it under these URL parameters, small unless told otherwise."""
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=600)
    at.query_params.update({"size": "128×128"} | params)
    if name:
        at._page_hash = calc_hash(name)  # of the page's address, which `switch_page` cannot take
    return at.run()


def settle(at: AppTest) -> AppTest:
    """Run again, as the browser does by itself, when all that can wait is worked out."""
    while engine.queue()._wanted:
        time.sleep(0.02)
    return at.run()


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


def sample(name: str) -> np.ndarray:
    """A picture of scikit-image at 128×128, as the pages show it."""
    return reading.thumb(reading.read(Path(data.__file__).parent / name).rgb)


def split(at: AppTest) -> dict:
    """What the browser is sent for the split: labels, and the PNG files as arrays."""
    (element,) = at.get("bidi_component")
    sent = element.proto.bytes
    (length,) = struct.unpack_from("<I", sent)
    message, rest, files = json.loads(sent[4 : 4 + length]), sent[4 + length :], {}
    for name, size in message["files"]:
        files[name], rest = reading.read(rest[:size]).rgb, rest[size:]
    for side in ("left", "right", "original"):
        if message[side]:
            message[side]["rgb"] = files[message[side]["id"]]
    return message


def table(at: AppTest, head: str) -> dict[str, list[str]]:
    """A table of the page, the one under this head, as {name of the row: its texts}."""
    (html,) = [h.body for h in at.get("html") if f"<th scope='col'>{head}</th>" in h.body]
    rows = re.findall(r"<tr[^>]*><th scope='row'>(.*?)</th>(.*?)</tr>", html)
    return {
        name.split("<small>")[0]: re.findall(r"<td[^>]*>([^<]+)</td>", cells)
        for name, cells in rows
    }


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.get("download_button")]


def fine(at: AppTest) -> bool:
    return not at.exception and not at.error
