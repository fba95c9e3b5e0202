"""Numbers as people read them."""

from sdae.measuring.metrics import decibels

__all__ = ["decibels", "milliseconds"]


def milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:,.0f} ms"
