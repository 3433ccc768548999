"""Forecasts from a caller's own closing prices: one bar ahead, by the serving set's ARIMA. No I/O, no clock."""

from dataclasses import dataclass

import numpy as np

from predictor.artifacts import LoadedMember, ModelSet
from predictor.batch import statistical_batch
from predictor.degraded import NO_MEMBER_ANSWERED, NOT_MOVING, UNTRAINED
from predictor.ensemble import Answer, ask_members, ask_statistical, combine
from predictor.forecast_requests import TICKER_SHOWN, VOLATILITY_RETURNS, problem_of, row_of
from predictor.group import Group, Naming, Versions
from predictor.horizon_events import horizon_predictions
from predictor.intervals import normal_half_widths
from predictor.manifest import Calibration
from predictor.member_events import member_predictions
from predictor.models.arima import ArimaForecaster
from predictor.models.base import Batch, Forecast, Forecaster, scales
from predictor.models.statistical import StatisticalForecaster
from predictor.scoring_boards import PRIOR
from schemas.events import Features, ForecastRequest
from schemas.events import Forecast as ForecastEvent
from schemas.features import VOLATILITY_FLOOR
from schemas.identity import USUAL_SIGNAL_SHARE
from schemas.times import Interval

#: Why the statistical forecaster answered, beside what `predictor.degraded` has.
TOO_FEW_CLOSES = f"fewer than {VOLATILITY_RETURNS + 1} closes"
OTHER_INTERVAL = "other interval"
NO_ARIMA = "no arima for one bar"

_ONE_BAR = (1,)
#: Intervals are normal around the forecast, by the spread of whoever answered; no scoreboard follows them.
_NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class _OneBar:
    """A forecaster of several horizons, of which only that of one bar is asked for."""

    forecaster: Forecaster
    column: int

    @property
    def name(self) -> str:
        return self.forecaster.name

    @property
    def version(self) -> str:
        return self.forecaster.version

    def predict(self, batch: Batch) -> Forecast:
        forecast, its = self.forecaster.predict(batch), slice(self.column, self.column + 1)
        return Forecast(forecast.log_returns[:, its], forecast.spreads[:, its])


@dataclass(frozen=True, slots=True)
class _Said:
    """Who answered, and why it was not the ARIMA."""

    answer: Answer
    naming: Naming
    degraded: str | None = None
    order: tuple[int, int, int] | None = None


def forecast(
    request: ForecastRequest,
    model_set: ModelSet | None,
    interval: Interval,
    now_ns: int,
    signal_share: float = USUAL_SIGNAL_SHARE,
) -> ForecastEvent:
    """Answer a request: with a forecast one bar ahead, or with what is wrong with it and what to send instead.

    Args:
        model_set: That serves.
        interval: Of the bars that it was fitted on.
        signal_share: Of the volatility, which the return must pass to be a signal.
    """
    problem = problem_of(request)
    if problem is not None:
        return refused(request.id, problem, now_ns, request.ticker)
    row = row_of(request)
    batch = statistical_batch([row])
    said = _ask(row, batch, model_set, interval)
    group = _group_of_one(row, batch, said, signal_share)
    return ForecastEvent(
        id=_id(request, said, signal_share),
        request_id=request.id,
        horizons=horizon_predictions(group)[0],
        models=member_predictions(group)[0],
        model_set=said.naming.model_set,
        answered_at_ns=now_ns,
        degraded=said.degraded,
        arima_order=None if said.order is None else list(said.order),
        ticker=request.ticker,
        interval=request.interval,
        as_of_ns=row.as_of_ns,
        from_price=row.last_close,
        in_sample=said.naming.train_end_ns is not None and row.as_of_ns <= said.naming.train_end_ns,
    )


def _group_of_one(row: Features, batch: Batch, said: _Said, signal_share: float) -> Group:
    return Group(
        rows=[row],
        ensemble=combine([said.answer], np.zeros(1)),
        half_widths=normal_half_widths(said.answer.spreads),
        volatility=scales(batch.volatility, _ONE_BAR),
        degraded=[said.degraded],
        versions=[Versions(PRIOR, _NORMAL)],
        naming=said.naming,
        horizons=_ONE_BAR,
        signal_share=signal_share,
        stale=[False],
    )


def refused(request_id: str, problem: str, now_ns: int, ticker: str | None = None) -> ForecastEvent:
    """Answer with what is wrong with a request."""
    return ForecastEvent(
        id=f"{request_id}/error",
        request_id=request_id,
        horizons=[],
        models=[],
        model_set="",
        answered_at_ns=now_ns,
        error=f"ForecastRequest: {problem}",
        ticker=None if ticker is None else ticker[:TICKER_SHOWN],
    )


def _id(request: ForecastRequest, said: _Said, signal_share: float) -> str:
    """Name an answer by all that decides its content."""
    parts = [request.id, said.naming.model_set, said.answer.name]
    parts += [said.degraded] if said.degraded else []
    parts += [f"signal-{signal_share!r}"] if signal_share != USUAL_SIGNAL_SHARE else []
    return "/".join(parts)


def _ask(row: Features, batch: Batch, model_set: ModelSet | None, interval: Interval) -> _Said:
    reason = _why_unreadable(row, interval)
    if reason is None and model_set is None:
        reason = UNTRAINED
    if reason is None and model_set is not None:
        said = _ask_arima(batch, model_set)
        if isinstance(said, _Said):
            return said
        reason = said
    answer = ask_statistical(StatisticalForecaster(_ONE_BAR), batch)
    return _Said(answer, Naming(answer.name, train_end_ns=None), reason)


def _why_unreadable(row: Features, interval: Interval) -> str | None:
    """Say why no set's ARIMA reads these prices; None where it does."""
    if row.interval != interval:
        return OTHER_INTERVAL
    if row.volatility is None:
        return TOO_FEW_CLOSES
    return None if row.volatility > VOLATILITY_FLOOR else NOT_MOVING


def _ask_arima(batch: Batch, model_set: ModelSet) -> _Said | str:
    """Ask the set's ARIMA for one bar; or say why it has no answer."""
    manifest = model_set.manifest
    found = _arima_of(model_set)
    if found is None or 1 not in manifest.horizons:
        return NO_ARIMA
    arima, calibration = found
    column = manifest.horizons.index(1)
    one_bar = LoadedMember(_OneBar(arima, column), prior_weight=1.0, calibration=calibration)
    answers, _ = ask_members([one_bar], batch, _ONE_BAR)
    if not answers or not answers[0].answered.all():
        return NO_MEMBER_ANSWERED
    usual = manifest.usual_directions[column : column + 1]
    return _Said(answers[0], Naming(manifest.model_set, manifest.train_end_ns, usual), order=arima.order)


def _arima_of(model_set: ModelSet) -> tuple[ArimaForecaster, tuple[Calibration, ...]] | None:
    for member in model_set.members:
        if isinstance(member.forecaster, ArimaForecaster):
            return member.forecaster, member.calibration
    return None
