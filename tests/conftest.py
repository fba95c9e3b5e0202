from pathlib import Path

import pytest
from hypothesis import settings

import sdae
from sdae import pillow_plugin

# How long an example takes is the machine's affair, which may have other work.
settings.register_profile("sdae", deadline=None)
settings.load_profile("sdae")


@pytest.fixture(scope="session")
def codec():
    """The shipped weights, loaded once."""
    return sdae.load()


@pytest.fixture(scope="module")
def one_network(tiny_folder):
    """The commands and Pillow, also in processes of their own, take the tiny network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDAE_WEIGHTS", str(tiny_folder))
        pillow_plugin._codec.cache_clear()
        yield
    pillow_plugin._codec.cache_clear()


@pytest.fixture(scope="session")
def tiny_folder():
    """Weights of a tiny network, see `tests.tiny.make`."""
    return Path(__file__).parent / "tiny"


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """A codec with them."""
    return sdae.load(tiny_folder)
