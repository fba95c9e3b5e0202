"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse


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


def add_weights(parser) -> None:
    """The option that names other weights than those that ship."""
    parser.add_argument(
        "--weights", metavar="NAME", help="name or folder of the weights (default: the shipped)"
    )


def add_measuring(parser, jobs: int | None) -> None:
    """The options of commands that measure sets of pictures; `jobs` is how many processes."""
    add_weights(parser)
    parser.add_argument("--kodak", help="folder of the Kodak pictures (default: SDAE_KODAK)")
    parser.add_argument(
        "--stride", type=int, default=1, help="measure only every so many pictures of a set"
    )
    parser.add_argument("--jobs", type=int, default=jobs, help=f"processes, default {jobs}")
    parser.add_argument("--results", help="folder for the results (default: that of the weights)")
    parser.add_argument("--show", action="store_true", help="only print what is measured already")
