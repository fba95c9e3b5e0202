"""Sets × qualities × codecs → one results file: every number that the project states.

A measurement is one picture at one setting of one codec: whole-file bytes and the quality of the
8-bit RGB picture that comes back. Figures "at equal bytes" interpolate each picture's own curve at
that size (piecewise cubic over the logarithm of the bytes) and average afterwards, so no codec
gains by moving bytes between pictures. BD-rates are those of each picture, averaged.

Measurements are kept as they come, so an interrupted run continues where it stood.
"""

import datetime
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, repeat
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

from sdae import images, kodak, metrics, peers, weights

OURS = "sdae"
QUALITIES = (1, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 90, 100)
"""Settings of our own curve."""

BITS_PER_PIXEL = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Sizes at which codecs are compared at equal bytes."""

PROTOCOL = (
    "Bytes are whole files. PSNR over the three channels of 8-bit RGB, SSIM with Gaussian weights "
    "(sigma 1.5), mean of channels, MS-SSIM on whole pictures. Means over pictures."
)


def add_arguments(parser) -> None:
    """The options of ``sdae evaluate``."""
    parser.add_argument("--weights", help="name or folder of the weights (default: the shipped)")
    parser.add_argument("--sets", nargs="+", default=list(kodak.SETS), help="sets, or folders")
    parser.add_argument("--codecs", nargs="+", default=[OURS, *peers.PEERS], help="codecs")
    parser.add_argument("--kodak", help="folder of the Kodak pictures (default: SDAE_KODAK)")
    parser.add_argument(
        "--qualities", nargs="+", type=float, default=QUALITIES, help="settings of our codec"
    )
    parser.add_argument("--effort", type=int, default=0, help="encoder effort of our codec")
    parser.add_argument(
        "--peer-effort", choices=peers.EFFORTS, default="slow", help="as in sdae.peers"
    )
    parser.add_argument(
        "--stride", type=int, default=1, help="measure only every so many pictures of a set"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes for the peers")
    parser.add_argument("--results", help="folder for the results (default: that of the weights)")
    parser.add_argument("--show", action="store_true", help="only print what is measured already")


def run(args) -> int:
    """Measure what is missing, write the results and print the tables. Returns an exit code."""
    place = weights.folder(args.weights)
    unknown = set(args.codecs) - {OURS, *peers.PEERS}
    if unknown:
        print(f"There is no codec {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    results = Results(Path(args.results or place), weights.read_card(place)["sha256"])
    try:
        for name in [] if args.show else args.sets:
            for codec in args.codecs:
                measure(results, place, name, codec, args)
    except (kodak.KodakError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    for name in args.sets:
        print(table(results, name), end="\n\n")
    return 0


def pictures(name, kodak_folder=None):
    """(name, RGB array) of each picture of a Kodak set or of a folder."""
    if name in kodak.SETS:
        return kodak.pictures(name, kodak_folder)
    from sdae import data

    return ((path.stem, images.read(path).rgb) for path in data.photographs([name]))


def quality(rgb, restored) -> dict:
    """The figures of one restored picture, rounded to what is worth keeping."""
    row = {
        "psnr": round(metrics.psnr(rgb, restored), 4),
        "ssim": round(metrics.ssim(rgb, restored), 5),
        "accuracy": round(metrics.accuracy(rgb, restored), 4),
        "within_8": round(metrics.within(rgb, restored), 4),
    }
    if min(rgb.shape[:2]) >= metrics.MS_SSIM_SIDE:
        row["ms_ssim"] = round(metrics.ms_ssim(rgb, restored), 5)
    return row


def measure_ours(codec, rgb, qualities=QUALITIES, effort=0) -> list[dict]:
    """Our codec on one picture at every quality."""
    rows = []
    for setting in qualities:
        begun = time.perf_counter()
        latent = codec.encode(rgb, setting)
        data = codec.pack(latent, effort)
        encoded = time.perf_counter()
        restored = np.asarray(codec.decompress(data))
        times = {
            "encode_seconds": round(encoded - begun, 4),
            "decode_seconds": round(time.perf_counter() - encoded, 4),
        }
        size = {"setting": setting, "pixels": rgb.shape[0] * rgb.shape[1], "bytes": len(data)}
        plain = {"plain_bytes": len(codec.pack(latent, plain=True))}
        rows.append({**size, **plain, **quality(rgb, restored), **times})
    return rows


def measure_peer(name, rgb, effort="slow") -> list[dict]:
    """A peer on one picture along its curve; effort as in `sdae.peers`."""
    rows = []
    for point in peers.curve(name, rgb, effort=effort):
        size = {"pixels": rgb.shape[0] * rgb.shape[1], "bytes": len(point.data)}
        rows.append({"setting": point.settings, **size, **quality(rgb, point.rgb)})
    return rows


def measure(results, place, set_name, codec_name, args) -> None:
    """Measure the pictures of a set that the results do not hold yet."""
    from sdae.progress import progress

    known = results.rows(set_name, codec_name)
    wanted = islice(pictures(set_name, args.kodak), 0, None, args.stride)
    missing = [(name, rgb) for name, rgb in wanted if name not in known]
    if not missing:
        return
    label = f"{set_name} {codec_name}"
    with progress(label=label, total=len(missing), unit="picture") as bar:
        if codec_name == OURS:
            import sdae

            codec = sdae.load(place)
            codec.decompress(codec.compress(missing[0][1]))
            for name, rgb in missing:
                rows = measure_ours(codec, rgb, args.qualities, args.effort)
                results.add(set_name, codec_name, name, rows)
                bar.update()
        else:
            with ProcessPoolExecutor(args.jobs) as pool:
                efforts = repeat(args.peer_effort)
                rgbs = (rgb for _, rgb in missing)
                work = pool.map(measure_peer, repeat(codec_name), rgbs, efforts)
                for (name, _), rows in zip(missing, work):
                    results.add(set_name, codec_name, name, rows)
                    bar.update()
    results.finish(set_name, codec_name)


class Results:
    """Measurements on disk, one file a set and codec.

    ``results/<set>/<codec>.json`` holds provenance and, for each picture, its rows. Ours name the
    SHA-256 of the weights and are forgotten when the weights change; those of the peers name the
    versions of their libraries.
    """

    def __init__(self, folder: Path, sha256: str):
        self.folder, self.sha256 = Path(folder) / "results", sha256
        self._parts = {}

    def _path(self, set_name, codec_name):
        return self.folder / Path(set_name).name / f"{codec_name}.json"

    def rows(self, set_name, codec_name) -> dict:
        """Picture name → rows, of what is measured already."""
        key = (set_name, codec_name)
        if key not in self._parts:
            self._parts[key] = {}
            for path in (self._path(*key), self._path(*key).with_suffix(".part.json")):
                if path.exists():
                    stored = json.loads(path.read_text())
                    if codec_name != OURS or stored["weights_sha256"] == self.sha256:
                        self._parts[key] = stored["pictures"]
                        break
        return self._parts[key]

    def add(self, set_name, codec_name, picture, rows) -> None:
        """Keep the rows of one picture; they survive an interruption."""
        self.rows(set_name, codec_name)[picture] = rows
        if len(self.rows(set_name, codec_name)) % 8 == 0:
            self._write(set_name, codec_name, ".part.json")

    def finish(self, set_name, codec_name) -> None:
        """Write the file of a set and codec that is complete."""
        self._write(set_name, codec_name, ".json")
        self._path(set_name, codec_name).with_suffix(".part.json").unlink(missing_ok=True)

    def _write(self, set_name, codec_name, suffix):
        path = self._path(set_name, codec_name).with_suffix(suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        note = {
            "set": Path(set_name).name,
            "codec": codec_name,
            "weights_sha256": self.sha256 if codec_name == OURS else None,
            "versions": peers.versions(),
            "date": datetime.date.today().isoformat(),
            "protocol": PROTOCOL,
        }
        rows = self.rows(set_name, codec_name)
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(rows.items())]
        text = json.dumps(note, indent=1)[:-2] + ',\n "pictures": {\n' + ",\n".join(lines) + "\n}}\n"
        weights.replace(path, text.encode())


def at_bits(rows: dict, bits: float) -> dict | None:
    """Mean PSNR and SSIM when every picture may take ``bits`` bits a pixel.

    A picture whose largest file is smaller counts with that file. None where the smallest file
    of some picture is larger.
    """
    found = []
    for picture in rows.values():
        size = bits * picture[0]["pixels"] / 8
        if min(row["bytes"] for row in picture) > size:
            return None
        found.append([_interpolate(picture, key, size) for key in ("psnr", "ssim")])
    psnr, ssim = np.mean(found, axis=0)
    return {"psnr": float(psnr), "ssim": float(ssim)}


def _interpolate(rows, key, size):
    sizes, figures = _rising(rows, key)
    return float(PchipInterpolator(np.log(sizes), figures)(np.log(min(size, sizes[-1]))))


def bd_rate(ours: dict, other: dict, key: str) -> float:
    """Mean over the pictures that both hold of our BD-rate against another codec, in percent."""
    rates = []
    for name in ours.keys() & other.keys():
        a, b = (_rising(rows[name], key) for rows in (ours, other))
        rates.append(metrics.bd_rate(*a, *b))
    return float(np.mean(rates))


def _rising(rows, key):
    """Bytes and figures of one picture, without the points that a smaller file matches."""
    sizes, figures = [], []
    for row in sorted(rows, key=lambda row: row["bytes"]):
        if not sizes or (row["bytes"] > sizes[-1] and row[key] > figures[-1]):
            sizes.append(row["bytes"])
            figures.append(row[key])
    return sizes, figures


def table(results: Results, set_name: str) -> str:
    """The equal-bytes table and the BD-rates of a set, as Markdown.

    Only pictures count that every codec with results has measured.
    """
    rows = {name: results.rows(set_name, name) for name in (OURS, *peers.PEERS)}
    rows = {name: found for name, found in rows.items() if found}
    common = set.intersection(*map(set, rows.values())) if rows else set()
    rows = {name: {k: found[k] for k in sorted(common)} for name, found in rows.items()}
    count = len(common)
    lines = [f"**{Path(set_name).name}**, {count} pictures, PSNR in dB / SSIM at equal bytes", ""]
    labels = {OURS: "SDAE"} | {name: peers.PEERS[name].label for name in peers.PEERS}
    lines.append("| bits per pixel | " + " | ".join(labels[name] for name in rows) + " |")
    lines.append("|---" * (len(rows) + 1) + "|")
    for bits in BITS_PER_PIXEL:
        cells = [at_bits(found, bits) for found in rows.values()]
        if any(cells):
            texts = [f"{c['psnr']:.2f} / {c['ssim']:.3f}" if c else "–" for c in cells]
            lines.append(f"| {bits} | " + " | ".join(texts) + " |")
    if OURS in rows:
        for key in ("psnr", "ssim"):
            rates = [f"{bd_rate(rows[OURS], rows[name], key):+.1f} %" for name in list(rows)[1:]]
            lines.append(f"| BD-rate of SDAE, {key.upper()} | – | " + " | ".join(rates) + " |")
    return "\n".join(lines)
