"""Kodak is found, verified and downloaded; nothing here needs the network or the pictures."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from sdae.measuring import kodak
from sdae.measuring.kodak import KodakError
from sdae.pictures import reading


def picture(seed, height=256, width=384):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def small_suite(monkeypatch):
    """Two small pictures in place of the published 24: name → file."""
    files = {f"kodim{n:02}.png": reading.png(picture(n)) for n in (1, 2)}
    monkeypatch.setattr(
        kodak, "KODAK", {name: hashlib.sha256(file).hexdigest() for name, file in files.items()}
    )
    return files


@pytest.fixture
def folder(small_suite, tmp_path):
    for name, file in small_suite.items():
        (tmp_path / name).write_bytes(file)
    return tmp_path


@pytest.fixture
def server(small_suite):
    """A web server that gives the two files, or what a test tells it to."""

    class Answers(dict):
        requests = 0

    answers = Answers(
        {
            f"/{name}": (200, {"Content-Length": len(file)}, file)
            for name, file in small_suite.items()
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answers.requests += 1
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        answers.home = f"http://127.0.0.1:{httpd.server_port}/"
        yield answers
        httpd.shutdown()
        thread.join()


def test_where_the_folder_is(monkeypatch, tmp_path):
    monkeypatch.setenv("SDAE_KODAK", str(tmp_path / "named"))
    assert kodak.folder() == tmp_path / "named"
    assert kodak.folder(tmp_path / "flag") == tmp_path / "flag"
    monkeypatch.delenv("SDAE_KODAK")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert kodak.folder() == tmp_path / "cache" / "sdae" / "kodak"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kodak.folder() == tmp_path / ".cache" / "sdae" / "kodak"


def test_load_refuses_a_missing_or_altered_file(folder):
    (folder / "kodim01.png").write_bytes(reading.png(picture(9)))
    with pytest.raises(KodakError, match="kodim01.png is not the published file"):
        kodak.load("kodim01.png", folder)
    (folder / "kodim01.png").unlink()
    with pytest.raises(KodakError, match="python -m sdae kodak"):
        kodak.load("kodim01.png", folder)


def test_the_sets(folder, tmp_path):
    assert kodak.available(folder) == ["kodim01.png", "kodim02.png"]
    assert kodak.available(tmp_path / "nowhere") == []
    whole = dict(kodak.pictures("kodak", folder))
    assert list(whole) == ["kodim01", "kodim02"]
    assert np.array_equal(whole["kodim01"], picture(1))

    tiles = dict(kodak.pictures("kodak-128", folder))
    assert list(tiles)[:7] == [f"kodim01-{n:02}" for n in range(6)] + ["kodim02-00"]
    assert np.array_equal(tiles["kodim02-04"], picture(2)[128:256, 128:256])

    thumbs = dict(kodak.pictures("kodak-thumb", folder))
    assert list(thumbs) == ["kodim01", "kodim02"]
    assert np.array_equal(thumbs["kodim02"], reading.thumb(picture(2)))


def test_fetch_downloads_once(server, tmp_path, small_suite):
    place = tmp_path / "new" / "folder"
    path = kodak.fetch("kodim01.png", place, server.home)
    assert path == place / "kodim01.png"
    assert path.read_bytes() == small_suite["kodim01.png"]
    assert kodak.fetch("kodim01.png", place, home=server.home) == path
    assert server.requests == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((200, {}, b"something else"), "not the published file"),
        ((200, {}, bytes((2 << 20) + 1)), "not the published file"),
        ((404, {}, b""), "cannot be downloaded .*404"),
    ],
)
def test_a_bad_answer_leaves_no_file(server, tmp_path, answer, sentence):
    server["/kodim01.png"] = answer
    with pytest.raises(KodakError, match=sentence):
        kodak.fetch("kodim01.png", tmp_path, home=server.home)
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_clear_sentence(tmp_path, small_suite):
    with pytest.raises(KodakError, match="check the network") as caught:
        kodak.fetch("kodim01.png", tmp_path, home="http://127.0.0.1:9/", timeout=2)
    assert "SDAE_KODAK" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        kodak.fetch("kodim01.png", tmp_path / "file" / "below", home=server.home)
