"""Measurements on disk.

    weights/<name>/results/<set>/sdae.json         ours on the pictures of one set
    weights/<name>/results/noise-<set>/sdae.json   the noise study, see `sdae.measuring.noise_study`
    weights/<name>/results/standard-noise-<set>/sdae.json
                                                   noise removal by the protocol of the literature
    weights/<name>/results/camera-noise-<set>/sdae.json
                                                   removal of noise as cameras and files leave it
    weights/<name>/results/bench-<name>.json       what a benchmark has kept, such as ``sdae bench``
    weights/peers/<set>/<codec>.json               another codec on the pictures of one set
    weights/peers/noise-<set>/classical.json       classical denoisers

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
from sdae.measuring import peers

OURS = "sdae"

PROTOCOL = (
    "Bytes are whole files. PSNR over the three channels of 8-bit RGB, SSIM with Gaussian weights "
    "(sigma 1.5), mean of channels, MS-SSIM on whole pictures. Means over pictures."
)


def label(codec_name: str) -> str:
    """The name of a codec for people."""
    return peers.PEERS[codec_name].label if codec_name in peers.PEERS else "SDAE"


class Results:
    """The measurements of one set of weights, and those of the other codecs.

    A file of a codec holds provenance, then the rows of each picture.

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
        return folder / set_name / f"{codec_name}.json"

    def codecs(self, set_name: str) -> list[str]:
        """The codecs with measurements of a set, ours first."""
        return [name for name in (OURS, *peers.PEERS) if self.rows(set_name, name)]

    def rows(self, set_name: str, codec_name: str) -> dict:
        """Picture name → rows, of what is measured already."""
        key = set_name, codec_name
        if key not in self._stored:
            self._stored[key] = (self._read(self.path(*key)) or {"pictures": {}})["pictures"]
        return self._stored[key]

    def note(self, set_name: str, codec_name: str) -> dict:
        """Everything in a file but the rows; empty where there is none of these weights."""
        stored = self._read(self.path(set_name, codec_name)) or {}
        return {key: value for key, value in stored.items() if key != "pictures"}

    def add(self, set_name: str, codec_name: str, picture: str, measured, options) -> None:
        """Keep what is measured of one picture."""
        self.rows(set_name, codec_name)[picture] = measured
        note = {
            "set": set_name,
            "codec": codec_name,
            "weights_sha256": self.sha256 if codec_name == OURS else None,
            "options": options,
            "versions": peers.versions(),
            "date": datetime.date.today().isoformat(),
            "protocol": PROTOCOL,
        }
        rows = sorted(self.rows(set_name, codec_name).items())
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows)
        text = json.dumps(note, indent=1)[:-2] + f',\n "pictures": {{\n{lines}\n}}}}\n'
        self._write(self.path(set_name, codec_name), text)

    def noise(self, set_name: str) -> dict[str, list]:
        """The noise study of a set, of the pictures that ours and the classical part both hold.

        Returns lists of the ``rows`` and ``chains`` of `sdae.measuring.noise_study`, each with its
        picture; empty without ours.
        """
        ours, others = (self.rows(f"noise-{set_name}", part) for part in (OURS, "classical"))
        shared = sorted(ours.keys() & (others or ours).keys())
        return {
            kind: [
                {"picture": name} | row
                for name in shared
                for part in (ours, others)
                for row in part.get(name, {}).get(kind, ())
            ]
            for kind in ("rows", "chains")
            if shared
        }

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
        self._write(self.folder / f"bench-{name}.json", json.dumps(note, indent=1) + "\n")

    def _write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        weights.replace(path, text.encode())

    def _read(self, path):
        """A file of results; None where there is none, or one of other weights."""
        if not path.exists():
            return None
        stored = json.loads(path.read_text())
        return stored if stored["weights_sha256"] in (None, self.sha256) else None


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
