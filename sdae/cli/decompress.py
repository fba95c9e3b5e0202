"""``sdae decompress``: the pictures of .sdae files."""

from functools import partial

from sdae.cli import files, sources, writing
from sdae.cli.job import Job
from sdae.coding import container
from sdae.pictures import metadata


def add_arguments(parser) -> None:
    """The options of ``sdae decompress``."""
    files.add_arguments(parser, ".sdae files")


def run(args) -> int:
    """Restore the pictures of .sdae files, with the metadata that the files hold."""
    found = files.jobs(args, sources.PACKED, ".png")
    work = partial(decompress, files.load(args), bars=args.jobs == 1)
    return files.each(found, args, "decompress", work, line)


def decompress(codec, job: Job, bars: bool = False) -> dict:
    """Restore one picture; returns the facts. `bars` shows its progress."""
    kind = writing.picture_format(job.target)
    file = files.read_sdae(job.source)
    with files.bar(job.source.name if bars else None, 100, "%") as bar:
        image = codec.decompress(file, lambda share: bar.update(round(100 * share) - bar.n))
    kept = metadata.read(container.read_header(file)[0])
    content = writing.encoded(image, kind, kept)
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
