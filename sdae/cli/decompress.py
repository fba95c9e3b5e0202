"""``sdae decompress``: the pictures of .sdae files."""

from sdae.cli import arguments, batch, formats, sources, writing
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
    return batch.run(args, sources.PACKED, ".png", decompress, line)


def decompress(codec, args, job: Job) -> dict:
    """Restore one picture; returns the facts."""
    kind = formats.picture_format(job.target)
    file = opening.file_bytes(sources.readable(job.source), MAX_PIXELS)
    with progress(label=job.source.name, total=100, unit="%", shown=args.jobs == 1) as bar:
        image = codec.decompress(file, progress=bar.share)
    kept = metadata.read(container.read_header(file)[0])
    content = formats.encoded(image, kind, kept)
    writing.write(job, content)
    return {
        "file_bytes": len(file),
        "bytes": len(content),
        "width": image.width,
        "height": image.height,
    }


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    return f"{fact['file']}: {fact['width']} x {fact['height']} pixels -> {fact['target']}"
