"""The finding of each view: one sentence made from the results."""

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
    known = {name: change[key] for name, change in changes.items() if change[key] is not None}
    said = [
        f"{_amount(change)} {results.label(name)}"
        for name, change in sorted(known.items(), key=lambda pair: pair[1])
    ]
    if not said:
        return f"{WHERE[set_name]} no other codec was measured."
    return f"{WHERE[set_name]} SDAE needs {listed(said)}, at equal {key.upper()}."


def _amount(change: float) -> str:
    """A change in percent, as the words before the name of a codec."""
    if abs(change) < 0.5:
        return "as many bytes as"
    return f"{abs(change):.0f} % {'fewer' if change < 0 else 'more'} bytes than"


def listed(words: list[str]) -> str:
    """Words or clauses as one list."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def pictures(table: list[dict]) -> str:
    """How often our file is smaller than JPEG's of the same PSNR, and where by how much.

    table: rows of `pages.kodak.beside_jpeg.per_picture`.
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


def speed(times: dict[tuple[str, str], float]) -> str:
    """Our speed beside that of AVIF in every way that it was measured.

    times: of `pages.kodak.tables.times`.
    """
    said = [
        f"{seconds:.2g} s with {codec} {how}".strip()
        for (codec, how), seconds in times.items()
        if codec in ("SDAE", "AVIF")
    ]
    return f"Processor time to compress and restore a picture: {listed(said)}."


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
        return f"{card['parameters'] / 1e6:.2f} million parameters, without a record of their training."
    first, last = log[0], log[-1]
    return (
        f"{last['all_images'] / 1e6:.2f} million crops in {last['all_minutes'] / 60:.1f} hours "
        f"brought the validation loss from {first['validation_loss']:.2f} to "
        f"{last['validation_loss']:.2f}."
    )
