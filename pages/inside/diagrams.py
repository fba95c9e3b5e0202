"""Drawings made by code: the network as its layers are, grids of numbers, codes.

Each function returns the text of one SVG picture with a title for screen readers. Lines and
letters take the colour of the text around them, so the pictures stand on light and dark pages.
"""

from __future__ import annotations

from html import escape
from itertools import groupby

import numpy as np

from pages.shared.figures import signed
from pages.shared.palette import BLUE, DISC, GREEN, GREY, ORANGE


def architecture(analysis: list[tuple], synthesis: list[tuple], latent: int) -> str:
    """Both stacks of `pages.inside.layers.layers` from left to right: a block is as high as its
    picture and as wide as it has channels; below them the linear paths. Equal blocks in a row are
    drawn once."""
    parts, x, middle = [], 22.0, 64
    alt = ["The network from left to right. Picture with 3 channels"]

    def block(name, channels, stride, colour):
        nonlocal x
        high, wide = 120 * (1, 0.7, 0.48, 0.32)[stride.bit_length() - 1], 12 + channels / 4.5
        room = max(wide, 46, 7 * len(name))
        place, below = x + room / 2, middle + high / 2
        parts.append(_rectangle(place - wide / 2, middle - high / 2, wide, high, colour, True))
        parts.append(_text(place, below + 16, name, 12, bold=True))
        parts.append(_text(place, below + 31, f"{channels}", 12))
        x += room + 12
        return place

    start = block("picture", 3, 1, GREY)

    def stack(layers, colour):
        for (name, channels, stride), run in groupby(layers):
            count = len(list(run))
            name += f" × {count}" * (count > 1)
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
            f'<path d="M{left:.0f} 160 V172 H{right:.0f} V162" fill="none" '
            f'stroke="currentColor" stroke-dasharray="5 4"/>'
        )
        parts.append(_text((left + right) / 2, 188, name, 13))
    return _svg(x, 194, parts, ", ".join(alt) + ", picture. A linear path runs beside each stack.")


def grids(shown: list[tuple[str, str, np.ndarray]], alt: str) -> str:
    """Small grids of numbers in a row: the sign before it, title and values of each.

    Blue is below zero, pale is zero, brown is above, on a scale of its own for each grid.
    """
    parts, x, side = [], 4.0, 168
    for sign, title, values in shown:
        if sign:
            parts.append(_text(x + 16, 30 + side / 2 + 8, sign, 26))
            x += 36
        cell, colours = side / len(values), signed(values)
        parts.append(_text(x + side / 2, 18, title, 14, bold=True))
        for (row, column), value in np.ndenumerate(values):
            left, top, colour = x + column * cell, 30 + row * cell, colours[row, column]
            parts.append(
                f'<rect x="{left + 1:.1f}" y="{top + 1:.1f}" width="{cell - 2:.1f}" '
                f'height="{cell - 2:.1f}" rx="3" fill="rgb({",".join(map(str, colour))})"/>'
            )
            ink = "#000000" if colour.mean() > 130 else "#FFFFFF"
            middle = left + cell / 2, top + cell / 2 + 5
            parts.append(_text(*middle, f"{value:z.2f}", 14, colour=ink))
        x += side + 8
    return _svg(x, side + 36, parts, alt)


def huffman_tree(code: dict[int, str], counts: dict[int, int]) -> str:
    """The tree of a code: left is 0, right is 1; leaves are integers with how often they occur."""
    deepest = max(map(len, code.values()))
    leaves = sorted(code, key=lambda symbol: code[symbol])
    width, step = max(720, 46 * len(leaves)), 30
    places = {code[s]: (k + 0.5) * width / len(leaves) for k, s in enumerate(leaves)}
    for length in range(deepest - 1, -1, -1):
        for prefix in {c[:length] for c in code.values() if len(c) > length}:
            below = [places[prefix + bit] for bit in "01" if prefix + bit in places]
            places[prefix] = sum(below) / len(below)
    parts, back = [], {c: s for s, c in code.items()}
    for name, x in places.items():
        y = 16 + len(name) * step
        if name:
            above, aside = places[name[:-1]], 9 if name[-1] == "1" else -9
            line = f'<line x1="{above:.1f}" y1="{y - step}" x2="{x:.1f}" y2="{y}" '
            parts.insert(0, f'{line}stroke="currentColor" opacity="0.6"/>')
            middle = (x + above) / 2 + aside, y - step / 2 + 2
            parts.append(_text(*middle, name[-1], 12, bold=True))
        if name in back:
            symbol = back[name]
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="15" fill="{DISC}"/>')
            parts.append(_text(x, y + 5, f"{symbol}", 13, bold=True, colour="#FFFFFF"))
            parts.append(_text(x, y + 29, f"{counts[symbol]}×", 11.5))
        else:
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="currentColor"/>')
    alt = "Huffman tree. " + ", ".join(
        f"{s} occurs {counts[s]} times and has code {code[s]}"
        for s in sorted(code, key=lambda s: -counts[s])
    )
    return _svg(width, 16 + deepest * step + 38, parts, alt)


def _svg(width, height, parts, alt) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{escape(alt, quote=True)}" fill="none" '
        f'style="max-width:{width:.0f}px">{"".join(parts)}</svg>'
    )


def _rectangle(x, y, width, height, colour, filled=False) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="7" '
        f'fill="{colour}" fill-opacity="{0.28 if filled else 0.09}" stroke="{colour}" '
        f'stroke-width="1.6"/>'
    )


def _text(x, y, content, size, bold=False, colour="currentColor") -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{weight} text-anchor="middle" '
        f'fill="{colour}">{escape(str(content))}</text>'
    )
