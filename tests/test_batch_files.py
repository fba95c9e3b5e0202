"""What the page for many pictures hands out: names and tables that harm nobody who opens them."""

import io
import time
import zipfile

from pages.compress import batch
from pages.shared.figures import table_csv


def test_names_stay_apart_and_inside_their_folder():
    given = ["a.png", "A.jpg", "\u00e9.png", "e\u0301.png", r"..\..\x.png", "../y.jpg", "con.png"]
    given += ["a:b?.png", ".png", "日本.png"]
    names = batch.file_names(given)
    assert names[:4] == ["a.sdae", "A-2.sdae", "é.sdae", "é-2.sdae"]
    assert names[4:7] == ["x.sdae", "y.sdae", "_con.sdae"]
    assert not any(set(name) & set('/\\:?*"<>|') for name in names)
    assert names[9] == "日本.sdae" and len({name.casefold() for name in names}) == len(given)


def test_an_archive_is_made_before_1980(monkeypatch):
    monkeypatch.setattr(time, "localtime", lambda: time.gmtime(0))
    with zipfile.ZipFile(io.BytesIO(batch.zipped({"a.sdae": b"data"}, b"table"))) as archive:
        assert archive.namelist() == ["a.sdae", "table.csv"] and archive.read("a.sdae") == b"data"
        assert archive.infolist()[0].date_time[0] == 1980
        assert archive.infolist()[0].external_attr >> 16 == 0o644


def test_a_spreadsheet_runs_no_name_as_a_formula():
    listing = table_csv(["Picture", "Bytes"], [("=1+1.png", 5), ("@x.png", None), ("a.png", -3)])
    assert listing.startswith(b"\xef\xbb\xbf")
    lines = listing.decode("utf-8-sig").splitlines()
    assert lines == ["Picture,Bytes", "'=1+1.png,5", "'@x.png,", "a.png,-3"]
