"""Files of a peer: the best of at most so many bytes, or along its curve."""

from __future__ import annotations

import io
import time
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sdae.measuring import metrics
from sdae.measuring.peers import PEERS


@dataclass(frozen=True)
class Encoded:
    """One picture as one file of a peer.

    data: the whole file.
    rgb: what the file decodes to, uint8 (H, W, 3).
    variant: one of the peer's `variants`.
    settings: of the encoder, for people.
    encode_seconds, decode_seconds: processor time of this file, from and to pixels, with that of
        all else that the process did meanwhile.
    """

    data: bytes
    rgb: np.ndarray
    variant: str
    settings: str
    encode_seconds: float
    decode_seconds: float


def at_bytes(name: str, rgb: np.ndarray, budget: int, pause=lambda: None) -> Encoded | None:
    """The file of a peer with the highest PSNR that has at most `budget` bytes, at effort "fast".

    What a quality gives is found by bisection.

    name: key of PEERS; rgb: uint8 (H, W, 3).
    pause: called before each encoding; it may wait, or raise to end the search.
    Returns None when even the smallest file is larger, or when the peer stores no picture this
    wide or high.
    """
    peer, image, candidates = PEERS[name], Image.fromarray(rgb), []
    for variant in _variants(peer, image, "fast"):
        fitting = {}

        def size(quality):
            pause()
            data, seconds = _file(peer, image, quality, variant, "fast")
            if len(data) <= budget:
                fitting[quality] = data, seconds
            return len(data)

        bisect_right(peer.qualities, budget, key=size)
        if fitting:
            quality = max(fitting)
            candidates.append(_encoded(peer, quality, variant, *fitting[quality]))
    if not candidates:
        return None
    return max(candidates, key=lambda encoded: metrics.psnr(rgb, encoded.rgb))


def files(name: str, rgb: np.ndarray, effort: str = "slow") -> list[Encoded]:
    """The files of a peer by every variant along its `spread`, for rate–distortion curves.

    name, rgb: as in `at_bytes`; effort: "slow" or "fast". Empty when the peer stores no picture
    this wide or high.
    """
    peer, image = PEERS[name], Image.fromarray(rgb)
    return [
        _encoded(peer, quality, variant, *_file(peer, image, quality, variant, effort))
        for variant in _variants(peer, image, effort)
        for quality in peer.spread
    ]


def _variants(peer, image, effort) -> tuple[str, ...]:
    if max(image.size) > peer.max_side:
        return ()
    return peer.variants[:1] if peer.name == "avif" and effort == "fast" else peer.variants


def _file(peer, image, quality, variant, effort) -> tuple[bytes, float]:
    """A file and the seconds that it took."""
    begun = time.process_time()
    return peer.encode(image, quality, variant, effort), time.process_time() - begun


def _encoded(peer, quality, variant, data, encode_seconds) -> Encoded:
    begun = time.process_time()
    rgb = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    seconds = time.process_time() - begun
    return Encoded(data, rgb, variant, peer.settings(quality, variant), encode_seconds, seconds)
