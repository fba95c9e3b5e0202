"""The payload of a file: the integers of a latent, in one of two coding modes.

The context mode is the codec's. The plain mode is what the original work did, kept to compare.
"""

from sdae.coding import latents
from sdae.coding.container import PLAIN, BitstreamError
from sdae.coding.deflate import DeflateError, plain, unplain
from sdae.threads import in_one_blas_thread, one_blas_thread


def write(mode: int, values, quality_code: int, tables, effort: int = 0) -> bytes:
    """Integers → payload; in the plain mode the values alone count, see `latents.encode`."""
    if mode == PLAIN:
        return plain(values)
    with one_blas_thread():
        return latents.encode(values, quality_code, tables, effort)


def write_bands(bands, quality_code: int, tables) -> bytes:
    """As `write` in the context mode, for bands that come one after another."""
    with one_blas_thread():
        return latents.encode_bands(bands, quality_code, tables)


def read(mode: int, payload: bytes, size: tuple[int, int], quality_code: int, tables):
    """Payload → the integers of one band after another, (n, w, C) int16.

    Args:
        size: (h, w) of the latent.

    Raises:
        BitstreamError: the payload is damaged or belongs to another size.
    """
    try:
        if mode == PLAIN:
            yield unplain(payload, *size, tables.channels)
        else:
            bands = latents.decode_bands(payload, *size, quality_code, tables)
            yield from in_one_blas_thread(bands)
    except DeflateError as error:
        raise BitstreamError(f"The file is damaged: {error}") from error
