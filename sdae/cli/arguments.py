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
