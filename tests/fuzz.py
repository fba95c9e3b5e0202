"""Hostile files: whatever the bytes, reading them gives a picture or `BitstreamError`.

    python -m tests.fuzz --count 10000 --seed 1

    seed, number ──► an attack on small valid files ──► bytes ──► Codec.unpack, some decoded too

A case follows from the seed and its number alone, so each finding can be repeated by itself with
``--seed SEED --first NUMBER --count 1``. A finding is any other exception, a case that takes too
long, or more memory than stated. Exit code 1 where there is one.
"""

import argparse
import sys
import time
import traceback
import zlib

import numpy as np

import sdae
from sdae.codec import MAX_PIXELS, Latent
from sdae.coding import container, deflate, latent_coder
from sdae.coding.container import MAX_SIDE, BitstreamError, Header
from tests import format_reader
from tests.memory import peak, start_over

SECONDS = 10
"""Longest processor time for one file."""

MEGABYTES, BYTES_A_PIXEL = 64, 56
"""The most resident memory that reading a file may take: so many megabytes, and so many bytes for
each pixel that its header states. A header that states too many pixels is refused before."""

_DECODED_PIXELS = 64 * 64
_SIZES = ((1, 1), (8, 8), (7, 17), (33, 20), (40, 64), (64, 64))
_SPREADS = (0, 0.4, 4, 40, 9000)


class Material:
    """Valid files to start from, of every kind that `Codec.pack` writes.

    Attributes:
        files: list of bytes.
        parts: for each, its header, and the payload before its Deflate stream and inside it.
    """

    def __init__(self, codec):
        rng = np.random.default_rng(0)
        channels = codec.card["config"]["latent_channels"]
        self.files = []
        for width, height in _SIZES:
            for spread in _SPREADS:
                shape = -(-height // 8), -(-width // 8), channels
                values = rng.laplace(scale=spread * 0.95 ** np.arange(channels), size=shape)
                values = latent_coder.stored(np.rint(values))
                latent = Latent(values, width, height, int(rng.integers(100, 10001)) / 100)
                self.files.append(codec.pack(latent, plain=len(self.files) % 4 == 3))
        read = [container.read_header(file) for file in self.files]
        presets = codec.tables.presets
        self.parts = [(header, *_opened(header.mode, payload, presets)) for header, payload in read]

    def file(self, rng) -> bytes:
        return self.files[rng.integers(len(self.files))]

    def part(self, rng) -> tuple[Header, bytes, bytes]:
        return self.parts[rng.integers(len(self.parts))]


def _opened(mode, payload, presets):
    """A payload as what stands before a Deflate stream of all that it packs, and that content."""
    if mode == container.PLAIN:
        return payload[:1], deflate.Reader(payload[1:]).rest(1 << 30)
    if payload == b"\0":
        return payload, b""
    return payload[:1] + b"\0", b"\xff".join(format_reader.inflated(payload[1:], presets))


def _closed(before, content):
    """The inverse of `_opened`, one stream for all."""
    if not content:
        return before
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return before + packer.compress(content) + packer.flush()


def _damaged(rng, data: bytes, kinds: int = 6) -> bytes:
    """One to four changes; the first three of ``kinds`` keep the length."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        # Nearer to the start, where a byte decides more.
        start = int(len(changed) * rng.random() ** 2)
        size = int(2 ** rng.uniform(0, 6))
        kind = rng.integers(kinds)
        if kind == 0 and changed:
            changed[start] ^= 1 << rng.integers(8)
        elif kind == 1 and changed:
            changed[start] = rng.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            changed[start : start + size] = rng.bytes(len(changed[start : start + size]))
        elif kind == 3:
            del changed[start : start + size]
        elif kind == 4:
            changed[start:start] = rng.bytes(size)
        elif kind == 5:
            changed[start:start] = changed[start : start + size]
    return bytes(changed)


def _broken(rng, material):
    """Noise, or a file that ends early or has bytes changed, which its checksum should tell."""
    file, kind = material.file(rng), rng.integers(4)
    if kind == 0:
        return file[: rng.choice((0, 4, 9, 19))] + rng.bytes(int(2 ** rng.uniform(0, 10)))
    return file[: rng.integers(len(file))] if kind == 1 else _damaged(rng, file)


def _resealed(rng, material):
    """A changed payload under a checksum that is right."""
    header, payload = container.read_header(material.file(rng))
    return container.write(header, _damaged(rng, payload))


def _repacked(rng, material):
    """A sound Deflate stream whose content, or what stands before it, is changed."""
    header, before, content = material.part(rng)
    kinds = int(rng.choice((3, 6)))
    if rng.random() < 0.3:
        before = _damaged(rng, before, kinds)
    else:
        content = _damaged(rng, content, kinds)
    return container.write(header, _closed(before, content))


def _misstated(rng, material):
    """A sound payload under the header of another picture, of any size that a header can state."""
    header, before, content = material.part(rng)
    sides = 2 ** rng.uniform(0, rng.choice((8, np.log2(MAX_SIDE))), 2)
    code = int(rng.integers(90, 10010))
    mode = int(rng.integers(3)) if rng.random() < 0.2 else header.mode
    changed = Header(header.model_id, mode, *map(int, sides), code)
    return container.write(changed, _closed(before, content))


def _bomb(rng, material):
    """A stream that inflates to a thousand times its bytes, for a picture of up to a megapixel.

    Runs of a byte lie somewhere in sound content, so that they can pass for a large part of it.
    """
    header, before, content = material.part(rng)
    width, height = (int(2 ** rng.uniform(5, 10)) for _ in range(2))
    header = Header(header.model_id, header.mode, width, height, header.quality_code)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(content) + 1))
        byte = rng.choice((0, 1, 255, *content[place - 1 : place]))
        size = int(width * height * 2 ** rng.uniform(-6, 3))
        content = content[:place] + bytes([byte]) * size + content[place:]
    return container.write(header, _closed(before, content))


ATTACKS = ((_broken, 4), (_resealed, 4), (_repacked, 6), (_misstated, 4), (_bomb, 1))
"""Each with how often it is made; most go to those that get past the checksum."""

_RATES = np.array([rate for _, rate in ATTACKS]) / sum(rate for _, rate in ATTACKS)


def case(seed: int, number: int, material: Material) -> tuple[str, bytes]:
    """The name of the attack and the bytes of one hostile file."""
    rng = np.random.default_rng((seed, number))
    attack = ATTACKS[rng.choice(len(ATTACKS), p=_RATES)][0]
    return attack.__name__[1:], attack(rng, material)


def allowance(data: bytes) -> float:
    """Megabytes of memory that reading this file may take."""
    try:
        header, _ = container.read_header(data)
    except BitstreamError:
        return MEGABYTES
    pixels = header.width * header.height
    return MEGABYTES + (BYTES_A_PIXEL * pixels / 1e6 if pixels <= MAX_PIXELS else 0)


def check(codec, data: bytes, decode: bool = False) -> bool:
    """Read one file, and make its pixels if asked and where they are few; whether that was done.

    Raises:
        Exception: anything but `BitstreamError`, which is a finding.
    """
    try:
        latent = codec.unpack(data)
    except BitstreamError as error:
        if not str(error).endswith("."):
            raise AssertionError(f"The message is no sentence: {error}") from error
        return False
    shape = -(-latent.height // 8), -(-latent.width // 8), codec.card["config"]["latent_channels"]
    if latent.values.shape != shape or latent.values.dtype != np.int16:
        raise AssertionError(f"{latent.values.dtype} {latent.values.shape} instead of {shape}")
    if not decode or latent.width * latent.height > _DECODED_PIXELS:
        return False
    size = codec.decode(latent).size
    if size != (latent.width, latent.height):
        raise AssertionError(f"A picture of {size} instead of {latent.width}×{latent.height}.")
    return True


def findings(codec, seed: int, numbers, decode: int, say=print) -> int:
    """Try the files of these numbers; how many findings there were, each said in a line.

    decode: make the pixels of the first so many small pictures.
    """
    material, found, decoded = Material(codec), 0, 0
    for number in numbers:
        name, data = case(seed, number, material)
        begun, start, reason = time.process_time(), start_over(), None
        try:
            decoded += check(codec, data, decoded < decode)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        seconds, memory = time.process_time() - begun, peak() - start
        if seconds > SECONDS:
            reason = reason or f"took {seconds:.1f} s"
        if memory > allowance(data):
            reason = reason or f"took {memory:,.0f} MB of memory"
        if reason:
            found += 1
            say(f"{number} ({name}, {len(data)} bytes): {reason}")
    return found


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="files to try")
    parser.add_argument("--seed", type=int, default=1, help="which files")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--decode", type=int, default=100, help="pictures to restore, at most")
    args = parser.parse_args(argv)
    numbers = range(args.first, args.first + args.count)
    found = findings(sdae.load(), args.seed, numbers, args.decode)
    print(f"{args.count:,} files of seed {args.seed}: {found:,} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
