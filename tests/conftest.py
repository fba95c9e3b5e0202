from pathlib import Path

import pytest
from hypothesis import settings

import sdae

# How long an example takes is the machine's affair, which may have other work.
settings.register_profile("sdae", deadline=None)
settings.load_profile("sdae")


@pytest.fixture(scope="session")
def codec():
    """The shipped weights, loaded once."""
    return sdae.load()


@pytest.fixture(scope="module")
def one_network(codec):
    """All commands that run in this process share one network."""
    load = sdae.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdae, "load", lambda name=None: load(name) if name else codec)
        yield


@pytest.fixture(scope="session")
def tiny_folder():
    """Weights of a tiny network, see `tests.tiny.make`."""
    return Path(__file__).parent / "tiny"


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """A codec with them."""
    return sdae.load(tiny_folder)
