"""The finding of each dashboard: one sentence made from the results."""

from __future__ import annotations

from sdae.measuring import classical_denoisers, noise_study, results
from sdae.measuring.results import OURS

WHERE = {
    "kodak": "On whole pictures",
    "kodak-128": "On tiles of 128×128",
    "kodak-thumb": "On pictures scaled to 128×128",
}


def rates(set_name: str, changes: dict[str, dict], key: str = "psnr") -> str:
    """What our files need beside those of the others, at equal PSNR or another figure.

    changes: other codec → figure → BD-rate of ours in percent.
    """
    known = {name: found[key] for name, found in changes.items() if found[key] is not None}
    said = [
        f"{amount(change, 'bytes')} {results.label(name)}"
        for name, change in sorted(known.items(), key=lambda pair: pair[1])
    ]
    if not said:
        return f"{WHERE[set_name]} no other codec was measured."
    return f"{WHERE[set_name]} SDAE needs {listed(said)}, at equal {key.upper()}."


def amount(change: float, *of: str) -> str:
    """A change in percent, as the words before the name of a codec."""
    if abs(change) < 0.5:
        return " ".join(["as many", *of, "as"])
    return " ".join([f"{abs(change):.0f} % {'fewer' if change < 0 else 'more'}", *of, "than"])


def listed(parts: list[str]) -> str:
    """Parts of a sentence as one list."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def pictures(table: list[dict]) -> str:
    """How often our file is smaller than JPEG's of the same PSNR, and where by how much.

    table: rows of `sdae.measuring.results.per_picture`.
    """
    saved = {
        row["picture"]: 100 * (1 - row["bytes"] / row["jpeg_bytes"])
        for row in table
        if row["jpeg_bytes"]
    }
    if not saved:
        return "JPEG reaches this PSNR on no picture."
    least, most = min(saved, key=saved.get), max(saved, key=saved.get)
    fewer = sum(value > 0 for value in saved.values())
    return (
        f"SDAE needs fewer bytes than JPEG on {fewer} of {len(saved)} pictures, from "
        f"{saved[least]:.0f} % ({least}) to {saved[most]:.0f} % ({most})."
    )


def at_bits(table: dict[str, dict | None], bits: float) -> str:
    """PSNR at equal bytes beside that of the best other codec.

    table: of `sdae.measuring.results.methods`.
    """
    ours, others = table.get(OURS), _others(table)
    start = f"At {bits:g} bit{'' if bits == 1 else 's'} per pixel"
    if not ours:
        return f"{start} SDAE has no file of every picture."
    if not others:
        return f"{start} SDAE reaches {ours['psnr']:.1f} dB."
    best = max(others, key=lambda name: others[name]["psnr"])
    apart = ours["psnr"] - others[best]["psnr"]
    return (
        f"{start} SDAE reaches {ours['psnr']:.1f} dB, {abs(apart):.1f} dB "
        f"{'more' if apart >= 0 else 'less'} than {results.label(best)}, the best other codec."
    )


def at_ssim(table: dict[str, dict | None], target: float) -> str:
    """Bytes at equal SSIM beside those of the smallest other codec."""
    ours, others = table.get(OURS), _others(table)
    start = f"For SSIM {target:g}"
    if not ours:
        return f"{start} SDAE has no file of every picture."
    if not others:
        return f"{start} SDAE needs {ours['bytes']:,.0f} bytes."
    best = min(others, key=lambda name: others[name]["bytes"])
    change = 100 * (ours["bytes"] / others[best]["bytes"] - 1)
    return (
        f"{start} SDAE needs {ours['bytes']:,.0f} bytes, {amount(change)} {results.label(best)}, "
        "the smallest other codec."
    )


def _others(table):
    return {name: found for name, found in table.items() if found and results.effort(name) is None}


def noise(rows: list[dict], sigma: float) -> str:
    """What our network restores at one noise level, beside the best classical denoiser.

    rows: of `sdae.measuring.noise_study`.
    """

    def psnr(name, level):
        return noise_study.mean(rows, "psnr", denoiser=name, level=level, sigma=sigma)

    before, after = psnr(noise_study.NOISY, None), psnr(OURS, "known")
    said = f"At noise σ {sigma:g} SDAE restores {after:.1f} dB from {before:.1f}"
    known = {
        name: value
        for name in {row["denoiser"] for row in rows} & set(classical_denoisers.DENOISERS)
        if (value := psnr(name, "known")) is not None
    }
    if not known:
        return f"{said}."
    best = max(known, key=known.get)
    apart = after - known[best]
    return (
        f"{said}, {abs(apart):.1f} dB {'more' if apart >= 0 else 'less'} than "
        f"{classical_denoisers.DENOISERS[best].label}, the best of the others."
    )


def training(log: list[dict], card: dict) -> str:
    """How far the validation loss fell, and in how many crops."""
    if not log:
        return f"{card['parameters'] / 1e6:.2f} million parameters were trained."
    first, last = log[0], log[-1]
    return (
        f"{last['all_images'] / 1e6:.2f} million crops in {last['all_minutes'] / 60:.1f} hours "
        f"brought the validation loss from {first['validation_loss']:.2f} to "
        f"{last['validation_loss']:.2f}."
    )


def claims(compared) -> str:
    """How many of the original's figures were measured under the same words."""
    measured = sum(bool(c.measured) for c in compared)
    return (
        f"The original work states {len(compared)} figures about itself; {measured} were "
        "measured again under the same words."
    )
