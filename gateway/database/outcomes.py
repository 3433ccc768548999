"""What is asked of outcomes: sums, by the definitions of the scoreboards (`docs/scores.md`)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from gateway.database.history import OUTCOMES
from gateway.database.queries import Series
from schemas.events import Direction

_of = OUTCOMES.c
_UP, _DOWN = Direction.BULLISH.value, Direction.BEARISH.value
#: Of predictions that were served; forecasts from callers' own prices are not among them.
_SERVED = _of.request_id.is_(None)
_TRIAL = and_(_of.scored, _of.hit.is_not(None))
_BESIDE_USUAL = and_(_TRIAL, _of.usual_direction.in_([_UP, _DOWN]))
_USUAL_WAS_RIGHT = or_(
    and_(_of.usual_direction == _UP, _of.actual_log_return > 0),
    and_(_of.usual_direction == _DOWN, _of.actual_log_return < 0),
)


class Sums(NamedTuple):
    """Over outcomes; all but `matured` over those that count.

    Attributes:
        trials: Those with a direction, of prices that moved.
        usual_trials: Trials for which the usual direction is known.
        usual_hits: Of them, those in which it was right; `hits_beside_usual`: those in which ours was.
        error: Absolute, of the log return; `no_change_error` is that of the forecast of no change.
        known_95: Those with an interval.
    """

    matured: int
    counted: int
    trials: int
    hits: int
    usual_trials: int
    usual_hits: int
    hits_beside_usual: int
    error: float
    no_change_error: float
    known_95: int
    inside_95: int
    known_99: int
    inside_99: int


def share(part: float, whole: float) -> float | None:
    """Give a part of a whole; None where there is no whole."""
    return part / whole if whole else None


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _total(value: ColumnElement[float]) -> ColumnElement[float]:
    return func.coalesce(func.sum(case((_of.scored, value), else_=0.0)), 0.0)


#: In the order of `Sums`.
_SUMS: tuple[ColumnElement[Any], ...] = (
    func.count(),
    _count(_of.scored),
    _count(_TRIAL),
    _count(and_(_TRIAL, _of.hit)),
    _count(_BESIDE_USUAL),
    _count(and_(_BESIDE_USUAL, _USUAL_WAS_RIGHT)),
    _count(and_(_BESIDE_USUAL, _of.hit)),
    _total(func.abs(_of.actual_log_return - _of.predicted_log_return)),
    _total(func.abs(_of.actual_log_return)),
    _count(and_(_of.scored, _of.inside_95.is_not(None))),
    _count(and_(_of.scored, _of.inside_95)),
    _count(and_(_of.scored, _of.inside_99.is_not(None))),
    _count(and_(_of.scored, _of.inside_99)),
)


def sums_of_span(connection: Connection, series: Series, horizon: int, after_ns: int) -> Sums:
    """Sum up the outcomes of predictions as of later times."""
    ours = (_of.ticker == series.ticker) & (_of.interval == series.interval) & (_of.horizon == horizon)
    return Sums(*connection.execute(select(*_SUMS).where(ours, _SERVED, _of.as_of_ns > after_ns)).one())


class DateSums(NamedTuple):
    """Of the outcomes of one horizon that matured at one time."""

    horizon: int
    matured_ns: int
    sums: Sums


def newest_matured_ns(connection: Connection, interval: str, ticker: str | None) -> int | None:
    """Give the time at which the newest outcome of a ticker, or of all, matured."""
    newest = select(_of.matured_ns).where(_counts(interval, ticker)).order_by(_of.matured_ns.desc())
    found: int | None = connection.scalar(newest.limit(1))
    return found


def sums_by_date(
    connection: Connection, interval: str, ticker: str | None, after_ns: int, limit: int
) -> Sequence[DateSums]:
    """Sum up what matured after a time and counts, of a ticker or of all, by horizon and date; newest first."""
    query = (
        select(_of.horizon, _of.matured_ns, *_SUMS)
        .where(_counts(interval, ticker), _of.matured_ns > after_ns)
        .group_by(_of.matured_ns, _of.horizon)
        .order_by(_of.matured_ns.desc(), _of.horizon)
        .limit(limit)
    )
    return [DateSums(horizon, matured_ns, Sums(*sums)) for horizon, matured_ns, *sums in connection.execute(query)]


class DateHits(NamedTuple):
    """Of the trials of one horizon that matured at one time and have a usual direction beside them.

    Attributes:
        hits: Trials in which our direction was right; `usual_hits`: those in which the usual one was.
    """

    matured_ns: int
    trials: int
    hits: int
    usual_hits: int


def hits_by_date(
    connection: Connection, interval: str, ticker: str | None, horizon: int, limit: int
) -> Sequence[DateHits]:
    """Count hits, ours and those of the usual direction, of a ticker or of all; the newest dates come first."""
    query = (
        select(_of.matured_ns, func.count(), _count(_of.hit), _count(_USUAL_WAS_RIGHT))
        .where(_counts(interval, ticker), _of.horizon == horizon, _BESIDE_USUAL)
        .group_by(_of.matured_ns)
        .order_by(_of.matured_ns.desc())
        .limit(limit)
    )
    return [DateHits(*row) for row in connection.execute(query)]


def _counts(interval: str, ticker: str | None) -> ColumnElement[bool]:
    ours = and_(_of.interval == interval, _SERVED, _of.scored)
    return ours if ticker is None else and_(ours, _of.ticker == ticker)
