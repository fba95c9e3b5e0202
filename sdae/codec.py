"""The codec, where all parts meet: photograph → file → photograph.

    compress:    photograph ─ encode ─► latent ─ pack ─► file
    decompress:  file ─ unpack ─► latent ─ decode ─► photograph

A large picture takes the same way in bands of rows, none of which is kept.
"""

import numpy as np
from PIL import Image

from sdae.coding import coding_order, container, deflate, latent_coder
from sdae.coding.container import BitstreamError, Header
from sdae.coding.latent import Latent
from sdae.network import denoising, transform_coding, windows
from sdae.network.transform_coding import latent_size
from sdae.pictures import arrays, noise, opening
from sdae.progress import stage
from sdae.threads import one_blas_thread
from sdae.trained import TrainedModel, shipped

MAX_PIXELS = 120_000_000
"""Most pixels of a picture that `Codec.decompress` will make unless told otherwise."""

_KEPT = 24_000_000
# The integers of a picture of more pixels are packed as they come.


class Codec:
    """Compress and denoise pictures with one set of weights; restore those of all that shipped.

    ``progress``, where a method takes it, is called with the share of the work that is done, 0 to 1.
    Methods raise `sdae.ImageError` for what is no picture, `BitstreamError` for a file that is
    damaged, too large or of unknown weights, and ValueError for a number that is out of range.

    Args:
        name_or_path: weights folder, or None for the newest that ship.

    Attributes:
        card: contents of the weights' card.json.
        trained: all that the weights hold, `sdae.trained.TrainedModel`.
        network: the transforms, `sdae.network.numpy_network.Network`.
        tables: what the latent coder knows, `sdae.coding.tables.Tables`.
        model_id: the 4 bytes that name these weights in a file. Other weights that shipped are
            loaded at the first file of them.

    Raises:
        sdae.WeightsError: the weights are missing or not the ones on their card.
    """

    def __init__(self, name_or_path=None):
        self.trained = TrainedModel(name_or_path)
        self.card, self.model_id = self.trained.card, self.trained.model_id
        self.network, self.tables = self.trained.network, self.trained.tables

    def __reduce__(self):
        # A copy, also in another process, reads the same weights again.
        return Codec, (self.trained.source,)

    def compress(self, image, quality: float = 75, effort: int = 0, progress=None) -> bytes:
        """Picture → the bytes of a whole .sdae file; arguments as for `encode`."""
        _check(quality, effort)
        samples, code = arrays.samples(image), round(quality * 100)
        height, width = samples.shape[:2]
        if effort or height * width <= _KEPT or width > windows.WIDEST:
            return self.pack(self.encode(samples, quality, 0.0, effort, progress), effort)
        given = self.network, self.tables, samples
        bands = transform_coding.quantised(*given, 0.0, code, progress)
        header = Header(self.model_id, container.CONTEXTS, width, height, code)
        return container.write(header, latent_coder.encode_bands(bands, code, self.tables))

    def decompress(self, data, progress=None, max_pixels: int = MAX_PIXELS) -> Image.Image:
        """A whole .sdae file → RGB picture of the size that went in.

        ``data``: bytes, a path or a binary file object.
        ``max_pixels``: larger pictures are refused before memory is taken for them.
        """
        return self._picture(*self._unpacked(data, max_pixels), progress)

    def decompress_parts(self, data, progress=None, max_pixels: int = MAX_PIXELS):
        """As `decompress`, but yields (n, W, 3) uint8 rows from the top, to hold no picture whole."""
        yield from self._restored(*self._unpacked(data, max_pixels), progress)

    def denoise(
        self, image, sigma: float | None = None, quality: float = 90, effort: int = 0
    ) -> Image.Image:
        """A noisy picture → a clean one, through the same latent that a file would hold.

        Arguments as for `encode`; where ``sigma`` is None it is estimated.
        """
        samples = arrays.samples(image)
        sigma = noise.estimate_sigma(samples) if sigma is None else sigma
        return self.decode(self.encode(samples, quality, sigma, effort))

    def encode(
        self, image, quality: float = 75, sigma: float = 0.0, effort: int = 0, progress=None
    ) -> Latent:
        """Picture → integers.

        Args:
            image: PIL image, (H, W, 3) uint8 array, path, bytes or file object; or an (H, W, 3)
                float array on the scale [0, 1] of full range, where noise may go beyond it.
            quality: 1 to 100; more gives more bytes and a closer picture.
            sigma: how noisy the picture is, in [0, 1] of full scale. From 0.02 it is cleaned
                first, see `clean`. More than the noise there is takes fine texture away with it.
            effort: 0 is fast; 1 to 10 choose the integers for this picture with more care
                (`sdae.network.encoder_effort.fit_picture`), and let Deflate try slower encodings.
        """
        _check(quality, effort, sigma)
        share = 2 / 3 if sigma >= denoising.WEAKEST else 0
        samples, left = self.clean(arrays.samples(image), sigma, effort, stage(progress, 0, share))
        (height, width), code = samples.shape[:2], round(quality * 100)
        given, report = (self.network, self.tables, samples), stage(progress, share, 1)
        effort = 0 if left else effort  # which would only come closer to noise
        if effort or width > windows.WIDEST:
            values = windows.quantised(*given, left, code, effort, report)
        else:
            bands = transform_coding.quantised(*given, left, code, report)
            values = coding_order.stacked(bands, latent_size(height, width)[0])
        return Latent(values, width, height, code / 100, self.model_id)

    def clean(
        self, samples: np.ndarray, sigma: float, effort: int = 0, progress=None
    ) -> tuple[np.ndarray, float]:
        """What `encode` makes of a noisy picture before it encodes it, see `sdae.network.denoising`.

        Takes and gives (H, W, 3) uint8, or float32 on the scale [0, 1] of full range; and gives
        the noise level that `encode` is to be told of the result. From both it makes the same
        integers as from the noisy picture, at any quality.
        """
        if sigma < denoising.WEAKEST:
            return samples, sigma
        return denoising.cleaned(self.network, samples, sigma, effort, progress), 0.0

    def decode(self, latent: Latent, progress=None) -> Image.Image:
        """Integers → RGB picture."""
        transform_coding.check(latent, self._of(latent).tables.channels)
        return self._picture(latent, coding_order.bands(latent.values), progress)

    def pack(self, latent: Latent, effort: int = 0, plain: bool = False) -> bytes:
        """Integers → the bytes of a whole file; ``plain`` packs them as the original work did."""
        _check(latent.quality, effort)
        trained = self._of(latent)
        transform_coding.check(latent, trained.tables.channels)
        code, mode = round(latent.quality * 100), container.PLAIN if plain else container.CONTEXTS
        header = Header(trained.model_id, mode, latent.width, latent.height, code)
        if plain:
            return container.write(header, deflate.plain(latent.values))
        payload = latent_coder.encode(latent.values, code, trained.tables, effort)
        return container.write(header, payload)

    def unpack(self, data, max_pixels: int = MAX_PIXELS) -> Latent:
        """A whole file, as for `decompress` → integers, exactly those that were packed."""
        header, bands = self._unpacked(data, max_pixels)
        with one_blas_thread():  # once for all bands, as the change takes longer than a small one
            values = coding_order.stacked(bands, latent_size(header.height, header.width)[0])
        return Latent(values, header.width, header.height, header.quality, header.model_id)

    def _picture(self, about: Latent | Header, bands, progress):
        return arrays.image(self._restored(about, bands, progress), about.width, about.height)

    def _restored(self, about: Latent | Header, bands, progress):
        way = windows if about.width > windows.WIDEST else transform_coding
        size = about.height, about.width
        return way.restored(self._of(about).network, bands, *size, about.quality, progress)

    def _unpacked(self, data, max_pixels):
        """The header of a file, and an iterator over its integers, band by band."""
        if not isinstance(data, bytes):
            data = opening.file_bytes(data, max_pixels)
        header, payload = container.read_header(data, max_pixels)
        size, code = latent_size(header.height, header.width), header.quality_code
        return header, latent_coder.read(header.mode, payload, size, code, self._of(header).tables)

    def _of(self, about: Latent | Header) -> TrainedModel:
        """The weights that integers belong to: one's own, or others that shipped."""
        if about.model_id in (None, self.model_id):
            return self.trained
        found = shipped(about.model_id)
        if found is None:
            raise BitstreamError(
                f"The file was made with weights {about.model_id.hex()}, which are unknown here; "
                "update sdae, or name the weights that made it."
            )
        return found


def _check(quality, effort, sigma=0.0):
    given = ("quality", quality, 1, 100), ("noise level", sigma, 0, 1), ("effort", effort, 0, 10)
    for name, number, low, high in given:
        if not low <= number <= high:
            raise ValueError(f"The {name} must lie between {low} and {high}.")
