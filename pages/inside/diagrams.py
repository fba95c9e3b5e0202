"""Drawings made by code: the pipeline, the network as its Keras layers are, grids and codes.

Each function returns the text of one SVG picture with a title for screen readers. Lines and
letters take the colour of the text around them, so the pictures stand on light and dark pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby

import numpy as np

from pages.inside.facts import Unit
from pages.shared.palette import BLUE, GREEN, GREY, ORANGE, PINK, RED

PLANES = BLUE, ORANGE, GREEN, PINK
_PARTS = {"convolution": BLUE, "depthwise": BLUE, "PReLU": ORANGE, "sub-pixel": GREEN}
_SKIPPED = "ResidualBlock", "DepthwiseBlock"  # these add to what passes by them


@dataclass(frozen=True)
class Box:
    """A station of the pipeline.

    What holds data has a `shape` and a `size` in bytes; what does work has a pair of each, of
    what goes in and of what comes out. `sentence` says what happens there.
    """

    name: str
    shape: str | tuple[str, str]
    size: int | tuple[int, int]
    sentence: str = ""

    @property
    def works(self) -> bool:
        return isinstance(self.size, tuple)

    @property
    def lines(self) -> tuple[str, str]:
        """Shape and bytes as they stand in the box."""
        if self.works:
            return " → ".join(self.shape), " → ".join(f"{n:,}" for n in self.size) + " bytes"
        return self.shape, f"{self.size:,} bytes"


def pipeline(boxes: list[Box]) -> str:
    """The stations in a loop, the first half to the right and the second half back.

    Boxes of data are solid, with a bar for their bytes on the scale of the largest; those that
    work are dashed. Each is a group with its number in ``data-station``.
    """
    half = -(-len(boxes) // 2)
    width, height, gap = 208, 96, 34
    most = max(box.size for box in boxes if not box.works)
    parts = []
    for number, box in enumerate(boxes):
        back = number >= half
        column = 2 * half - 1 - number if back else number
        x, y = column * (width + gap) + 4, (height + 56 if back else 4)
        parts.append(f'<g data-station="{number}">')
        parts.append(_rectangle(x, y, width, height, GREY if box.works else BLUE, dashed=box.works))
        shape, size = box.lines
        parts.append(_text(x + width / 2, y + 26, box.name, 17, bold=True))
        parts.append(_text(x + width / 2, y + 48, shape, 13))
        parts.append(_text(x + width / 2, y + 68, size, 13, bold=not box.works))
        if not box.works:
            bar = max(2.0, (width - 24) * box.size / most)
            parts.append(
                f'<rect x="{x + 12}" y="{y + 79}" width="{bar:.1f}" height="8" rx="3" '
                f'fill="{ORANGE}"/>'
            )
        parts.append("</g>")
        if number == len(boxes) - 1:
            continue
        if number == half - 1:
            parts.append(_arrow(x + width / 2, y + height, x + width / 2, y + height + 52))
        elif back:
            parts.append(_arrow(x, y + height / 2, x - gap, y + height / 2))
        else:
            parts.append(_arrow(x + width, y + height / 2, x + width + gap, y + height / 2))
    alt = "The pipeline. " + ", then ".join(f"{b.name}: {', '.join(b.lines)}" for b in boxes)
    return _svg(half * (width + gap) - gap + 8, 2 * height + 64, parts, alt)


def architecture(analysis: list[Unit], synthesis: list[Unit], latent: int) -> str:
    """Both stacks from left to right: a block is as high as its picture and as wide as it has
    channels; below them the linear paths. Blocks of one kind in a row are drawn once."""
    parts, x, middle = [], 22.0, 130
    alt = ["The network from left to right. Picture with 3 channels"]

    def block(name, channels, stride, colour, note=""):
        nonlocal x
        high, wide = 200 * (1, 0.7, 0.48, 0.32)[stride.bit_length() - 1], 12 + channels / 4.5
        parts.append(_rectangle(x, middle - high / 2, wide, high, colour, filled=True))
        parts.append(_text(x + wide / 2, middle + high / 2 + 16, name, 12, bold=True))
        parts.append(_text(x + wide / 2, middle + high / 2 + 31, note or f"{channels}", 12))
        place = x + wide / 2
        x += max(wide, 46, 7 * len(name)) + 12
        return place

    start = block("picture", 3, 1, GREY)

    def stack(units, colour):
        for (channels, stride, *_), run in groupby(
            units,
            lambda u: (u.outputs, u.stride, u.kind, u.kind not in _SKIPPED and u.name),
        ):
            names = [unit.name for unit in run]
            name = names[0]
            if len(names) > 1:
                name = f"{name.rpartition('_')[0]} × {len(names)}"
            block(name, channels, stride, colour)
            alt.append(f"{name} with {channels} channels at 1/{stride}")

    stack(analysis, BLUE)
    between = block("latent", latent, 8, ORANGE)
    alt.append(f"latent with {latent} channels at 1/8")
    stack(synthesis, GREEN)
    end = block("picture", 3, 1, GREY)
    for left, right, name in (
        (start, between, "linear path of the encoder"),
        (between, end, "linear path of the decoder"),
    ):
        parts.append(
            f'<path d="M{left:.0f} 268 V288 H{right:.0f} V272" fill="none" '
            f'stroke="currentColor" stroke-dasharray="5 4"/>'
        )
        parts.append(_text((left + right) / 2, 306, name, 13))
    return _svg(x, 316, parts, ", ".join(alt) + ", picture. A linear path runs beside each stack.")


def unit(shown: Unit) -> str:
    """One unit as the chain of its operations, with a bow for what skips them."""
    names = [("input", f"{shown.inputs} channels", None)]
    names += [(p.kind, p.detail, p.parameters) for p in shown.parts]
    names.append(("output", f"{shown.outputs} channels", None))
    width, height, gap, top = 168, 76, 30, 34
    parts = []
    for number, (name, detail, parameters) in enumerate(names):
        x = number * (width + gap) + 4
        colour = _PARTS.get(name, GREY)
        parts.append(_rectangle(x, top, width, height, colour, filled=name in _PARTS))
        parts.append(_text(x + width / 2, top + 26, name, 15, bold=True))
        parts.append(_text(x + width / 2, top + 46, detail, 12.5))
        if parameters:
            parts.append(_text(x + width / 2, top + 64, f"{parameters:,} parameters", 12))
        if number < len(names) - 1:
            parts.append(_arrow(x + width, top + height / 2, x + width + gap, top + height / 2))
    if shown.kind in _SKIPPED:
        right = (len(names) - 1) * (width + gap) + 4 + width / 2
        parts.append(
            f'<path d="M{4 + width / 2} {top} V14 H{right} V{top - 4}" fill="none" '
            f'stroke="currentColor" stroke-width="1.5"/>'
        )
        parts.append(_text((width + right) / 2, 28, "added to the result", 12.5))
    alt = f"{shown.kind} {shown.name}: " + ", then ".join(f"{n} ({d})" for n, d, _ in names)
    return _svg(len(names) * (width + gap) - gap + 8, top + height + 6, parts, alt)


def grids(shown: list[tuple[str, np.ndarray, np.ndarray | None]], alt: str) -> str:
    """Small grids of numbers side by side: title, values, and which of `PLANES` each belongs to.

    A cell is the darker the higher its value, on one scale for all.
    """
    low = min(float(v.min()) for _, v, _ in shown)
    span = max(float(v.max()) for _, v, _ in shown) - low or 1.0
    parts, x, side = [], 4.0, 232
    for title, values, plane in shown:
        n = values.shape[0]
        cell = side / n
        parts.append(_text(x + side / 2, 18, title, 15, bold=True))
        for (row, column), value in np.ndenumerate(values):
            left, top = x + column * cell, 30 + row * cell
            share = (value - low) / span
            shade = round(250 - 205 * share)
            edge = PLANES[plane[row, column]] if plane is not None else GREY
            parts.append(
                f'<rect x="{left + 1.5:.1f}" y="{top + 1.5:.1f}" width="{cell - 3:.1f}" '
                f'height="{cell - 3:.1f}" fill="rgb({shade},{shade},{shade})" stroke="{edge}" '
                f'stroke-width="{3 if plane is not None else 1}"/>'
            )
            ink = "#000000" if shade > 140 else "#FFFFFF"
            parts.append(
                _text(
                    left + cell / 2,
                    top + cell / 2 + 4,
                    f"{value:.1f}",
                    14 if cell > 40 else 10.5,
                    colour=ink,
                )
            )
        x += side + 28
    return _svg(x - 24, side + 36, parts, alt)


def huffman_tree(code: dict[int, str], counts: dict[int, int]) -> str:
    """The tree of a code: left is 0, right is 1; leaves are integers with how often they occur."""
    deepest = max(map(len, code.values()))
    leaves = sorted(code, key=lambda symbol: code[symbol])
    width, step = max(720, 46 * len(leaves)), 46
    places = {code[s]: (k + 0.5) * width / len(leaves) for k, s in enumerate(leaves)}
    for length in range(deepest - 1, -1, -1):
        for prefix in {c[:length] for c in code.values() if len(c) > length}:
            below = [places[prefix + bit] for bit in "01" if prefix + bit in places]
            places[prefix] = sum(below) / len(below)
    parts, back = [], {c: s for s, c in code.items()}
    for name, x in places.items():
        y = 16 + len(name) * step
        if name:
            parts.insert(
                0,
                f'<line x1="{places[name[:-1]]:.1f}" y1="{y - step}" x2="{x:.1f}" '
                f'y2="{y}" stroke="currentColor" opacity="0.6"/>',
            )
            parts.append(
                _text(
                    (x + places[name[:-1]]) / 2 + (9 if name[-1] == "1" else -9),
                    y - step / 2 + 2,
                    name[-1],
                    12,
                    bold=True,
                    colour=ORANGE if name[-1] == "1" else BLUE,
                )
            )
    for name, x in places.items():
        y = 16 + len(name) * step
        if name in back:
            symbol = back[name]
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="15" fill="{BLUE}"/>')
            parts.append(_text(x, y + 5, f"{symbol}", 13, bold=True, colour="#FFFFFF"))
            parts.append(_text(x, y + 29, f"{counts[symbol]}×", 11.5))
        else:
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="currentColor"/>')
    alt = "Huffman tree. " + ", ".join(
        f"{s} occurs {counts[s]} times and has code {code[s]}"
        for s in sorted(code, key=lambda s: -counts[s])
    )
    return _svg(width, 16 + deepest * step + 38, parts, alt)


def tokens(symbols: list[tuple[list[int], str, tuple[int, int]]], alt: str) -> str:
    """The symbols of a Deflate stream in boxes.

    Each is the integers that it stands for, none at the end of a block; its bits; and length and
    distance where it repeats earlier ones, else zeros.
    """
    parts, x, y, widest = [], 4.0, 4.0, 960
    for values, bits, (length, distance) in symbols:
        content = " ".join(map(str, values)) or "end"
        if len(content) > 64:
            content = f"{content[:60]} …"
        note = f"{length} from {distance} back" if length else ""
        wide = max(8.2 * len(content), 7.4 * len(bits), 6.6 * len(note)) + 16
        if x + wide > widest:
            x, y = 4.0, y + 78
        colour = RED if length else BLUE if values else GREY
        parts.append(_rectangle(x, y, wide, 48, colour, filled=length > 0))
        parts.append(_text(x + wide / 2, y + 20, content, 14, bold=True))
        parts.append(_text(x + wide / 2, y + 39, bits, 12, mono=True))
        if note:
            parts.append(_text(x + wide / 2, y + 63, note, 12))
        x += wide + 6
    return _svg(widest, y + 70, parts, alt)


def _svg(width, height, parts, alt) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{escape(alt, quote=True)}" fill="none" '
        f'style="max-width:{1.1 * width:.0f}px">{"".join(parts)}</svg>'
    )


def _rectangle(x, y, width, height, colour, filled=False, dashed=False) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="7" '
        f'fill="{colour}" fill-opacity="{0.28 if filled else 0.09}" stroke="{colour}" '
        f'stroke-width="1.6"{dash}/>'
    )


def _text(x, y, content, size, bold=False, colour="currentColor", mono=False) -> str:
    weight = ' font-weight="600"' if bold else ""
    family = ' font-family="monospace"' if mono else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{weight}{family} text-anchor="middle" '
        f'fill="{colour}">{escape(str(content))}</text>'
    )


def _arrow(x1, y1, x2, y2) -> str:
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    tip = f"M{x2} {y2} l{-8 * dx - 5 * dy} {-8 * dy - 5 * dx} l{10 * dy} {10 * dx} z"
    return (
        f'<path d="M{x1} {y1} L{x2 - 6 * dx} {y2 - 6 * dy}" stroke="currentColor" '
        f'stroke-width="1.8"/><path d="{tip}" fill="currentColor"/>'
    )
