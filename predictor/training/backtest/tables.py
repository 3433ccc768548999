"""Outcomes as columns, a table for each horizon."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import Manifest
from predictor.models.statistical import StatisticalForecaster
from predictor.scoring_boards import HOLD_OUT
from schemas.events import Direction, Outcome

FloatArray = NDArray[np.float64]
#: First quantiles at 95 % and 99 % by model set and horizon, in units of volatility times sqrt(horizon).
FirstQuantiles = Mapping[tuple[str, int], tuple[float, float]]

SIGNS = {Direction.BULLISH: 1.0, Direction.BEARISH: -1.0, Direction.NEUTRAL: 0.0}
_UNKNOWN = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Table:
    """What was said of one horizon, and what came: n outcomes by time and then ticker; NaN is null.

    Attributes:
        fallback: The statistical forecaster answered in the place of the models, as while a ticker warms up.
        direction: 1, -1, or 0 for neutral.
        usual: The direction that was more frequent before, likewise; 0: not known.
        hit: 1 or 0; NaN where it is no trial.
        static_95: Half-width of the set's own first interval: its quantile times volatility times sqrt(horizon).
        members: Each one's own log return; NaN where it did not answer.
    """

    horizon: int
    tickers: NDArray[np.str_]
    as_of_ns: NDArray[np.int64]
    matured_ns: NDArray[np.int64]
    fallback: NDArray[np.bool_]
    predicted: FloatArray
    actual: FloatArray
    direction: FloatArray
    usual: FloatArray
    confidence: FloatArray
    hit: FloatArray
    half_95: FloatArray
    half_99: FloatArray
    inside_95: FloatArray
    inside_99: FloatArray
    static_95: FloatArray
    static_99: FloatArray
    members: dict[str, FloatArray]

    def __len__(self) -> int:
        """Count the outcomes."""
        return len(self.as_of_ns)

    def rows(self, chosen: NDArray[np.bool_]) -> "Table":
        """Give the chosen outcomes."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        members = {name: column[chosen] for name, column in columns.pop("members").items()}
        horizon = columns.pop("horizon")
        return Table(horizon, members=members, **{name: column[chosen] for name, column in columns.items()})


def tables_of(outcomes: Iterable[Outcome], first: FirstQuantiles) -> dict[int, Table]:
    """Give the tables of the outcomes that count, by horizon."""
    by_horizon: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.scored:
            by_horizon[outcome.horizon].append(outcome)
    return {horizon: _table(horizon, those, first) for horizon, those in sorted(by_horizon.items())}


def _table(horizon: int, outcomes: list[Outcome], first: FirstQuantiles) -> Table:
    outcomes.sort(key=lambda outcome: (outcome.as_of_ns, outcome.ticker))
    units = np.array([outcome.volatility for outcome in outcomes]) * math.sqrt(horizon)
    units[units <= 0] = np.nan
    quantiles = np.array([first.get((outcome.model_set, horizon), _UNKNOWN) for outcome in outcomes])
    return Table(
        horizon=horizon,
        tickers=np.array([outcome.ticker for outcome in outcomes], np.str_),
        as_of_ns=np.array([outcome.as_of_ns for outcome in outcomes], np.int64),
        matured_ns=np.array([outcome.matured_ns for outcome in outcomes], np.int64),
        fallback=np.array([outcome.model_set == StatisticalForecaster.name for outcome in outcomes], np.bool_),
        predicted=_column(outcome.predicted_log_return for outcome in outcomes),
        actual=_column(outcome.actual_log_return for outcome in outcomes),
        direction=_column(SIGNS[outcome.direction] for outcome in outcomes),
        usual=_column(
            0.0 if outcome.usual_direction is None else SIGNS[outcome.usual_direction] for outcome in outcomes
        ),
        confidence=_column(outcome.confidence for outcome in outcomes),
        hit=_column(outcome.hit for outcome in outcomes),
        half_95=_column(outcome.half_width_95 for outcome in outcomes),
        half_99=_column(outcome.half_width_99 for outcome in outcomes),
        inside_95=_column(outcome.inside_95 for outcome in outcomes),
        inside_99=_column(outcome.inside_99 for outcome in outcomes),
        static_95=quantiles[:, 0] * units,
        static_99=quantiles[:, 1] * units,
        members=_members(outcomes),
    )


def _column(values: Iterable[float | None]) -> FloatArray:
    return np.array([math.nan if value is None else float(value) for value in values], np.float64)


def _members(outcomes: list[Outcome]) -> dict[str, FloatArray]:
    names = sorted({name for outcome in outcomes for name in outcome.models})
    return {
        name: _column(outcome.models[name].log_return if name in outcome.models else None for outcome in outcomes)
        for name in names
    }


def quantiles_of(manifests: Iterable[Manifest]) -> dict[tuple[str, int], tuple[float, float]]:
    """Give the first quantiles that sets say of themselves."""
    return {
        (manifest.model_set, each.horizon): (each.quantile_95, each.quantile_99)
        for manifest in manifests
        for each in manifest.interval_quantiles
    }


def quantiles_said(outcomes: Iterable[Outcome]) -> dict[tuple[str, int], tuple[float, float]]:
    """Find the first quantiles in outcomes of predictions that no board had widened yet: half-width over unit."""
    found: dict[tuple[str, int], tuple[float, float]] = {}
    for outcome in outcomes:
        narrow, wide, unit = outcome.half_width_95, outcome.half_width_99, outcome.volatility * outcome.horizon**0.5
        if outcome.intervals_version == HOLD_OUT and narrow is not None and wide is not None and unit > 0:
            found.setdefault((outcome.model_set, outcome.horizon), (narrow / unit, wide / unit))
    return found
