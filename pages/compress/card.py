"""A card to post: both halves of the picture, what each takes, and where the app is."""

from __future__ import annotations

import io
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, FOOT = 1200, 630, 120
_GROUND, _INK, _QUIET, _OURS = "#12171C", "#E8EDF1", "#B4BEC7", "#56B4E9"
_EDGE = 32


@dataclass(frozen=True)
class Half:
    """One side of the card: a PNG file, a name, its bytes and, where it lost anything, dB."""

    png: bytes
    name: str
    file_bytes: int
    psnr: float | None = None


def draw(left: Half, right: Half, address: str | None) -> bytes:
    """A PNG file of 1200×630 pixels; `address` is that of the app, None where nobody could open it."""
    card = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    pen, middle, top = ImageDraw.Draw(card), WIDTH // 2, HEIGHT - FOOT
    for half, start in ((left, 0), (right, middle)):
        part = (start, 0, start + middle, top)
        card.paste(_filling(half.png).crop(part), part[:2])
        x, ours = start + _EDGE, half is right
        lost = "" if half.psnr is None else f", {half.psnr:.1f} dB"
        said = f"{half.name}: {half.file_bytes:,} bytes{lost}"
        pen.text((x, top + 18), said, _OURS if ours else _INK, _font(34))
    pen.line((middle, 0, middle, top), "#FFFFFF", 3)
    words = "SDAE: a neural network that compresses photographs"
    pen.text((_EDGE, HEIGHT - 42), words, _QUIET, _font(22))
    if address:
        pen.text((WIDTH - _EDGE, HEIGHT - 42), address, _QUIET, _font(22), anchor="ra")
    file = io.BytesIO()
    card.save(file, "PNG")
    return file.getvalue()


def public(address: str | None) -> str | None:
    """The host and path of an address that others can open, else None: that of this machine or of
    a private network is not."""
    parts = urlsplit(address or "")
    host = parts.hostname or "localhost"
    try:
        reachable = ip_address(host).is_global
    except ValueError:
        reachable = "." in host and not host.endswith((".local", ".internal"))
    return f"{parts.netloc}{parts.path}".rstrip("/") if reachable else None


def _filling(png: bytes) -> Image.Image:
    """The middle of a picture, as large as the card's; enlarged pixels stay sharp squares."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    height = HEIGHT - FOOT
    scale = max(WIDTH / picture.width, height / picture.height)
    wide, high = WIDTH / scale, height / scale
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    how = Image.Resampling.NEAREST if scale > 3 else Image.Resampling.LANCZOS
    return picture.resize((WIDTH, height), how, (left, top, left + wide, top + high))


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
