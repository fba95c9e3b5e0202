"""The colours of all figures: the palette of Okabe and Ito, told apart with every colour vision."""

BLUE, SKY, GREEN, ORANGE = "#2B87C8", "#56B4E9", "#009E73", "#E69F00"
RED, PINK, YELLOW, GREY = "#D55E00", "#CC79A7", "#F0E442", "#8A97A3"
# Blue and grey are a shade lighter than the original, to be read on a dark page as well.

OURS = BLUE
"""What this codec made, wherever it stands beside others."""

NOISY, TRUE = ORANGE, GREEN
"""A noisy picture, and what is known without an estimate."""

CODECS = {"sdae": OURS, "jpeg": ORANGE, "jpeg2000": GREEN, "webp": PINK, "avif": RED}
"""Codec → colour; published codecs are GREY."""

SEQUENCE = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
"""Colours of a family of curves, in this order."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star")
"""Plotly's marks in the same order, so that no curve is known by its colour alone."""
