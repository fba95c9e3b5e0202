"""One set of trained weights, ready for use: networks, context tables, and the name in files."""

import threading
from functools import lru_cache

from sdae import weights
from sdae.coding.tables import Tables
from sdae.network.config import Config
from sdae.network.numpy_network import Network


class TrainedModel:
    """What is made of a weights folder.

    Args:
        name_or_path: weights folder, or None for the newest that ship.

    Attributes:
        source: what loads them again in another process: the name of weights that shipped, the
            folder of others.
        arrays: every array of the weights file by name, see `sdae.weights.read`.
        card: contents of the weights' card.json.
        network: the transforms in NumPy, which the codec runs.
        tables: what the latent coder knows.
        model_id: the 4 bytes that name these weights in a file.

    Raises:
        WeightsError: the weights are missing or not the ones on their card.
    """

    def __init__(self, name_or_path=None):
        name = weights.default() if name_or_path is None else name_or_path
        place = weights.folder(name)
        self.source = name if name in weights.SHIPPED else place.resolve()
        self.arrays, self.card = weights.read(place)
        self.model_id = weights.model_id(self.card)
        self.tables = Tables.from_arrays(self.arrays)
        try:
            config = Config(**self.card["config"])
        except (KeyError, TypeError, ValueError) as error:
            raise weights.WeightsError("The weights' card states no configuration.") from error
        self.network = Network(self.arrays, config)


def shipped(model_id: bytes) -> TrainedModel | None:
    """The shipped weights that made a file, loaded at the first file of them.

    The last few stay, so that files of any order take bounded memory. None if no such ones shipped.

    Raises:
        WeightsError: they are damaged.
    """
    name = weights.shipped(model_id)
    with _loading:
        return None if name is None else _shipped(model_id, name)


_loading = threading.Lock()


@lru_cache(maxsize=2)
def _shipped(model_id, name):
    return TrainedModel(name)
