"""``sdae denoise``: noise removed from pictures."""

from sdae.cli import arguments, batch, formats, sources, writing
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
    return batch.run(args, sources.PICTURES, "-denoised.png", denoise, line)


def denoise(codec, args, job: Job) -> dict:
    """Remove the noise of one picture; returns the facts."""
    packed = formats.is_packed(job.target)
    kind = None if packed else formats.picture_format(job.target)
    picture = reading.read(sources.readable(job.source), keep_metadata=args.keep_metadata)
    level = noise.estimate_sigma(picture.rgb) if args.sigma is None else args.sigma
    with progress(label=job.source.name, total=100, unit="%", shown=args.jobs == 1) as bar:
        report = stage(bar.share, 0, 0.8)
        latent = codec.encode(picture.rgb, quality=args.quality, sigma=level, progress=report)
        if packed:
            content = metadata.attach(codec.pack(latent), picture.metadata)
        else:
            image = codec.decode(latent, progress=stage(bar.share, 0.8, 1))
            content = formats.encoded(image, kind, picture.metadata)
    writing.write(job, content)
    return {
        "bytes": len(content),
        "width": latent.width,
        "height": latent.height,
        "sigma": round(float(level), 4),
        "estimated": args.sigma is None,
        "notices": list(picture.notices),
    }


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    origin = "estimated" if fact["estimated"] else "given"
    return f"{fact['file']}: sigma {fact['sigma']:.3f} ({origin}) -> {fact['target']}"
