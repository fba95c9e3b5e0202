import pytest

import sdae


@pytest.fixture(scope="session")
def codec():
    """The shipped weights, loaded once."""
    return sdae.load()
