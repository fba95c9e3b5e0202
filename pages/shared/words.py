"""Words for the visitor: what they gave is shown as it is, never read as formatting."""

import re


def literal(name: str) -> str:
    """A file's name in Markdown as it stands: `**bold**.png` gets no bold, `:smile:` no face."""
    longest = max(map(len, re.findall("`+", name)), default=0)
    fence, space = "`" * (longest + 1), " " * bool(longest)
    return f"{fence}{space}{' '.join(name.split())}{space}{fence}"
