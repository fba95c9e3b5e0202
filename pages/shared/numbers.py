"""Numbers as people read them."""

from sdae.measuring.metrics import decibels

__all__ = ["decibels", "kilobytes", "milliseconds"]


def milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:,.0f} ms"


def kilobytes(size: int) -> str:
    """A file size in words that do not break, rounded: bytes below 1,000 of them, else KB."""
    return f"{size}\u00a0bytes" if size < 1000 else f"{size / 1000:,.0f}\u00a0KB"
