"""Errors that more than one room raises."""


class WeightsError(ValueError):
    """Weights that are missing, damaged or not the ones their card describes."""
