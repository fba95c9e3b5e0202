"""The colours of every chart: Okabe and Ito's palette, told apart with every kind of colour vision.

Each holds at least 3:1 against both the light and the dark background, except ORANGE and SKY, which
are for marks with a shape of their own. Where two colours meet, lines differ in shape as well.
"""

BLUE, ORANGE, GREEN, PINK, VERMILION, SKY, GREY = (
    "#2B87C8", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7F8C98",
)

OURS = BLUE
NOISY = ORANGE
TRUE = GREEN

CODECS = {
    "sdae": BLUE, "jpeg": ORANGE, "jpeg2000": GREEN, "webp": PINK, "avif": VERMILION,
}
"""Codec → colour; ours at a higher effort is SKY, published codecs are GREY."""

OTHERS = (GREEN, PINK, VERMILION, SKY, GREY)
"""For what has no colour of its own, in this order."""

SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "hexagon",
)
"""Plotly's marks, so that no line is known by its colour alone."""
