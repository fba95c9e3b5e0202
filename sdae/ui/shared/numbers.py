"""Numbers as people read them."""

from sdae.measuring.metrics import decibels

__all__ = ["decibels", "milliseconds"]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
