"""``sdae decompress``: the pictures of .sdae files."""

from functools import partial

from sdae import bitstream, metadata
from sdae.cli import files


def add_arguments(parser) -> None:
    """The options of ``sdae decompress``."""
    files.add_arguments(parser, ".sdae files")


def run(args) -> int:
    """Restore the pictures of .sdae files, with the metadata that the files hold."""
    found = files.jobs(args, {".sdae"}, ".png")
    return files.each(found, args, "decompress", partial(decompress, files.load(args)), line)


def decompress(codec, job: files.Job) -> dict:
    """Restore one picture; returns the facts."""
    kind = files.picture_format(job.target)
    file = files.read_sdae(job.source)
    image = codec.decompress(file)
    kept = metadata.read(bitstream.read_header(file)[0])
    content = files.encoded(image, kind, kept)
    files.write(job, content)
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
