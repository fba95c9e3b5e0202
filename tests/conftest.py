import pytest

import sdae


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
