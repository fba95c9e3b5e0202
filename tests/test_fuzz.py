"""Hostile files are made as announced, and findings are found."""

import tracemalloc
import zlib
from collections import Counter

import numpy as np
import pytest

import sdae
from sdae.coding import band_bytes, container
from tests import fuzz


@pytest.fixture(scope="module")
def material(codec):
    return fuzz.Material(codec)


def test_hostile_files_give_a_picture_or_one_error(codec):
    said = []
    assert fuzz.findings(codec, 7, range(400), 5, said.append) == 0, said


def test_attacks_get_past_the_checksum_and_into_the_coder(codec, material):
    cases = [fuzz.case(3, number, material) for number in range(200)]
    assert cases[:20] == [fuzz.case(3, number, material) for number in range(20)]
    assert {name for name, _ in cases} == {attack.__name__[1:] for attack, _ in fuzz.ATTACKS}
    reasons = Counter()
    for _, data in cases:
        try:
            codec.unpack(data)
            reasons["none"] += 1
        except sdae.BitstreamError as error:
            reasons[str(error)] += 1
    coder = [reason for reason in reasons if "packed integers" in reason]
    assert len(coder) >= 4 and sum(reasons[reason] for reason in coder) > 50
    assert reasons["none"] > 1


def test_the_material_is_valid_and_opened_at_its_deflate_stream(codec, material):
    modes = Counter()
    for file, (header, before, content) in zip(material.files, material.parts):
        modes[header.mode] += 1
        rebuilt = codec.unpack(container.write(header, fuzz._closed(before, content)))
        np.testing.assert_array_equal(rebuilt.values, codec.unpack(file).values)
    assert modes[container.PLAIN] > 2 and modes[container.CONTEXTS] > 20


class Broken:
    """A codec that fails in a way of its own on some of the files."""

    def __init__(self, codec):
        self._codec, self.card, self.pack = codec, codec.card, codec.pack
        self.tables = codec.tables

    def unpack(self, data):
        self._codec.unpack(data)
        return [][0]


def test_any_other_exception_is_a_finding_that_can_be_repeated(codec):
    said, again = [], []
    assert fuzz.findings(Broken(codec), 1, range(200), 0, said.append) == len(said) > 0
    assert "IndexError: list index out of range" in said[0]
    number = int(said[0].split()[0])
    assert fuzz.findings(Broken(codec), 1, [number], 0, again.append) == 1
    assert again == said[:1]


def test_what_takes_too_long_or_too_much_memory_is_a_finding(codec, monkeypatch):
    clock, peak, said = iter(range(0, 10**6, 20)), iter(range(0, 10**6, 600)), []
    with monkeypatch.context() as slow:
        slow.setattr(fuzz.time, "process_time", lambda: next(clock))
        fuzz.findings(codec, 1, [0], 0, said.append)
    monkeypatch.setattr(fuzz, "peak", lambda: next(peak))
    monkeypatch.setattr(fuzz, "start_over", lambda: next(peak))
    fuzz.findings(codec, 1, [0], 0, said.append)
    assert "took 20.0 s" in said[0] and "took 600 MB of memory" in said[1]


def worst(codec, kind, total) -> bytes:
    """Payloads that take the most memory: noughts as many as any payload may hold, or an escape
    of the longest kind for each integer."""
    *own, last = band_bytes.codes(codec.tables)
    if kind == "noughts":
        content = bytes(7 * total)
    else:
        # The bucket whose escape alone makes a word, and the word of such escapes.
        single = next(k for k, code in enumerate(own) if len(code.encode([code.escape])) == 1)
        mark, marks = own[single].encode([own[single].escape]), last.encode([last.escape])
        content = b"\xff" * single + mark * total + b"\xff" * (len(own) - single)
        content += marks * total + b"\xff" + b"\0\0\1" * total
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytes([codec.tables.channels, 0]) + packer.compress(content) + packer.flush()


@pytest.mark.memory
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
