"""Plotly, which all charts take from here: it wants pandas whole or not at all.

It looks into pandas as soon as any thread has begun to import it, as Keras does for a lesson. What
is half imported lacks what Plotly asks for, and the chart of another visitor would fail.
"""

import pandas  # noqa: F401
from plotly import graph_objects as go
from plotly.subplots import make_subplots

__all__ = ["go", "make_subplots"]
