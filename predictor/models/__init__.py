"""Forecasters, and how a saved one is loaded by its name."""

from collections.abc import Callable

from predictor.models.arima import ArimaForecaster
from predictor.models.base import Forecaster
from predictor.models.lstm import LstmForecaster
from predictor.models.rules import NaiveForecaster, StatisticalMember
from predictor.models.trees import ForestForecaster, XgboostForecaster

#: Makes a forecaster of a file's content, horizons, spread scales and version.
_Load = Callable[[bytes, tuple[int, ...], tuple[float, ...], str], Forecaster]

_SAVED: dict[str, _Load] = {
    ArimaForecaster.name: ArimaForecaster,
    ForestForecaster.name: ForestForecaster,
    LstmForecaster.name: LstmForecaster,
    NaiveForecaster.name: NaiveForecaster,
    StatisticalMember.name: StatisticalMember,
    XgboostForecaster.name: XgboostForecaster,
}
#: Names of all forecasters that can be members of a set.
KNOWN = frozenset(_SAVED)


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
