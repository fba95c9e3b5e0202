"""``sdae info``: what .sdae files hold, without decoding them."""

from sdae import weights
from sdae.cli import arguments, batch, sources
from sdae.cli.job import Job
from sdae.codec import MAX_PIXELS
from sdae.coding import container
from sdae.pictures import metadata, opening


def add_arguments(parser) -> None:
    """The options of ``sdae info``."""
    arguments.add_sources(parser, ".sdae files", ".sdae")


def run(args) -> int:
    """Print what the headers of .sdae files say; their checksums are verified."""
    jobs = [job for job, _ in sources.sources(args.paths, sources.PACKED)]
    return batch.report(batch.each(jobs, describe), len(jobs), line, args.json)


def describe(job: Job) -> dict:
    """The facts that a header states."""
    file = opening.file_bytes(sources.readable(job.source), MAX_PIXELS)
    header, _ = container.read_header(file)
    kept = metadata.read(header)
    return {
        "bytes": len(file),
        "width": header.width,
        "height": header.height,
        "bpp": round(8 * len(file) / (header.width * header.height), 4),
        "quality": header.quality,
        "coding": header.coding,
        "weights": header.model_id.hex(),
        "weights_name": weights.shipped(header.model_id),
        "exif_bytes": len(kept.exif),
        "icc_bytes": len(kept.icc),
    }


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    kept = [name for name, key in (("Exif", "exif_bytes"), ("ICC", "icc_bytes")) if fact[key]]
    name = fact["weights_name"] or f"{fact['weights']}, unknown here"
    return (
        f"{fact['file']}: {fact['bytes']:,} bytes, {fact['width']} x {fact['height']} pixels, "
        f"{8 * fact['bytes'] / (fact['width'] * fact['height']):.3f} bpp, "
        f"quality {fact['quality']:g}, {fact['coding']} coding, weights {name}"
        + (f", with {' and '.join(kept)}" if kept else "")
    )
