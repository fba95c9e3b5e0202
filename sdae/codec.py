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
from sdae.coding.residuals import Survey
from sdae.network import denoising, transform_coding
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
        network: the transforms and gains, `sdae.network.transforms.Network`.
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

    def compress(self, image, quality: float = 75, progress=None) -> bytes:
        """Picture → the bytes of a whole .sdae file; arguments as for `encode`."""
        _check(quality)
        samples, code = arrays.samples(image), round(quality * 100)
        height, width = samples.shape[:2]
        given = self.network, self.tables, samples, code, progress
        if len(coding_order.band_rows(*latent_size(height, width))) == 1:
            met = Survey()
            (values,) = transform_coding.quantised(*given, met=met)
            payload = latent_coder.encode(values, code, self.tables, met)
        elif height * width <= _KEPT:
            return self.pack(self.encode(samples, quality, progress=progress))
        else:
            bands = transform_coding.quantised(*given)
            payload = latent_coder.encode_bands(bands, code, self.tables)
        header = Header(self.model_id, container.CONTEXTS, width, height, code)
        return container.write(header, payload)

    def decompress(self, data, progress=None, max_pixels: int = MAX_PIXELS) -> Image.Image:
        """A whole .sdae file → RGB picture of the size that went in.

        ``data``: bytes, a path or a binary file object.
        ``max_pixels``: larger pictures are refused before memory is taken for them.
        """
        return self._picture(*self._unpacked(data, max_pixels), progress)

    def decompress_parts(self, data, progress=None, max_pixels: int = MAX_PIXELS):
        """As `decompress`, but yields (n, W, 3) uint8 rows from the top, to hold no picture whole."""
        yield from self._restored(*self._unpacked(data, max_pixels), progress)

    def denoise(self, image, sigma: float | None = None, quality: float = 90) -> Image.Image:
        """A noisy picture → a clean one, as a file of this quality would show it.

        Arguments as for `encode`; where ``sigma`` is None it is estimated.
        """
        samples = arrays.samples(image)
        sigma = noise.estimate_sigma(samples) if sigma is None else sigma
        return self.decode(self.encode(samples, quality, sigma))

    def encode(self, image, quality: float = 75, sigma: float = 0.0, progress=None) -> Latent:
        """Picture → integers.

        Args:
            image: PIL image, (H, W, 3) uint8 array, path, bytes or file object; or an (H, W, 3)
                float array on the scale [0, 1] of full range, where noise may go beyond it.
            quality: 1 to 100; more gives more bytes and a closer picture.
            sigma: how noisy the picture is, in [0, 1] of full scale. From 0.02 it is cleaned
                first, see `clean`. More than the noise there is takes fine texture away with it.
        """
        _check(quality, sigma)
        share = 1 / 2 if sigma >= denoising.WEAKEST else 0
        samples = self.clean(arrays.samples(image), sigma, stage(progress, 0, share))
        (height, width), code = samples.shape[:2], round(quality * 100)
        given = self.network, self.tables, samples, code, stage(progress, share, 1)
        bands = transform_coding.quantised(*given)
        values = coding_order.stacked(bands, latent_size(height, width)[0])
        return Latent(values, width, height, code / 100, self.model_id)

    def clean(self, samples: np.ndarray, sigma: float, progress=None) -> np.ndarray:
        """What `encode` makes of a noisy picture before it encodes it, see `sdae.network.denoising`.

        (H, W, 3) uint8, or float32 on the scale [0, 1] of full range, → the same as it is, if there
        is hardly any noise, or else uint8.
        """
        return denoising.cleaned(self.trained.denoiser, samples, sigma, progress)

    def decode(self, latent: Latent, progress=None) -> Image.Image:
        """Integers → RGB picture."""
        transform_coding.check(latent, self._of(latent).tables.channels)
        return self._picture(latent, coding_order.bands(latent.values), progress)

    def pack(self, latent: Latent, plain: bool = False) -> bytes:
        """Integers → the bytes of a whole file; ``plain`` packs them as the original work did."""
        _check(latent.quality)
        trained = self._of(latent)
        transform_coding.check(latent, trained.tables.channels)
        code, mode = round(latent.quality * 100), container.PLAIN if plain else container.CONTEXTS
        header = Header(trained.model_id, mode, latent.width, latent.height, code)
        if plain:
            return container.write(header, deflate.plain(latent.values))
        return container.write(header, latent_coder.encode(latent.values, code, trained.tables))

    def unpack(self, data, max_pixels: int = MAX_PIXELS) -> Latent:
        """A whole file, as for `decompress` → integers, exactly those that were packed."""
        header, bands = self._unpacked(data, max_pixels)
        with one_blas_thread():  # once for all bands, as the change takes longer than a small one
            values = coding_order.stacked(bands, latent_size(header.height, header.width)[0])
        return Latent(values, header.width, header.height, header.quality, header.model_id)

    def _picture(self, about: Latent | Header, bands, progress):
        return arrays.image(self._restored(about, bands, progress), about.width, about.height)

    def _restored(self, about: Latent | Header, bands, progress):
        given = self._of(about).network, bands, about.height, about.width, about.quality
        return transform_coding.restored(*given, progress)

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
        trained = shipped(about.model_id)
        if trained is None:
            raise BitstreamError(
                f"The file was made with weights {about.model_id.hex()}, which are unknown here; "
                "update sdae, or name the weights that made it."
            )
        return trained


def _check(quality, sigma=0.0):
    for name, number, low, high in ("quality", quality, 1, 100), ("noise level", sigma, 0, 1):
        if isinstance(number, str) or not low <= number <= high:
            raise ValueError(
                f"The {name} must be a number from {low} to {high}; this is {number!r}."
            )
