"""The benchmark of visitors of the app: what it makes of their waits, and what it keeps."""

import os
from contextlib import contextmanager
from unittest.mock import Mock

import pytest

from docs import app, load
from sdae.measuring.results import Results


@contextmanager
def server():
    yield "http://nowhere", os.getpid()


@pytest.fixture
def kept(monkeypatch):
    kept = []
    monkeypatch.setattr(Results, "store_bench", lambda self, *figures: kept.append(figures))
    monkeypatch.setattr(app, "server", server)
    return kept


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is told by Linux alone")
def test_visitors_are_compared_with_the_median_and_faults_fail(kept, monkeypatch):
    monkeypatch.setattr(app, "browser", server)
    shown = Mock(return_value=1)
    monkeypatch.setattr(app, "visit", lambda *_: Mock(**{"locator.return_value.count": shown}))
    waits = lambda pages, step: ([1.0, 2.0, 3.0][: len(pages)], [2.0, 4.0, 6.0][: len(pages)])  # noqa: E731
    monkeypatch.setattr(load, "_waited", waits)
    assert load.main(["--visitors", "3"]) == 0
    ((name, figures),) = kept
    assert name == "load" and list(figures) == ["3"]
    assert (figures["3"]["bytes_seconds"], figures["3"]["picture_seconds"]) == (3, 6)
    assert (figures["3"]["slowest"], figures["3"]["faults"]) == (1.5, [])
    assert figures["3"]["peak_mb"] > 10
    shown.return_value = 0
    assert load.main(["--visitors", "1"]) == 1


def test_without_a_browser_one_sentence_says_what_to_do(kept, monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit):
        load.main([])
    assert "install it where the system finds it" in capsys.readouterr().err and not kept
