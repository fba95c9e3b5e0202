"""The colours of all figures: the palette of Okabe and Ito, told apart with every colour vision."""

BLUE, SKY, GREEN, ORANGE = "#2B87C8", "#56B4E9", "#009E73", "#E69F00"
RED, PINK, GREY = "#D55E00", "#CC79A7", "#8A97A3"
# Blue and grey are a shade lighter than the original, to be read on a dark page as well.

DISC = "#1F74B1"
"""A blue on which white letters can be read: 5:1."""

OURS = BLUE
"""What this codec made, wherever it stands beside others."""

CODECS = {"sdae": OURS, "jpeg": ORANGE, "jpeg2000": GREEN, "webp": PINK, "avif": RED}
"""Codec → colour; published codecs are GREY."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star")
"""Plotly's marks of the codecs in this order, so that no curve is known by its colour alone."""
