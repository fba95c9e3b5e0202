"""``sdae denoise``: noise removed from pictures."""

from functools import partial

import sdae
from sdae.cli import arguments, batch, formats, sources, targets, writing
from sdae.cli.arguments import number
from sdae.cli.job import Job
from sdae.pictures import metadata, noise, reading
from sdae.progress import progress, stage


def add_arguments(parser) -> None:
    """The options of ``sdae denoise``."""
    arguments.add_files(parser, "picture files", ".jpg")
    about = "standard deviation of the noise over full scale, 0 to 1 (default: estimated)"
    parser.add_argument("--sigma", type=number(float, 0, 1), metavar="S", help=about)
    about = "1 (smooth) to 100 (all detail) (default: 90)"
    quality = number(float, 1, 100)
    parser.add_argument("--quality", type=quality, default=90, metavar="Q", help=about)
    arguments.add_metadata(parser)


def run(args) -> int:
    """Remove noise from pictures; a target that ends in .sdae gets the latent itself."""
    jobs, left_out = targets.jobs(
        args.paths, sources.pictures, "-denoised.png", args.output, args.force
    )
    codec = sdae.load(args.weights)
    work = partial(
        denoise, codec, args.sigma, args.quality, args.keep_metadata, shown=args.jobs == 1
    )
    facts = batch.each(jobs, work, args.jobs)
    return batch.report(facts, len(jobs), "denoise", line, args.json) or int(left_out)


def denoise(
    codec, sigma: float | None, quality: float, keep_metadata: bool, job: Job, shown: bool = False
) -> dict:
    """Remove the noise of one picture; returns the facts. `shown` says whether progress is."""
    packed = job.target.suffix.lower() == ".sdae"
    kind = None if packed else formats.picture_format(job.target)
    picture = reading.read(sources.readable(job.source), keep_metadata=keep_metadata)
    if packed:
        formats.section(picture.metadata)  # which may be too much, and the work takes long
    level = noise.estimate_sigma(picture.rgb) if sigma is None else sigma
    with progress(label=job.source.name, total=100, unit="%", shown=shown) as bar:
        latent = codec.encode(
            picture.rgb, quality=quality, sigma=level, progress=stage(bar.share, 0, 0.8)
        )
        if packed:
            content = metadata.attach(codec.pack(latent), picture.metadata)
        else:
            image = codec.decode(latent, progress=stage(bar.share, 0.8, 1))
            content = formats.encoded(image, kind, picture.metadata)
    writing.write(job, content)
    return {
        "file": str(job.source),
        "target": str(job.target),
        "bytes": len(content),
        "width": latent.width,
        "height": latent.height,
        "sigma": round(float(level), 4),
        "estimated": sigma is None,
        "notices": list(picture.notices),
    }


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    origin = "estimated" if fact["estimated"] else "given"
    return f"{fact['file']}: sigma {fact['sigma']:.3f} ({origin}) -> {fact['target']}"
