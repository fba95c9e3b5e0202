"""Files of a peer: at most so many bytes, at least so much quality, or along its curve.

What a quality gives is found by bisection, with as few encodings as it takes.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sdae.measuring import metrics
from sdae.measuring.peers import EFFORTS, PEERS, Peer


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


def at_bytes(
    name: str, rgb: np.ndarray, budget: int, effort: str = "slow", pause=lambda: None
) -> Encoded | None:
    """The file of a peer with the highest PSNR that has at most `budget` bytes.

    name: key of PEERS; rgb: uint8 (H, W, 3); effort: "slow" or "fast".
    pause: called before each encoding; it may wait, or raise to end the search.
    Returns None when even the smallest file is larger, or when the peer stores no picture this
    wide or high. Raises ValueError for an unknown name or effort, or for another array.
    """
    candidates = []
    for own in _variants(name, rgb, effort, pause):
        step = own.first(lambda files, step: len(files.data(step)) > budget) - 1
        if step >= 0:
            candidates.append(own.encoded(step))
    return max(candidates, key=lambda encoded: metrics.psnr(rgb, encoded.rgb), default=None)


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

    name, rgb, effort, pause and errors: as in `at_bytes`. Returns None when no setting reaches it.
    """
    candidates = []
    for own in _variants(name, rgb, effort, pause):
        step = own.first(lambda files, step: metric(rgb, files.encoded(step).rgb) >= target)
        if step < len(own.peer.qualities):
            candidates.append(own.encoded(step))
    return min(candidates, key=lambda encoded: len(encoded.data), default=None)


def files(
    name: str, rgb: np.ndarray, qualities: Iterable[int] | None = None, effort: str = "slow"
) -> list[Encoded]:
    """The files of a peer by every variant at every quality, for rate–distortion curves.

    qualities: members of the peer's `qualities`; by default its `spread`.

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
    steps = list(map(peer.qualities.index, qualities))
    return [own.encoded(step) for own in variants for step in steps]


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
            data,
            rgb,
            self.variant,
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
