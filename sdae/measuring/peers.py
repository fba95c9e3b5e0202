"""JPEG, JPEG 2000, WebP and AVIF, each at its best, for comparison at equal bytes or quality.

A size is that of a whole file which any reader of its format opens, without metadata:

- JPEG: optimised Huffman tables; the better of 4:2:0 and 4:4:4, sequential or progressive.
- JPEG 2000: the irreversible 9/7 transform with its colour transform, one layer, as a bare
  codestream (.j2k), which is 85 bytes smaller than a .jp2 box and needs no more to be shown; the
  encoder's signature (an optional comment of 39 bytes) is left out. As many resolutions as bring
  the shorter side down to about 16 pixels.
- WebP: lossy, method 6 (the slowest), 4:2:0 as the format demands.
- AVIF: AV1 by libaom, tuned for SSIM, which also gives more dB than libavif's own setting for
  still pictures; no tiles. Up to 256×256 pixels speed 0, the slowest, and the better of 4:2:0 and
  4:4:4; above, where a file takes seconds, speed 1, for less than 0.1 dB, and 4:4:4 alone: on six
  validation photographs 4:2:0 never had more dB at the same bytes, but up to 8 % fewer bytes at
  the same SSIM on five of them.

`effort="fast"` is for a page that waits: AVIF alone gives way, to speed 6 and 4:4:4 only.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import PIL
from PIL import AvifImagePlugin, Image, features

from sdae.measuring import metrics

EFFORTS = ("slow", "fast")


@dataclass(frozen=True)
class Encoded:
    """One picture as one file of a peer.

    name: key of PEERS; label: its name for people.
    data: the whole file.
    rgb: what the file decodes to, uint8 (H, W, 3).
    settings: what the encoder was told, for people.
    encode_seconds, decode_seconds: processor time of this file, from and to pixels, with that of
        all else that the process did meanwhile.
    """

    name: str
    label: str
    data: bytes
    rgb: np.ndarray
    settings: str
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True)
class Peer:
    """A codec to compare with.

    name, label: as in Encoded.
    qualities: the settings of its encoder, from the smallest file to the largest.
    spread: some of them, over the useful sizes, for a curve.
    max_side: the longest side that it stores, in pixels.
    variants: (PIL image, effort) → its further choices, of which the best is taken.
    has_rough: whether `encode` knows a third effort, "rough", that takes a fraction of the time
        for a file of much the same size and quality, so that a search can start from there.
    encode: (PIL image, quality, variant, effort) → whole file.
    describe: (PIL image, quality, variant, effort) → the settings in words.
    """

    name: str
    label: str
    qualities: range
    spread: tuple[int, ...]
    max_side: int
    variants: Callable[[Image.Image, str], tuple[str, ...]]
    encode: Callable[[Image.Image, int, str, str], bytes]
    describe: Callable[[Image.Image, int, str, str], str]
    has_rough: bool = False


def at_bytes(
    name: str,
    rgb: np.ndarray,
    budget: int,
    effort: str = "slow",
    variants: Iterable[str] | None = None,
    pause=lambda: None,
) -> Encoded | None:
    """The best file of a peer that has at most `budget` bytes.

    For each variant of the peer the highest quality whose file fits is found by binary search;
    of these files the one with the highest PSNR is taken.

    name: key of PEERS; rgb: uint8 (H, W, 3); effort: "slow" or "fast"; variants: those of the
    peer's that may be taken, by default all.
    pause: called before each encoding; it may wait, or raise to end the search.
    Returns None when even the smallest file is larger, or when the peer stores no picture this
    wide or high. Raises ValueError for an unknown name or effort, or for another array.
    """
    found = []
    for files in _variants(name, rgb, effort, pause):
        if variants is not None and files.variant not in variants:
            continue
        step = files.first(lambda files, step: len(files.data(step)) > budget) - 1
        if step >= 0:
            found.append(files.encoded(step))
    return max(found, key=lambda encoded: metrics.psnr(rgb, encoded.rgb), default=None)


def at_quality(
    name: str,
    rgb: np.ndarray,
    metric: Callable[[np.ndarray, np.ndarray], float],
    target: float,
    effort: str = "slow",
    pause=lambda: None,
) -> Encoded | None:
    """The smallest file of a peer that reaches `target`.

    metric: (original, decoded) → a number that rises with quality, such as `metrics.psnr`.
    For each variant the lowest quality that reaches the target is found by binary search.

    name, rgb, effort, pause and errors: as in `at_bytes`. Returns None when no setting reaches it.
    """
    found = []
    for files in _variants(name, rgb, effort, pause):
        step = files.first(lambda files, step: metric(rgb, files.encoded(step).rgb) >= target)
        if step < len(files.peer.qualities):
            found.append(files.encoded(step))
    return min(found, key=lambda encoded: len(encoded.data), default=None)


def curve(
    name: str, rgb: np.ndarray, qualities: Iterable[int] | None = None, effort: str = "slow"
) -> list[Encoded]:
    """The rate–distortion curve of a peer on one picture, from the smallest file upwards.

    qualities: members of the peer's `qualities`; by default its `spread`.
    Every variant is encoded at every quality. A file stays where its variant is the best: no
    smaller file of any variant has its PSNR, nor has another variant at the same bytes, read off
    between its files. Bytes and PSNR rise strictly along the list.

    name, rgb, effort and errors: as in `at_bytes`; ValueError also for a quality that the peer
    does not have. Empty when the peer stores no picture this wide or high.
    """
    variants, peer = _variants(name, rgb, effort), PEERS[name]
    qualities = peer.spread if qualities is None else list(qualities)
    if unknown := set(qualities) - set(peer.qualities):
        raise ValueError(
            f"{peer.label} has no quality {min(unknown)}; choose from {peer.qualities[0]} to "
            f"{peer.qualities[-1]}."
        )
    curves = []
    for files in variants:
        steps = map(peer.qualities.index, qualities)
        curves.append(_front(_Point.of(files.encoded(step), rgb) for step in steps))
    best = _front(
        point
        for own in curves
        for point in own
        if all(point.psnr >= _read_off(other, point.size) for other in curves if other is not own)
    )
    return [point.encoded for point in best]


class _Point(NamedTuple):
    size: int
    psnr: float
    encoded: Encoded

    @classmethod
    def of(cls, encoded: Encoded, rgb: np.ndarray) -> _Point:
        # No picture that is not identical comes near 100 dB, and infinity cannot be read between.
        return cls(len(encoded.data), min(metrics.psnr(rgb, encoded.rgb), 100.0), encoded)


def _front(points: Iterable[_Point]) -> list[_Point]:
    """The points that no smaller one matches, by size."""
    front = []
    for point in sorted(points, key=lambda point: (point.size, -point.psnr)):
        if not front or point.psnr > front[-1].psnr:
            front.append(point)
    return front


def _read_off(front: list[_Point], size: int) -> float:
    """PSNR of a curve at a size, linear over the logarithm; minus infinity below its smallest."""
    sizes, values = [math.log(point.size) for point in front], [point.psnr for point in front]
    return float(np.interp(math.log(size), sizes, values, left=-math.inf))


def versions() -> dict[str, str | None]:
    """Library → version, of everything that takes part in encoding; None where it is missing."""
    return {
        "Pillow": PIL.__version__,
        "libjpeg-turbo": features.version("libjpeg_turbo") or features.version("jpg"),
        "OpenJPEG": features.version("jpg_2000"),
        "libwebp": features.version("webp"),
        "libavif": features.version("avif"),
        "libaom": AvifImagePlugin.get_codec_version("aom"),
    }


# --- searching ------------------------------------------------------------------------------


class _Files:
    """The files of one picture by one variant of a peer, encoded when they are asked for.

    A step is an index into the peer's `qualities`.
    """

    def __init__(self, peer: Peer, image: Image.Image, variant: str, effort: str, pause):
        self.peer, self.image, self.variant, self.effort = peer, image, variant, effort
        self._pause = pause
        self._files: dict[int, tuple[bytes, float]] = {}

    def data(self, step: int) -> bytes:
        return self._file(step)[0]

    def _file(self, step: int) -> tuple[bytes, float]:
        if step not in self._files:
            self._pause()
            begun = time.process_time()
            data = self.peer.encode(self.image, *self._settings(step))
            self._files[step] = data, time.process_time() - begun
        return self._files[step]

    def encoded(self, step: int) -> Encoded:
        data, encode_seconds = self._file(step)
        begun = time.process_time()
        rgb = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
        return Encoded(
            self.peer.name,
            self.peer.label,
            data,
            rgb,
            self.peer.describe(self.image, *self._settings(step)),
            encode_seconds,
            time.process_time() - begun,
        )

    def first(self, passes: Callable[[_Files, int], bool]) -> int:
        """The first step that passes, where all steps after it do too; their number if none."""
        guess = None
        if self.peer.has_rough and self.effort != "rough":
            rough = _Files(self.peer, self.image, self.variant, "rough", self._pause)
            guess = rough.first(passes)
        return _first(len(self.peer.qualities), lambda step: passes(self, step), guess)

    def _settings(self, step: int) -> tuple[int, str, str]:
        return self.peer.qualities[step], self.variant, self.effort


def _first(count: int, passes: Callable[[int], bool], guess: int | None = None) -> int:
    """The first i below `count` with passes(i), `count` if there is none, by bisection.

    From a guess it first strides away, in doubling steps, to both sides of the answer.
    """
    low, high, stride = -1, count, 1
    while high - low > 1:
        if guess is None or (low >= 0 and high < count):
            i = (low + high) // 2
        elif low < 0 and high == count:
            i = min(guess, count - 1)
        else:
            i = max(high - stride, 0) if low < 0 else min(low + stride, count - 1)
            stride *= 2
        if passes(i):
            high = i
        else:
            low = i
    return high


def _variants(name: str, rgb: np.ndarray, effort: str, pause=lambda: None) -> list[_Files]:
    if name not in PEERS:
        raise ValueError(f"There is no peer {name!r}; choose one of {', '.join(PEERS)}.")
    if effort not in EFFORTS:
        raise ValueError(f"There is no effort {effort!r}; choose one of {', '.join(EFFORTS)}.")
    if (
        not isinstance(rgb, np.ndarray)
        or rgb.dtype != np.uint8
        or rgb.shape[2:] != (3,)
        or rgb.size == 0
    ):
        raise ValueError("A picture to encode must be a uint8 array of shape (H, W, 3).")
    peer = PEERS[name]
    if max(rgb.shape[:2]) > peer.max_side:
        return []
    image = Image.fromarray(rgb)
    variants = peer.variants(image, effort)
    return [_Files(peer, image, variant, effort, pause) for variant in variants]


# --- the four peers -------------------------------------------------------------------------


def _save(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _jpeg(image, quality, variant, effort):
    subsampling, _, progressive = variant.partition(" ")
    file = _save(image, "JPEG", quality=quality, subsampling=subsampling)
    # Pillow gives optimised files a buffer of one byte a pixel (at least 64 KiB), which noise at
    # a high quality overflows. Optimising helps such a file little: it stays as it is.
    if len(file) * 1.1 + 4096 > max(1 << 16, image.width * image.height):
        return file
    return _save(
        image,
        "JPEG",
        quality=quality,
        subsampling=subsampling,
        progressive=bool(progressive),
        optimize=True,
    )


def _jpeg_words(image, quality, variant, effort):
    return f"quality {quality}, {variant}"


def _jpeg2000(image, quality, variant, effort):
    return _without_comment(
        _save(
            image,
            "JPEG2000",
            quality_mode="rates",
            quality_layers=[_ratio(quality)],
            irreversible=True,
            mct=1,
            num_resolutions=_resolutions(image),
            no_jp2=True,
        )
    )


def _jpeg2000_words(image, quality, variant, effort):
    return f"rate {_ratio(quality):.4g}:1, {_resolutions(image)} resolutions"


def _ratio(quality: int) -> float:
    # 2048:1 down to 1:1 in steps of half a percent: finer than OpenJPEG can aim.
    return 2 ** (11 - quality / 128)


def _resolutions(image: Image.Image) -> int:
    return min(max(round(math.log2(min(image.size) / 16)) + 1, 1), 6)


def _without_comment(codestream: bytes) -> bytes:
    """A JPEG 2000 codestream (ISO/IEC 15444-1, annex A) less the COM segments of its header."""
    kept, position = bytearray(codestream[:2]), 2
    while (marker := codestream[position : position + 2]) != b"\xff\x90":  # start of tile-part
        end = position + 2 + int.from_bytes(codestream[position + 2 : position + 4], "big")
        if marker != b"\xff\x64":
            kept += codestream[position:end]
        position = end
    return bytes(kept + codestream[position:])


def _webp(image, quality, variant, effort):
    return _save(image, "WEBP", quality=quality, method=6)


def _webp_words(image, quality, variant, effort):
    return f"quality {quality}, method 6"


def _avif(image, quality, variant, effort):
    return _save(
        image,
        "AVIF",
        quality=quality,
        subsampling=variant,
        speed=_speed(image, effort),
        codec="aom",
        autotiling=False,
        advanced={"tune": "ssim"},
    )


def _avif_words(image, quality, variant, effort):
    return f"quality {quality}, {variant}, speed {_speed(image, effort)}"


def _speed(image: Image.Image, effort: str) -> int:
    if effort == "slow":
        return 0 if _is_small(image) else 1
    return {"fast": 6, "rough": 8}[effort]


def _avif_variants(image, effort):
    return ("4:4:4", "4:2:0") if effort == "slow" and _is_small(image) else ("4:4:4",)


def _is_small(image: Image.Image) -> bool:
    return image.width * image.height <= 256 * 256


def _always(*variants: str):
    return lambda image, effort: variants


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "jpeg",
            "JPEG",
            range(1, 101),
            (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95),
            65_500,
            _always("4:2:0", "4:4:4", "4:2:0 progressive", "4:4:4 progressive"),
            _jpeg,
            _jpeg_words,
        ),
        Peer(
            "jpeg2000",
            "JPEG 2000",
            range(1409),
            tuple(range(448, 1216, 64)),  # 181:1 to 4:1
            65_535,
            _always("9/7"),
            _jpeg2000,
            _jpeg2000_words,
        ),
        Peer(
            "webp",
            "WebP",
            range(101),
            (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95),
            16_383,
            _always("4:2:0"),
            _webp,
            _webp_words,
        ),
        Peer(
            "avif",
            "AVIF",
            range(101),
            (10, 20, 30, 40, 50, 60, 75, 90),
            32_768,
            _avif_variants,
            _avif,
            _avif_words,
            has_rough=True,
        ),
    )
}
