"""``sdae fuzz``: open damaged and hostile .sdae files and report what goes wrong."""

import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import sdae
from sdae.cli.arguments import add_weights
from sdae.measuring import fuzz
from sdae.measuring.memory import peak
from sdae.progress import progress, say


def add_arguments(parser) -> None:
    """The options of ``sdae fuzz``."""
    parser.add_argument("--count", type=int, default=10_000, help="files to try, default 10000")
    parser.add_argument("--seed", type=int, default=1, help="which files, default 1")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        metavar="NUMBER",
        help="number of the first file, to repeat a finding",
    )
    parser.add_argument(
        "--decode",
        type=int,
        default=100,
        metavar="N",
        help="make the pixels of the first N small pictures, default 100",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="write the files of findings here"
    )
    add_weights(parser)


def run(args) -> int:
    """Try hostile files and print what became of them. Returns 1 where there is a finding."""
    codec = sdae.load(args.weights)
    material = fuzz.Material(codec)
    outcomes, slowest, findings, decoded = Counter(), {}, 0, 0
    memory = start = peak()
    numbers = range(args.first, args.first + args.count)
    with progress(numbers, "fuzz", unit="file") as shown:
        for number in shown:
            name, data = fuzz.case(args.seed, number, material)
            began, reason = time.process_time(), None
            try:
                outcome = fuzz.check(codec, data, decoded < args.decode)
            except Exception as error:
                outcome = "finding"
                where = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{Path(where.filename).name}:{where.lineno}"
                reason = f"{type(error).__name__}: {error} ({place})"
            seconds = time.process_time() - began
            before, memory = memory, peak()
            decoded += outcome == "decoded"
            if seconds > fuzz.SECONDS:
                reason = reason or f"took {seconds:.1f} s"
            if memory > before and memory - start > fuzz.allowance(data):
                reason = reason or f"took {memory - start:,.0f} MB of memory"
            if reason:
                findings += 1
                say(f"{number} ({name}, {len(data)} bytes): {reason}", sys.stderr)
                if args.keep:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    (args.keep / f"{args.seed}-{number}.sdae").write_bytes(data)
            outcomes[name, outcome] += 1
            slowest[name] = max(slowest.get(name, (0, 0)), (seconds, number))
    for attack, _ in fuzz.ATTACKS:
        name = attack.__name__[1:]
        if name in slowest:
            kinds = [outcomes[name, kind] for kind in ("refused", "unpacked", "decoded", "finding")]
            seconds, number = slowest[name]
            say(
                f"{name:10}{kinds[0]:8,} refused{kinds[1] + kinds[2]:8,} pictures"
                f"{kinds[3]:6,} failed   slowest {1000 * seconds:8.1f} ms (number {number})"
            )
    say(
        f"{args.count:,} files of seed {args.seed}: {findings:,} findings; {decoded:,} decoded; "
        f"peak memory {memory:,.0f} MB, {memory - start:,.0f} MB above the start."
    )
    return 1 if findings else 0
