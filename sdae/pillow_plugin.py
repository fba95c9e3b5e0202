"""Pillow reads and writes .sdae files once this module is imported, which `import sdae` does.

    Image.open("x.sdae")                   and everything that stands on it
    image.save("x.sdae", quality=80)

Opening reads the file and its header; the network loads when pixels are first needed. Pillow has
no entry points for plugins, so a program that never imports `sdae` does not know the format.
"""

import numbers
from functools import lru_cache

from PIL import Image, ImageFile

from sdae.codec import Codec
from sdae.coding import container
from sdae.coding.container import BitstreamError
from sdae.pictures import decoding, metadata, reading
from sdae.pictures.metadata import Metadata
from sdae.weights import WeightsError

FORMAT = "SDAE"

_LARGEST = 1 << 30
# Bytes of a file: several times what the largest picture that is decoded can need.


class SdaeImageFile(ImageFile.ImageFile):
    """An opened .sdae file: mode RGB.

    Its `info` holds `quality` (1 to 100), `weights` (the hexadecimal id of those that made the
    file), `coding` ("contexts" or "plain"), and `exif` and `icc_profile` where they were kept.

    Raises:
        OSError: the file is damaged, too large or, once pixels are needed, made with weights
            that never shipped. `Image.open` checks header and checksum, so that
            `verify` has nothing left to do.
    """

    format = FORMAT
    format_description = "SDAE learned image"

    def _open(self):
        data = self.fp.read(_LARGEST + 1)  # ty: ignore[missing-union-attribute] Pillow sets it
        if not container.begins(data):
            raise SyntaxError("not a .sdae file")
        if len(data) > _LARGEST:
            raise OSError("The file is too large for a .sdae file; get it again.")
        try:
            header, _ = container.read_header(data)
            kept = metadata.read(header)
        except BitstreamError as error:
            # No SyntaxError: Pillow would put "cannot identify" in the place of the reason.
            raise OSError(str(error)) from error
        if self.filename and self.fp:  # Pillow has opened it, and nobody needs it any more
            self.fp.close()
        self._data = data
        self._size = header.width, header.height
        self._mode = "RGB"
        self.info = {
            "quality": header.quality,
            "weights": header.model_id.hex(),
            "coding": header.coding,
            **kept.info(),
        }

    def load(self):
        if self._im is None:
            try:
                self.im = _codec().decompress(self._data).im
            except (BitstreamError, WeightsError) as error:
                raise OSError(str(error)) from error
            self.readonly = 0
            self.fp = None
        return super().load()


def _save(image, file, filename):
    """Write an image of any mode; option `quality` as in `Codec.compress`.

    Option `exif` (bytes or `Image.Exif`) is kept in the file, less the orientation of an opened
    file, which is stored upright. Option `icc_profile` is the one that the samples are meant in: it
    is kept with them where both are RGB. In any other case they are converted to sRGB.

    Raises:
        ValueError: the quality is no number from 1 to 100, or the image or its metadata too
            large or damaged.
    """
    options = image.encoderinfo
    quality = options.get("quality", 75)
    if not isinstance(quality, numbers.Real) or not 1 <= quality <= 100:
        raise ValueError("The quality must be a number between 1 and 100.")
    exif, icc = options.get("exif") or b"", options.get("icc_profile") or b""
    exif = exif.tobytes() if isinstance(exif, Image.Exif) else exif
    upright = decoding.upright(image)
    untrue = metadata.COLOURS | metadata.TURN if upright is not image else metadata.COLOURS
    if icc:
        upright = upright.copy()
        upright.info["icc_profile"] = icc
        picture = reading.read(upright, keep_metadata=True)
        upright, icc = picture.rgb, picture.metadata.icc
    try:
        kept = Metadata(exif and metadata.without(untrue, exif), icc)
    except Exception as error:  # Pillow raises anything on damaged data
        raise ValueError("The Exif data is damaged; leave it out.") from error
    data = _codec().compress(upright, quality=quality)
    file.write(metadata.attach(data, kept) if kept else data)


@lru_cache(maxsize=1)
def _codec():
    return Codec()


Image.register_open(FORMAT, SdaeImageFile, container.begins)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".sdae")
Image.register_mime(FORMAT, "image/x-sdae")
