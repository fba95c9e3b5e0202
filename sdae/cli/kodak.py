"""``sdae kodak``: the pictures that everything is measured on."""

import sys
from pathlib import Path

from sdae.measuring import kodak
from sdae.progress import progress, say


def add_arguments(parser) -> None:
    """The options of ``sdae kodak``."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="where they lie or shall lie; default $SDAE_KODAK, else a cache folder",
    )


def run(args) -> int:
    """Fetch the Kodak pictures that are missing, and verify all of them."""
    place = kodak.folder(args.folder)
    with progress(kodak.KODAK, "Kodak", unit="picture") as names:
        for name in names:
            try:
                kodak.fetch(name, place)
            except kodak.KodakError as error:
                say(f"sdae: {error}", sys.stderr)
                return 1
    say(f"{place} holds the {len(kodak.KODAK)} pictures, all as published.")
    return 0
