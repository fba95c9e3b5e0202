"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path


def number(kind, low, high=None):
    """A parser of numbers of `kind` (int or float) that refuses what is out of range."""

    def parse(text):
        value = kind(text)
        if not (low <= value and (high is None or value <= high)):
            limits = f"at least {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text} is not {limits}")
        return value

    parse.__name__ = kind.__name__  # argparse names it where the text is no number
    return parse


def add_sources(parser, about: str, ending: str) -> None:
    """What commands take that read files, and say something about each.

    `about` is what the help calls the files, `ending` that of an example.
    """
    places = f"{about}, folders or patterns such as '*{ending}'; - is standard input"
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=places)
    form = "print a JSON list, one object a file, instead of lines"
    parser.add_argument("--json", action="store_true", help=form)


def add_files(parser, about: str, ending: str) -> None:
    """What commands take that read files and write files; arguments as for `add_sources`."""
    add_sources(parser, about, ending)
    place = (
        "file to write (for one PATH), or folder, with / at its end where it has a dot and is "
        "not there yet, or - for standard output (default: beside the source)"
    )
    parser.add_argument("-o", "--output", metavar="PATH", help=place)
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    at_a_time = "files at a time (default: 1)"
    parser.add_argument("--jobs", type=number(int, 1), default=1, metavar="N", help=at_a_time)
    add_weights(parser)


def add_weights(parser) -> None:
    """The option that names other weights than those that ship."""
    parser.add_argument(
        "--weights", metavar="NAME", help="name or folder of the weights (default: the shipped)"
    )


def add_metadata(parser) -> None:
    """The option of commands that read pictures and write them."""
    about = (
        "keep Exif data, places and times among it, and the colour profile with its colours; "
        "otherwise they go and colours become sRGB"
    )
    parser.add_argument("--keep-metadata", action="store_true", help=about)


def add_training(parser, crops: int, batch: int, side: int) -> None:
    """What both commands that train take, with these defaults."""
    parser.add_argument("photos", nargs="+", help="folders of photographs to train on")
    parser.add_argument("--validation", help="folder to validate on (default: 20 %% of photos)")
    parser.add_argument("--output", required=True, help="folder for weights, card and loss curve")
    parser.add_argument("--force", action="store_true", help="write into a folder of other weights")
    parser.add_argument("--start", help="weights to begin with")
    parser.add_argument(
        "--crops", type=number(int, 1), default=crops, help="length of the whole training"
    )
    parser.add_argument("--batch", type=number(int, 1), default=batch, help="crops a step")
    about = "side of a crop, a multiple of 64"
    parser.add_argument("--crop", type=_side, default=side, metavar="PIXELS", help=about)
    parser.add_argument("--rate", type=number(float, 0), default=3e-4, help="highest learning rate")
    parser.add_argument("--seed", type=number(int, 0), default=1)


def _side(text: str) -> int:
    if int(text) < 64 or int(text) % 64:
        raise argparse.ArgumentTypeError(f"{text} is no multiple of 64")
    return int(text)
