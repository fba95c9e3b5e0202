"""Measurements on disk.

    weights/<name>/results/<set>/sdae.json       ours on the pictures of one set
    weights/<name>/results/noise-<set>.json      the noise study, see `sdae.measuring.noise_study`
    weights/<name>/results/bench-<name>.json     what ``sdae bench <name> --store`` has measured
    weights/peers/<set>/<codec>.json             another codec on the pictures of one set
    weights/peers/noise-<set>-classical.json     classical denoisers

Ours name the SHA-256 of the weights and count for no others. What is measured of the other codecs
and denoisers serves all weights; delete a file to measure it again.

A measurement, here a *row*, is one picture at one setting of one codec: a dict with

    setting               of the encoder: a number for ours, words that begin with one for peers
    variant               of a peer that has several, each with a curve of its own
    pixels, bytes         of the picture, and of the whole file
    psnr, ssim            dB, and at most 1; ms_ssim too where the picture is large enough
    accuracy              share of pixels, see `sdae.measuring.metrics`
    encode_seconds, decode_seconds
                          processor time, all threads together
    png_bytes, latent_bytes, plain_bytes
                          ours alone: the picture as PNG, the latent as int8, and the latter packed
                          by zlib alone

`sdae.measuring.curves` reads figures off them.
"""

from __future__ import annotations

import datetime
import json
from functools import cache
from pathlib import Path

from sdae import weights
from sdae.measuring import curves, peers

OURS = "sdae"

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


def label(codec_name: str) -> str:
    """The name of a codec for people."""
    return peers.PEERS[codec_name].label if codec_name in peers.PEERS else "SDAE"


class Results:
    """The measurements of one set of weights, and those of the other codecs.

    A file of a codec holds name, description and means of each setting in the layout of
    CompressAI's benchmark files, then provenance, then the rows of each picture. ``….part.json`` is
    what an interrupted run has left.

    Args:
        folder: where the folder ``results`` is; that of the weights as a rule.
        sha256: of the weights.
        others: where the other codecs' files are; by default with ours.
    """

    def __init__(self, folder: Path | str, sha256: str, others: Path | None = None):
        self.folder, self.sha256 = Path(folder) / "results", sha256
        self.others = others or self.folder
        self._stored = {}

    @classmethod
    def of(cls, place: Path, folder: Path | str | None = None) -> Results:
        """The results of the weights in `place` and those of the peers beside it.

        Given another folder, all of them are kept in there.
        """
        sha256 = weights.read_card(place)["sha256"]
        return cls(folder, sha256) if folder else cls(place, sha256, Path(place).parent / "peers")

    def path(self, set_name: str, codec_name: str) -> Path:
        folder = self.folder if codec_name == OURS else self.others
        return folder / Path(set_name).name / f"{codec_name}.json"

    def codecs(self, set_name: str) -> list[str]:
        """The codecs with measurements of a set, ours first."""
        return [name for name in (OURS, *peers.PEERS) if self.rows(set_name, name)]

    def rows(self, set_name: str, codec_name: str, unfinished: bool = False) -> dict:
        """Picture name → rows, of what is measured already.

        An interrupted run goes behind a finished one, or before it where it shall go on.
        """
        key = set_name, codec_name
        if key not in self._stored:
            path = self.path(*key)
            paths = [path, path.with_suffix(".part.json")]
            stored = map(self._read, reversed(paths) if unfinished else paths)
            self._stored[key] = next((f["pictures"] for f in stored if f), {})
        return self._stored[key]

    def note(self, set_name: str, codec_name: str) -> dict:
        """Everything in a file but the rows; empty where there is none of these weights."""
        stored = self._read(self.path(set_name, codec_name)) or {}
        return {key: value for key, value in stored.items() if key != "pictures"}

    def add(self, set_name: str, codec_name: str, picture: str, rows: list[dict], options) -> None:
        """Keep the rows of one picture; they survive an interruption."""
        self.rows(set_name, codec_name)[picture] = rows
        if len(self.rows(set_name, codec_name)) % 8 == 0:
            self._write(set_name, codec_name, ".part.json", options)

    def finish(self, set_name: str, codec_name: str, options: dict) -> None:
        """Write the file of a set and codec that is complete."""
        self._write(set_name, codec_name, ".json", options)
        self.path(set_name, codec_name).with_suffix(".part.json").unlink(missing_ok=True)

    def _write(self, set_name, codec_name, suffix, options):
        rows = self.rows(set_name, codec_name)
        means = curves.curve(rows)
        note = {
            "name": label(codec_name),
            "description": f"mean of {len(rows)} pictures of {Path(set_name).name}",
            "results": {name: means[key] for name, key in ARRAYS.items() if key in means},
            "set": Path(set_name).name,
            "codec": codec_name,
            "weights_sha256": self.sha256 if codec_name == OURS else None,
            "options": options,
            "versions": peers.versions(),
            "date": datetime.date.today().isoformat(),
            "protocol": PROTOCOL,
        }
        write_pictures(self.path(set_name, codec_name).with_suffix(suffix), note, rows)

    def noise(self, set_name: str) -> dict[str, list]:
        """The noise study of a set, of the pictures that ours and the classical part both hold.

        Returns lists of the ``rows`` and ``chains`` of `sdae.measuring.noise_study`, each with its
        picture; where one part is missing, those of the other; empty without both.
        """
        parts = [self.noise_part(set_name, part)["pictures"] for part in (OURS, "classical")]
        parts = [part for part in parts if part]
        shared = sorted(set.intersection(*map(set, parts))) if parts else []
        return {
            kind: [
                {"picture": name} | row
                for name in shared
                for part in parts
                for row in part[name][kind]
            ]
            for kind in ("rows", "chains")
            if shared
        }

    def noise_part(self, set_name: str, part: str) -> dict:
        """The file of one part of the noise study; without pictures where there is none."""
        return self._read(self.noise_path(set_name, part)) or {"pictures": {}}

    def noise_path(self, set_name: str, part: str) -> Path:
        """Where a part of the noise study is kept: ours or "classical"."""
        name = f"noise-{Path(set_name).name}"
        return (
            self.folder / f"{name}.json" if part == OURS else self.others / f"{name}-classical.json"
        )

    def bench(self, name: str) -> dict:
        """What a benchmark has stored of these weights, by its own keys; empty if nothing."""
        return (self._read(self.folder / f"bench-{name}.json") or {}).get("figures", {})

    def store_bench(self, name: str, figures: dict) -> None:
        """Keep figures of a benchmark; those of other keys stay if they are of these weights."""
        note = {
            "bench": name,
            "weights_sha256": self.sha256,
            "versions": peers.versions(),
            "date": datetime.date.today().isoformat(),
            "figures": self.bench(name) | figures,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(note, indent=1) + "\n"
        weights.replace(self.folder / f"bench-{name}.json", text.encode())

    def _read(self, path):
        """A file of results; None where there is none, or one of other weights."""
        if not path.exists():
            return None
        stored = json.loads(path.read_text())
        return stored if stored["weights_sha256"] in (None, self.sha256) else None


def write_pictures(path: Path, note: dict, pictures: dict) -> None:
    """Write a file of results: the note, then ``pictures``, one a line."""
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(pictures.items()))
    text = json.dumps(note, indent=1)[:-2] + f',\n "pictures": {{\n{lines}\n}}}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    weights.replace(path, text.encode())


def common(results: Results, set_name: str) -> dict[str, dict]:
    """Codec → picture → rows, of the pictures that every codec with results has measured."""
    rows = {name: results.rows(set_name, name) for name in results.codecs(set_name)}
    shared = sorted(set.intersection(*map(set, rows.values()))) if rows else []
    return {name: {k: pictures[k] for k in shared} for name, pictures in rows.items()}


@cache
def published() -> dict:
    """Rate–distortion curves that others have published for the whole pictures of Kodak.

    source, in words; curves: codec → lists bpp, psnr (dB over RGB) and ms_ssim (linear).
    """
    return json.loads((Path(__file__).parent / "published-kodak.json").read_text())
