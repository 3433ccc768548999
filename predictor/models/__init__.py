"""Forecasters, and how a saved one is loaded by its name."""

from predictor.models.arima import ArimaForecaster
from predictor.models.base import Forecaster
from predictor.models.lstm import LstmForecaster
from predictor.models.trees import ForestForecaster, XgboostForecaster

_Saved = type[ArimaForecaster] | type[ForestForecaster] | type[LstmForecaster] | type[XgboostForecaster]
_KNOWN: tuple[_Saved, ...] = (ArimaForecaster, ForestForecaster, LstmForecaster, XgboostForecaster)
_SAVED = {each.name: each for each in _KNOWN}


def load_forecaster(
    name: str, content: bytes, horizons: tuple[int, ...], spread_scale: tuple[float, ...], version: str
) -> Forecaster:
    """Make a forecaster of a saved file's content.

    Raises:
        ValueError: No forecaster of this name is known.
    """
    if name not in _SAVED:
        raise ValueError(f"no forecaster is called {name!r}: known are {', '.join(sorted(_SAVED))}")
    return _SAVED[name](content, horizons, spread_scale, version)
