"""Measurements on disk, and the figures that are drawn from them.

    results/<set>/<codec>.json    one codec on the pictures of one set, see `Results`
    results/noise-<set>.json      the noise study, see `sdae.measuring.noise_study`
    results/claims.json           see `sdae.measuring.claims`
    results/bench-<name>.json     what ``sdae bench <name> --store`` has measured

A measurement, here a *row*, is one picture at one setting of one codec: a dict with

    setting               of the encoder: a number for ours, words that begin with one for peers
    pixels, bytes         of the picture, and of the whole file
    psnr, ssim            dB, and at most 1; ms_ssim too where the picture is large enough
    accuracy, within_8    shares of pixels and of samples, see `sdae.measuring.metrics`
    encode_seconds, decode_seconds
                          processor time, all threads together
    png_bytes, latent_bytes, plain_bytes
                          ours alone: the picture as PNG, the latent as int8, and the latter packed
                          by zlib alone

Figures "at equal bytes" and "at equal quality" interpolate each picture's own curve (piecewise
cubic, over the logarithm of the bytes) and average afterwards, so no codec gains by moving bytes
between pictures. BD-rates are those of each picture, averaged.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

from sdae import weights
from sdae.measuring import metrics, peers

OURS = "sdae"
EFFORT = f"{OURS}-effort-"
"""Our codec at a higher effort is a codec of its own: this and a number from 1 to 10."""

PROTOCOL = (
    "Bytes are whole files. PSNR over the three channels of 8-bit RGB, SSIM with Gaussian weights "
    "(sigma 1.5), mean of channels, MS-SSIM on whole pictures. Means over pictures."
)

ARRAYS = {
    "bpp": "bpp",
    "psnr-rgb": "psnr",
    "ssim-rgb": "ssim",
    "ms-ssim-rgb": "ms_ssim",
    "encoding_time": "encode_seconds",
    "decoding_time": "decode_seconds",
}
"""Name of a mean in a results file, as in CompressAI's → name in a row."""


def effort(codec_name: str) -> int | None:
    """The effort of one of our codecs, 0 to 10; None for the name of any other."""
    if codec_name == OURS:
        return 0
    number = codec_name.removeprefix(EFFORT)
    if number != codec_name and number.isdecimal() and 1 <= int(number) <= 10:
        return int(number)
    return None


def label(codec_name: str) -> str:
    """The name of a codec for people."""
    if codec_name in peers.PEERS:
        return peers.PEERS[codec_name].label
    return f"SDAE, effort {effort(codec_name)}" if effort(codec_name) else "SDAE"


class Results:
    """The measurements of one folder.

    ``results/<set>/<codec>.json`` holds name, description and means of each setting in the layout
    of CompressAI's benchmark files, then provenance, then the rows of each picture. Ours name the
    SHA-256 of the weights and are forgotten when the weights change. ``….part.json`` is what an
    interrupted run has left.

    Args:
        folder: where the folder ``results`` is; that of the weights as a rule.
        sha256: of the weights.
    """

    def __init__(self, folder: Path, sha256: str):
        self.folder, self.sha256 = Path(folder) / "results", sha256
        self._stored = {}

    @classmethod
    def of(cls, place: Path, folder: Path | str | None = None) -> Results:
        """The results of the weights in `place`, kept there or in another folder."""
        return cls(Path(folder or place), weights.read_card(place)["sha256"])

    def path(self, set_name: str, codec_name: str) -> Path:
        return self.folder / Path(set_name).name / f"{codec_name}.json"

    def codecs(self, set_name: str) -> list[str]:
        """The codecs with measurements of a set: ours, ours by effort, then the peers."""
        found = {path.stem for path in self.path(set_name, OURS).parent.glob("*.json")}
        efforts = sorted(
            (name for name in found if effort(name)), key=lambda name: effort(name) or 0
        )
        names = [OURS, *efforts, *peers.PEERS]
        return [name for name in names if name in found and self.rows(set_name, name)]

    def rows(self, set_name: str, codec_name: str, options: dict | None = None) -> dict:
        """Picture name → rows, of what is measured already.

        Given options, only what was measured with the same effort counts, and an interrupted run
        goes before a finished one.
        """
        key = set_name, codec_name
        if key not in self._stored:
            path = self.path(*key)
            paths = path, path.with_suffix(".part.json")
            found = [self._read(p, codec_name) for p in (paths[::-1] if options else paths)]
            if options:
                same = {"effort": options["effort"]}
                found = [f for f in found if f and same.items() <= f.get("options", same).items()]
            self._stored[key] = next((f["pictures"] for f in found if f), {})
        return self._stored[key]

    def note(self, set_name: str, codec_name: str) -> dict:
        """Everything in a file but the rows; empty where there is none of these weights."""
        stored = self._read(self.path(set_name, codec_name), codec_name) or {}
        return {key: value for key, value in stored.items() if key != "pictures"}

    def noise(self, set_name: str) -> dict:
        """The noise study of a set: ours and the classical part, of the pictures that both hold.

        Returns the notes of our part, and lists of the ``rows`` and ``chains`` of
        `sdae.measuring.noise_study`, each with its picture; where one part is missing, those of
        the other.
        """
        parts = [self.noise_part(set_name, part) for part in (OURS, "classical")]
        parts = [part for part in parts if part["pictures"]]
        names = [set(part["pictures"]) for part in parts]
        shared = sorted(set.intersection(*names)) if names else []
        found = {
            kind: [
                {"picture": name} | row
                for name in shared
                for part in parts
                for row in part["pictures"][name][kind]
            ]
            for kind in ("rows", "chains")
        }
        return parts[0] | found if shared else {}

    def noise_part(self, set_name: str, part: str) -> dict:
        """The file of one part of the noise study; without pictures where there is none."""
        return self._read(self.noise_path(set_name, part), part) or {"pictures": {}}

    def noise_path(self, set_name: str, part: str) -> Path:
        """Where a part of the noise study is kept: ours, or "classical"."""
        ending = "" if part == OURS else f"-{part}"
        return self.folder / f"noise-{Path(set_name).name}{ending}.json"

    def claims(self) -> dict:
        """Set → what `sdae.measuring.claims` has measured with these weights."""
        return (self._read(self.folder / "claims.json", OURS) or {}).get("sets", {})

    def bench(self, name: str) -> dict:
        """What a benchmark has stored of these weights, by its own keys; empty if nothing."""
        return (self._read(self._bench_path(name), OURS) or {}).get("figures", {})

    def store_bench(self, name: str, figures: dict) -> None:
        """Keep figures of a benchmark; those of other keys stay if they are of these weights."""
        note = {
            "bench": name,
            "weights_sha256": self.sha256,
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "versions": peers.versions(),
            "date": datetime.date.today().isoformat(),
            "figures": self.bench(name) | figures,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        weights.replace(self._bench_path(name), (json.dumps(note, indent=1) + "\n").encode())

    def _bench_path(self, name):
        return self.folder / f"bench-{name}.json"

    def add(self, set_name: str, codec_name: str, picture: str, rows: list[dict], options) -> None:
        """Keep the rows of one picture; they survive an interruption."""
        self.rows(set_name, codec_name, options)[picture] = rows
        if len(self.rows(set_name, codec_name)) % 8 == 0:
            self._write(set_name, codec_name, ".part.json", options)

    def finish(self, set_name: str, codec_name: str, options: dict) -> None:
        """Write the file of a set and codec that is complete."""
        self._write(set_name, codec_name, ".json", options)
        self.path(set_name, codec_name).with_suffix(".part.json").unlink(missing_ok=True)

    def _read(self, path, codec_name):
        if not path.exists():
            return None
        stored = json.loads(path.read_text())
        others = effort(codec_name) is not None and stored["weights_sha256"] != self.sha256
        return None if others else stored

    def _write(self, set_name, codec_name, suffix, options):
        rows = self.rows(set_name, codec_name)
        means = curve(rows)
        note = {
            "name": label(codec_name),
            "description": f"mean of {len(rows)} pictures of {Path(set_name).name}",
            "results": {name: means[key] for name, key in ARRAYS.items() if key in means},
            "set": Path(set_name).name,
            "codec": codec_name,
            "weights_sha256": self.sha256 if effort(codec_name) is not None else None,
            "options": options,
            "versions": peers.versions(),
            "date": datetime.date.today().isoformat(),
            "protocol": PROTOCOL,
        }
        write_pictures(self.path(set_name, codec_name).with_suffix(suffix), note, rows)


def write_pictures(path: Path, note: dict, pictures: dict) -> None:
    """Write a file of results: the note, then ``pictures``, one a line."""
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(pictures.items()))
    text = json.dumps(note, indent=1)[:-2] + f',\n "pictures": {{\n{lines}\n}}}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    weights.replace(path, text.encode())


def setting(row: dict) -> float:
    """The number in a row's setting: a quality, or a rate."""
    return float(re.findall(r"[\d.]+", str(row["setting"]))[0])


def at_setting(rows: list[dict], wanted: float) -> dict:
    """The row of one picture at a setting.

    Of two variants the better one in PSNR; where a smaller file of another setting matches the
    one that is wanted, so that it was left out, the row of the nearest setting.
    """
    return min(rows, key=lambda row: (abs(setting(row) - wanted), -row["psnr"]))


def curve(rows: dict) -> dict[str, list[float]]:
    """Means over pictures, a point a setting, from the smallest files to the largest.

    Returns lists of equal length: setting, bpp, and of the figures that all rows have psnr, ssim,
    ms_ssim, accuracy, encode_seconds, decode_seconds. Empty without rows.
    """
    points = []
    for wanted in sorted({setting(row) for picture in rows.values() for row in picture}):
        chosen = [at_setting(picture, wanted) for picture in rows.values()]
        point = {"setting": wanted, "bpp": np.mean([8 * r["bytes"] / r["pixels"] for r in chosen])}
        for key in ("psnr", "ssim", "ms_ssim", "accuracy", "encode_seconds", "decode_seconds"):
            if all(row.get(key) is not None for row in chosen):
                point[key] = np.mean([row[key] for row in chosen])
        points.append(point)
    points.sort(key=lambda point: point["bpp"])
    shared = set.intersection(*map(set, points)) if points else ()
    return (
        {
            key: [round(float(point[key]), 5) for point in points]
            for key in points[0]
            if key in shared
        }
        if points
        else {}
    )


def at_bytes(picture: list[dict], size: float, key: str) -> float | None:
    """A figure of one picture in a file of ``size`` bytes.

    A picture whose largest file is smaller counts with that file; None where the smallest is
    larger.
    """
    value = float(_read_off(picture, [size], key)[0])
    return None if math.isnan(value) else value


def _read_off(picture, wanted, key) -> np.ndarray:
    """A figure of one picture in files of all the wanted sizes; NaN where none is so small."""
    sizes, figures = rising(picture, key)
    wanted = np.asarray(wanted, float)
    if len(sizes) == 1:
        values = np.full(wanted.shape, figures[0], float)
    else:
        values = PchipInterpolator(np.log(sizes), figures)(np.log(np.minimum(wanted, sizes[-1])))
    return np.where(wanted < sizes[0], math.nan, values)


def at_quality(picture: list[dict], target: float, key: str) -> float | None:
    """Bytes of one picture where a figure reaches ``target``; None where no file reaches it.

    A picture whose smallest file is better already counts with that file.
    """
    sizes, figures = rising(picture, key)
    if figures[-1] < target:
        return None
    if len(sizes) == 1 or figures[0] >= target:
        return float(sizes[0])
    return float(np.exp(PchipInterpolator(figures, np.log(sizes))(target)))


def at_bits(rows: dict, bits: Sequence[float]) -> list[dict | None]:
    """Mean PSNR and SSIM when every picture may take so many bits a pixel, for each of ``bits``.

    As `at_bytes`; None where the smallest file of some picture is larger.
    """
    means = {
        key: np.mean(
            [
                _read_off(picture, np.asarray(bits) * picture[0]["pixels"] / 8, key)
                for picture in rows.values()
            ],
            axis=0,
        )
        for key in ("psnr", "ssim")
    }
    found = [dict(zip(means, map(float, values))) for values in zip(*means.values())]
    return [None if math.isnan(means["psnr"]) else means for means in found]


def bd_rate(ours: dict, other: dict, key: str) -> float | None:
    """Mean over the pictures that both hold of our BD-rate against another codec, in percent.

    Pictures whose curves cannot be compared are left out; None where none is left.
    """
    rates = []
    for name in sorted(ours.keys() & other.keys()):
        if key not in ours[name][0] or key not in other[name][0]:
            continue
        try:
            rates.append(metrics.bd_rate(*rising(ours[name], key), *rising(other[name], key)))
        except ValueError:  # fewer than four points, or no common range of quality
            continue
    return float(np.mean(rates)) if rates else None


def rising(rows: list[dict], key: str) -> tuple[list, list]:
    """Bytes and figures of one picture, without the points that a smaller file matches."""
    sizes, figures = [], []
    for row in sorted(rows, key=lambda row: row["bytes"]):
        if not sizes or (row["bytes"] > sizes[-1] and row[key] > figures[-1]):
            sizes.append(row["bytes"])
            figures.append(row[key])
    return sizes, figures


def common(results: Results, set_name: str) -> dict[str, dict]:
    """Codec → picture → rows, of the pictures that every codec with results has measured."""
    rows = {name: results.rows(set_name, name) for name in results.codecs(set_name)}
    shared = sorted(set.intersection(*map(set, rows.values()))) if rows else []
    return {name: {k: found[k] for k in shared} for name, found in rows.items()}


def decibels(similarity: float) -> float:
    """SSIM or MS-SSIM, below 1, on a scale of dB: −10 log10(1 − similarity)."""
    return -10 * math.log10(max(1 - similarity, 1e-6))


def per_picture(ours: dict, jpeg: dict, wanted: float) -> list[dict]:
    """Each picture of ours at one setting, with JPEG beside it.

    Returns the rows of `at_setting`, and in each: picture; saved, the reduction against PNG in
    percent; jpeg_bytes and jpeg_saved at the same PSNR, jpeg_psnr and jpeg_ssim at the same bytes,
    None where JPEG does not reach them or was not measured.
    """
    table = []
    for name, rows in ours.items():
        row = at_setting(rows, wanted)
        found = {"picture": name, **row, "saved": saved(row["bytes"], row["png_bytes"])}
        size = at_quality(jpeg[name], row["psnr"], "psnr") if name in jpeg else None
        found["jpeg_bytes"] = size and round(size)
        found["jpeg_saved"] = size and saved(size, row["png_bytes"])
        for key in ("psnr", "ssim"):
            found[f"jpeg_{key}"] = at_bytes(jpeg[name], row["bytes"], key) if size else None
        table.append(found)
    return table


def methods(rows: dict, size: Callable[[list], float | None]) -> dict[str, dict | None]:
    """Every codec where each picture takes as many bytes as ``size`` says of its rows.

    Args:
        rows: codec → picture → rows, of the same pictures, ours among the codecs.
        size: rows of one picture by one codec → bytes, or None where that is out of reach.

    Returns codec → means of bytes, saved (percent against PNG), psnr, ssim, encode_seconds and
    decode_seconds (of the file of the nearest size; absent where a row has no times); None for a
    codec with a picture out of reach.
    """
    png = {name: picture[0]["png_bytes"] for name, picture in rows[OURS].items()}
    table = {}
    for codec_name, pictures in rows.items():
        found = [_method(png[name], picture, size(picture)) for name, picture in pictures.items()]
        table[codec_name] = (
            None
            if None in found
            else {
                key: float(np.mean([one[key] for one in found]))
                for key in found[0]
                if all(key in one for one in found)
            }
        )
    return table


def _method(png_bytes, picture, size):
    if size is None:
        return None
    figures = {key: at_bytes(picture, size, key) for key in ("psnr", "ssim")}
    if None in figures.values():
        return None
    size = min(size, max(row["bytes"] for row in picture))
    nearest = min(picture, key=lambda row: abs(math.log(row["bytes"] / size)))
    times = {key: nearest[key] for key in ("encode_seconds", "decode_seconds") if key in nearest}
    return {"bytes": size, "saved": saved(size, png_bytes)} | figures | times


def saved(size: float, reference: float) -> float:
    """Reduction in percent."""
    return 100 * (1 - size / reference)


@cache
def published() -> dict:
    """Rate–distortion curves that others have published for the whole pictures of Kodak.

    source, in words; curves: codec → lists bpp, psnr (dB over RGB) and ms_ssim (linear).
    """
    return json.loads((Path(__file__).parent / "published-kodak.json").read_text())
