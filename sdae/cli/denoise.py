"""``sdae denoise``: noise removed from pictures."""

from functools import partial

from sdae.cli import files, sources, writing
from sdae.cli.arguments import number
from sdae.cli.job import Job
from sdae.pictures import metadata


def add_arguments(parser) -> None:
    """The options of ``sdae denoise``."""
    files.add_arguments(parser, "picture files")
    parser.add_argument(
        "--sigma",
        type=number(float, 0, 1),
        metavar="S",
        help="strength of the noise: its standard deviation over full scale, "
        "0 to 1; estimated by default",
    )
    parser.add_argument(
        "--quality",
        type=number(float, 1, 100),
        default=90,
        metavar="Q",
        help="1 (smooth) to 100 (all detail), default 90",
    )
    parser.add_argument(
        "--effort",
        type=number(int, 0, 10),
        default=0,
        metavar="E",
        help="0 (fast, default) to 10; any effort restores all eight ways to turn "
        "and mirror the picture and takes their mean",
    )
    parser.add_argument(
        "--keep-metadata",
        action="store_true",
        help="keep Exif data and the colour profile with its colours",
    )


def run(args) -> int:
    """Remove noise from pictures; a target that ends in .sdae gets the latent itself."""
    found = files.jobs(args, sources.PICTURES, "-denoised.png")
    return files.each(found, args, "denoise", partial(denoise, files.load(args), args), line)


def denoise(codec, args, job: Job) -> dict:
    """Remove the noise of one picture; returns the facts."""
    from sdae.pictures import noise

    packed = job.target.suffix.lower() == ".sdae"
    kind = None if packed else writing.picture_format(job.target)
    picture = files.read_picture(job.source, args.keep_metadata)
    if packed:
        files.section(picture.metadata)  # which may be too much, and the work takes long
    sigma = noise.estimate_sigma(picture.rgb) if args.sigma is None else args.sigma
    latent = codec.encode(picture.rgb, args.quality, sigma, args.effort)
    if packed:
        content = metadata.attach(codec.pack(latent, args.effort), picture.metadata)
    else:
        content = writing.encoded(codec.decode(latent), kind, picture.metadata)
    writing.write(job, content)
    return {
        "file": str(job.source),
        "target": str(job.target),
        "bytes": len(content),
        "width": latent.width,
        "height": latent.height,
        "sigma": round(float(sigma), 4),
        "estimated": args.sigma is None,
        "notices": list(picture.notices),
    }


def line(fact: dict) -> str:
    """The facts of one file as a line."""
    origin = "estimated" if fact["estimated"] else "given"
    return f"{fact['file']}: sigma {fact['sigma']:.3f} ({origin}) -> {fact['target']}"
