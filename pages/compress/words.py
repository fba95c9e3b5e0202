"""What the Compress page says of a result, in sentences made from it."""

from __future__ import annotations

from sdae.measuring.comparison import Result, Rival
from sdae.measuring.peers import PEERS

NAMES = {peer.label: name for name, peer in PEERS.items()}


def point(ours: Result | None, answers: dict[str, Rival | None], label: str) -> str:
    """What is to be seen: SDAE and the codec `label` at the same bytes, and who is closest."""
    if not ours:
        return "Compressing …"
    size, name = f"{ours.file_bytes:,} bytes", NAMES[label]
    if name not in answers:
        return f"{size}. Looking for the best {label} file of that size …"
    if answers[name] is None:
        return f"SDAE reaches {_dB(ours)} dB in {size}; no {label} file is this small."
    text = f"At {size} {label} reaches {_dB(answers[name])} dB, SDAE {_dB(ours)}."
    best = max(filter(None, answers.values()), key=lambda rival: rival.psnr)
    if best.psnr <= ours.psnr:
        return text
    if best.label == label:
        return f"{text} Here {label} is closer to the original."
    return f"{text} {best.label} is closer still, with {_dB(best)}."


def _dB(result) -> str:
    return "∞" if result.psnr == float("inf") else f"{result.psnr:.1f}"
