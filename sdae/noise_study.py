"""How well noise is taken away: sets × noise levels × denoisers → one results file a set.

Gaussian noise, clipped to 8 bits as in a file. Every denoiser is told either the true level or the
one that `sdae.noise.estimate_sigma` finds in the noisy picture. Ours restores through the latent,
so that its bytes are those of a whole .sdae file.
"""

import datetime
import json
import sys
import time
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np

from sdae import classical, kodak, metrics, noise, weights
from sdae.evaluate import pictures

OURS, NOISY = "sdae", "noisy"
SIGMAS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
DENOISERS = ("gaussian", "tv", "nlm")
"""Classical denoisers of `sdae.classical` that are measured beside ours."""

PROTOCOL = (
    "Gaussian noise of standard deviation sigma on the scale [0, 1], rounded and clipped to 8 "
    "bits. PSNR over the three channels of 8-bit RGB, SSIM with Gaussian weights (sigma 1.5), mean "
    "of channels. Bytes are whole files. Means over pictures."
)


def add_arguments(parser) -> None:
    """The options of ``sdae noise-study``."""
    parser.add_argument("--weights", help="name or folder of the weights (default: the shipped)")
    parser.add_argument("--sets", nargs="+", default=["kodak-thumb"],
                        help=f"{', '.join(kodak.SETS)} or folders (default: kodak-thumb)")
    parser.add_argument("--kodak", help="folder of the Kodak pictures (default: SDAE_KODAK)")
    parser.add_argument("--quality", type=float, default=100, help="of ours (default: 100)")
    parser.add_argument("--pictures", type=int, help="only so many of each set, for a quick look")
    parser.add_argument("--results", help="folder for the results (default: that of the weights)")


def run(args) -> int:
    """Measure, write the results and print a table of each set. Returns an exit code."""
    import sdae
    from sdae.progress import progress

    place = weights.folder(args.weights)
    codec = sdae.load(place)
    codec.denoise(np.zeros((128, 128, 3), "uint8"))  # the network loads here
    for name in args.sets:
        try:
            chosen = list(islice(pictures(name, args.kodak), args.pictures))
        except (kodak.KodakError, FileNotFoundError) as error:
            print(error, file=sys.stderr)
            return 2
        rows = []
        with progress(label=name, total=len(chosen) * len(SIGMAS), unit="measurement") as bar:
            for picture, rgb in chosen:
                for sigma in SIGMAS:
                    rows += measure(codec, picture, rgb, sigma, args.quality)
                    bar.update()
        path = write(Path(args.results or place), name, codec, args.quality, rows)
        print(table(rows, f"{Path(name).name}, number of pictures {len(chosen)}"), end="\n\n")
        print(f"Written to {path}.")
    return 0


def measure(codec, picture: str, rgb: np.ndarray, sigma: float, quality: float) -> list[dict]:
    """One picture at one noise level, through every denoiser, told the true or estimated level.

    Args:
        codec: a `sdae.Codec`.
        picture: its name, which also seeds its noise.
        rgb: (H, W, 3) uint8, clean.
        sigma: noise level in [0, 1] of full scale.
        quality: of ours, 1 to 100.

    Returns:
        a row for each: picture, sigma, denoiser, level ("known", "estimated", or None for the
        noisy picture itself), strength, psnr (None where it is infinite), ssim, seconds, and bytes
        for ours.
    """
    noisy = noise.add(rgb, sigma, seed=crc32(picture.encode()))
    estimate = noise.estimate_sigma(noisy)

    def row(denoiser, level, strength, restored, seconds=None, size=None):
        psnr = metrics.psnr(rgb, restored)
        found = {
            "picture": picture, "sigma": sigma, "denoiser": denoiser, "level": level,
            "strength": round(float(strength), 5),
            "psnr": round(psnr, 4) if np.isfinite(psnr) else None,
            "ssim": round(metrics.ssim(rgb, restored), 5),
        }
        if seconds is not None:
            found["seconds"] = round(seconds, 4)
        if size is not None:
            found["bytes"] = size
        return found

    rows = [row(NOISY, None, sigma, noisy)]
    for level, strength in (("known", sigma), ("estimated", estimate)):
        began = time.perf_counter()
        latent = codec.encode(noisy, quality, strength)
        data = codec.pack(latent)
        restored = np.asarray(codec.decode(latent))
        seconds = time.perf_counter() - began
        rows.append(row(OURS, level, strength, restored, seconds, len(data)))
        for name in DENOISERS:
            began = time.perf_counter()
            restored = classical.denoise(name, noisy, strength)
            rows.append(row(name, level, strength, restored, time.perf_counter() - began))
    return rows


def write(folder: Path, set_name: str, codec, quality: float, rows: list[dict]) -> Path:
    """Write ``results/noise-<set>.json`` in the folder; it names the weights' SHA-256."""
    path = Path(folder) / "results" / f"noise-{Path(set_name).name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {
        "set": Path(set_name).name,
        "weights_sha256": codec.card["sha256"],
        "quality": quality,
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-image")},
        "date": datetime.date.today().isoformat(),
        "protocol": PROTOCOL,
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = json.dumps(note, indent=1)[:-2] + ',\n "rows": [\n' + lines + "\n]}\n"
    weights.replace(path, text.encode())
    return path


def mean(rows: list[dict], key: str, **wanted) -> float | None:
    """The mean of a figure over the rows with these values; None where there is none."""
    found = [row[key] for row in rows if all(row[k] == v for k, v in wanted.items())]
    found = [value for value in found if value is not None]
    return float(np.mean(found)) if found else None


def table(rows: list[dict], title: str) -> str:
    """PSNR and SSIM of every denoiser at every level as a Markdown table."""
    labels = {OURS: "SDAE"} | {name: classical.DENOISERS[name].label for name in DENOISERS}
    columns = [(NOISY, None, "noisy")]
    columns += [(name, level, f"{label}, {level}")
                for level in ("known", "estimated") for name, label in labels.items()]
    lines = [f"**{title}**, PSNR in dB / SSIM, level of the noise known or estimated", ""]
    lines.append("| sigma | found | " + " | ".join(label for *_, label in columns) + " |")
    lines.append("|---" * (len(columns) + 2) + "|")
    for sigma in SIGMAS:
        found = mean(rows, "strength", sigma=sigma, denoiser=OURS, level="estimated")
        cells = []
        for name, level, _ in columns:
            wanted = {"sigma": sigma, "denoiser": name, "level": level}
            psnr, ssim = mean(rows, "psnr", **wanted), mean(rows, "ssim", **wanted)
            cells.append(f"{'∞' if psnr is None else format(psnr, '.2f')} / {ssim:.3f}")
        lines.append(f"| {sigma:g} | {found:.3f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
