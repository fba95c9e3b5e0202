"""Command line: ``python -m sdae COMMAND …``.

Each command is imported when it runs, so that ``--help`` and ``info`` answer at once.
Exit codes: 0 all done; 1 something failed or was left out, named with its reason on standard
error; 2 wrong usage; 130 interrupted or terminated; 141 the output was no longer read.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from contextlib import suppress

import sdae
from sdae.cli.job import Refused
from sdae.progress import ending
from sdae.threads import here

COMMANDS = {
    "compress": ("sdae.cli.compress", "compress pictures into .sdae files"),
    "decompress": ("sdae.cli.decompress", "restore the pictures of .sdae files"),
    "info": ("sdae.cli.info", "say what .sdae files hold, without decoding them"),
    "denoise": ("sdae.cli.denoise", "remove noise from pictures"),
    "kodak": ("sdae.cli.kodak", "fetch and verify the 24 Kodak pictures, for measuring"),
    "train": ("sdae.cli.train", "train weights on folders of photographs"),
    "train-denoiser": ("sdae.cli.train_denoiser", "train the network that removes noise"),
    "evaluate": ("sdae.cli.evaluate", "measure this codec and the others on sets of pictures"),
    "bench": ("sdae.cli.bench", "measure the time of whole files beside other codecs"),
}
"""Every command: the module with `add_arguments(parser)` and `run(args) -> int`, and a remark."""

EXTRAS = {
    "keras": "sdae[train]",
    "tensorflow": "sdae[train]",
    "skimage": "sdae[measure]",
    "scikit-image": "sdae[measure]",
    "distributed": "sdae[dask]",
    "bm3d": "bm3d",
    "playwright": "playwright",
}
"""Libraries that not every installation has, with what pip installs to bring them."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    # Python leaves None where a stream was closed before the start (`>&-`).
    sys.stdout, sys.stderr = (s or open(os.devnull, "w") for s in (sys.stdout, sys.stderr))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # others hold text as it is
            stream.reconfigure(errors="backslashreplace")
    argv = sys.argv[1:] if argv is None else argv
    _be_interruptible()
    try:
        try:
            args = parser(argv).parse_args(argv)
            return args.run(args)
        finally:
            sys.stdout.flush()
    except (Refused, sdae.WeightsError) as error:
        return _failure(error, 2)
    except ModuleNotFoundError as error:
        bringer = EXTRAS.get((error.name or "").split(".")[0])
        if bringer is None:
            raise
        return _failure(f"{error.name} is missing; run pip install '{bringer}'.", 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _discard(sys.stdout)
        return 141
    except OSError as error:
        _discard(sys.stdout)
        return _failure(f"{error.filename or 'standard output'}: {error.strerror or error}.", 1)


def _be_interruptible() -> None:
    """Ctrl-C and a request to end stop the work and leave nothing half written.

    Nothing is raised while other threads are waited for, and a library may swallow what is raised in
    what it calls. Then the next step of progress ends the work, see `sdae.progress.heed`.
    """
    ending.clear()
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(*_) -> None:
    ending.set()
    if not here.together:
        raise KeyboardInterrupt


def _failure(reason, code: int) -> int:
    with suppress(OSError):
        print(f"sdae: {reason}", file=sys.stderr)
    return code


def _discard(stream) -> None:
    """Send what is left to the null device; Python would complain about it at its end."""
    with suppress(OSError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def parser(argv: list[str]) -> argparse.ArgumentParser:
    """The names of all commands, with the options of the one that `argv` begins with."""
    whole = argparse.ArgumentParser(
        prog="sdae", description="A learned image codec: photographs in, small .sdae files out."
    )
    whole.add_argument("--version", action="version", version=f"sdae {sdae.__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for name, (place, about) in COMMANDS.items():
        sub = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        if argv[:1] == [name]:
            module = importlib.import_module(place)
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return whole


if __name__ == "__main__":
    sys.exit(main())
