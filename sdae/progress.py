"""Progress: bars for the command line, on standard error, and parts of a whole."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress(
    items: Iterable | None = None, label: str = "", *, total: int | None = None, unit: str = "item"
) -> tqdm:
    """Return a progress bar over `items`, or one that the caller moves with `update(n)`.

    The bar appears once the work has taken a second, goes when it is done, and is shown only
    where standard error is a terminal, so that log files and pipes stay clean. It is a context
    manager; `set_postfix_str` shows a short remark such as the current loss.

    Args:
        items: what to iterate over; None when the caller moves the bar.
        label: a word or two before the bar.
        total: how many steps there are; taken from `len(items)` where it has one.
        unit: what one step is, for the rate.
    """
    return tqdm(
        items,
        desc=label or None,
        total=total,
        unit=unit,
        delay=1,
        leave=False,
        dynamic_ncols=True,
        disable=None,
    )


def say(line: str, file=None) -> None:
    """Print a line, on standard output if no `file` is given, above any bar that is shown."""
    tqdm.write(line, file=file or sys.stdout)


def stage(report, first: float, last: float):
    """What reports the progress of a stage that goes from one share of the whole to another.

    ``report`` takes shares of the whole; where it is None nothing is to be reported, and so is this.
    """
    return report and (lambda share: report(first + (last - first) * share))
