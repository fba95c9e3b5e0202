"""Write the figures of README.md and of the documents in this folder: `make docs`, or

    python -m docs.figures            # writes them
    python -m docs.figures --check    # changes nothing; exit code 1 where a document is out of date

A place for figures in a document is a pair of marks with the name of one of `FIGURES`:

    <!-- figures: packing -->
    …
    <!-- end -->

What stands between them comes from the results of the shipped weights and is never typed.
"""

import re
import sys
from pathlib import Path

from pages.kodak import claims, findings, tables
from sdae import weights
from sdae.measuring import classical_denoisers, curves, evaluation, kodak
from sdae.measuring import noise_study as study
from sdae.measuring.peers import PEERS
from sdae.measuring.results import OURS, Results, common, label
from sdae.training import training_record

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PLACE = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

WANTED_PSNR = {0.1: 29.5, 0.2: 26.4, 0.3: 24.5}
"""Noise level → PSNR in dB that was wanted of a restored picture of `kodak-thumb`."""

PUBLISHED = {
    "CBM3D": (31.68, 28.46),
    "DnCNN": (32.14, 28.95),
    "FFDNet": (32.13, 28.98),
    "DRUNet": (32.89, 29.86),
}
"""Denoiser → published PSNR in dB on whole Kodak at each of `study.STANDARD`."""

JOINT = {"1": {0.099: 28.04, 0.339: 32.30, 0.644: 34.78}, "4": {0.819: 28.40}}
"""Level of `sdae.pictures.camera_noise.SENSORS` → bits per pixel → PSNR in dB on whole Kodak that Cheng,
Xie and Chen 2022 published."""

ABOVE_IDEAL = {"thumb": 7, "tiles": 7, "whole": 3}
"""View → how far above an ideal coder a file was wanted to be at most, in percent."""

SETS = {
    "kodak": "The whole pictures. AVIF runs at speed 1.",
    "kodak-128": "Tiles of 128×128 pixels, without overlap. AVIF runs at speed 0.",
    "kodak-thumb": "The centre square of each picture, scaled to 128×128. AVIF runs at speed 0.",
}


def table(head: list, rows: list[list]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def missing(command: str) -> str:
    return f"Not measured with these weights yet; `{command}` does it."


def whole(results: Results) -> str:
    """The table of whole pictures that the README shows, and its last row in words."""
    rows = common(results, "kodak")
    if OURS not in rows:
        return missing("sdae evaluate")
    others = [name for name in rows if name != OURS]
    rates = {name: {"psnr": curves.bd_rate(rows[OURS], rows[name], "psnr")} for name in others}
    sentence = findings.rates("kodak", rates)
    return evaluation.table(results, "kodak", (0.25, 0.5, 1.0, 2.0)) + "\n\n" + sentence


def sets(results: Results) -> str:
    """Each set at equal bytes."""
    parts = []
    for name, words in SETS.items():
        if OURS not in results.codecs(name):
            parts += [f"### {name}", missing(f"sdae evaluate --sets {name}")]
            continue
        stride = results.note(name, OURS).get("options", {}).get("stride", 1)
        if stride > 1:
            words += f" One picture in {stride} is measured (`--stride {stride}`)."
        parts += [f"### {name}", words, evaluation.table(results, name)]
    means = curves.curve(results.rows("kodak", OURS))
    if means:
        ends = [
            f"quality {means['setting'][k]:g} takes {means['bpp'][k]:.2f} bits per pixel and gives "
            f"{means['psnr'][k]:.1f} dB"
            for k in (0, -1)
        ]
        parts.append(f"On whole pictures {' and '.join(ends)}.")
    return "\n\n".join(parts)


def thirds(results: Results) -> str:
    """BD-rates against AVIF by thirds of the common range of quality."""
    rows = []
    for name in SETS:
        measured = common(results, name)
        for key, measure in curves.MEASURES.items() if OURS in measured else ():
            pair = measured[OURS], measured["avif"], key
            rates = [curves.bd_rate(*pair, share) for share in curves.THIRDS]
            if None not in rates:
                rows.append([name, measure, *map(evaluation.percent, rates)])
    head = ["set", "quality in", "lowest third", "middle", "highest"]
    return table(head, rows) if rows else missing("sdae evaluate")


def source(results: Results) -> str:
    """Which weights the figures belong to, and what they were measured with."""
    note = results.note("kodak", OURS)
    if not note:
        return missing("sdae evaluate")
    versions = ", ".join(f"{name} {number}" for name, number in note["versions"].items())
    return (
        f"Weights `{results.folder.parent.name}`, SHA-256 `{results.sha256[:16]}…`, measured on "
        f"{note['date']} with {versions}."
    )


def avif(results: Results) -> str:
    """What the variants of AVIF that are not in the tables would gain."""
    rows = results.rows("avif-variants", "avif")
    if not rows:
        return missing("sdae evaluate --codecs avif")
    first = {
        name: [row for row in picture if row["variant"] == PEERS["avif"].variants[0]]
        for name, picture in rows.items()
    }
    gains = [
        f"{abs(curves.bd_rate(rows, first, key)):.1f} % at equal {name.removesuffix(' in dB')}"
        for key, name in curves.MEASURES.items()
    ]
    return (
        f"On {', '.join(rows)} all three variants of AVIF are measured. Together they need fewer bytes "
        f"than the first alone: {', '.join(gains)}."
    )


def original(results: Results) -> str:
    """The original work's numbers beside ours."""
    card = weights.read_card(results.folder.parent)
    rows = [
        [*said, ours or "not measured", why]
        for *said, ours, why in claims.comparison(results, card)
    ]
    return table(["words", "the original says", "we measure", "why"], rows)


def denoised(results: Results) -> str:
    """PSNR of restored pictures, level known."""
    rows = results.noise("kodak-thumb").get("rows")
    if not rows:
        return missing("sdae evaluate --noise --sets kodak-thumb")
    names = {study.NOISY: "noisy", OURS: label(OURS)}
    names |= {n: classical_denoisers.DENOISERS[n].label for n in ("nlm", "tv", "bm3d")}

    def psnr(name, sigma):
        level = None if name == study.NOISY else "known"
        wanted = {"sigma": sigma, "denoiser": name, "level": level}
        return study.mean(rows, "psnr", **wanted)

    lines = [
        [sigma, *(f"{psnr(name, sigma):.2f}" for name in names), wanted]
        for sigma, wanted in WANTED_PSNR.items()
    ]
    return table(["σ", *names.values(), "wanted of SDAE"], lines)


def standard(results: Results) -> str:
    """PSNR by the protocol of the literature beside published figures."""
    measured = list(results.rows("standard-noise-kodak", OURS).values())
    if not measured:
        return missing("sdae evaluate --noise standard --sets kodak")
    levels = list(map(str, study.STANDARD))
    means = [sum(row[level] for row in measured) / len(measured) for level in levels]
    rows = [[name, *(f"{psnr:.2f}" for psnr in figures)] for name, figures in PUBLISHED.items()]
    rows.append([f"SDAE ({len(measured)} pictures)", *(f"{psnr:.2f}" for psnr in means)])
    return table(["denoiser", *(f"σ {level}" for level in levels)], rows)


def camera(results: Results) -> str:
    """PSNR of pictures with noise as cameras and files leave it, and after its removal."""
    rows = []
    for name in SETS:
        pictures = results.rows(f"camera-noise-{name}", OURS)
        heads, measured = tables.camera_table(pictures)
        rows += [[f"{name} ({len(pictures)})", *row] for row in measured]
    return (
        table(["set (pictures)", *heads], rows) if rows else missing("sdae evaluate --noise camera")
    )


def joint(results: Results) -> str:
    """PSNR of compressed pictures with noise of a sensor, beside a network that does both at once."""
    pictures, rows = results.rows("camera-noise-kodak", OURS).values(), []
    if not pictures:
        return missing("sdae evaluate --noise camera --sets kodak")
    for level, published in JOINT.items():
        measured = [picture["sensors"][level] for picture in pictures]
        ours = study.chain_at_bits(measured, list(published))
        for (bits, psnr), found in zip(published.items(), ours):
            rows.append([level, bits, f"{psnr:.2f}", f"{found['psnr']:.2f}" if found else "–"])
    return table(["level", "bits per pixel", "Cheng et al.", f"SDAE ({len(pictures)})"], rows)


def chains(results: Results) -> str:
    """By how many dB SDAE is ahead of the best chain of the others, and which that is."""
    rows, leads, sizes = [], [], study.BITS_PER_PIXEL
    for name in kodak.SETS:
        measured = results.noise(name).get("chains", [])
        count = len({chain["picture"] for chain in measured})
        for sigma in study.CHAIN_SIGMAS if measured else ():
            ours = study.chain_at_bits(measured, sizes, sigma=sigma, denoiser=OURS, codec=OURS)
            others = {
                f"{classical_denoisers.DENOISERS[denoiser].label}, {label(codec)}": at_sizes
                for denoiser in study.DENOISERS
                for codec in study.CODECS
                if any(
                    at_sizes := study.chain_at_bits(
                        measured, sizes, sigma=sigma, denoiser=denoiser, codec=codec
                    )
                )
            }
            cells = []
            for k, mine in enumerate(ours):
                known = {name: at[k]["psnr"] for name, at in others.items() if at[k]}
                best = max(known, key=known.get, default=None)
                if mine and best:
                    leads.append(mine["psnr"] - known[best])
                    lead = f"{leads[-1]:+.2f}".replace("-", "−")
                    cells.append(f"{lead} ({best})")
                else:
                    cells.append("")
            if any(ours):
                rows.append([f"{name} ({count})", sigma, *cells])
    if not leads:
        return missing("sdae evaluate --noise")
    behind = sum(lead < 0 for lead in leads)
    words = f"SDAE is ahead in {len(leads) - behind} of {len(leads)} places"
    words += f" and behind by {-min(leads):.2f} dB at most." if behind else "."
    head = ["set (pictures)", "σ", *(f"{bits} bpp" for bits in sizes)]
    return f"{table(head, rows)}\n\n{words}"


def packing(results: Results) -> str:
    """Bytes of the latent coder beside zlib's and those of ideal coders."""
    stored, rows = results.bench("coder"), []
    if not stored:
        return missing("python -m docs.coder")
    for view, wanted in ABOVE_IDEAL.items():
        for row in stored.get(view, ()):
            names = "zlib 9", "ideal, static per channel", "ours", "ideal, our contexts"
            sizes = [row["bytes"][name] for name in names]
            above = f"{100 * (sizes[2] / sizes[3] - 1):.1f} %"
            shown = [f"{size:,.0f}" for size in sizes]
            latents = f"{view} ({row['latents']})"
            rows.append([latents, f"{row['quality']:g}", *shown, above, f"{wanted} %"])
    head = "latents (number)|quality|int8, zlib 9|ideal, channels|SDAE|ideal, contexts"
    return table([*head.split("|"), "SDAE above it", "wanted at most"], rows)


def speed(results: Results) -> str:
    """Times of whole files beside AVIF."""
    measured, rows = results.bench("codec"), []
    if not measured:
        return missing("sdae bench --store")
    for size, codecs in measured.items():
        ours, avif = codecs["SDAE"], codecs["AVIF"]
        times = [_time(row[key]) for row in (ours, avif) for key in ("compress", "decompress")]
        rows.append([size, *times])
    first, second = (
        [codecs["SDAE"][key] / codecs["AVIF"][key] for codecs in measured.values()]
        for key in ("compress", "decompress")
    )
    head = "picture|SDAE compresses|restores|AVIF compresses|restores"
    return (
        f"{table(head.split('|'), rows)}\n\nCompressing takes {min(first):.0f} to "
        f"{max(first):.0f} times as long as with AVIF, restoring {min(second):.0f} to "
        f"{max(second):.0f} times."
    )


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


def visitors(results: Results) -> str:
    """What visitors of the app wait for, one alone and many at once."""
    rows = [
        [
            *(count, load["bytes_seconds"], load["picture_seconds"]),
            *(load["slowest"], f"{load['peak_mb']} MB", len(load["faults"])),
        ]
        for count, load in results.bench("load").items()
    ]
    head = "visitors|all bytes, s|all pictures, s|slowest, times the median|memory|faults"
    return table(head.split("|"), rows) if rows else missing("python -m docs.load")


def training(results: Results) -> str:
    """The runs that led to the weights, and their sizes."""
    place = results.folder.parent
    card, log = weights.read_card(place), training_record.read(place)
    first, last = log[0], log[-1]
    lines = [
        f"Weights `{place.name}`: {card['parameters'] / 1e6:.2f} million parameters.",
        f"{last['all_images'] / 1e6:.2f} million crops in {last['all_minutes'] / 60:.1f} hours "
        f"brought the validation loss from {first['validation_loss']:.2f} to "
        f"{last['validation_loss']:.2f}.",
        f"The last run saw {card['images']:,} crops in {card['minutes']:.0f} minutes.",
    ]
    return "\n".join(f"- {line}" for line in lines)


FIGURES = {
    "whole": whole,
    "sets": sets,
    "thirds": thirds,
    "source": source,
    "avif": avif,
    "original": original,
    "denoised": denoised,
    "standard": standard,
    "camera": camera,
    "joint": joint,
    "chains": chains,
    "packing": packing,
    "speed": speed,
    "visitors": visitors,
    "training": training,
}
"""Name of a place → what writes its figures from `sdae.measuring.results.Results`."""


def filled(text: str, results: Results) -> str:
    """A document with its figures as they are now."""
    return PLACE.sub(lambda place: f"{place[1]}{FIGURES[place[2]](results)}\n{place[3]}", text)


def main(check: bool) -> int:
    results, stale = Results.of(weights.folder()), []
    for path in DOCUMENTS:
        before = path.read_text(encoding="utf-8")
        after = filled(before, results)
        if after != before:
            stale.append(path.relative_to(ROOT))
            if not check:
                path.write_text(after, encoding="utf-8")
    for path in stale:
        print(f"{path} {'is out of date; run make docs' if check else 'is written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
