"""Write the figures of README.md and of the documents in this folder: `make docs`, or

    python -m docs.figures            # writes them
    python -m docs.figures --check    # changes nothing; exit code 1 where a document is out of date

A place for figures in a document is a pair of marks with the name of one of `FIGURES`:

    <!-- figures: packing -->
    …
    <!-- end -->

What stands between them comes from the results of the newest weights and is never typed.
"""

import re
import sys
from pathlib import Path

from pages.kodak import findings, tables
from sdae import weights
from sdae.measuring import (
    claims,
    classical_denoisers,
    evaluation,
    kodak,
    noise_study,
    peers,
    stages,
)
from sdae.measuring.results import OURS, Results, bd_rate, common, curve, label
from sdae.training import training_record

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PLACE = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

TARGETS = {0.1: 29.5, 0.2: 26.4, 0.3: 24.5}
"""Noise level → PSNR in dB that we wanted of a restored picture of `kodak-thumb`."""

ABOVE_IDEAL = {"thumb": 7, "tiles": 7, "whole": 3}
"""View → how far above an ideal coder we wanted a file to be at most, in percent."""


NEW = {
    "sdae-1": "convolutions, a Karhunen–Loève start, one context model, one network for all qualities",
    "sdae-2": "depthwise blocks at 1/8 of the resolution, ten in the encoder and four in the decoder; "
    "noisy crops weigh less; Muon; a constant rate, an average of the weights and a fall at the end; "
    "an encoder that counts error half as much again when it looks at its picture",
    "sdae-3": "a small network of whole numbers refines what is expected of the six coarsest channels",
    "sdae-4": "refiners for 18 channels more, and training that counts their bits; a twin of both "
    "transforms for noisy pictures",
    "sdae-5": "17,000 crops more, one in 20 of them noisy where it was one in four",
}
"""Weights that shipped → what they had and earlier ones lacked."""


def table(head: list, rows: list[list]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def signed(number: float) -> str:
    """Two decimals behind a plus or a minus sign."""
    return f"{number:+.2f}".replace("-", "−")


def missing(command: str) -> str:
    return f"Not measured with these weights yet; `{command}` does it."


def sentence(results: Results, set_name: str) -> str:
    """How many bytes SDAE needs beside each other codec, in PSNR and in SSIM."""
    rows = common(results, set_name)
    changes = {
        name: {key: bd_rate(rows[OURS], rows[name], key) for key in ("psnr", "ssim")}
        for name in rows
        if name in peers.PEERS
    }
    return " ".join(findings.rates(set_name, changes, key) for key in ("psnr", "ssim"))


def whole(results: Results) -> str:
    """The table of whole pictures that the README shows."""
    if OURS not in results.codecs("kodak"):
        return missing("sdae evaluate")
    return "\n\n".join(
        [evaluation.table(results, "kodak", (0.25, 0.5, 1.0, 2.0)), sentence(results, "kodak")]
    )


def sets(results: Results) -> str:
    """Each set at equal bytes."""
    about = {
        "kodak": "The whole pictures. AVIF runs at speed 1 and 4:4:4 here, see "
        "`sdae/measuring/peers.py`.",
        "kodak-128": "Tiles of 128×128 pixels, without overlap. All peers run at their slowest.",
        "kodak-thumb": "The centre square of each picture, scaled to 128×128. All peers run at "
        "their slowest.",
    }
    parts = []
    for name, words in about.items():
        if OURS not in results.codecs(name):
            parts += [f"### {name}", missing(f"sdae evaluate --sets {name}")]
            continue
        stride = results.note(name, OURS).get("options", {}).get("stride", 1)
        if stride > 1:
            words += f" One picture in {stride} is measured (`--stride {stride}`)."
        parts += [f"### {name}", words, evaluation.table(results, name), sentence(results, name)]
    means = curve(results.rows("kodak", OURS))
    if not means:
        return "\n\n".join(parts)
    ends = [
        f"quality {means['setting'][k]:g} takes {means['bpp'][k]:.2f} bits per pixel and gives "
        f"{means['psnr'][k]:.1f} dB"
        for k in (0, -1)
    ]
    parts.append(f"On whole pictures {findings.listed(ends)}.")
    return "\n\n".join(parts)


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


def original(results: Results) -> str:
    """The original work's numbers beside ours."""
    card = weights.read_card(results.folder.parent)
    return claims.markdown(claims.comparison(results, card))


def denoised(results: Results) -> str:
    """PSNR of restored pictures, level known."""
    study = results.noise("kodak-thumb")
    if not study:
        return missing("sdae evaluate --noise --sets kodak-thumb")
    names = {noise_study.NOISY: "noisy"} | {n: label(n) for n in (OURS, noise_study.THOROUGH)}
    names |= {n: classical_denoisers.DENOISERS[n].label for n in ("nlm", "tv", "bm3d")}
    rows = []
    for sigma, wanted in TARGETS.items():
        found = [
            noise_study.mean(
                study["rows"],
                "psnr",
                sigma=sigma,
                clipped=True,
                denoiser=name,
                level=None if name == noise_study.NOISY else "known",
            )
            for name in names
        ]
        rows.append([sigma, *("–" if psnr is None else f"{psnr:.2f}" for psnr in found), wanted])
    return table(["σ", *names.values(), "wanted of SDAE"], rows)


def chains(results: Results) -> str:
    """How far we are ahead of the best way to denoise first and compress then, in dB."""
    rows, leads, sizes = [], [], noise_study.BITS_PER_PIXEL
    for name in kodak.SETS:
        found = results.noise(name).get("chains", [])
        count = len({chain["picture"] for chain in found})
        for sigma in noise_study.CHAIN_SIGMAS if found else ():
            best = _best_chains(found, sigma)
            for ours in (OURS, noise_study.THOROUGH):
                mine = noise_study.chain_at_bits(
                    found, sizes, sigma=sigma, denoiser=ours, codec=OURS
                )
                if any(mine):
                    rows.append([f"{name} ({count})", sigma, label(ours), *map(_lead, mine, best)])
                    leads += [m["psnr"] - b[0] for m, b in zip(mine, best) if m and b]
    if not leads:
        return missing("sdae evaluate --noise")
    head = ["set (pictures)", "σ", "", *(f"{bits} bpp" for bits in sizes)]
    behind = sum(lead < 0 for lead in leads)
    words = f"SDAE is ahead in {len(leads) - behind} of {len(leads)} places"
    words += f" and behind by {-min(leads):.2f} dB at most." if behind else "."
    return f"{table(head, rows)}\n\n{words}"


def _best_chains(found, sigma) -> list:
    """For each size PSNR and name of the best of the others' chains."""
    pairs = [
        (denoiser, codec) for denoiser in noise_study.DENOISERS for codec in noise_study.CODECS
    ]
    means = [
        noise_study.chain_at_bits(
            found, noise_study.BITS_PER_PIXEL, sigma=sigma, denoiser=denoiser, codec=codec
        )
        for denoiser, codec in pairs
    ]
    names = [
        f"{classical_denoisers.DENOISERS[denoiser].label}, {label(codec)}"
        for denoiser, codec in pairs
    ]
    return [
        max(((mean["psnr"], name) for mean, name in zip(at_size, names) if mean), default=None)
        for at_size in zip(*means)
    ]


def _lead(mine, best) -> str:
    """By how many dB we are ahead, and of which chain; empty where one has no file so small."""
    if not (mine and best):
        return ""
    psnr, name = best
    return f"{signed(mine['psnr'] - psnr)} ({name})"


def packing(results: Results) -> str:
    """Bytes of the latent coder beside zlib's and those of ideal coders."""
    stored, rows = results.bench("coder"), []
    if not stored:
        return missing("sdae bench coder --store")
    for view, wanted in ABOVE_IDEAL.items():
        for row in stored.get(view, ()):
            names = "zlib 9", "ideal, static per channel", "ours, effort 0", "ideal, our contexts"
            sizes = [row["bytes"][name] for name in names]
            rows.append(
                [
                    f"{view} ({row['latents']})",
                    f"{row['quality']:g}",
                    *(f"{size:,.0f}" for size in sizes),
                    f"{100 * (sizes[2] / sizes[3] - 1):.1f} %",
                    f"{wanted} %",
                ]
            )
    return table(
        [
            "latents (number)",
            "quality",
            "int8, zlib 9",
            "ideal, channels",
            "SDAE",
            "ideal, contexts",
            "SDAE above it",
            "wanted at most",
        ],
        rows,
    )


def effort(results: Results) -> str:
    """What choosing the integers with care is worth."""
    rows = [
        [way, f"{signed(change)} %", f"{seconds:.2f}"]
        for way, (change, seconds) in results.bench("effort").items()
    ]
    head = ["integers", "BD-rate", "seconds"]
    return table(head, rows) if rows else missing("sdae bench effort FOLDER --store")


def speed(results: Results) -> str:
    """Times and memory of whole files beside AVIF."""
    found, rows, ratios = results.bench("codec"), [], {"compress": [], "decompress": []}
    if not found:
        return missing("sdae bench codec --store")
    for size, codecs in found.items():
        ours, avif = codecs["SDAE"], codecs["AVIF"]
        rows.append(
            [
                size,
                _time(ours["compress"]),
                _time(ours["decompress"]),
                f"{ours['memory']:.0f} MB",
                _time(avif["compress"]),
                _time(avif["decompress"]),
            ]
        )
        for key, values in ratios.items():
            values.append(ours[key] / avif[key])
    first, second = (f"{min(values):.0f} to {max(values):.0f}" for values in ratios.values())
    return "\n\n".join(
        [
            table(
                [
                    "picture",
                    "SDAE compresses",
                    "restores",
                    "memory of the process",
                    "AVIF compresses",
                    "restores",
                ],
                rows,
            ),
            f"Compressing takes {first} times as long as with AVIF, restoring {second} times.",
        ]
    )


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


def first_screen(results: Results) -> str:
    """What the Compress page lets its visitor wait for, beside what we wanted."""
    rows = []
    for what, found in results.bench("first-screen").items():
        cells = [
            f"{seconds:.2f}" if w is None else f"{seconds:.2f} ({w:g})" for seconds, w in found
        ]
        rows.append([what, *cells, *["–"] * (2 - len(cells))])
    head = ["what", "first, s (wanted)", "then, s (wanted)"]
    return table(head, rows) if rows else missing("python tests/first_screen.py --store")


def answer(results: Results) -> str:
    """Where the time of an answer of the Compress page goes."""
    found = results.bench("stages")
    if not found:
        return missing("sdae bench stages --store")

    def row(what, names):
        return [what, *(f"{1000 * sum(of[name] for name in names):.0f}" for of in found.values())]

    rows = [row(name, [name]) for name in stages.STAGES]
    rows.insert(len(stages.ENCODER), row("until the bytes are there", stages.ENCODER))
    return table(["stage, ms", *found], rows)


def visitors(results: Results) -> str:
    """Ten people at once."""
    found = results.bench("visitors")
    if not found:
        return missing("python tests/load.py --store")
    (name, one), *_ = found.items()
    width, height = one["size"]
    faults = one["faults"] or "no"
    return (
        f"- {name} at {width}×{height}: a move of all sliders is answered within "
        f"{one['most_seconds']:.0f} s; the app takes {one['peak_mb']} MB at most. "
        f"Sessions saw {faults} errors and pictures of others.\n"
        f"- One visitor: the app takes {one['first_picture_mb']} MB when the first picture is "
        "compressed."
    )


def answers(results: Results) -> str:
    """What one visitor waits for."""
    rows = [
        [name, *(f"{seconds:.1f}" for seconds in pair)]
        for name, pair in results.bench("answers").items()
    ]
    head = ["what", "first sign, s", "all of it, s"]
    return table(head, rows) if rows else missing("python tests/answers.py --store")


def training(results: Results) -> str:
    """The runs that led to the weights, and their sizes."""
    place = results.folder.parent
    card, log = weights.read_card(place), training_record.read(place)
    arrays, _ = weights.read(place)
    shares = {
        part: sum(array.size for name, array in arrays.items() if name.startswith(part))
        for part in ("analysis", "synthesis")
    }
    twins = ""
    if "noise_removal" in card:
        twins = (
            f" Noisy pictures pass {card['noise_removal']['parameters'] / 1e6:.2f} million others."
        )
    lines = [
        f"- Weights `{place.name}`: {card['parameters'] / 1e6:.2f} million parameters, "
        f"{shares['analysis'] / 1e6:.2f} in the analysis, {shares['synthesis'] / 1e6:.2f} in the "
        f"synthesis, the rest in the context model.{twins}",
        f"- {findings.training(log, card)}",
        f"- The last run saw {card['images']:,} crops in {card['minutes']:.0f} minutes.",
    ]
    enlarged = [row["enlarged_validation_loss"] for row in log if "enlarged_validation_loss" in row]
    if enlarged:
        lines.append(
            f"- Validation loss on photographs enlarged to twice their size: {enlarged[-1]:.3f}."
        )
    return "\n".join(lines)


def next_weights(results: Results) -> str:
    """How far the training has come that the present weights were taken from."""
    place = results.folder.parent
    rows, before = (
        training_record.under_way(place.parent / "training.npz"),
        training_record.read(place),
    )
    if not rows:
        return "No training is under way."
    marks = [rows[k] for k in range(3, len(rows) - 1, 4)] + [rows[-1]]
    lines = [
        [f"{row['images']:,.0f}", *(f"{row[name]:.4f}" for name in _LOSSES)]
        for row in [*marks, before[-1]]
    ]
    lines[-1][0] += f", the rate fallen: `{place.name}`"
    return table(["crops", "validation loss", "enlarged"], lines)


def noise_removal(results: Results) -> str:
    """What the twin for noisy pictures has seen, and what it restores."""
    card = weights.read_card(results.folder.parent)
    made = card.get("noise_removal")
    if not made:
        return "The present weights have no such twin."
    levels = ", ".join(f"{psnr:.2f} dB from σ {sigma}" for sigma, psnr in made["psnr"].items())
    return (
        f"The twin of `{results.folder.parent.name}` saw {made['crops']:,} crops in "
        f"{made['minutes']:.0f} minutes. On validation photographs of 128×128 it restores {levels}."
    )


def helped(results: Results) -> str:
    """What each set of weights brought, from the first ones to the present."""
    peer, rows = results.rows("kodak", "avif"), []
    for name in weights.SHIPPED:
        place = weights.folder(name)
        ours, last = Results.of(place).rows("kodak", OURS), training_record.read(place)[-1]
        changes = [bd_rate(ours, peer, key) for key in ("psnr", "ssim")]
        cells = ["–" if change is None else f"{change:+.1f} %" for change in changes]
        rows.append([f"`{name}`", f"{last['validation_loss']:.4f}", *cells, NEW[name]])
    heads = ["weights", "validation loss", "against AVIF, PSNR", "SSIM", "what was new"]
    return table(heads, rows)


def training_speed(results: Results) -> str:
    """How much of a step is convolution."""
    found = results.bench("training")
    return (
        f"Training reaches {found['training']:.1f} crops a second; the convolutions alone would "
        f"allow {found['convolutions']:.1f}."
        if found
        else missing("sdae bench training --store")
    )


def ablations(results: Results) -> str:
    """One change at a time, trained alike."""
    heads, rows, crops = tables.ablations(results.folder.parent)
    return f"{crops:,} crops of 64×64:\n\n" + table(heads, [[c or "–" for c in r] for r in rows])


_LOSSES = "validation_loss", "enlarged_validation_loss"

FIGURES = {
    "whole": whole,
    "sets": sets,
    "source": source,
    "original": original,
    "denoised": denoised,
    "chains": chains,
    "packing": packing,
    "effort": effort,
    "speed": speed,
    "first-screen": first_screen,
    "stages": answer,
    "visitors": visitors,
    "answers": answers,
    "training": training,
    "training-speed": training_speed,
    "ablations": ablations,
    "next-weights": next_weights,
    "noise-removal": noise_removal,
    "helped": helped,
}
"""Name of a place → what writes its figures from `sdae.measuring.results.Results`."""


def filled(text: str, results: Results) -> str:
    """A document with its figures as they are now."""
    return PLACE.sub(lambda found: f"{found[1]}{FIGURES[found[2]](results)}\n{found[3]}", text)


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
