"""Pictures on which this codec does badly, made by code."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def text(width: int = 384, height: int = 256) -> np.ndarray:
    """Black letters on white, of falling size: (height, width, 3) uint8."""
    image = Image.new("RGB", (width, height), "white")
    draw, top = ImageDraw.Draw(image), 8
    for size in (34, 26, 20, 16, 13, 11, 9, 8, 7):
        font = ImageFont.load_default(size)
        words = "Letters have no soft edges. 0123456789 ".split() * 3
        while words and font.getlength(" ".join(words)) > width - 20:
            words.pop()
        draw.text((10, top), " ".join(words), "black", font)
        top += round(1.45 * size) + 4
    return np.array(image)


def line_art(width: int = 384, height: int = 256) -> np.ndarray:
    """Hairlines, rings, a checkerboard and pure colours: (height, width, 3) uint8."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for k in range(0, height // 2, 6):
        draw.line((8, 8 + k, width // 2 - 16, 8 + k // 2), "black")
    for radius in range(4, height // 4, 4):
        x, y = 3 * width // 4, height // 4 + 4
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline="black")
    colours = "red", "lime", "blue", "yellow", "magenta", "cyan"
    for k, colour in enumerate(colours):
        draw.rectangle((8 + 28 * k, height - 90, 30 + 28 * k, height - 12), colour)
    picture = np.array(image)
    y, x = np.mgrid[: 2 * height // 5, : 2 * width // 5]
    picture[-len(y) - 8 : -8, -y.shape[1] - 8 : -8] = (255 * ((y + x) % 2))[..., None]
    return picture


EXAMPLES = {"Text": text, "Line art": line_art}
"""Name → function of width and height."""
