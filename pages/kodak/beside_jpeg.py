"""Each picture beside JPEG at the same PSNR."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from sdae.measuring import curves


def per_picture(ours: dict, jpeg: dict, wanted: float) -> list[dict]:
    """Each picture of ours at one setting, with JPEG beside it.

    Returns the rows of `sdae.measuring.curves.at_setting`, and in each: picture; saved, the
    reduction against PNG in percent; jpeg_bytes at the same PSNR, None where JPEG does not reach it
    or was not measured.
    """
    table = []
    for name, rows in ours.items():
        row = curves.at_setting(rows, wanted)
        line = {"picture": name, **row, "saved": curves.saved(row["bytes"], row["png_bytes"])}
        size = at_quality(jpeg[name], row["psnr"], "psnr") if name in jpeg else None
        line["jpeg_bytes"] = size and round(size)
        table.append(line)
    return table


def at_quality(rows: list[dict], target: float, key: str) -> float | None:
    """Bytes of one picture where a measure reaches `target`; None where no file reaches it.

    A picture whose smallest file is better already counts with that file.
    """
    front = curves.best(rows, key)
    if front[-1][key] < target:
        return None
    if len(front) == 1 or front[0][key] >= target:
        return float(front[0]["bytes"])
    sizes, values = [row["bytes"] for row in front], [row[key] for row in front]
    return float(np.exp(PchipInterpolator(values, np.log(sizes))(target)))
