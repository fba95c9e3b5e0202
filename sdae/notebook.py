"""How codecs, latents and results look in a notebook: IPython's ``_repr_html_`` and ``_repr_png_``.

Only what these protocols need, so nothing of IPython is imported.
"""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from PIL import Image


def codec(card: dict, model_id: bytes) -> str:
    """A table that says which weights a codec works with, as HTML."""
    rows = {
        "Weights": model_id.hex(),
        "Parameters": _grouped(card.get("parameters")),
        "Latent channels": _grouped(card.get("config", {}).get("latent_channels")),
        "Trained on": _grouped(card.get("images"), " crops"),
        "Training time": _grouped(card.get("minutes"), " minutes"),
    }
    return _table("SDAE codec", rows)


def result(found) -> str:
    """The restored picture of a `sdae.measuring.comparison.Result` and its figures, as HTML."""
    rows = {
        "Size": f"{found.width} × {found.height} pixels",
        "File": f"{found.file_bytes:,} bytes",
        "Rate": f"{found.bits_per_pixel:.3f} bits per pixel",
        "Quality": f"{found.quality:g}",
    }
    if found.psnr is not None:
        rows |= {"PSNR": f"{found.psnr:.2f} dB".replace("inf", "∞"), "SSIM": f"{found.ssim:.4f}"}
    for name, seconds in ("Encode", found.encode_seconds), ("Decode", found.decode_seconds):
        if seconds is not None:
            rows[name] = f"{1000 * seconds:,.0f} ms"
    picture = base64.b64encode(found.png).decode()
    alt = f"Restored picture, {found.width} × {found.height} pixels"
    return (
        f"<div><img src='data:image/png;base64,{picture}' alt='{alt}' "
        f"style='max-width: 100%'>{_table('SDAE result', rows)}</div>"
    )


def latent(values: np.ndarray) -> bytes:
    """The channels of a latent as tiles, in reading order: a PNG file.

    Zero is mid-grey; the largest magnitude of each channel is black or white.

    Args:
        values: (h, w, C) integers.
    """
    h, w, channels = values.shape
    columns = int(np.ceil(np.sqrt(channels * h / w)))  # about as wide as high
    rows = -(-channels // columns)
    scale = 127 / np.maximum(np.abs(values.astype("float32")).max((0, 1)), 1)
    sheet = np.full((rows * columns, h + 1, w + 1), 255, "uint8")  # a white line between tiles
    sheet[:channels, :h, :w] = np.rint(128 + values * scale).transpose(2, 0, 1)
    sheet = sheet.reshape(rows, columns, h + 1, w + 1).swapaxes(1, 2)
    file = io.BytesIO()
    Image.fromarray(sheet.reshape(rows * (h + 1), columns * (w + 1))[:-1, :-1]).save(file, "PNG")
    return file.getvalue()


def _grouped(number, unit: str = "") -> str | None:
    return None if number is None else f"{number:,}{unit}"


def _table(caption: str, rows: dict[str, str | None]) -> str:
    lines = "".join(
        f"<tr><th scope='row' style='text-align: left'>{name}</th><td>{escape(value)}</td></tr>"
        for name, value in rows.items()
        if value is not None
    )
    return f"<table><caption>{caption}</caption>{lines}</table>"
