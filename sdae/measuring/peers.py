"""JPEG, JPEG 2000, WebP and AVIF, each at its best, as encoders to compare with.

A size is that of a whole file which any reader of its format opens, without metadata:

- JPEG: optimised Huffman tables; 4:2:0 and 4:4:4, sequential and progressive.
- JPEG 2000: the irreversible 9/7 transform with its colour transform, one layer, as a bare
  codestream (.j2k), which is 85 bytes smaller than a .jp2 box and needs no more to be shown; the
  encoder's signature (an optional comment of 39 bytes) is left out. As many resolutions as bring
  the shorter side down to about 16 pixels.
- WebP: lossy, method 6 (the slowest), 4:2:0 as the format demands.
- AVIF: AV1 by libaom, no tiles; 4:2:0 and 4:4:4, ``tune=ssim``, which gives the most dB, and
  4:4:4 with ``tune=iq``, libavif's own choice, which gives more MS-SSIM. Up to 256×256 pixels
  speed 0, the slowest; above, where a file takes seconds, speed 1, for less than 0.1 dB.

Where a codec has several *variants*, the best one counts for the measure that is asked for. With
``effort="fast"``, for a page that waits, AVIF takes the first of them alone, at speed 6.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import PIL
from PIL import AvifImagePlugin, Image, features


@dataclass(frozen=True)
class Peer:
    """A codec to compare with.

    name: key of `PEERS`; label: its name for people.
    library: a key of `versions`, the one that does the work.
    qualities: the settings of its encoder, from the smallest file to the largest.
    spread: some of them, over the useful sizes, for a curve.
    max_side: the longest side that it stores, in pixels.
    variants: its further choices, of which the best is taken.
    encode: (PIL image, quality, variant, effort) → whole file.
    """

    name: str
    label: str
    library: str
    qualities: range
    spread: tuple[int, ...]
    max_side: int
    variants: tuple[str, ...]
    encode: Callable[[Image.Image, int, str, str], bytes]

    def settings(self, quality: int, variant: str) -> str:
        """The settings of a file in words, a number first."""
        word = "rate" if self.name == "jpeg2000" else "quality"
        number = f"{_ratio(quality):.4g}:1" if self.name == "jpeg2000" else quality
        return f"{word} {number}, {variant}"


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


def _save(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _jpeg(image, quality, variant, effort):
    subsampling, _, progressive = variant.partition(" ")
    options = {"quality": quality, "subsampling": subsampling}
    file = _save(image, "JPEG", **options)
    # Pillow gives optimised files a buffer of one byte a pixel (at least 64 KiB), which noise at
    # a high quality overflows. Optimising helps such a file little: it stays as it is.
    if len(file) * 1.1 + 4096 > max(1 << 16, image.width * image.height):
        return file
    return _save(image, "JPEG", progressive=bool(progressive), optimize=True, **options)


def _jpeg2000(image, quality, variant, effort):
    codestream = _save(
        image,
        "JPEG2000",
        quality_mode="rates",
        quality_layers=[_ratio(quality)],
        irreversible=True,
        mct=1,
        num_resolutions=min(max(round(math.log2(min(image.size) / 16)) + 1, 1), 6),
        no_jp2=True,
    )
    return _without_comment(codestream)


def _ratio(quality: int) -> float:
    # 2048:1 down to 1:1 in steps of half a percent: finer than OpenJPEG can aim.
    return 2 ** (11 - quality / 128)


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


def _avif(image, quality, variant, effort):
    subsampling, tune = variant.split(" tune ")
    slowest = 0 if image.width * image.height <= 256 * 256 else 1
    return _save(
        image,
        "AVIF",
        quality=quality,
        subsampling=subsampling,
        speed=slowest if effort == "slow" else 6,
        codec="aom",
        autotiling=False,
        advanced={"tune": tune},
    )


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "jpeg",
            "JPEG",
            "libjpeg-turbo",
            range(1, 101),
            (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95),
            65_500,
            ("4:2:0", "4:4:4", "4:2:0 progressive", "4:4:4 progressive"),
            _jpeg,
        ),
        Peer(
            "jpeg2000",
            "JPEG 2000",
            "OpenJPEG",
            range(1409),
            tuple(range(448, 1216, 64)),  # 181:1 to 4:1
            65_535,
            ("9/7",),
            _jpeg2000,
        ),
        Peer(
            "webp",
            "WebP",
            "libwebp",
            range(101),
            (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95),
            16_383,
            ("4:2:0",),
            _webp,
        ),
        Peer(
            "avif",
            "AVIF",
            "libaom",
            range(101),
            (10, 20, 30, 40, 50, 60, 75, 90),
            32_768,
            ("4:4:4 tune ssim", "4:4:4 tune iq", "4:2:0 tune ssim"),
            _avif,
        ),
    )
}
