"""Files that are made to exhaust memory, to hang or to crash, and processes that fork meanwhile."""

import os
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_files import chunk, png_file, saved
from PIL import Image
from skimage import data

from sdae.pictures.reading import ImageError, read


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.coffee()[40:120, 200:320])


def test_a_bomb_is_refused_before_memory_is_taken():
    # 64 × 64 pixels become 60,000 × 60,000, or 16,384 × 16,384, in the header alone.
    small, big = (struct.pack(">II", side, side) for side in (64, 60_000))
    for kind, old, new in (
        ("PNG", small, big),
        ("JPEG2000", small, big),
        ("JPEG", b"\x08\0\x40\0\x40", b"\x08" + struct.pack(">HH", 60_000, 60_000)),
        ("GIF", struct.pack("<HH", 64, 64), struct.pack("<HH", 60_000, 60_000)),
        ("WEBP", b"*\x40\0\x40\0", b"*\xff\x3f\xff\x3f"),
    ):
        file = saved(Image.new("RGB", (64, 64)), kind)
        assert old in file
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ImageError, match="pixels|damaged"):
                read(file.replace(old, new))


def test_a_jpeg_of_thousands_of_scans_is_refused_at_once(photo):
    file = saved(Image.new("L", (64, 64), 90), "JPEG", progressive=True)
    last_scan = file[file.rindex(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match="100 scans"):
        read(file[:-2] + last_scan * 5000 + file[-2:])
    assert read(saved(photo, "JPEG") + b"\xff\xda" * 500).rgb.shape == photo.shape


def test_what_no_pixel_of_a_png_depends_on_is_passed_over():
    long = zlib.compress(bytes(8 << 20))
    for chunks in (
        [chunk(b"zTXt", b"Comment\0\0" + long)],
        [chunk(b"iCCP", b"name\0\0" + long)],
        [chunk(b"abCd", b"")] * 10_000,
        *([chunk(kind, b"\0")] for kind in (b"gAMA", b"cICP", b"tRNS", b"eXIf", b"acTL")),
    ):
        rgb = read(png_file(1, 1, 8, 2, b"\0\1\2\3", *chunks)).rgb
        assert rgb[0, 0].tolist() == [1, 2, 3]
    file = bytearray(png_file(1, 1, 8, 2, b"\0\1\2\3"))
    file[file.index(b"IDAT") + 8] ^= 1
    with pytest.raises(ImageError, match="PNG file is damaged"):
        read(bytes(file))


FUZZED = [
    saved(Image.linear_gradient("L").resize((40, 30)).convert("RGB"), kind, **options)
    for kind, options in (
        ("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("GIF", {}),
        ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("AVIF", {"speed": 9}),
        ("JPEG2000", {}),
    )
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    file=st.sampled_from(FUZZED),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    end=st.one_of(st.none(), st.integers(0, 600)),
)
def test_altered_files_give_a_picture_or_a_sentence(file, changes, end):
    altered = bytearray(file)
    for position, value in changes:
        altered[position % len(altered)] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rgb = read(bytes(altered[:end]), max_pixels=1_000_000).rgb
        except ImageError as error:
            assert str(error).endswith(".")
        else:
            assert rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3
            assert 0 < rgb.shape[0] * rgb.shape[1] <= 1_000_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_reads_although_threads_of_its_parent_do(photo):
    files = [saved(photo, kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP")]
    expected, ended = [read(file).rgb for file in files], threading.Event()

    def right():
        return all(np.array_equal(read(f).rgb, rgb) for f, rgb in zip(files, expected))

    def work():
        while not ended.is_set():
            right()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # forks beside threads
                child = os.fork()
            if child == 0:
                os._exit(0 if right() else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        ended.set()
        for thread in threads:
            thread.join()
