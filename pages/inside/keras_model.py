"""The Keras model of the codec's weights, which the lesson takes apart."""

import os
import threading

_building = threading.Lock()
_built: dict = {}


def keras_model(codec):
    """The trained network in Keras; the first call imports Keras and builds it."""
    with _building:
        if codec.model_id not in _built:
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
            from sdae.training.autoencoder import Autoencoder, initialise

            model = initialise(Autoencoder(codec.network.config, name="autoencoder"))
            model.restore(codec.trained.arrays)
            _built[codec.model_id] = model
        return _built[codec.model_id]
