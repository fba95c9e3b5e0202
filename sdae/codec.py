"""The codec: the one place where all parts meet.

    photo → images → analysis transform → quantise → contexts + Deflate → bitstream → file
    file → bitstream → inflate + contexts → dequantise → synthesis transform → photo
"""

import os
import threading
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sdae import bitstream, deflate, images, latents, noise, weights
from sdae.bitstream import BitstreamError, Header

STRIDE = 8
MAX_PIXELS = 120_000_000
"""Most pixels of a picture that `Codec.decompress` will make."""

_TILE = 1024
_MARGIN = 96
# A tile is computed with 96 pixels around it: more than any weight of either transform reaches
# (about 80), so tiles join without a seam. Pictures up to one tile of side are computed whole.


@dataclass(frozen=True)
class Latent:
    """The integers that stand for one picture.

    Attributes:
        values: (h, w, C) int16 with h = ⌈height/8⌉, w = ⌈width/8⌉.
        width, height: size of the picture in pixels.
        quality: 1 to 100, in hundredths.
    """

    values: np.ndarray
    width: int
    height: int
    quality: float


class Codec:
    """Compress, restore and denoise pictures with one set of weights.

    Args:
        name_or_path: weights folder, or None for the weights that ship.

    Attributes:
        card: contents of the weights' card.json.
        model_id: the 4 bytes that name these weights in a file.

    Raises:
        sdae.weights.WeightsError: the weights are missing or not the ones on their card.
    """

    def __init__(self, name_or_path=None):
        self._arrays, self.card = weights.read(weights.folder(name_or_path))
        self.model_id = bytes.fromhex(self.card["sha256"])[:4]
        self.tables = latents.Tables.from_arrays(self._arrays)
        self._lock = threading.Lock()
        self._model = None

    @property
    def model(self):
        """The Keras model; the first use imports Keras and builds it."""
        with self._lock:
            if self._model is None:
                os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
                from sdae.network import Autoencoder, Config, initialise

                config = Config(**self.card["config"])
                model = initialise(Autoencoder(config, name="autoencoder"))
                weights.assign(model, self._arrays)
                self._model = model
        return self._model

    def compress(self, image, quality: float = 75, effort: int = 0, progress=None) -> bytes:
        """Picture → the bytes of a whole .sdae file.

        Args:
            image: PIL image, (H, W, 3) uint8 array, path, bytes or file object.
            quality: 1 to 100; more gives more bytes and a closer picture.
            effort: 0 is fast; 1 to 10 optimise the latent of this picture, 20 gradient steps for
                each unit (`sdae.refine.anneal`), and let Deflate try slower encodings.
            progress: called with the share of the work that is done, 0 to 1, as it goes on.

        Raises:
            sdae.ImageError: the image cannot be read.
            ValueError: quality or effort is out of range.
        """
        return self.pack(self.encode(image, quality, effort=effort, progress=progress), effort)

    def decompress(self, data: bytes, progress=None) -> Image.Image:
        """The bytes of a whole .sdae file → RGB picture of the size that went in.

        Args:
            data: the whole file.
            progress: as for `compress`.

        Raises:
            BitstreamError: the bytes are damaged, too large or made with other weights.
        """
        return self.decode(self.unpack(data), progress)

    def denoise(self, image, sigma: float | None = None, quality: float = 90) -> Image.Image:
        """A noisy picture → a clean one, through the same latent that a file would hold.

        Args:
            image: as for `compress`.
            sigma: noise level in [0, 1] of full scale; None estimates it.
            quality: 1 to 100.
        """
        rgb = images.read(image).rgb
        sigma = noise.estimate_sigma(rgb) if sigma is None else sigma
        return self.decode(self.encode(rgb, quality, sigma))

    def encode(
        self, image, quality: float = 75, sigma: float = 0.0, effort: int = 0, progress=None
    ) -> Latent:
        """Picture → integers.

        Args:
            image, quality, effort, progress: as for `compress`.
            sigma: how noisy the picture is, in [0, 1] of full scale. A noisy picture is not
                refined by effort, which would bring the noise back.

        Raises:
            sdae.ImageError: the image cannot be read.
            ValueError: quality, sigma or effort is out of range.
        """
        if not 1 <= quality <= 100:
            raise ValueError("The quality must lie between 1 and 100.")
        if not 0 <= sigma <= 1:
            raise ValueError("The noise level must lie between 0 and 1.")
        _check_effort(effort)
        rgb = images.read(image).rgb
        height, width = rgb.shape[:2]
        padding = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
        padded = np.pad(rgb, padding, mode="edge")
        quality = round(quality * 100) / 100
        t = latents.quality_position(quality)
        refining = effort and not sigma
        y = _in_tiles(
            lambda part: self._analyse(part, sigma, t),
            padded,
            1,
            STRIDE,
            None if refining else progress,
        )
        if refining:
            y = self._refine(padded, y, t, effort, progress)
        values = self._quantise(y, t)
        return Latent(values, width, height, quality)

    def decode(self, latent: Latent, progress=None) -> Image.Image:
        """Integers → RGB picture; ``progress`` as for `compress`."""
        t = latents.quality_position(latent.quality)
        picture = _in_tiles(
            lambda part: self._synthesise(part, t), latent.values, STRIDE, 1, progress
        )
        return Image.fromarray(picture[: latent.height, : latent.width])

    def pack(self, latent: Latent, effort: int = 0, plain: bool = False) -> bytes:
        """Integers → the bytes of a whole file; ``plain`` packs them as the original work did."""
        _check_effort(effort)
        code = round(latent.quality * 100)
        if plain:
            mode, payload = bitstream.PLAIN, deflate.plain(latent.values)
        else:
            mode = bitstream.CONTEXTS
            payload = latents.encode(latent.values, code, self.tables, effort)
        header = Header(self.model_id, mode, latent.width, latent.height, code)
        return bitstream.write(header, payload)

    def unpack(self, data: bytes) -> Latent:
        """The bytes of a whole file → integers, exactly those that were packed.

        Raises:
            BitstreamError: the bytes are damaged, too large or made with other weights.
        """
        header, payload = bitstream.read_header(data)
        if header.model_id != self.model_id:
            raise BitstreamError(
                f"The file was made with weights {header.model_id.hex()} and these are "
                f"{self.model_id.hex()}; load the weights that made it."
            )
        if header.width * header.height > MAX_PIXELS:
            raise BitstreamError(
                f"The file states {header.width}×{header.height} pixels, more than the "
                f"{MAX_PIXELS // 1_000_000} million that are decoded."
            )
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        try:
            if header.mode == bitstream.PLAIN:
                values = deflate.unplain(payload, h, w, self.card["config"]["latent_channels"])
            else:
                values = latents.decode(payload, h, w, header.quality_code, self.tables)
        except deflate.DeflateError as error:
            raise BitstreamError(f"The file is damaged: {error}") from error
        return Latent(values, header.width, header.height, header.quality)

    def _analyse(self, rgb, sigma, t):
        from keras import ops

        model, t = self.model, np.float32([t])
        gain, _ = model.gains(t)
        image = rgb[None].astype("float32") / 255
        y = model.analysis(image, np.float32([sigma]), t) * gain
        return ops.convert_to_numpy(y)[0]

    def _refine(self, rgb, y, t, effort, progress):
        from sdae import refine

        steps = effort * refine.STEPS_PER_EFFORT
        h, w, channels = y.shape
        side = _TILE // STRIDE
        total, done = steps * -(-h // side) * -(-w // side), 0

        def tick():
            nonlocal done
            done += 1
            if progress:
                progress(done / total)

        def part(joined):
            latent, blocks = joined[..., :channels], joined[..., channels:]
            h, w = latent.shape[:2]
            image = blocks.reshape(h, w, STRIDE, STRIDE, 3).swapaxes(1, 2)
            image = image.reshape(1, h * STRIDE, w * STRIDE, 3) / np.float32(255)
            return refine.anneal(self.model, image, latent[None], np.float32([t]), steps, tick)[0]

        blocks = rgb.reshape(h, STRIDE, w, STRIDE, 3).swapaxes(1, 2).reshape(h, w, -1)
        return _in_tiles(part, np.concatenate([y, blocks], -1), STRIDE, STRIDE)

    def _quantise(self, y, t):
        from sdae import refine

        values = refine.round_for_rate(self.model, y[None], np.float32([t]))[0]
        return np.clip(values, -32768, 32767).astype("int16")

    def _synthesise(self, values, t):
        from keras import ops

        model, t = self.model, np.float32([t])
        _, inverse = model.gains(t)
        picture = model.synthesis(values[None].astype("float32") * inverse, t)
        picture = ops.convert_to_numpy(picture)[0]
        return np.rint(np.clip(picture, 0, 1) * 255).astype("uint8")


def _check_effort(effort):
    if not 0 <= effort <= 10:
        raise ValueError("The effort must lie between 0 and 10.")


def _in_tiles(transform, array, multiply, divide, progress=None):
    """Apply a transform tile by tile, each with a margin that is cut off afterwards.

    ``array`` is (h, w, …); the result has h·multiply/divide rows. Tiles and margins are the same
    in pixels on both sides of the transform.
    """
    tile, margin = _TILE // multiply, _MARGIN // multiply
    h, w = array.shape[:2]
    if h <= tile and w <= tile:
        return transform(array)
    result = None
    corners = [(top, left) for top in range(0, h, tile) for left in range(0, w, tile)]
    for number, (top, left) in enumerate(corners, 1):
        above, before = max(0, top - margin), max(0, left - margin)
        bottom, right = min(h, top + tile), min(w, left + tile)
        part = transform(array[above : bottom + margin, before : right + margin])
        if result is None:
            size = (h * multiply // divide, w * multiply // divide, part.shape[2])
            result = np.empty(size, part.dtype)
        rows = slice(top * multiply // divide, bottom * multiply // divide)
        columns = slice(left * multiply // divide, right * multiply // divide)
        y, x = (top - above) * multiply // divide, (left - before) * multiply // divide
        result[rows, columns] = part[
            y : y + rows.stop - rows.start, x : x + columns.stop - columns.start
        ]
        if progress:
            progress(number / len(corners))
    return result
