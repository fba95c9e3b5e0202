"""Pillow reads and writes .sdae files once this module is imported, which `import sdae` does.

    Image.open("x.sdae")                             and everything that stands on it
    image.save("x.sdae", quality=80, effort=2)

Opening reads the file and its header; the network loads when pixels are first needed. Pillow has
no entry points for plugins, so a program that never imports `sdae` does not know the format.
"""

import os
import threading
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

# One picture at a time: two at once would be no faster and need the memory twice.
_turn = threading.Lock()


def _begin_anew():
    # In a forked child nobody else has the turn.
    global _turn
    _turn = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


class SdaeImageFile(ImageFile.ImageFile):
    """An opened .sdae file: mode RGB.

    Its `info` holds `quality` (1 to 100), `weights` (the hexadecimal id of those that made the
    file), `coding` ("contexts" or "plain"), and `exif` and `icc_profile` where they were kept.

    Raises:
        OSError: the file is damaged, too large or, once pixels are needed, made with weights
            that never shipped. `Image.open` checks header and checksum, so that
            `verify` has nothing left to find.
    """

    format = FORMAT
    format_description = "SDAE learned image"

    def _open(self):
        data = self.fp.read(_LARGEST + 1)  # ty: ignore[missing-union-attribute] Pillow sets it
        if not _accept(data):
            raise SyntaxError("not a .sdae file")
        if len(data) > _LARGEST:
            raise OSError("The file is too large for a .sdae file; get it again.")
        try:
            header, _ = container.read_header(data)
            kept = metadata.read(header)
        except BitstreamError as error:
            # No SyntaxError: Pillow would put "cannot identify" in the place of the reason.
            raise OSError(str(error)) from error
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
                with _turn:
                    self.im = _codec().decompress(self._data).im
            except (BitstreamError, WeightsError) as error:
                raise OSError(str(error)) from error
            self.readonly = 0
            if self.fp and self._exclusive_fp:
                self.fp.close()
            self.fp = None
        return super().load()


def _accept(prefix):
    return prefix.startswith(container.MAGIC)


def _save(image, file, filename):
    """Write an image of any mode; options `quality` and `effort` as in `Codec.compress`.

    Option `exif` (bytes or `Image.Exif`) is kept in the file, less the orientation of an opened
    file, which is stored upright. Option `icc_profile` is the one that the samples are meant in: it
    is kept with them where both are RGB. In any other case they are converted to sRGB.

    Raises:
        ValueError: quality or effort is out of range, or the image or its metadata too large
            or damaged.
    """
    options = image.encoderinfo
    exif, icc = options.get("exif") or b"", options.get("icc_profile") or b""
    exif = exif.tobytes() if isinstance(exif, Image.Exif) else exif
    upright = decoding.upright(image)
    untrue = metadata.TURN if upright is not image else frozenset()
    if icc:
        upright = upright.copy()
        upright.info["icc_profile"] = icc
        picture = reading.read(upright, keep_metadata=True)
        upright, icc = picture.rgb, picture.metadata.icc
    if not icc:
        untrue = untrue | metadata.COLOURS
    try:
        exif = exif and metadata.without(untrue, exif)
    except Exception as error:  # Pillow raises anything on damaged data
        raise ValueError("The Exif data is damaged; leave it out.") from error
    kept = Metadata(exif, icc)
    with _turn:
        data = _codec().compress(upright, options.get("quality", 75), options.get("effort", 0))
    file.write(metadata.attach(data, kept) if kept else data)


@lru_cache(maxsize=1)
def _codec():
    return Codec()


Image.register_open(FORMAT, SdaeImageFile, _accept)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".sdae")
Image.register_mime(FORMAT, "image/x-sdae")
