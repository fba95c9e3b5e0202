"""How well and how fast: this codec and the others on sets of pictures."""
