import argparse
import tracemalloc
import zlib
from collections import Counter

import numpy as np
import pytest

import sdae
from sdae.cli import fuzz as command
from sdae.coding import band_bytes, container
from sdae.measuring import fuzz


@pytest.fixture(scope="module")
def material(codec):
    return fuzz.Material(codec)


def arguments(*argv):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(map(str, argv))


def test_hostile_files_give_a_picture_or_one_error(codec, monkeypatch, capsys):
    monkeypatch.setattr(sdae, "load", lambda _: codec)
    assert command.run(arguments("--count", 1000, "--seed", 7, "--decode", 10)) == 0
    out = capsys.readouterr().out
    assert "1,000 files of seed 7: 0 findings; 10 decoded" in out


def test_the_material_is_valid_and_opened_at_its_deflate_stream(codec, material):
    modes = Counter()
    for file, (header, before, content) in zip(material.files, material.parts):
        codec.unpack(file)
        modes[header.mode] += 1
        rebuilt = codec.unpack(container.write(header, fuzz._closed(before, content)))
        np.testing.assert_array_equal(rebuilt.values, codec.unpack(file).values)
    assert modes[container.PLAIN] > 2 and modes[container.CONTEXTS] > 20


def test_a_case_follows_from_seed_and_number(material):
    cases = [fuzz.case(3, number, material) for number in range(200)]
    assert cases == [fuzz.case(3, number, material) for number in range(200)]
    assert cases != [fuzz.case(4, number, material) for number in range(200)]
    assert {name for name, _ in cases} == {attack.__name__[1:] for attack, _ in fuzz.ATTACKS}


def test_attacks_get_past_the_checksum_and_into_the_coder(codec, material):
    reasons = Counter()
    for number in range(500):
        try:
            codec.unpack(fuzz.case(1, number, material)[1])
            reasons["none"] += 1
        except sdae.BitstreamError as error:
            reasons[str(error)] += 1
    coder = [reason for reason in reasons if "packed integers" in reason]
    assert len(coder) >= 4 and sum(reasons[reason] for reason in coder) > 150
    assert reasons["none"] > 5


class Broken:
    """A codec that fails in a way of its own on some of the files."""

    def __init__(self, codec, fail):
        self._codec, self._fail = codec, fail
        self.card, self.pack = codec.card, codec.pack

    def unpack(self, data):
        latent = self._codec.unpack(data)
        self._fail()
        return latent


def test_any_other_exception_is_a_finding_that_can_be_repeated(
    codec, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(sdae, "load", lambda _: Broken(codec, lambda: [][0]))
    assert command.run(arguments("--count", 200, "--decode", 0, "--keep", tmp_path)) == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert "IndexError: list index out of range (test_fuzz.py:" in first
    number = first.split()[0]
    kept = (tmp_path / f"1-{number}.sdae").read_bytes()
    assert command.run(arguments("--first", number, "--count", 1, "--decode", 0)) == 1
    assert capsys.readouterr().err.splitlines() == [first]
    assert codec.unpack(kept).values.dtype == np.int16


def test_what_takes_too_long_or_too_much_memory_is_a_finding(codec, monkeypatch, capsys):
    clock, peak = iter(range(0, 10**6, 20)), iter(range(0, 10**6, 600))
    monkeypatch.setattr(sdae, "load", lambda _: codec)
    with monkeypatch.context() as slow:
        slow.setattr(command.time, "process_time", lambda: next(clock))
        assert command.run(arguments("--count", 1, "--decode", 0)) == 1
    assert "took 20.0 s" in capsys.readouterr().err
    monkeypatch.setattr(command, "peak", lambda: next(peak))
    assert command.run(arguments("--count", 1, "--decode", 0)) == 1
    assert "took 600 MB of memory" in capsys.readouterr().err


def worst(codec, kind, total) -> bytes:
    """Payloads that take the most memory: noughts as many as any payload may hold, or an escape
    of the longest kind for each integer."""
    *own, last = band_bytes.codes(codec.tables)
    if kind == "noughts":
        content = bytes(7 * total)
    else:
        # The bucket whose escape alone makes a word, and the word of such escapes.
        single = next(k for k, code in enumerate(own) if len(code.encode([code.escape])) == 2)
        mark, marks = own[single].encode([own[single].escape])[:1], last.encode([last.escape])[:-1]
        content = b"\xff" * single + mark * total + b"\xff" * (len(own) - single)
        content += marks * total + b"\xff" + b"\0\0\0\1" * total
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytes([codec.tables.channels]) + packer.compress(content) + packer.flush()


@pytest.mark.parametrize("kind", ["noughts", "escapes"])
def test_the_worst_payloads_stay_within_the_bound(codec, kind):
    side = 1024
    payload = worst(codec, kind, (side // 8) ** 2 * codec.tables.channels)
    header = container.Header(codec.model_id, container.CONTEXTS, side, side, 7500)
    data = container.write(header, payload)
    assert len(data) < side * side / 10
    tracemalloc.start()
    try:
        with pytest.raises(sdae.BitstreamError):
            codec.unpack(data)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 1e6 * fuzz.allowance(data)


def test_what_a_file_may_take_follows_from_its_header(codec):
    header = container.Header(codec.model_id, container.CONTEXTS, 1000, 2000, 7500)
    assert fuzz.allowance(container.write(header, b"x")) == fuzz.MEGABYTES + 2 * fuzz.BYTES_A_PIXEL
    assert fuzz.allowance(b"nothing") == fuzz.MEGABYTES
    giant = container.Header(codec.model_id, container.CONTEXTS, 60000, 60000, 7500)
    assert fuzz.allowance(container.write(giant, b"x")) == fuzz.MEGABYTES
