"""Where a picture comes from: a file, a sample, Kodak or the camera."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import streamlit as st
from PIL import Image

from sdae.coding import container
from sdae.measuring import kodak
from sdae.pictures import camera_noise, opening, reading

ENDINGS = sorted(ending[1:] for ending in opening.ENDINGS)
"""Of the picture files that can be read, without their dots."""

IN_WORDS = f"{', '.join(opening.FORMATS[:-1])} or {opening.FORMATS[-1]}"

# The uploader lists endings by itself, which the sentence above it says in words.
_QUIET = "<style>[data-testid=stFileUploaderDropzoneInstructions] {display: none}</style>"

SAMPLES = {
    "Coffee": "coffee.png",
    "Cat": "chelsea.png",
    "Astronaut": "astronaut.png",
    "Rocket": "rocket.jpg",
    "Motorcycle": "motorcycle_left.png",
    "Galaxies": "hubble_deep_field.jpg",
}
"""Pictures inside the scikit-image package; none of them needs a download."""

GRAINY, GRAINY_FILE = "Grainy JPEG", "grainy.jpg"
"""A further sample, made of one of them: as a camera at ISO 6400 would have stored it."""


@dataclass(frozen=True)
class Source:
    """A file as it came: its name and all its bytes."""

    name: str
    data: bytes

    @property
    def is_sdae(self) -> bool:
        return self.name.endswith(".sdae") or self.data.startswith(container.MAGIC)

    @property
    def stem(self) -> str:
        return Path(self.name).stem


def choose() -> Source | None:
    """Draw the choice of sources; None until there is a picture (the camera has yet to take one).

    A dropped file comes before everything else until it is removed.
    """
    st.html(_QUIET)
    upload = st.file_uploader(
        "Drop a photograph, or an .sdae file to open it",
        type=[*ENDINGS, "sdae"],
        key="file",
        help=f"{IN_WORDS}.",
    )
    if upload is not None:
        return Source(upload.name, upload.getvalue())

    present = kodak.available()
    kinds = ["Samples", "Kodak", "Camera"] if present else ["Samples", "Camera"]
    kind = st.segmented_control(
        "Or choose from",
        kinds,
        default=kinds[0],
        required=True,
        key="source",
        bind="query-params",
        label_visibility="collapsed",
        width="stretch",
    )
    if kind == "Camera":
        shot = st.camera_input("Camera", label_visibility="collapsed", key="camera")
        return Source("camera" + Path(shot.name).suffix, shot.getvalue()) if shot else None
    if kind == "Kodak":
        name = _select("Kodak picture", present, "kodak")
        return Source(name, (kodak.folder() / name).read_bytes())
    sample = _select("Sample", [*SAMPLES, GRAINY], "sample")
    if sample == GRAINY:
        return Source(GRAINY_FILE, _grainy())
    return Source(SAMPLES[sample], (_sample_folder() / SAMPLES[sample]).read_bytes())


def _select(label: str, names: list[str], key: str) -> str:
    return st.selectbox(label, names, key=key, bind="query-params", label_visibility="collapsed")


def _sample_folder() -> Path:
    # Found without importing it: scikit-image takes a second, a path does not.
    return Path(find_spec("skimage").origin).parent / "data"


@st.cache_data(show_spinner=False)
def _grainy() -> bytes:
    rgb = reading.read((_sample_folder() / SAMPLES["Cat"]).read_bytes()).rgb
    file, (noisy, _) = io.BytesIO(), camera_noise.photographed(rgb, 6400)
    Image.fromarray(noisy).save(file, "JPEG", quality=85)
    return file.getvalue()


def choose_size() -> bool:
    """Whether the picture is scaled to 128×128."""
    size = st.segmented_control(
        "Size",
        ["Original", "128×128"],
        default="Original",
        required=True,
        key="size",
        bind="query-params",
        width="stretch",
        help="128×128 is the middle of the picture, scaled down: the size of thumbnails.",
    )
    return size != "Original"
