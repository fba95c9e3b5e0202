"""Progress: bars for the command line, on standard error, and stages of a whole.

Between two steps is also where a request to end is heeded, as a library may swallow the
exception that it was raised as.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

from tqdm import tqdm

ending = threading.Event()
"""Set once the program is asked to end, by Ctrl-C or by SIGTERM."""


def heed() -> None:
    """Stop here, by KeyboardInterrupt, if the program is asked to end."""
    if ending.is_set():
        raise KeyboardInterrupt


class _Bar(tqdm):
    def __iter__(self):
        for item in super().__iter__():
            heed()
            yield item

    def update(self, n=1):
        heed()
        return super().update(n)

    def share(self, done: float) -> None:
        """Move a bar of 100 steps to a share of the whole, 0 to 1."""
        self.update(round(100 * done) - self.n)


def progress(
    items: Iterable | None = None, label: str = "", *, total=None, unit="item", shown=True
):
    """Return a progress bar over `items`, or one that the caller moves with `update(n)`.

    The bar appears once the work has taken a second, goes when it is done, and is shown only
    where standard error is a terminal, so that log files and pipes stay clean. It is a context
    manager; `set_postfix_str` shows a short remark such as the number of a try. Each step heeds a
    request to end, whether a bar is shown or not.

    Args:
        items: what to iterate over; None when the caller moves the bar.
        label: a word or two before the bar.
        total: how many steps there are; taken from `len(items)` where it has one.
        unit: what one step is, for the rate.
        shown: False for no bar at all.
    """
    return _Bar(
        items,
        desc=label or None,
        total=total,
        unit=unit,
        delay=1,
        leave=False,
        dynamic_ncols=True,
        disable=None if shown else True,
    )


def say(line: str, file=None) -> None:
    """Print a line, on standard output if no `file` is given, above any bar that is shown."""
    tqdm.write(line, file=file or sys.stdout)


def stage(report, first: float, last: float):
    """What reports the progress of a stage that goes from one share of the whole to another.

    ``report`` takes shares of the whole; where it is None nothing is to be reported, and so is this.
    """
    return report and (lambda share: report(first + (last - first) * share))
