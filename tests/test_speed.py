"""Time and memory beside other codecs."""

import argparse
import re

import pytest

from sdae.cli import bench
from sdae.measuring import speed, stages


def arguments(*argv):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(argv)


def test_codecs_take_turns_and_the_table_compares_them(capsys):
    assert bench.run(arguments("codec", "--sizes", "40x24", "--rounds", "1")) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("40×24, medians of 1")
    assert [row.split()[0] for row in rows] == list(speed.CODECS)
    ours = rows[0].split()
    assert ours[3] == ours[6] == ours[9] == "1.00"
    assert all(float(row.split()[3]) > 1 for row in rows[1:2])  # no network is as fast as JPEG
    assert all(10 < float(row.split()[-2]) < 500 for row in rows)


def test_the_stages_of_an_answer_take_time(capsys):
    assert bench.run(arguments("stages", "--sizes", "72x40", "--rounds", "1")) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "72×40, medians of 1"
    assert [re.split(r" {2,}", row.strip())[0] for row in rows] == list(stages.STAGES)
    assert all(row.endswith(" ms") for row in rows)


def test_without_a_name_whole_files_are_measured_at_three_sizes(monkeypatch, capsys):
    asked = []

    def measure(size, rounds, *_):
        asked.append((size, rounds))
        return {
            "SDAE": [speed.Turn(1, 2, 3, 4000, 50), speed.Turn(3, 2, 3, 4000, 60)],
            "JPEG": [speed.Turn(0.5, 1, 2, 5000, 40), speed.Turn(1, 1, 2, 5000, 41)],
        }

    monkeypatch.setattr(speed, "measure", measure)
    assert bench.run(arguments()) == 0
    assert asked == [((128, 128), 3), ((768, 512), 3), ((4000, 3000), 3)]
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:4]]
    assert rows[0][1:] == "2,000.0 ms 1.00 2,000.0 ms 1.00 3,000.0 ms 1.00 4,000 60 MB".split()
    assert rows[1][1:] == "750.0 ms 2.50 1,000.0 ms 2.00 2,000.0 ms 1.50 5,000 41 MB".split()


@pytest.mark.parametrize("size", [(700, 500), (30, 20), (1300, 900)])
def test_the_picture_has_the_size_and_its_detail(size):
    picture = speed.picture(size)
    assert picture.size == size
    assert len(picture.resize((40, 40), 0).getcolors(1600)) > 100
