"""Numbers as people read them."""

import math


def decibels(psnr: float) -> str:
    return "∞" if math.isinf(psnr) else f"{psnr:.2f}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
