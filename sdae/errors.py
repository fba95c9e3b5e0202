"""Errors that more than one room raises."""


class WeightsError(ValueError):
    """Weights that are missing, damaged or not the ones their card describes."""


class TrainingError(ValueError):
    """A training that cannot be begun or go on."""
