"""One set of trained weights, ready for use: networks, context tables, and the name in files."""

import threading
from functools import lru_cache

from sdae import weights
from sdae.coding.tables import Tables
from sdae.network.config import Config
from sdae.network.transforms import Network, Transforms


class TrainedModel:
    """What is made of a weights folder.

    Args:
        name_or_path: weights folder, or None for the newest that ship.

    Attributes:
        source: what loads them again in another process: the name of weights that shipped, the
            folder of others.
        arrays: every array of the weights file by name, see `sdae.weights.read`.
        card: contents of the weights' card.json.
        network: the codec's transforms and gains in NumPy.
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
        self.network = Network(self.arrays, _config(self.card))

    @property
    def denoiser(self) -> Transforms:
        """The denoiser that lies beside the codec's weights, or else the one that ships; loaded when
        it is first needed.

        Raises:
            WeightsError: it is missing or damaged.
        """
        with _loading:
            own = weights.folder(self.source) / weights.DENOISER
            shipped_one = weights.folder(weights.SHIPPED[-1]) / weights.DENOISER
            return _denoiser(own if own.is_dir() else shipped_one)


@lru_cache(maxsize=2)
def _denoiser(place):
    arrays, card = weights.read(place)
    return Transforms(arrays, _config(card))


def _config(card):
    try:
        return Config(**card["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise weights.WeightsError(
            "The weights' card states no configuration that fits."
        ) from error


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
