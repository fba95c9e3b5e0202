"""The codec: the one place where all parts meet.

    photo → images → analysis transform → quantise → contexts + Deflate → bitstream → file
    file → bitstream → inflate + contexts → dequantise → synthesis transform → photo
"""

import os
import threading
from dataclasses import dataclass
from itertools import product

import numpy as np
from PIL import Image

from sdae import notebook
from sdae.coding import container, deflate, latents
from sdae.coding.container import BitstreamError, Header
from sdae.model import encoder_effort, weights
from sdae.model.config import Config
from sdae.model.numpy_network import STRIDE, Network, regrouped, strip_rows
from sdae.pictures import noise, reading
from sdae.progress import stage
from sdae.threads import in_one_blas_thread, one_blas_thread

MAX_PIXELS = 120_000_000
"""Most pixels of a picture that `Codec.decompress` will make unless told otherwise."""

_KEPT = 24_000_000
# The integers of a picture of more pixels are packed as they come, none are kept.

_WINDOW, _MARGIN, _ALIGNMENT = 1024, 128, 64
# Effort looks often at a picture, so it sees a large one through windows of this side, one after
# another. What lies nearer than the margin to an inner edge of a window is thrown away. The lattice of
# the contexts repeats every 64 pixels, so windows begin at multiples of it.

_WIDEST = 16_384
# Layers keep rows, which take memory by their width: wider pictures go through windows always.

_CLEANED = 0.02
# Noise from this level is taken away before the picture is encoded. Encoded at once, what is left
# of it takes bits, which brings nothing: on photographs scaled to 128×128 with clipped noise of
# 0.1/0.2/0.3 the same PSNR (0.04 dB less at most) takes 23/46/58 % fewer bytes at quality 60, and of
# 0.02 8 % fewer at quality 75, 0.2 dB less, which is 0.2 dB more at equal bytes. What seems to be weaker
# noise may be texture.

_CLEANING_QUALITY = 80
# Of the pass that takes noise away. At quality 100, where training pays most for the noise that comes
# back, 0.03/0.06/0.07 dB less are restored of noise of 0.1/0.2/0.3 on the same photographs.


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

    def _repr_png_(self) -> bytes:
        return notebook.latent(self.values)


class Codec:
    """Compress, restore and denoise pictures with one set of weights.

    Args:
        name_or_path: weights folder, or None for the weights that ship.

    Attributes:
        card: contents of the weights' card.json.
        network: the transforms, `sdae.model.numpy_network.Network`.
        model_id: the 4 bytes that name these weights in a file.

    Raises:
        sdae.model.weights.WeightsError: the weights are missing or not the ones on their card.
    """

    def __init__(self, name_or_path=None):
        self._arrays, self.card = weights.read(weights.folder(name_or_path))
        self.model_id = bytes.fromhex(self.card["sha256"])[:4]
        self.tables = latents.Tables.from_arrays(self._arrays)
        try:
            config = Config(**self.card["config"])
        except (KeyError, TypeError, ValueError) as error:
            raise weights.WeightsError("The weights' card states no configuration.") from error
        self.network = Network(self._arrays, config)
        self._lock = threading.Lock()
        self._model = None

    def _repr_html_(self) -> str:
        return notebook.codec(self.card, self.model_id)

    @property
    def model(self):
        """The Keras model, for teaching; the first use imports Keras and builds it."""
        with self._lock:
            if self._model is None:
                os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
                from sdae.model.network import Autoencoder, initialise

                model = initialise(Autoencoder(self.network.config, name="autoencoder"))
                model.restore(self._arrays)
                self._model = model
        return self._model

    def compress(self, image, quality: float = 75, effort: int = 0, progress=None) -> bytes:
        """Picture → the bytes of a whole .sdae file.

        Args:
            image: PIL image, (H, W, 3) uint8 array, path, bytes or file object.
            quality: 1 to 100; more gives more bytes and a closer picture.
            effort: 0 is fast; 1 to 10 choose the integers for this picture with more care
                (`sdae.model.encoder_effort.fit_picture`), and let Deflate try slower encodings.
            progress: called with the share of the work that is done, 0 to 1, as it goes on.

        Raises:
            sdae.ImageError: the image cannot be read.
            ValueError: quality or effort is out of range.
        """
        _check_quality(quality)
        _check_effort(effort)
        samples = _samples(image)
        height, width = samples.shape[:2]
        if effort or height * width <= _KEPT or width > _WIDEST:
            latent = self.encode(samples, quality, effort=effort, progress=progress)
            return self.pack(latent, effort)
        code = round(quality * 100)
        bands = self._integers(samples, 0.0, code, progress)
        with one_blas_thread():
            payload = latents.encode_bands(bands, code, self.tables)
        return self._file(container.CONTEXTS, width, height, code, payload)

    def _file(self, mode, width, height, code, payload) -> bytes:
        return container.write(Header(self.model_id, mode, width, height, code), payload)

    def decompress(
        self, data: bytes, progress=None, max_pixels: int = MAX_PIXELS
    ) -> Image.Image:
        """The bytes of a whole .sdae file → RGB picture of the size that went in.

        Args:
            data: the whole file.
            progress: as for `compress`.
            max_pixels: larger pictures are refused before memory is taken for them.

        Raises:
            BitstreamError: the bytes are damaged, too large or made with other weights.
        """
        header, bands = self._unpacked(data, max_pixels)
        return _picture(header, self._restored(header, bands, progress))

    def decompress_parts(self, data: bytes, progress=None, max_pixels: int = MAX_PIXELS):
        """As `decompress`, but part by part, for who need not hold the picture whole.

        Yields:
            (n, W, 3) uint8 pixels of rows from the top.
        """
        header, bands = self._unpacked(data, max_pixels)
        yield from self._restored(header, bands, progress)

    def denoise(
        self, image, sigma: float | None = None, quality: float = 90, effort: int = 0
    ) -> Image.Image:
        """A noisy picture → a clean one, through the same latent that a file would hold.

        Args:
            image: as for `encode`.
            sigma: noise level in [0, 1] of full scale; None estimates it.
            quality, effort: as for `encode`.

        Raises:
            sdae.ImageError: the image cannot be read.
            ValueError: sigma, quality or effort is out of range.
        """
        samples = _samples(image)
        sigma = noise.estimate_sigma(samples) if sigma is None else sigma
        return self.decode(self.encode(samples, quality, sigma, effort))

    def encode(
        self, image, quality: float = 75, sigma: float = 0.0, effort: int = 0, progress=None
    ) -> Latent:
        """Picture → integers.

        Args:
            image: as for `compress`; or an (H, W, 3) float array on the scale [0, 1] of full
                range, where noise may go beyond it.
            quality, effort, progress: as for `compress`.
            sigma: how noisy the picture is, in [0, 1] of full scale. From 0.02, where that pays,
                the picture goes through both networks twice: first to lose its noise, nothing
                rounded between them; what comes out is encoded like any other picture. With any
                effort the first pass is made in all eight ways to turn and mirror the picture,
                and once more with half of the noise put back (Romano and Elad 2015), and the mean
                is taken. More than the noise there is takes fine texture away with it.

        Raises:
            sdae.ImageError: the image cannot be read.
            ValueError: quality, sigma or effort is out of range.
        """
        _check_quality(quality)
        if not 0 <= sigma <= 1:
            raise ValueError("The noise level must lie between 0 and 1.")
        _check_effort(effort)
        share = 2 / 3 if sigma >= _CLEANED else 0
        samples, left = self.clean(_samples(image), sigma, effort, stage(progress, 0, share))
        return self._encode(samples, left, quality, effort, stage(progress, share, 1))

    def clean(
        self, samples: np.ndarray, sigma: float, effort: int = 0, progress=None
    ) -> tuple[np.ndarray, float]:
        """What `encode` makes of a noisy picture before it encodes it: the first of two passes.

        Args:
            samples: (H, W, 3) uint8, or float32 on the scale [0, 1] of full range.
            sigma: how noisy it is; below 0.02 nothing is done.
            effort, progress: as for `encode`.

        Returns:
            (H, W, 3) samples, floats where several are averaged, and the noise level that `encode`
            is to be told of them: an encoder that is given both makes the same integers as from
            the noisy picture, at any quality.
        """
        if sigma < _CLEANED:
            return samples, sigma
        missing = max(0, sigma**2 - (1.1 * noise.estimate_sigma(samples)) ** 2) ** 0.5

        def noisy(number):
            # A picture that is less noisy than the network is told would lose its colours: what
            # clipping does to more noise would be undone in it.
            return noise.strengthen(samples, missing, number) if missing else samples

        if not effort:
            return self._cleaned(noisy(0), sigma, "uint8", progress), 0.0
        first = self._cleaned_all_ways(noisy, sigma, stage(progress, 0, 0.5))

        def half(number):
            return (noise.to_floats(noisy(number)) + first) / 2

        return (first + self._cleaned_all_ways(half, sigma / 2, stage(progress, 0.5, 1))) / 2, 0.0

    def _cleaned_all_ways(self, noisy, sigma, progress):
        """The mean of `_cleaned`, (H, W, 3) float32, over eight ways to turn and mirror.

        noisy: number of the way → samples, which may be other ones for each.
        """
        ways, mean = list(product((0, 1, 2, 3), (1, -1))), np.float32(0)
        for number, (turns, step) in enumerate(ways):
            view = np.rot90(noisy(number)[:, ::step], turns)
            share = stage(progress, number / len(ways), (number + 1) / len(ways))
            found = self._cleaned(view, sigma, "float32", share)
            mean += np.rot90(found, -turns)[:, ::step] / len(ways)
        return mean

    def _cleaned(self, samples, sigma, kind, progress):
        """(H, W, 3) of both networks, one after the other, told the noise level.

        kind: uint8, or float32 for the scale [0, 1].
        """
        t = latents.quality_position(_CLEANING_QUALITY)
        gain, inverse = self.network.gains(t)
        result, top = np.empty(samples.shape, kind), 0
        counted = _counter(2 * -(-len(samples) // STRIDE) * STRIDE, progress)
        latent = counted(self.network.analysis_rows(_strips(samples), sigma, t), STRIDE)
        found = self.network.synthesis_rows((y * (gain * inverse) for y in latent), t)
        for picture in counted(found):
            rows = result[top : top + len(picture)]
            picture = picture[: len(rows), : rows.shape[1]]
            rows[:] = noise.to_8_bits(picture) if kind == "uint8" else np.clip(picture, 0, 1)
            top += len(rows)
        return result

    def _encode(self, samples, sigma, quality, effort, progress) -> Latent:
        """One pass; effort does nothing for noise, to which it would come closer."""
        height, width = samples.shape[:2]
        code = round(quality * 100)
        if sigma:
            effort = 0
        if effort or width > _WIDEST:
            values = self._through_windows(samples, sigma, code, effort, progress)
        else:
            values = _stacked(self._integers(samples, sigma, code, progress), height)
        return Latent(values, width, height, code / 100)

    def _integers(self, samples, sigma, code, progress=None):
        """The integers of one band after another, (n, w, C) int16, without effort."""
        t = latents.quality_position(code / 100)
        gain, _ = self.network.gains(t)
        sizes = latents.band_rows(*(-(-side // STRIDE) for side in samples.shape[:2]))
        counted = _counter(2 * sum(sizes), progress)
        rows = counted(self.network.analysis_rows(_strips(samples), sigma, t))
        bands = (y * gain for y in regrouped(rows, sizes))
        if sigma:
            found = (
                encoder_effort.round_for_rate(self.network, self.tables, y, code) for y in bands
            )
        else:
            found = encoder_effort.fit_bands(
                self.network, self.tables, _strips(samples), bands, code
            )
        return counted(map(latents.stored, found))

    def _through_windows(self, samples, sigma, code, effort, progress):
        """The integers of a whole picture, (h, w, C) int16."""
        t = latents.quality_position(code / 100)
        gain, _ = self.network.gains(t)
        result = np.empty((*(-(-side // STRIDE) for side in samples.shape[:2]), len(gain)), "int16")
        for window, kept, inner, report in _windows(samples.shape[:2], progress):
            part = samples[window]
            if effort:
                part = _padded(part)
                y = self.network.analysis(part, 0.0, t) * gain
                values = latents.stored(encoder_effort.fit_picture(
                    self.network, self.tables, part, y, code, effort, report
                ))
            else:
                values = _stacked(self._integers(part, sigma, code), len(part))
            result[kept] = values[inner]
        return result

    def decode(self, latent: Latent, progress=None) -> Image.Image:
        """Integers → RGB picture; ``progress`` as for `compress`."""
        return _picture(latent, self._restored(latent, latents.bands(latent.values), progress))

    def _restored(self, about: Latent | Header, bands, progress):
        """The rows of a picture, size and quality as `about` says, as `decompress_parts`."""
        if about.width > _WIDEST:
            yield self._restored_by_columns(about, bands, progress)
            return
        counted, top = _counter(-(-about.height // STRIDE) * STRIDE, progress), 0
        for part in counted(self._pixels(bands, about.quality)):
            yield part[: about.height - top, : about.width]
            top = min(about.height, top + len(part))

    def _restored_by_columns(self, about, bands, progress):
        values = _stacked(bands, about.height)
        picture = np.empty((about.height, about.width, 3), "uint8")
        for start, end, first, last in _spans(about.width):
            columns = latents.bands(values[:, start // STRIDE : -(-end // STRIDE)])
            part = np.concatenate(list(self._pixels(columns, about.quality)))
            picture[:, first:last] = part[: about.height, first - start : last - start]
            if progress:
                progress(last / about.width)
        return picture

    def _pixels(self, bands, quality):
        """The rows of a picture, a multiple of 8 of rows and columns, in uint8 parts."""
        t = latents.quality_position(quality)
        _, inverse = self.network.gains(t)
        parts = self.network.synthesis_rows((band * inverse for band in bands), t)
        return map(noise.to_8_bits, parts)

    def pack(self, latent: Latent, effort: int = 0, plain: bool = False) -> bytes:
        """Integers → the bytes of a whole file; ``plain`` packs them as the original work did."""
        _check_effort(effort)
        code = round(latent.quality * 100)
        if plain:
            mode, payload = container.PLAIN, deflate.plain(latent.values)
        else:
            mode = container.CONTEXTS
            with one_blas_thread():
                payload = latents.encode(latent.values, code, self.tables, effort)
        return self._file(mode, latent.width, latent.height, code, payload)

    def unpack(self, data: bytes, max_pixels: int = MAX_PIXELS) -> Latent:
        """The bytes of a whole file → integers, exactly those that were packed.

        Args:
            data: the whole file.
            max_pixels: as for `decompress`.

        Raises:
            BitstreamError: the bytes are damaged, too large or made with other weights.
        """
        header, bands = self._unpacked(data, max_pixels)
        with one_blas_thread():  # once for all bands, as the change takes longer than a small one
            values = _stacked(bands, header.height)
        return Latent(values, header.width, header.height, header.quality)

    def _unpacked(self, data, max_pixels):
        """The header of a file, and an iterator over its integers, band by band."""
        header, payload = container.read_header(data)
        if header.model_id != self.model_id:
            raise BitstreamError(
                f"The file was made with weights {header.model_id.hex()} and these are "
                f"{self.model_id.hex()}; load the weights that made it."
            )
        if header.width * header.height > max_pixels:
            raise BitstreamError(
                f"The file holds {header.width}×{header.height} pixels, more than the "
                f"{max_pixels / 1e6:g} million that are restored here; "
                "use `sdae decompress` on a machine with more memory."
            )
        return header, self._bands(header, payload)

    def _bands(self, header, payload):
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        try:
            if header.mode == container.PLAIN:
                yield deflate.unplain(payload, h, w, self.card["config"]["latent_channels"])
            else:
                yield from in_one_blas_thread(
                    latents.decode_bands(payload, h, w, header.quality_code, self.tables)
                )
        except deflate.DeflateError as error:
            raise BitstreamError(f"The file is damaged: {error}") from error


def _strips(samples):
    """A picture as `_padded` has it, so many rows at a time as pass through the network together."""
    step = STRIDE * strip_rows(-(-samples.shape[1] // STRIDE))
    for top in range(0, len(samples), step):
        yield _padded(samples[top : top + step])


def _counter(total, progress):
    """A function that passes on parts of rows, each for ``unit`` of the total, and reports the share
    of all that has passed it."""
    done = 0

    def counted(parts, unit=1):
        nonlocal done
        for part in parts:
            done += unit * len(part)
            if progress:
                progress(done / total)
            yield part

    return counted


def _padded(samples):
    """Samples as floats, the last row and column repeated up to multiples of the stride."""
    sides = [(0, -side % STRIDE) for side in samples.shape[:2]]
    return noise.to_floats(np.pad(samples, [*sides, (0, 0)], "edge"))


def _picture(about, parts) -> Image.Image:
    picture, top = Image.new("RGB", (about.width, about.height)), 0
    for part in parts:
        picture.paste(Image.fromarray(part), (0, top))
        top += len(part)
    return picture


def _stacked(bands, height):
    """The integers of a picture of so many pixels in height, of its bands."""
    return latents.stacked(bands, -(-height // STRIDE))


def _check_quality(quality):
    if not 1 <= quality <= 100:
        raise ValueError("The quality must lie between 1 and 100.")


def _check_effort(effort):
    if not 0 <= effort <= 10:
        raise ValueError("The effort must lie between 0 and 10.")


def _samples(image):
    """Whatever `Codec.encode` takes → (H, W, 3) uint8, or float32 on the scale [0, 1]."""
    if not (isinstance(image, np.ndarray) and image.dtype.kind == "f"):
        return reading.samples(image)
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or not np.isfinite(image).all():
        raise reading.ImageError(
            "An array of floats must hold finite numbers in the shape (H, W, 3), "
            f"0 for black and 1 for full scale; this one has the shape {image.shape}."
        )
    return image.astype("float32", copy=False)


def _windows(size, progress=None):
    """Divide a picture of (h, w) pixels into windows.

    Args:
        progress: called with the share of the whole that is done.

    Yields:
        where the window lies in the picture; where what is kept of it lies in the latent, and within
        the latent of the window alone; each two slices. Last a function to tell the share of this
        window that is done.
    """
    spans = list(product(*map(_spans, size)))

    def cut(low, high, origin):
        return slice((low - origin) // STRIDE, -((origin - high) // STRIDE))

    for number, window in enumerate(spans):
        def report(share, number=number):
            if progress:
                progress((number + share) / len(spans))

        yield (
            tuple(slice(start, end) for start, end, _, _ in window),
            tuple(cut(first, last, 0) for _, _, first, last in window),
            tuple(cut(first, last, start) for start, _, first, last in window),
            report,
        )
        report(1)


def _spans(length):
    """Windows along one side: where each starts and ends, and from where to where it is kept.

    All have `_WINDOW` pixels but the last, which may have up to `_ALIGNMENT` more; a side that
    is no longer than a window is one.
    """
    spans, last = [], 0
    final = max(0, length - _WINDOW) // _ALIGNMENT * _ALIGNMENT
    while last < length:
        start, first = min(max(0, last - _MARGIN), final), last
        end = length if start == final else start + _WINDOW
        last = length if start == final else end - _MARGIN
        spans.append((start, end, first, last))
    return spans
