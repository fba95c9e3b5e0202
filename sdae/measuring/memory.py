"""How much memory this process has taken."""

import math
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak() -> float:
    """Most resident memory of this process so far, in megabytes; NaN on Windows.

    On Linux it is counted from the start of the program: `getrusage` would begin with what the
    process that started it had.
    """
    if _STATUS.exists():
        line = next(x for x in _STATUS.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return math.nan
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1024
