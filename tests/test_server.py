"""What a small server may rely on: memory, start, privacy."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]

SERVER = """
import gc, io, sys
import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest
from tests import memory

def run(page, **params):
    at = AppTest.from_file("streamlit_app.py", default_timeout=600)
    at.query_params.update(params)
    return at.switch_page(page).run() if page else at.run()

at = run(None, source="Camera")
file = io.BytesIO()
rng = np.random.default_rng(0)
Image.fromarray(rng.integers(0, 256, (512, 768, 3), "uint8")).save(file, "PNG")
at.file_uploader[0].set_value(("noise.png", file.getvalue(), "image/png")).run()
assert not at.exception and not at.error, at
assert any("Download" in button.proto.label for button in at.get("download_button"))
for page in sys.argv[1:]:
    assert not run(page, size="128×128").exception
assert gc.get_freeze_count() > 100_000  # else a collection after each run takes tenths of a second
heavy = {"tensorflow", "keras"} & set(sys.modules)
assert not heavy, heavy
print(memory.peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_the_first_picture_and_the_dashboards_need_no_tensorflow_and_fit_a_small_server():
    pages = ["pages/denoise/page.py", "pages/kodak/page.py"]
    server = subprocess.run(
        [sys.executable, "-c", SERVER, *pages], cwd=ROOT, capture_output=True, text=True
    )
    assert server.returncode == 0, server.stderr[-3000:]
    assert float(server.stdout.split()[-1]) < 900


_opened = None


def _watch(event, arguments):
    if _opened is not None and event == "open":
        path, mode, flags = arguments
        if (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or set(mode or "") & set("wax+"):
            _opened.append(path)


def test_nothing_that_is_uploaded_is_written_or_logged(caplog, capfd):
    global _opened
    sys.addaudithook(_watch)
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=600)
    at.query_params["size"] = "128×128"
    at.run()
    file = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), 77, "uint8")).save(file, "PNG")
    _opened = []
    try:
        with caplog.at_level(logging.DEBUG):
            at.file_uploader[0].set_value(("secret-name.png", file.getvalue(), "image/png")).run()
        written = [path for path in _opened if "__pycache__" not in str(path)]
    finally:
        _opened = None
    assert not at.exception and not at.error
    assert written == []
    said = caplog.text + "".join(capfd.readouterr())
    assert "secret-name" not in said
