"""``sdae decompress``: the pictures of .sdae files."""

from functools import partial

import sdae
from sdae.cli import arguments, batch, formats, sources, targets, writing
from sdae.cli.job import Job
from sdae.codec import MAX_PIXELS
from sdae.coding import container
from sdae.pictures import metadata, opening
from sdae.progress import progress


def add_arguments(parser) -> None:
    """The options of ``sdae decompress``."""
    arguments.add_files(parser, ".sdae files", ".sdae")


def run(args) -> int:
    """Restore the pictures of .sdae files, with the metadata that the files hold."""
    jobs, left_out = targets.jobs(args.paths, sources.packed, ".png", args.output, args.force)
    work = partial(decompress, sdae.load(args.weights), shown=args.jobs == 1)
    facts = batch.each(jobs, work, args.jobs)
    return batch.report(facts, len(jobs), "decompress", line, args.json) or int(left_out)


def decompress(codec, job: Job, shown: bool = False) -> dict:
    """Restore one picture; returns the facts. `shown` says whether its progress is."""
    kind = formats.picture_format(job.target)
    file = opening.file_bytes(sources.readable(job.source), MAX_PIXELS)
    with progress(label=job.source.name, total=100, unit="%", shown=shown) as bar:
        image = codec.decompress(file, progress=bar.share)
    kept = metadata.read(container.read_header(file)[0])
    content = formats.encoded(image, kind, kept)
    writing.write(job, content)
    return {
        "file": str(job.source),
        "target": str(job.target),
        "file_bytes": len(file),
        "bytes": len(content),
        "width": image.width,
        "height": image.height,
    }


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    return f"{fact['file']}: {fact['width']} x {fact['height']} pixels -> {fact['target']}"
