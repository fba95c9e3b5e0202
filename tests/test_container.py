"""The header of a file: every fault has its sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdae.coding import container
from sdae.coding.container import BitstreamError, Header

HEADERS = st.builds(
    Header,
    model_id=st.binary(min_size=4, max_size=4),
    mode=st.sampled_from([container.PLAIN, container.CONTEXTS]),
    width=st.integers(1, container.MAX_SIDE),
    height=st.integers(1, container.MAX_SIDE),
    quality_code=st.integers(100, 10000),
)
EXAMPLE = Header(b"abcd", container.CONTEXTS, 128, 128, 7500)


@given(HEADERS, st.binary(max_size=200))
def test_header_and_payload_come_back(header, payload):
    assert container.read_header(container.write(header, payload)) == (header, payload)
    assert header.coding == ("plain" if header.mode == container.PLAIN else "contexts")


def test_header_of_a_small_picture_is_at_most_twenty_bytes():
    assert len(container.write(EXAMPLE, b"")) == 19


def test_bytes_are_laid_out_as_documented():
    data = container.write(EXAMPLE, b"payload")
    assert data.hex() == "534441046162636401800180014c1d7ebd37e4" + b"payload".hex()


@given(st.binary(max_size=300))
def test_any_bytes_give_a_header_or_one_error(data):
    for candidate in (data, b"SDA\x04" + data):
        try:
            header, _ = container.read_header(candidate)
        except BitstreamError:
            continue
        assert 1 <= header.width <= container.MAX_SIDE


@given(st.data())
def test_every_altered_byte_is_noticed(data):
    whole = bytearray(container.write(EXAMPLE, b"some payload"))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BitstreamError):
        container.read_header(bytes(whole))


@pytest.mark.parametrize("length", range(len(container.write(EXAMPLE, b"payload"))))
def test_every_truncation_is_noticed(length):
    with pytest.raises(BitstreamError):
        container.read_header(container.write(EXAMPLE, b"payload")[:length])


@pytest.mark.parametrize(
    "data, sentence",
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not a .sdae file"),
        (b"", "not a .sdae file"),
        (b"SDA is a company" + bytes(40), "not a .sdae file"),
        (b"SDA\n" + bytes(40), "not a .sdae file"),
        (b"SDA\x03" + bytes(40), "version 3, of before release 1.0.*make it again"),
        (b"SDA\x05" + bytes(40), "version 5 .*update sdae"),
        (container.write(Header(b"abcd", 9, 1, 1, 100), b""), "mode 9"),
        (container.write(Header(b"abcd", 1, 0, 5, 100), b""), "0×5"),
        (container.write(Header(b"abcd", 1, 70000, 5, 100), b""), "70000×5"),
        (container.write(Header(b"abcd", 1, 5, 5, 10001), b""), "quality"),
        (container.write(EXAMPLE, b"payload")[:-1], "checksum"),
    ],
)
def test_each_fault_has_its_sentence(data, sentence):
    with pytest.raises(BitstreamError, match=sentence):
        container.read_header(data)
