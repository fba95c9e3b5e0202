"""What a lesson on the codec shows: experiments on one picture, each a few lines on the public API.

Everything is computed by the codec itself, so that a lesson cannot tell another story than the
files do. Nothing here draws; nothing here is needed to compress.
"""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pages.inside.keras_model import keras_model
from sdae.codec import Codec, Latent
from sdae.coding import deflate, deflate_reader, huffman
from sdae.network.config import STRIDE, quality_position
from sdae.pictures import reading
from sdae.training import training_record

# --- the network ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One operation of a unit: "convolution", "depthwise" (a convolution of each channel alone),
    "PReLU" or "sub-pixel", and a few words on it."""

    kind: str
    detail: str
    parameters: int = 0


@dataclass(frozen=True)
class Unit:
    """One layer of a transform as it stands in the Keras model.

    Attributes:
        name, kind: the layer's name and class.
        inputs, outputs: channels that go in and come out.
        stride: pixels of the picture between two of its outputs.
        parameters: number of trained values.
        parts: what it does, in order; parameters of the parts add up to those of the unit.
    """

    name: str
    kind: str
    inputs: int
    outputs: int
    stride: int
    parameters: int
    parts: tuple[Part, ...]


def units(transform) -> list[Unit]:
    """The stack of an analysis or synthesis transform (`model.network`), read from its layers."""
    analysis = hasattr(transform.units[0], "shrink")
    stride, found = 1 if analysis else STRIDE, []
    for layer in transform.units:
        kind, parts, outputs = type(layer).__name__, _parts(layer), layer.filters
        kernels = [w.shape for w in layer.weights if len(w.shape) == 4]
        if kind == "DownUnit":
            stride *= 2
        elif kind == "UpUnit":
            stride //= 2
        elif layer.name == "head" and not analysis and stride > 1:
            parts += (Part("sub-pixel", f"{outputs}→3, size ×{stride}"),)
            outputs, stride = 3, 1
        found.append(
            Unit(layer.name, kind, kernels[0][2], outputs, stride, layer.count_params(), parts)
        )
    return found


def _parts(layer) -> tuple[Part, ...]:
    def convolution(c):
        k, s = c.kernel_size[0], c.strides[0]
        pace = f", stride {s}" if s > 1 else ""
        return Part(
            "convolution", f"{k}×{k}, {c.kernel.shape[2]}→{c.filters}{pace}", c.count_params()
        )

    def dense(d):
        c, filters = d.kernel.shape
        return Part("convolution", f"1×1, {c}→{filters}", d.count_params())

    def prelu(p):
        return Part("PReLU", f"{p.alpha.shape[-1]} slopes", p.count_params())

    match type(layer).__name__:
        case "DownUnit":
            return convolution(layer.mix), convolution(layer.shrink), prelu(layer.activation)
        case "UpUnit":
            pixels = Part("sub-pixel", f"4·{layer.filters}→{layer.filters}, size ×2")
            return convolution(layer.expand), pixels, prelu(layer.activation)
        case "DepthwiseBlock":
            around = Part("depthwise", f"3×3, {layer.filters} alone", layer.around.count_params())
            return around, dense(layer.widen), prelu(layer.activation), dense(layer.narrow)
        case "ResidualBlock":
            pairs = zip(layer.activations, layer.convolutions)
            return tuple(p for a, c in pairs for p in (prelu(a), convolution(c)))
        case _:
            return (convolution(layer),)


def slopes(transform) -> dict[str, np.ndarray]:
    """What PReLU learned: for each of its layers, in the order of the data, one slope a channel."""
    found = {}
    for layer in transform.units:
        alphas = sorted((w.path, w) for w in layer.weights if w.path.endswith("alpha"))
        for path, weight in alphas:
            unit, name = path.split("/")[-3:-1]
            label = unit if name == "prelu" else f"{unit} ({name[-1]})"
            found[label] = np.asarray(weight).ravel()
    return found


def activations(codec: Codec, rgb: np.ndarray, quality: float) -> dict[str, np.ndarray]:
    """What each unit of the analysis makes of a picture: name → (h, w, C) float32.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1 to 100.
    """
    image, t = _image(rgb), _position(quality)
    level = np.broadcast_to(np.float32([0, (t[0] - 0.5) * 2]), (*image.shape[:3], 2))
    return _walk(keras_model(codec).analysis, np.concatenate([(image - 0.5) * 4, level], -1))


def restoring(codec: Codec, latent: Latent) -> dict[str, np.ndarray]:
    """What each unit of the synthesis makes of a latent: name → (h, w, C) float32."""
    t, transform = _position(latent.quality), keras_model(codec).synthesis
    scaled = _scaled(codec, latent) * np.asarray(transform.scale)
    plane = np.full((*scaled.shape[:2], 1), (t[0] - 0.5) * 2, "float32")
    return _walk(transform, np.concatenate([scaled, plane], -1)[None].astype("float32"))


def _walk(transform, x):
    found = {}
    for layer in transform.units:
        x = layer(x)
        found[layer.name] = np.asarray(x)[0]
    return found


def reach(codec: Codec, rgb: np.ndarray, quality: float) -> np.ndarray:
    """How many integers of each place change when the pixel in the middle is inverted.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1 to 100; rounding is plain.

    Returns:
        (h, w) counts.
    """
    t = quality_position(quality)
    gain, _ = codec.network.gains(t)
    other = rgb.copy()
    other[rgb.shape[0] // 2, rgb.shape[1] // 2] ^= 255
    one, two = (np.rint(codec.network.analysis(_image(x)[0], 0.0, t) * gain) for x in (rgb, other))
    return (one != two).sum(2)


@dataclass(frozen=True)
class UpSampling:
    """Three ways to make a small grid twice as large.

    Attributes:
        planes: (4, n, n) what the learned convolution of an up-sampling unit says for the four
            places of each 2×2 square: upper left, upper right, lower left, lower right.
        subpixel: (2n, 2n) the planes put together.
        bilinear, transposed: (2n, 2n) the first plane alone, interpolated between its centres,
            and by a transposed convolution of stride 2 with nine equal weights of 4/9, which
            keep the mean; its windows overlap unevenly (the checkerboard of Odena et al. 2016).
    """

    planes: np.ndarray
    subpixel: np.ndarray
    bilinear: np.ndarray
    transposed: np.ndarray


def up_sampling(codec: Codec, latent: Latent, n: int = 4) -> UpSampling:
    """The last up-sampling unit at work on the liveliest n×n places of its strongest channel.

    A picture so small that the unit sees fewer places gives as many as there are.
    """
    from keras import ops

    from sdae.training.autoencoder import depth_to_space

    ups = [u for u in keras_model(codec).synthesis.units if type(u).__name__ == "UpUnit"]
    before = keras_model(codec).synthesis.units.index(ups[-1]) - 1
    x = list(restoring(codec, latent).values())[before]
    expanded = np.asarray(ups[-1].expand(x[None]))[0]
    h, w = expanded.shape[:2]
    planes = expanded.reshape(h, w, 4, -1)
    planes = planes[..., planes.var((0, 1, 2)).argmax()]
    n = min(n, h, w)
    top, left = _liveliest(planes[..., 0], n)
    planes = planes[top : top + n, left : left + n]
    first = planes[None, :, :, :1]
    wide = ops.image.resize(first, (2 * n, 2 * n), interpolation="bilinear")
    equal = np.full((3, 3, 1, 1), 4 / 9, "float32")
    spread = ops.conv_transpose(first, equal, 2, padding="same")
    joined = depth_to_space(planes[None], 2)
    big = (np.asarray(x)[0, :, :, 0] for x in (joined, wide, spread))
    return UpSampling(planes.transpose(2, 0, 1), *big)


def _liveliest(plane, n):
    """Corner of the n×n window with the largest variance, on a coarse raster."""
    h, w = plane.shape
    corners = [(y, x) for y in range(0, h - n + 1, n) for x in range(0, w - n + 1, n)]
    return max(corners, key=lambda c: plane[c[0] : c[0] + n, c[1] : c[1] + n].var())


# --- the latent -------------------------------------------------------------------------------


def energy(codec: Codec, latent: Latent) -> np.ndarray:
    """(C,) mean square of each channel at the scale of the synthesis, on [0, 1] of full range.

    The linear path is nearly orthonormal, so this is about what the picture loses without it.
    """
    return np.square(_scaled(codec, latent)).mean((0, 1))


def order(codec: Codec, latent: Latent) -> np.ndarray:
    """(C,) the channels, that of the largest energy first."""
    return np.argsort(-energy(codec, latent), kind="stable")


def only(latent: Latent, channels) -> Latent:
    """The latent with every channel at zero that is not among ``channels``."""
    kept = np.zeros(latent.values.shape[2], bool)
    kept[list(channels)] = True
    return replace(latent, values=latent.values * kept)


def without(latent: Latent, channel: int) -> Latent:
    """The latent with one channel at zero."""
    return only(latent, set(range(latent.values.shape[2])) - {channel})


def requantised(codec: Codec, rgb: np.ndarray, quality: float, step: float):
    """The picture with its latent rounded to multiples of ``step`` integers.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1 to 100, whose gains and synthesis are used.
        step: 1 is plain rounding at this quality, 2 twice as coarse, 0.5 twice as fine.

    Returns:
        (h, w, C) int32 multiples, and the (H, W, 3) uint8 picture they give.
    """
    t, model = _position(quality), keras_model(codec)
    gain, inverse = model.gains(t)
    y = model.analysis(_image(rgb), np.zeros(1, "float32"), t) * gain
    multiples = np.rint(np.asarray(y) / np.float32(step))
    picture = np.asarray(model.synthesis(multiples * np.float32(step) * inverse, t))[0]
    picture = np.rint(np.clip(picture, 0, 1) * 255).astype("uint8")
    return multiples[0].astype("int32"), picture[: rgb.shape[0], : rgb.shape[1]]


def _image(rgb):
    """(H, W, 3) uint8 → (1, H', W', 3) float32 in [0, 1], sides filled up to whole strides."""
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
    return padded[None].astype("float32") / 255


def _position(quality):
    return np.float32([quality_position(quality)])


def _scaled(codec, latent):
    _, inverse = codec.network.gains(quality_position(latent.quality))
    return latent.values * inverse


# --- from integers to bytes -------------------------------------------------------------------


def entropy(values: np.ndarray) -> np.ndarray:
    """(C,) bytes that an ideal coder needs for each channel of (h, w, C) integers.

    It has one table a channel, which costs nothing; Shannon 1948.
    """
    tallies = [np.unique(c, return_counts=True)[1] for c in values.reshape(-1, values.shape[-1]).T]
    return np.array([huffman.entropy(tally) for tally in tallies]) / 8


LINE = 64
"""Longest worked example, in integers."""


@dataclass(frozen=True)
class Line:
    """The start of one row of one channel, packed by zlib and by a Huffman code of its own.

    Attributes:
        values: (n,) integers, clipped to int8; n is at most `LINE`.
        stream: the raw Deflate stream of zlib at level 9, one byte an integer.
        blocks: what the stream says.
        code: the Huffman code of these integers alone, integer → bits.
        entropy: bits that an ideal coder with the statistics of this line needs.
    """

    values: np.ndarray
    stream: bytes
    blocks: list[deflate_reader.Block]
    code: dict[int, str]
    entropy: float

    @property
    def coded_bits(self) -> int:
        """Bits of the integers in the code of their own, its description not counted."""
        return sum(len(self.code[v]) for v in self.values.tolist())


def line(latent: Latent, channel: int, row: int) -> Line:
    """The worked example of LZ77 and Huffman on one row of one channel."""
    values = np.clip(latent.values[row, :LINE, channel], -128, 127).astype("int8")
    stream = deflate.squeeze([values.tobytes()])
    found = deflate_reader.huffman(values.tobytes())
    code = {int(np.uint8(b).view("int8")): c for b, c in found.items()}
    counts = np.unique(values, return_counts=True)[1]
    return Line(
        values.astype(int),
        stream,
        deflate_reader.read(stream),
        code,
        float(huffman.entropy(counts)),
    )


def telling_row(latent: Latent) -> tuple[int, int]:
    """Channel and row of a line with something to repeat and something to code.

    Among the lines whose share of zeros is nearest to two thirds it is one in which zlib finds
    repetitions, and of these the one with the most different integers.
    """
    apart = np.abs((latent.values == 0).mean(1) - 2 / 3)
    rows, channels = np.unravel_index(np.argsort(apart, axis=None)[:48], apart.shape)

    def worth(place):
        found = line(latent, *place)
        matches = sum(token.length > 0 for block in found.blocks for token in block.tokens)
        return min(matches, 2), len(found.code)

    return max(zip(channels.tolist(), rows.tolist()), key=worth)


# --- training ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Training:
    """How the weights were trained, epoch by epoch over all runs.

    Attributes:
        runs: (n,) number of the run, from 1.
        crops, minutes: (n,) seen and spent since the first run began.
        loss, validation: (n,) both losses.
        rate, psnr: quality position t → (n,) bits per pixel and PSNR in dB of the validation.
    """

    runs: np.ndarray
    crops: np.ndarray
    minutes: np.ndarray
    loss: np.ndarray
    validation: np.ndarray
    rate: dict[float, np.ndarray]
    psnr: dict[float, np.ndarray]


def training(folder) -> Training | None:
    """What the record beside the weights tells; None where there is none."""
    rows = training_record.read(folder)
    if not rows:
        return None

    def column(name):
        return np.array([row.get(name, np.nan) for row in rows])

    levels = [name.removeprefix("bpp_") for name in rows[-1] if name.startswith("bpp_")]
    return Training(
        column("run").astype(int),
        column("all_images"),
        column("all_minutes"),
        column("loss"),
        column("validation_loss"),
        {float(t): column(f"bpp_{t}") for t in levels},
        {float(t): column(f"psnr_{t}") for t in levels},
    )


# --- limits -----------------------------------------------------------------------------------


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


def packaged(file: str) -> np.ndarray:
    """A picture inside the scikit-image package by its file's name: (H, W, 3) uint8."""
    folder = Path(find_spec("skimage").origin).parent / "data"
    return reading.read((folder / file).read_bytes()).rgb


def faces(width: int = 384, height: int = 256) -> np.ndarray:
    """One face many times, as small as in a photograph of a crowd: (height, width, 3) uint8."""
    face = Image.fromarray(packaged("astronaut.png")[20:212, 128:320])
    generator, picture = np.random.default_rng(1), Image.new("RGB", (width, height), "dimgrey")
    for y in range(0, height, 20):
        for x in range(-12 * (y // 20 % 2), width, 24):
            small = face.resize((24, 24), Image.Resampling.LANCZOS)
            small = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if x // 24 % 2 else small
            light = generator.uniform(0.6, 1.1)
            picture.paste(
                small.point(lambda level, light=light: min(255, int(light * level))), (x, y)
            )
    return np.array(picture)


def stars(width: int = 384, height: int = 256) -> np.ndarray:
    """Points of light on a dark sky, few of them bright: (height, width, 3) uint8."""
    generator = np.random.default_rng(2)
    y, x = np.mgrid[:height, :width]
    sky = np.stack([6 + 10 * y / height, 8 + 14 * y / height, 20 + 26 * y / height], -1)
    for _ in range(width * height // 200):
        top, left = generator.integers(height), generator.integers(width)
        light, size = 255 * generator.random() ** 3, generator.uniform(0.35, 0.8)
        rows, columns = (slice(max(0, at - 3), at + 4) for at in (top, left))
        away = (y[rows, columns] - top) ** 2 + (x[rows, columns] - left) ** 2
        tint = 1 - generator.uniform(0, 0.3, 3)
        sky[rows, columns] += light * tint * np.exp(-away / (2 * size**2))[..., None]
    return np.uint8(np.clip(sky, 0, 255))


EXAMPLES = {"Text": text, "Line art": line_art, "Faces far away": faces, "Starry sky": stars}
"""Pictures on which this codec does badly, made by code."""
